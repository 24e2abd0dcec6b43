"""The figures of a corpus on disk, as a table."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from rich.table import Table

from midiaug.offline.copies import Copies, Piece
from midiaug.text_tables import as_text

_SIDES = {"train": "to train on", "val": "to validate on"}


@dataclass(frozen=True)
class Side:
    """The copies of one side of the split: how many pieces and files, their notes, and their notes left out."""

    pieces: int
    files: int
    notes: int
    dropped: int
    bytes: int


@dataclass(frozen=True)
class Summary:
    """All copies by side, `train` and `val`. written: files that were not there before. seconds: it all took."""

    sides: Mapping[str, Side]
    written: int
    quarantined: int
    seconds: float

    @property
    def files(self) -> int:
        """Files of both sides."""
        return sum(side.files for side in self.sides.values())

    def table(self) -> str:
        """The figures as a small table."""
        table = Table(show_header=True, header_style="bold")
        for head in ("", "pieces", "files", "notes", "notes left out", "MB"):
            table.add_column(head, justify="left" if not head else "right")
        for name, side in self.sides.items():
            table.add_row(_SIDES[name], *_texts(side), end_section=name == list(self.sides)[-1])
        total = {name: sum(asdict(side)[name] for side in self.sides.values()) for name in Side.__dataclass_fields__}
        table.add_row(f"in all, {self.seconds:.1f} s", *_texts(Side(**total)))
        return as_text(table)


def summary_of(pieces: Sequence[Piece], results: Sequence[Copies], quarantined: int, seconds: float) -> Summary:
    """The figures of what came of each piece."""
    sides = {}
    for name in _SIDES:
        inside = [copies for piece, copies in zip(pieces, results, strict=True) if piece.side == name and copies.files]
        sums = {key: sum(getattr(copies, key) for copies in inside) for key in ("notes", "dropped", "bytes")}
        sides[name] = Side(len(inside), sum(copies.files for copies in inside), **sums)
    return Summary(sides, sum(copies.written for copies in results), quarantined, seconds)


def _texts(side: Side) -> list[str]:
    counts = [f"{number:,}" for number in (side.pieces, side.files, side.notes, side.dropped)]
    return [*counts, f"{side.bytes / 1e6:,.1f}"]
