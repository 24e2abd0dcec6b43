"""Spread work over processes, in order, with a progress bar.

A file that kills or hangs its process, or takes all of its memory, costs itself alone.
"""

import gc
import multiprocessing
import os
import sys
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as OutOfTime
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Self, TypeVar

from pebble import CONSTS, ProcessExpired, ProcessPool

if TYPE_CHECKING:
    from rich.progress import Progress

_ROOM_BYTES = 4 << 30
Item = TypeVar("Item")
Result = TypeVar("Result")


class Passing(str):
    """Why an item is left out, where that may be gone the next time."""

    __slots__ = ()


class Lost(Passing):
    """Why an item is left out whose process died or took too long: once may be chance, twice is the item."""

    __slots__ = ()


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def chunked(items: Sequence[Item], weights: Sequence[float], chunks: int) -> list[list[Item]]:
    """Cut the items, in order, into at most about `chunks` runs of nearly equal total weight."""
    share = max(sum(weights) / max(1, chunks), 1e-9)
    parts: list[list[Item]] = []
    filled = share
    for item, weight in zip(items, weights, strict=True):
        if filled >= share:
            parts.append([])
            filled = 0.0
        parts[-1].append(item)
        filled += weight
    return parts


def _bar() -> "Progress":
    from rich.console import Console  # a tenth of a second to import, and not needed where all is in the cache
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}")]
    return Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal)


def _begin() -> None:
    """What a process does first: from now on it may take so much more memory than it has, where the system says so."""
    gc.freeze()  # what was there before is not searched for garbage
    if sys.platform.startswith("linux"):
        import resource

        taken = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        limit = taken + _ROOM_BYTES
        resource.setrlimit(resource.RLIMIT_DATA, (limit if most == resource.RLIM_INFINITY else min(limit, most), most))


class Processes:
    """Processes that serve one round of work after another, started with the first one; inside a `with` alone.

    count: how many; None for one a core.
    """

    def __init__(self, count: int | None = None) -> None:
        self.count = count or cores()
        self._ending: Thread | None = None

    def __enter__(self) -> Self:
        self._ending = None
        # how late a pool sees that its work is done; its own 0.1 s shows where all takes half a second
        CONSTS.sleep_unit = 0.01
        # fork: a script without a __main__ guard must work, and the children start at once
        method = "fork" if sys.platform.startswith("linux") else "spawn"
        self.pool = ProcessPool(
            max_workers=self.count,
            context=multiprocessing.get_context(method),
            initializer=_begin,
        )
        return self

    def let_go(self) -> None:
        """Let them end while this process goes on: their memory takes the system a while. No more work may follow."""
        self.pool.stop()  # type: ignore[no-untyped-call]
        ending = Thread(target=self.pool.join)
        ending.start()
        self._ending = ending

    def __exit__(self, *error: object) -> None:
        if self._ending is not None:
            self._ending.join()
        self.pool.stop()  # type: ignore[no-untyped-call]
        self.pool.join()


def _result_or_loss(
    future: "Future[list[Result]]", item: Item, lost: Callable[[Item, str], Result], seconds: float
) -> Result:
    try:
        return future.result()[0]
    except OutOfTime:
        return lost(item, f"took longer than {seconds:g} seconds")
    except ProcessExpired:
        return lost(item, "crashed its process")
    except MemoryError:
        return lost(item, f"took more than {_ROOM_BYTES >> 30} GiB of memory")


def in_processes(
    function: Callable[[list[Item]], list[Result]],
    items: Sequence[Item],
    weights: Sequence[float],
    lost: Callable[[Item, str], Result],
    *,
    label: str,
    processes: Processes | int | None = None,
    seconds: float = 120.0,
) -> Generator[Result]:
    """Yield function([item])[0] for each item, in order, computed in chunks by several processes.

    weights: the expected cost of each item, such as its file's size; it balances the chunks.
    lost: what stands for an item whose own process died, took longer than `seconds` or 4 GiB more of memory (where the
    system limits that: on Linux), given the reason.
    processes: those, or how many to start for this alone; None for one a core.
    """
    if not items:
        return
    if not isinstance(processes, Processes):
        with Processes(min(processes or cores(), len(items))) as own:
            yield from in_processes(function, items, weights, lost, label=label, processes=own, seconds=seconds)
        return
    pool, parts = processes.pool, chunked(items, weights, max(processes.count * 8, len(items) // 64))

    def one_by_one(part: list[Item]) -> list[Result]:
        alone = [pool.schedule(function, args=[[item]], timeout=seconds) for item in part]
        return [_result_or_loss(future, item, lost, seconds) for future, item in zip(alone, part, strict=True)]

    futures: list[Future[list[Result]]] = [pool.schedule(function, args=[part], timeout=seconds) for part in parts]
    try:
        with _bar() as progress:
            task = progress.add_task(label, total=len(items), rate="")
            for index, part in enumerate(parts):
                try:
                    results = futures[index].result()
                except (OutOfTime, ProcessExpired, MemoryError):
                    results = one_by_one(part)
                futures[index] = Future()  # lets the results go as soon as they are used
                yield from results
                speed = progress.tasks[task].finished_speed or progress.tasks[task].speed
                progress.update(task, advance=len(part), rate=f"{speed:,.0f}/s" if speed else "")
    finally:
        for future in futures:  # of a caller that stopped early
            future.cancel()
