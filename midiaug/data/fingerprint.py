"""What of a piece no transposition changes: the one definition of "the same tune" that midiaug has.

A track is reduced to its top line, one note an onset. Each step along it is a symbol made of the interval
in semitones and of the ratio of its onset gap to the gap before, in half octaves of time. Neither changes
when the piece is transposed, played faster or slower, or written in notes of half the length. Twelve steps
make an n-gram; a piece is the set of the n-grams of its pitched tracks.
"""

from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray
from symusic.core import ScoreTick

NGRAM = 12
VERSION = 2
_TOGETHER_BEATS = 1 / 24  # onsets closer than this are one chord
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_FOLD = np.uint64(29)


@dataclass(frozen=True)
class TopLine:
    """One note an onset of a track, the highest. onsets: (n,) in quarter notes, rising. pitches: (n,) MIDI pitches."""

    onsets: NDArray[np.float64]
    pitches: NDArray[np.int64]

    @property
    def intervals(self) -> NDArray[np.int64]:
        """(n - 1,) semitones from each note to the one after it."""
        return self.pitches[1:] - self.pitches[:-1]

    @property
    def ratios(self) -> NDArray[np.int64]:
        """(n - 1,) for each interval, its onset gap against the gap before, in half octaves; 0 for the first."""
        gaps = self.onsets[1:] - self.onsets[:-1]
        ratios = np.zeros(len(gaps), np.int64)
        ratios[1:] = np.rint(2 * np.log2(gaps[1:] / gaps[:-1]))
        return ratios

    @property
    def steps(self) -> NDArray[np.int64]:
        """(n - 1,) the symbols that n-grams are made of: an interval and a ratio each."""
        return self.intervals * 1024 + self.ratios


def top_lines(score: ScoreTick) -> list[TopLine]:
    """The top line of each pitched track that has a note, in the order of the tracks."""
    tracks = (track.notes.numpy() for track in score.tracks if not track.is_drum)
    return [
        _top_line(notes["time"] / score.ticks_per_quarter, notes["pitch"].astype(np.int64))
        for notes in tracks
        if len(notes["time"])
    ]


def ngrams_of(score: ScoreTick, size: int = NGRAM) -> NDArray[np.uint64]:
    """The n-grams of a piece as hashes: (n,) uint64, sorted, each once; none where no track has two onsets."""
    return ngrams_of_lines(top_lines(score), size)


def ngrams_of_lines(lines: list[TopLine], size: int = NGRAM) -> NDArray[np.uint64]:
    """Likewise of a piece's top lines, as `top_lines` gives them."""
    steps = [line.steps for line in lines]
    long = [of_line for of_line in steps if len(of_line) >= size]
    parts = [ngrams_of_steps(of_line, size) for of_line in steps if len(of_line) < size]
    if long:  # hashed in one go; the windows that begin in one line and end in the next are passed over
        hashes = ngrams_of_steps(np.concatenate(long), size)
        ends = accumulate(len(of_line) for of_line in long)
        parts += [hashes[end - len(of_line) : end - size + 1] for of_line, end in zip(long, ends, strict=True)]
    return np.unique(np.concatenate(parts)) if parts else np.zeros(0, np.uint64)


def whole_ngrams_of_lines(lines: list[TopLine], size: int = NGRAM) -> NDArray[np.uint64]:
    """Those of lines that hold a whole n-gram, `size` steps or more: what two pieces have in common, and no accident.

    For the split a shorter line is an n-gram too, so that short twins are found.
    """
    return ngrams_of_lines([line for line in lines if len(line.pitches) > size], size)


def ngrams_of_steps(steps: NDArray[np.int64], size: int = NGRAM) -> NDArray[np.uint64]:
    """One hash a window of `size` steps, in their order; a shorter line is one n-gram whole."""
    if len(steps) == 0:
        return np.zeros(0, np.uint64)
    size = min(size, len(steps))
    symbols = steps.astype(np.uint64)
    windows = len(symbols) - size + 1
    hashes = np.full(windows, size, np.uint64)
    for first in range(size):
        hashes ^= symbols[first : first + windows]
        hashes *= _MULTIPLIER
        hashes ^= hashes >> _FOLD
    return hashes


def _top_line(onsets: NDArray[np.float64], pitches: NDArray[np.int64]) -> TopLine:
    """Onsets in quarter notes and pitches of one track, in any order -> its top line."""
    order = np.argsort(onsets, kind="stable")
    onsets, pitches = onsets[order], pitches[order]
    is_start = np.ones(len(onsets), bool)
    np.greater_equal(onsets[1:] - onsets[:-1], _TOGETHER_BEATS - 1e-9, out=is_start[1:])
    starts = is_start.nonzero()[0]
    return TopLine(onsets[starts], np.maximum.reduceat(pitches, starts))
