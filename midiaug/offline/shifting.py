"""A score in many shifts as MIDI bytes: written twice, and for the rest moved byte by byte."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from symusic.core import ScoreTick

from midiaug.data.transpose import shifted_key, transpose
from midiaug.errors import QuarantinedFile

_KEY_SIGNATURE = (0xFF, 0x59, 0x02)  # then the sharps and the mode (Standard MIDI Files 1.0, RP-001)


def shifted_midi(score: ScoreTick, shifts: Sequence[int]) -> list[bytes | str]:
    """The score in each shift, ascending, as MIDI bytes, or why it cannot be written: read again, it must be the same.

    The shifts change pitches and key signatures alone, a byte each. Where those are shows in two scores, whose pitches
    are those of the piece and of one shift, and whose key signatures all differ: the piece's own and others. What
    differs must be two bytes a note, all by as much, and one a key signature.
    """
    try:
        if len(shifts) == 1:
            return [_checked(transpose(score, shifts[0]))]
        base = np.frombuffer(_checked(score), np.uint8)
    except QuarantinedFile as reason:
        return [str(reason)] * len(shifts)
    by = shifts[0] or shifts[-1]
    other = np.frombuffer(_in_other_keys(score, by).dumps_midi(), np.uint8)
    places = np.flatnonzero(base != other) if len(base) == len(other) else np.zeros(0, np.int64)
    is_key = np.ones(len(places), bool)
    for back, value in enumerate(reversed(_KEY_SIGNATURE), 1):
        is_key &= base[places - back] == value
    pitches, keys = places[~is_key], places[is_key]
    notes = sum(len(track.notes) for track in score.tracks if not track.is_drum)
    alike = (other[pitches] - base[pitches] == by % 256).all()
    if not alike or len(pitches) != 2 * notes or len(keys) != len(score.key_signatures):
        # not of the same layout: each is written by itself
        return [shifted_midi(score, [shift])[0] for shift in shifts]
    return _moved(base, pitches, keys, shifts)


def _in_other_keys(score: ScoreTick, semitones: int) -> ScoreTick:
    """A copy with its pitches shifted by semitones, and each key signature changed, as whole octaves do not."""
    moved = transpose(score, semitones)
    for sign, own in zip(moved.key_signatures, score.key_signatures, strict=True):
        sign.key = shifted_key(own.key, 1)
    return moved


def _moved(
    base: NDArray[np.uint8], pitches: NDArray[np.int64], keys: NDArray[np.int64], shifts: Sequence[int]
) -> list[bytes | str]:
    """base: (bytes,) of the piece in its own key. pitches, keys: where those are in it."""
    is_pitch = np.zeros(len(base), np.uint8)
    is_pitch[pitches] = 1
    moved = np.multiply.outer(np.array(shifts).astype(np.uint8), is_pitch)
    moved += base
    for place, key in zip(keys.tolist(), base[keys].astype(np.int8).tolist(), strict=True):
        moved[:, place] = [shifted_key(key, shift) % 256 for shift in shifts]
    return [row.tobytes() for row in moved]


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
