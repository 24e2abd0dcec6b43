"""The figures of a corpus on disk."""

from midiaug.offline.copies import Copies, Piece
from midiaug.offline.summary import Side, summary_of


def test_the_figures_are_added_up_by_side():
    pieces = [
        Piece(0, "a.mid", "a"),
        Piece(1, "b.mid", "b"),
        Piece(2, "c.mid", "c", "val"),
        Piece(3, "d.mid", "d", "val"),
    ]
    results = [
        Copies(files=2, notes=20, dropped=1, bytes=300, written=2),
        Copies(files=1, notes=7, bytes=100),
        Copies(files=1, notes=1_234_567, bytes=5_000_000, written=1),
        Copies(left_out=[(None, "no note")]),
    ]
    summary = summary_of(pieces, results, quarantined=3, seconds=1.25)
    assert summary.sides == {"train": Side(2, 3, 27, 1, 400), "val": Side(1, 1, 1_234_567, 0, 5_000_000)}
    assert (summary.files, summary.written, summary.quarantined) == (4, 3, 3)
    lines = summary.table().splitlines()
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines if line.startswith("│")]
    assert rows == [
        ["to train on", "2", "3", "27", "1", "0.0"],
        ["to validate on", "1", "1", "1,234,567", "0", "5.0"],
        ["in all, 1.2 s", "3", "4", "1,234,594", "1", "5.0"],
    ]
