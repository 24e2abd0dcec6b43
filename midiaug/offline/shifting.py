"""A score in many shifts as MIDI bytes: written twice, and for the rest moved byte by byte."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from symusic.core import ScoreTick

from midiaug.data.transpose import shifted_key, transpose
from midiaug.errors import PitchOutOfRange, QuarantinedFile

_KEY_SIGNATURE = (0xFF, 0x59, 0x02)  # then the sharps and the mode (Standard MIDI Files 1.0, RP-001)


@dataclass(frozen=True)
class Layout:
    """A score as MIDI bytes, and where in them a shift changes something: pitches and key signatures, a byte each.

    content: (bytes,) uint8 of the score in its own key. pitches, keys: (n,) places in it.
    """

    content: NDArray[np.uint8]
    pitches: NDArray[np.int64]
    keys: NDArray[np.int64]

    @property
    def span(self) -> tuple[int, int]:
        """The lowest and the highest pitch of the pitched tracks."""
        pitches = self.content[self.pitches]
        return int(pitches.min()), int(pitches.max())

    def moved(self, shifts: Sequence[int]) -> list[bytes]:
        """The score in each shift as MIDI bytes; all pitches must stay within 0 to 127."""
        is_pitch = np.zeros(len(self.content), np.uint8)
        is_pitch[self.pitches] = 1
        moved = np.multiply.outer(np.array(shifts).astype(np.uint8), is_pitch)
        moved += self.content
        for place, key in zip(self.keys.tolist(), self.content[self.keys].astype(np.int8).tolist(), strict=True):
            moved[:, place] = [shifted_key(key, shift) % 256 for shift in shifts]
        return [row.tobytes() for row in moved]


def layout_of(score: ScoreTick) -> Layout | None:
    """The layout of a score, found by writing it twice: once with all pitches a semitone and all key signatures a
    fifth away. What differs must be two bytes a note, all by one, and one a key signature.

    None where it is otherwise, or where no note is pitched. Raises QuarantinedFile where reading what was written gives
    other music.
    """
    content = np.frombuffer(_checked(score), np.uint8)
    try:
        by, moved = 1, transpose(score, 1)
    except PitchOutOfRange:
        try:
            by, moved = -1, transpose(score, -1)
        except PitchOutOfRange:
            return None
    for sign, own in zip(moved.key_signatures, score.key_signatures, strict=True):
        sign.key = shifted_key(own.key, 1)
    other = np.frombuffer(moved.dumps_midi(), np.uint8)
    if len(content) != len(other):
        return None
    places = np.flatnonzero(content != other)
    is_pitch = other[places] - content[places] == by % 256  # a key signature moves by 7 or by -5
    pitches, keys = places[is_pitch], places[~is_pitch]
    notes = sum(len(track.notes) for track in score.tracks if not track.is_drum)
    if not notes or len(pitches) != 2 * notes or len(keys) != len(score.key_signatures):
        return None
    signs = (content[keys - back] == value for back, value in enumerate(reversed(_KEY_SIGNATURE), 1))
    return Layout(content, pitches, keys) if all(sign.all() for sign in signs) else None


def shifted_midi(score: ScoreTick, shifts: Sequence[int]) -> list[bytes | str]:
    """The score in each shift as MIDI bytes, or why it cannot be written: read again, it must be the same."""
    if len(shifts) > 1:
        try:
            layout = layout_of(score)
        except QuarantinedFile as reason:
            return [str(reason)] * len(shifts)
        if layout is not None:
            return [*layout.moved(shifts)]
    return [_written(transpose(score, shift)) for shift in shifts]


def _written(score: ScoreTick) -> bytes | str:
    try:
        return _checked(score)
    except QuarantinedFile as reason:
        return str(reason)


def _checked(score: ScoreTick) -> bytes:
    """The score as MIDI bytes. Raises QuarantinedFile where reading them gives other music."""
    content = bytes(score.dumps_midi())
    again = ScoreTick.from_midi(content)
    if again != score and list(_music(again)) != list(_music(score)):
        raise QuarantinedFile("written as MIDI and read again it is other music")
    return content


def _music(score: ScoreTick) -> Iterator[Any]:
    """What of a score is heard or counted; names and tracks without anything in them are not."""
    yield from (score.ticks_per_quarter, score.tempos, score.time_signatures, score.key_signatures)
    for track in score.tracks:
        if any((track.notes, track.controls, track.pitch_bends, track.pedals)):
            yield from (track.program, track.is_drum, track.notes, track.controls, track.pitch_bends, track.pedals)
