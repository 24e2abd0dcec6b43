"""A piece in each of its shifts, as MIDI files: what a process of its own does for the corpus on disk."""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from symusic.core import ScoreTick

from midiaug.data.flat import Ragged
from midiaug.data.shifts import Choices, Shifts, room_of
from midiaug.data.transpose import ANY_PITCH, pitch_span, within
from midiaug.errors import OutputError, QuarantinedFile
from midiaug.offline.names import copy_name
from midiaug.offline.shifting import Layout, layout_of, shifted_midi

Row = dict[str, Any]


@dataclass(frozen=True)
class LeftOut:
    """A piece, or its copy in one shift, that was not written, and the reason. shift: None for all of them."""

    source: str
    shift: int | None
    reason: str


@dataclass(frozen=True)
class Piece:
    """A piece to write: its row in the corpus, its name, what its files begin with, its side and group in the split.

    former: the rows that a former run noted of its files; None where it noted nothing. left_out: likewise.
    """

    row: int
    name: str
    stem: str
    side: str = "train"
    group: int = 0
    former: list[Row] | None = None
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True)
class Writing:
    """How copies are made. out: their folder. pitches: the lowest and the highest that the tokenizer has tokens for."""

    out: Path
    pitches: tuple[int, int]
    shifts: Shifts
    out_of_range: Literal["limit", "drop"]


@dataclass
class Copies:
    """What came of one piece.

    rows: the manifest's rows of its files, as JSON with a line for each. sides: what split.json says of them, likewise.
    left_out: what was not written. files: how many there are. written: how many were not there before.
    """

    rows: str = ""
    sides: str = ""
    left_out: list[LeftOut] = field(default_factory=list)
    files: int = 0
    notes: int = 0
    dropped: int = 0
    bytes: int = 0
    written: int = 0


def write_copies(pieces: list[Piece], corpus: Path, how: Writing) -> list[Copies]:
    """Write these pieces of the corpus in that directory; what a former run wrote, and still is so, is kept.

    Raises OutputError where a file is in the way that is not what is to be written, and OSError of the disk.
    """
    midi = Ragged(corpus, "midi", np.uint8)
    return [
        _noted(piece, piece.former, list(piece.left_out))
        if piece.former and _unchanged(piece.former, how.out)
        else _write_piece(piece, midi[piece.row].tobytes(), how)
        for piece in pieces
    ]


def _write_piece(piece: Piece, data: bytes, how: Writing) -> Copies:
    score = ScoreTick.from_midi(data)  # which was within the limits when the corpus was read
    rows: list[Row] = []
    left_out: list[LeftOut] = []
    written = 0
    total, out = score.note_num(), str(how.out)
    for shift, content, dropped in _contents(score, data, how):
        if shift is None or isinstance(content, str):
            left_out.append(LeftOut(piece.name, shift, str(content)))
            continue
        written += place(f"{out}/{copy_name(piece.stem, shift)}", content)
        numbers = {"shift": shift, "notes": total - dropped, "dropped": dropped, "bytes": len(content)}
        rows.append(numbers | {"sha256": hashlib.sha256(content).hexdigest()})
    return _noted(piece, rows, left_out, written)


def _noted(piece: Piece, rows: list[Row], left_out: list[LeftOut], written: int = 0) -> Copies:
    """rows: the numbers and the hash of each file. The JSON is what json.dumps writes, in a fraction of its time."""
    sums = {key: sum(row[key] for row in rows) for key in ("notes", "dropped", "bytes")}
    stem, source = json.dumps(piece.stem)[:-1], json.dumps(piece.name)
    names = [f'{copy_name(stem, row["shift"])}"' for row in rows]
    side = f'"side": "{piece.side}", "group": {piece.group}}}'
    lines = ",\n".join(
        f'{{"file": {name}, "source": {source}, "shift": {row["shift"]}, '
        f'"notes": {row["notes"]}, "dropped": {row["dropped"]}, "bytes": {row["bytes"]}, "sha256": "{row["sha256"]}", '
        f"{side}"
        for name, row in zip(names, rows, strict=True)
    )
    sides = ", ".join(f"{name}: {{{side}" for name in names)
    return Copies(lines, sides, left_out, len(rows), **sums, written=written)


def _contents(score: ScoreTick, data: bytes, how: Writing) -> Iterator[tuple[int | None, bytes | str, int]]:
    """Each shift with the bytes of the copy, or why there is none, and how many notes it lacks; None for all shifts.

    data: the piece's own bytes, which are the copy in its own key where that lacks nothing.
    """
    low, high = how.pitches
    layout = _layout_of(score)
    kept, lost, span = score, 0, layout.span if layout else pitch_span(score)
    if span is not None and not (low <= span[0] and span[1] <= high):
        kept, lost = within(score, how.pitches, ANY_PITCH)
        layout, span = None, pitch_span(kept)
    if span is None:
        yield None, "no note within the pitches that the tokenizer writes", lost
        return
    shifts = shifts_of(span, how)
    lowest, highest = room_of(span, how.pitches)
    if lowest <= shifts[0] and shifts[-1] <= highest:
        contents = layout.moved(shifts) if layout else shifted_midi(kept, shifts)
        for shift, content in zip(shifts, contents, strict=True):
            yield shift, data if shift == 0 and not lost else content, lost
        return
    for shift in shifts:
        kept, lost = within(score, (max(low, low - shift), min(high, high - shift)), ANY_PITCH)
        if pitch_span(kept) is None:
            yield shift, "in this key no note is within the pitches that the tokenizer writes", lost
        else:
            yield shift, data if shift == 0 and not lost else shifted_midi(kept, [shift])[0], lost


def _layout_of(score: ScoreTick) -> Layout | None:
    try:
        return layout_of(score)
    except QuarantinedFile:
        return None  # to write it in each shift names the reason


@lru_cache
def shifts_of(span: tuple[int, int], how: Writing) -> tuple[int, ...]:
    """The shifts, ascending, that a piece of these lowest and highest pitches takes, as in training: with `limit` those
    that keep each note, 0 where none does.
    """
    if how.out_of_range == "drop":
        return how.shifts.values
    lowest, highest = room_of(span, how.pitches)
    choices = Choices.within(how.shifts, np.array([lowest]), np.array([highest]))
    first = int(choices.first[0])
    return tuple(choices.values[first : first + int(choices.count[0])].tolist())


def place(path: str, content: bytes) -> bool:
    """Put a file there, if none is; returns whether there was none.

    A file that a stopped run or a power cut left short or full of zeros is written again. Raises OutputError for
    any other that differs.
    """
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        there = Path(path).read_bytes() if os.path.isfile(path) else None
        if there == content:
            return False
        if there is None or os.path.islink(path) or not _is_torn(there, content):
            text = f"{path}: in the way, and not what is to be written; move it away and start again"
            raise OutputError(text) from None
        os.unlink(path)
        return place(path, content)
    try:
        left = memoryview(content)
        while left:  # a disk that is nearly full takes a part
            left = left[os.write(file, left) :]
    except BaseException:
        os.unlink(path)
        raise
    finally:
        os.close(file)
    return True


def _is_torn(there: bytes, content: bytes) -> bool:
    if len(there) > len(content):
        return False
    found, wanted = np.frombuffer(there, np.uint8), np.frombuffer(content, np.uint8)[: len(there)]
    return bool(((found == wanted) | (found == 0)).all())


def _unchanged(rows: list[Row], out: Path) -> bool:
    try:
        return all(
            hashlib.sha256(Path(f"{out}/{row['file']}").read_bytes()).hexdigest() == row["sha256"] for row in rows
        )
    except (FileNotFoundError, IsADirectoryError):
        return False
