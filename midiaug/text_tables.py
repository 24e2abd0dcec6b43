"""Tables as plain text, for the screen and for the log alike."""

from rich.console import Console
from rich.table import Table

WIDTH = 100


def as_text(table: Table, width: int = WIDTH) -> str:
    """A table of rich's as lines of text without colors, at most so many columns wide."""
    console = Console(width=width, force_terminal=False)
    with console.capture() as captured:
        console.print(table)
    return captured.get().rstrip()
