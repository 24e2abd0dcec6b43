"""A bar on the terminal while something takes its time, and nothing elsewhere."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import track

Item = TypeVar("Item")


def tracked(items: Sequence[Item], label: str) -> Iterable[Item]:
    """The items in turn, with a bar that goes when they are done."""
    console = Console(stderr=True)
    return track(items, label, console=console, transient=True, disable=not console.is_terminal)
