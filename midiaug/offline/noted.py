"""What a run noted of the files that it wrote, read back: nothing of it is believed before its shape is checked."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from midiaug.data.shifts import Shifts
from midiaug.offline.copies import LeftOut, Piece, Row
from midiaug.offline.names import copy_name

_ROW: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("file", "source", "sha256", "side"), (str,)),
    **dict.fromkeys(("shift", "notes", "dropped", "bytes", "group"), (int,)),
}
_LEFT_OUT: dict[str, tuple[type, ...]] = {"source": (str,), "shift": (int, type(None)), "reason": (str,)}


def read_object(data: Path | bytes) -> dict[str, Any]:
    """The object that a file, or a line of one, is in JSON; an empty one where it is cut off or anything else."""
    try:
        if isinstance(data, Path):
            data = data.read_bytes() if data.is_file() else b""  # a pipe would never end
        content = json.loads(data)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def noted(content: Mapping[str, Any]) -> tuple[list[Row], list[LeftOut]] | None:
    """The rows of `copies` and of `left_out` of a manifest or of a line of the journal; None where either is odd."""
    rows, lost = content.get("copies", []), content.get("left_out", [])
    if not (isinstance(rows, list) and isinstance(lost, list)):
        return None
    if not (all(_has(row, _ROW) for row in rows) and all(_has(entry, _LEFT_OUT) for entry in lost)):
        return None
    return rows, [LeftOut(**entry) for entry in lost]


def _has(row: Any, columns: Mapping[str, tuple[type, ...]]) -> bool:
    return (
        isinstance(row, dict)
        and row.keys() == columns.keys()
        and all(isinstance(row[key], kinds) and not isinstance(row[key], bool) for key, kinds in columns.items())
    )


def is_of(row: Row, piece: Piece, shifts: Shifts) -> bool:
    """Whether a row is one that this run would note of a file of the piece, but for what is in the file."""
    return (
        row["shift"] in (0, *shifts)
        and (row["file"], row["source"]) == (copy_name(piece.stem, row["shift"]), piece.name)
        and (row["side"], row["group"]) == (piece.side, piece.group)
    )
