"""Compare a transposed score with its original, note by note: pitch moved by the shift, and nothing else.

Nothing here transposes: what a note should be is worked out from the original's numbers, apart from the code
under test.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from symusic.core import ScoreTick

from midiaug.data.meter import Meter

_FIELDS = ("time", "duration", "pitch", "velocity")
_WORDS = {"time": "onset, in ticks", "duration": "duration, in ticks", "pitch": "pitch", "velocity": "velocity"}


@dataclass(frozen=True)
class Difference:
    """Where transposed music is not what it should be. track, bar, beat: counted from 1, None for the whole piece."""

    what: str
    expected: str
    found: str
    track: int | None = None
    bar: int | None = None
    beat: float | None = None

    def __str__(self) -> str:
        track = "" if self.track is None else f"track {self.track}, "
        place = "" if self.bar is None else f"bar {self.bar}, beat {self.beat:g}, "
        return f"{track}{place}{self.what}: expected {self.expected}, found {self.found}"


def difference_of(original: ScoreTick, shifted: ScoreTick, shift: int) -> Difference | None:
    """The first thing in `shifted` that is not the original moved by `shift` semitones; None where all is right.

    Notes of pitched tracks move; those of drums stay. Times, durations, velocities, programs, controls, bends,
    pedals, tempos, time signatures, markers and lyrics stay. Key signatures move along.
    """
    if original.ticks_per_quarter != shifted.ticks_per_quarter:
        return Difference("ticks to a quarter note", str(original.ticks_per_quarter), str(shifted.ticks_per_quarter))
    if len(original.tracks) != len(shifted.tracks):
        return Difference("number of tracks", str(len(original.tracks)), str(len(shifted.tracks)))
    for number in range(len(original.tracks)):
        found = _of_track(original, shifted, number, shift)
        if found is not None:
            return found
    for name in ("tempos", "time_signatures", "markers"):
        found = _of_events(original, getattr(original, name), getattr(shifted, name), name.replace("_", " "), None)
        if found is not None:
            return found
    return _of_keys(original, shifted, shift)


def sorted_notes(track: Any) -> NDArray[np.int64]:
    """(notes, 4): onset, duration, pitch and velocity of each note, by onset, then pitch."""
    columns = track.notes.numpy()
    table = np.stack([np.asarray(columns[name], np.int64) for name in _FIELDS], 1).reshape(-1, 4)
    return table[np.lexsort((table[:, 3], table[:, 1], table[:, 2], table[:, 0]))]


def note_difference(
    score: ScoreTick, expected: NDArray[np.int64], found: NDArray[np.int64], track: int | None
) -> Difference | None:
    """The first note that differs. expected, found: (notes, 4) as sorted_notes gives them."""
    both = min(len(expected), len(found))
    wrong = (expected[:both] != found[:both]).any(1)
    if wrong.any():
        row = int(wrong.argmax())
        column = int((expected[row] != found[row]).argmax())
        bar, beat = Meter(score).place_of(int(min(expected[row, 0], found[row, 0])))
        what = f"a note's {_WORDS[_FIELDS[column]]}"
        return Difference(what, str(expected[row, column]), str(found[row, column]), track, bar, beat)
    if len(expected) != len(found):
        extra = (expected if len(expected) > both else found)[both]
        bar, beat = Meter(score).place_of(int(extra[0]))
        return Difference("number of notes", str(len(expected)), str(len(found)), track, bar, beat)
    return None


def _of_track(original: ScoreTick, shifted: ScoreTick, number: int, shift: int) -> Difference | None:
    before, after = original.tracks[number], shifted.tracks[number]
    for name in ("is_drum", "program", "name"):
        if getattr(before, name) != getattr(after, name):
            return Difference(
                name.replace("_", " "), repr(getattr(before, name)), repr(getattr(after, name)), number + 1
            )
    wanted = sorted_notes(before)
    wanted[:, 2] += 0 if before.is_drum else shift
    found = note_difference(original, wanted, sorted_notes(after), number + 1)
    if found is not None:
        return found
    for name in ("controls", "pitch_bends", "pedals", "lyrics"):
        found = _of_events(original, getattr(before, name), getattr(after, name), name.replace("_", " "), number + 1)
        if found is not None:
            return found
    return None


def _of_events(score: ScoreTick, before: Any, after: Any, what: str, track: int | None) -> Difference | None:
    if before == after:
        return None
    for old, new in zip(before, after, strict=False):
        if old != new:
            bar, beat = Meter(score).place_of(int(min(old.time, new.time)))
            return Difference(what, str(old), str(new), track, bar, beat)
    return Difference(f"number of {what}", str(len(before)), str(len(after)), track)


def _of_keys(original: ScoreTick, shifted: ScoreTick, shift: int) -> Difference | None:
    """Seven semitones up for each sharp: the pitch class that the signature names must have moved by the shift."""
    wanted = [(int(s.time), (7 * int(s.key) + shift) % 12, int(s.tonality)) for s in original.key_signatures]
    found = [(int(s.time), 7 * int(s.key) % 12, int(s.tonality)) for s in shifted.key_signatures]
    if wanted == found:
        return None
    pairs = [(old, new) for old, new in zip(wanted, found, strict=False) if old != new]
    if not pairs:
        return Difference("number of key signatures", str(len(wanted)), str(len(found)))
    bar, beat = Meter(original).place_of(pairs[0][0][0])
    return Difference("a key signature (onset, pitch class, mode)", str(pairs[0][0]), str(pairs[0][1]), None, bar, beat)
