"""The key that a piece seems to be in, the seven pitch classes of its scale, and what pitches are called."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from symusic.core import ScoreTick

TONICS = ("C", "D♭", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
# how often each degree comes, in percent, in folk songs of the Essen collection (Aarden 2003, "Dynamic melodic
# expectancy", Ohio State University); against the 1,131 tunes of Aird's with one key signature, the scale is right
# for 91 %, where the ratings of Krumhansl and Kessler (1982) give 88 %
_MAJOR = (
    17.7661,
    0.145624,
    14.9265,
    0.160186,
    19.8049,
    11.3587,
    0.291248,
    22.062,
    0.145624,
    8.15494,
    0.232998,
    4.95122,
)
_MINOR = (18.2648, 0.737619, 14.0499, 16.8599, 0.702494, 14.4362, 0.702494, 18.6161, 4.56621, 1.93186, 7.37619, 1.75623)
_DEGREES = {"major": _MAJOR, "minor": _MINOR}
_NAMES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
_SHARPS = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
_FLATS = ("C", "D♭", "D", "E♭", "E", "F", "G♭", "G", "A♭", "A", "B♭", "B")
_OF_SHARPS = (7, 2, 9, 4, 11, 6)  # major keys, from G on by fifths
_OF_FLATS = (5, 10, 3, 8, 1)
_SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
_CANDIDATES = [(tonic, mode) for mode in _DEGREES for tonic in range(12)]
_PROFILES = np.stack([np.roll(_DEGREES[mode], tonic) for tonic, mode in _CANDIDATES])
_CENTERED = _PROFILES - _PROFILES.mean(1, keepdims=True)
_UNIT = _CENTERED / np.linalg.norm(_CENTERED, axis=1, keepdims=True)


def pitch_name(pitch: float, position: object = None, key: "Key | None" = None) -> str:
    """A MIDI pitch as musicians write it, in a key where one is given: 60 is C4, and 63 in E major D♯4."""
    names = _NAMES if key is None else key.names
    return f"{names[int(pitch) % 12]}{int(pitch) // 12 - 1}"


@dataclass(frozen=True)
class Key:
    """A tonic, 0 for C to 11 for B, and a mode."""

    tonic: int
    mode: Literal["major", "minor"]

    def __str__(self) -> str:
        return f"{TONICS[self.tonic]} {self.mode}"

    @property
    def scale(self) -> NDArray[np.bool_]:
        """(12,) which pitch classes belong to the major or the natural minor scale."""
        inside = np.zeros(12, bool)
        inside[(np.array(_SCALES[self.mode]) + self.tonic) % 12] = True
        return inside

    @property
    def names(self) -> tuple[str, ...]:
        """The twelve pitch classes: sharps in a key of sharps; in one of flats, those of its scale as flats."""
        major = self.tonic if self.mode == "major" else (self.tonic + 3) % 12
        if "♭" in TONICS[self.tonic] or major in _OF_FLATS:
            return tuple(
                flat if inside else usual for flat, usual, inside in zip(_FLATS, _NAMES, self.scale, strict=True)
            )
        return _SHARPS if major in _OF_SHARPS else _NAMES

    def moved(self, semitones: int) -> "Key":
        """The same mode, so many semitones up."""
        return Key((self.tonic + semitones) % 12, self.mode)


def pitch_class_weights(score: ScoreTick) -> NDArray[np.float64]:
    """(12,) how long each pitch class sounds in the pitched tracks, in quarter notes."""
    weights = np.zeros(12)
    for track in score.tracks:
        if not track.is_drum:
            notes = track.notes.numpy()
            weights += np.bincount(notes["pitch"] % 12, notes["duration"] / score.ticks_per_quarter, 12)
    return weights


def key_of(weights: NDArray[np.float64]) -> Key | None:
    """The key whose profile correlates best with the weights, or None where they are all alike.

    weights: (12,) of each pitch class, as `pitch_class_weights` returns them. The method is that of Krumhansl
    and Schmuckler (Krumhansl 1990, "Cognitive Foundations of Musical Pitch", chapter 4).
    """
    centered = weights - weights.mean()
    if not np.ptp(weights) > 0:
        return None
    tonic, mode = _CANDIDATES[int(np.argmax(_UNIT @ centered))]
    return Key(tonic, mode)  # type: ignore[arg-type]
