"""Spread work over processes, in order, with a progress bar.

A file that kills or hangs its process costs itself alone.
"""

import multiprocessing
import os
import sys
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as OutOfTime
from typing import TYPE_CHECKING, TypeVar

from pebble import CONSTS, ProcessExpired, ProcessPool

if TYPE_CHECKING:
    from rich.progress import Progress

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


def _pool(processes: int) -> ProcessPool:
    # fork: a script without a __main__ guard must work, and the children start at once
    CONSTS.sleep_unit = (
        0.01  # how late a pool sees that its work is done; its own 0.1 s shows where all takes half a second
    )
    method = "fork" if sys.platform.startswith("linux") else "spawn"
    return ProcessPool(max_workers=processes, context=multiprocessing.get_context(method))


def _result_or_loss(
    future: "Future[list[Result]]", item: Item, lost: Callable[[Item, str], Result], seconds: float
) -> Result:
    try:
        return future.result()[0]
    except OutOfTime:
        return lost(item, f"took longer than {seconds:g} seconds")
    except ProcessExpired:
        return lost(item, "crashed its process")


def in_processes(
    function: Callable[[list[Item]], list[Result]],
    items: Sequence[Item],
    weights: Sequence[float],
    lost: Callable[[Item, str], Result],
    *,
    label: str,
    processes: int | None = None,
    seconds: float = 120.0,
) -> Generator[Result]:
    """Yield function([item])[0] for each item, in order, computed in chunks by several processes.

    weights: the expected cost of each item, such as its file's size; it balances the chunks.
    lost: what stands for an item whose own process died or took longer than `seconds`, given the reason.
    """
    if not items:
        return
    count = min(processes or cores(), max(1, len(items)))
    parts = chunked(items, weights, max(count * 8, len(items) // 64))
    pool = _pool(count)

    def one_by_one(part: list[Item]) -> list[Result]:
        alone = [pool.schedule(function, args=[[item]], timeout=seconds) for item in part]
        return [_result_or_loss(future, item, lost, seconds) for future, item in zip(alone, part, strict=True)]

    try:
        futures: list[Future[list[Result]]] = [pool.schedule(function, args=[part], timeout=seconds) for part in parts]
        with _bar() as progress:
            task = progress.add_task(label, total=len(items), rate="")
            for index, part in enumerate(parts):
                try:
                    results = futures[index].result()
                except (OutOfTime, ProcessExpired):
                    results = one_by_one(part)
                futures[index] = Future()  # lets the results go as soon as they are used
                yield from results
                speed = progress.tasks[task].finished_speed or progress.tasks[task].speed
                progress.update(task, advance=len(part), rate=f"{speed:,.0f}/s" if speed else "")
    finally:
        pool.stop()  # type: ignore[no-untyped-call]
        pool.join()
