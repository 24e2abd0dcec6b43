"""A bar on the terminal while pieces are drawn: how far they are, how many are finished, how fast it goes."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from torch import Tensor

from midiaug.generation.cursor import Cursor
from midiaug.printable import short

Watch = Callable[[int, Cursor, Tensor], None]
_REFRESH_S = 0.25


@contextmanager
def drawing_bar(n: int, bars: int, max_tokens: int, console: Console | None = None) -> Iterator[Watch | None]:
    """What `sample` tells of each step, for n pieces of at most so many bars and tokens; None without a terminal."""
    console = Console(stderr=True) if console is None else console
    if not console.is_terminal:
        yield None
        return
    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[figures]}"),
    ]
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        task, begun, tokens, shown = progress.add_task("generating", total=n, figures=""), time.monotonic(), 0, 0.0

        def watch(step: int, cursor: Cursor, live: Tensor) -> None:
            nonlocal tokens, shown
            tokens += n  # an ended piece costs as much as one that goes on
            now = time.monotonic()
            if now - shown < _REFRESH_S:
                return
            shown = now
            playing = int(live.sum())
            figures = f"{n - playing:,} of {n:,} pieces, {short(tokens / max(now - begun, 1e-9))} tokens/s"
            progress.update(task, completed=pieces_done(step, cursor, live, bars, max_tokens), figures=figures)

        yield watch


def pieces_done(step: int, cursor: Cursor, live: Tensor, bars: int, max_tokens: int) -> float:
    """How much is drawn after so many steps, in pieces: of one that goes on, the share of its bars or of its tokens."""
    written = 1 - (cursor.stop - cursor.bar.clamp(min=0)).double() / bars
    share = torch.clamp(written, min=step / max_tokens, max=1.0)
    return float(torch.where(live, share, 1.0).sum())
