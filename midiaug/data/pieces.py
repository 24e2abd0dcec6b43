"""Read one entry into a Score, or say in a musician's words why it cannot be used."""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

from symusic.core import ScoreTick

from midiaug.data.digests import digest
from midiaug.data.meter import Meter, most_bars
from midiaug.data.parquet import read_row
from midiaug.data.sources import Entry, abc_text, tunes_of
from midiaug.errors import PassingFault, QuarantinedFile, one_line

_ABC_ROOM = 1 << 17
_DAMAGED = "the file is damaged"
_CUT = "the file is cut short, or damaged"
# what symusic 0.6, and minimidi, which reads for it, complain of, in words that need no knowledge of a file's bytes
_MEANINGS: tuple[tuple[str, str], ...] = (
    (r"Get velocity=(\d+)", rf"a note of it has the velocity \1, and MIDI's end at 127: {_DAMAGED}"),
    (r"Get pitch=(\d+)", rf"a note of it has the pitch \1, and MIDI's end at 127: {_DAMAGED}"),
    (r"Get program=(\d+)", rf"it asks for instrument \1, and MIDI's end at 127: {_DAMAGED}"),
    (r"Get control_(?:number|value)=(\d+)", rf"a controller in it is set to \1, and MIDI's end at 127: {_DAMAGED}"),
    (r"Get pitch_bend=(-?\d+)", rf"it bends a pitch by \1, beyond what MIDI has: {_DAMAGED}"),
    (r"Invalid chunk length", f"a track should be longer than the rest of the file: {_CUT}"),
    (r"Unexpected EOF", f"it ends in the middle of something: {_CUT}"),
    (r"(?:first chunk length|File size is less)", f"its header is not one of MIDI: {_DAMAGED}"),
    (r"Invaild midi format \((\d+)\)", rf"its header names the format \1, and there are 0, 1 and 2: {_DAMAGED}"),
    (r"Division type is not ticks", "it counts time in film frames (SMPTE), not in parts of a quarter note"),
    (r"Unexpected running status|unsupported status byte", f"a track holds something that is no music: {_DAMAGED}"),
)


@dataclass(frozen=True)
class Limits:
    """What one piece may claim before it is left out: a few bytes can ask for a billion bars."""

    max_bars: int = 10_000
    max_tokens: int = 1_000_000


NO_LIMITS = Limits(max_bars=1 << 62, max_tokens=1 << 62)  # for pieces that were read within limits before


def read_midi_bytes(entry: Entry, content: bytes | None = None) -> bytes:
    """The entry as MIDI bytes: the file itself, an ABC tune played into MIDI, or what a row of a Parquet file holds.

    content: the digest that the file had when it was listed.
    Raises QuarantinedFile with the reason where the file cannot be read, and PassingFault where it changed meanwhile.
    """
    if entry.row is not None and entry.column is not None:
        return read_row(entry.path, entry.column, entry.row)
    try:
        data = entry.path.read_bytes()
    except OSError as error:
        raise PassingFault(f"the file could not be opened ({error.strerror or error})") from error
    if content is not None and digest(data) != content:
        raise PassingFault("the file changed while it was read")
    if not data:
        raise QuarantinedFile("the file is empty")
    return data if entry.tune is None else _midi_of_abc(_tunes(data), entry.tune)


def parse(data: bytes, limits: Limits) -> ScoreTick:
    """Parse MIDI bytes into a symusic Score (times in ticks), within the limits.

    Raises QuarantinedFile: not readable as MIDI, no notes, drums only, or too long.
    """
    if data[:4] != b"MThd":
        raise QuarantinedFile("not readable as MIDI (it does not begin with the MThd header)")
    try:
        score = ScoreTick.from_midi(data)
    except (RuntimeError, ValueError, IndexError, OverflowError) as error:
        raise QuarantinedFile(f"not readable as MIDI ({meaning_of(one_line(error))})") from error
    if score.ticks_per_quarter <= 0:
        raise QuarantinedFile("not readable as MIDI (it counts no ticks to a quarter note)")
    notes = score.note_num()
    if notes == 0:
        raise QuarantinedFile("no notes in it")
    if all(track.is_drum for track in score.tracks if len(track.notes)):
        raise QuarantinedFile("drums only: there is no pitch to transpose or to learn")
    if notes > limits.max_tokens:
        raise QuarantinedFile(f"too long: {notes:,} notes, and data.max_tokens is {limits.max_tokens:,}")
    if score.start() < 0:
        raise QuarantinedFile("not readable as MIDI (its times do not fit in 32 bits)")
    if most_bars(score) > limits.max_bars and (bars := count_bars(score)) > limits.max_bars:
        raise QuarantinedFile(f"too long: {bars:,} bars, and data.max_bars is {limits.max_bars:,}")
    return score


def meaning_of(complaint: str) -> str:
    """What the reader's complaint means; the complaint itself where that is not known."""
    for pattern, meaning in _MEANINGS:
        found = re.search(pattern, complaint)
        if found is not None:
            return found.expand(meaning)
    return complaint


def count_bars(score: ScoreTick) -> int:
    """How many bars the score spans, by its time signatures (4/4 where it has none)."""
    end = int(score.end())
    return Meter(score).bar_at(end - 1).number + 1 if end > 0 else 0


@lru_cache(maxsize=1)
def _tunes(data: bytes) -> list[str]:
    return tunes_of(abc_text(data))  # once for all tunes of a file, which are read one after another


def _midi_of_abc(tunes: list[str], tune: int) -> bytes:
    if tune >= len(tunes):
        raise QuarantinedFile("not readable as ABC (no line that begins a tune with X:)")
    score, failure = None, None
    with _standard_output_caught() as caught:
        try:
            score = ScoreTick.from_abc(tunes[tune])
        except (RuntimeError, ValueError, OSError) as error:
            failure = error
    if score is None or not caught:
        _check_temporary_folder()
    complaints = [line.strip() for line in caught if line.lstrip().startswith("Error")]
    if score is None or complaints:
        # the reader's own message names a temporary file, another each time
        reason = complaints[0] if complaints else "abc2midi made no MIDI of it; is its key, K:, missing?"
        raise QuarantinedFile(f"not readable as ABC ({reason})") from failure
    return bytes(score.dumps_midi())


def _check_temporary_folder() -> None:
    """Raise PassingFault where abc2midi fails because the folder that it works in does."""
    try:
        with tempfile.TemporaryFile() as file:
            file.write(bytes(_ABC_ROOM))
    except OSError as error:
        where = tempfile.gettempdir()
        raise PassingFault(f"ABC is read by way of {where}, which cannot be written ({error.strerror})") from error


@contextmanager
def _standard_output_caught() -> Iterator[list[str]]:
    """Catch what a child program prints on file descriptor 1: symusic's ABC reader complains there."""
    lines: list[str] = []
    sys.stdout.flush()
    with tempfile.TemporaryFile() as file:
        saved = os.dup(1)
        os.dup2(file.fileno(), 1)
        try:
            yield lines
        finally:
            os.dup2(saved, 1)
            os.close(saved)
            file.seek(0)
            lines += file.read().decode("utf-8", errors="replace").splitlines()
