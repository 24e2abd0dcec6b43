"""What of a piece no transposition changes: the one definition of "the same tune" that midiaug has.

A track is reduced to its top line, one note an onset. Each step along it is a symbol made of the interval
in semitones and of the ratio of its onset gap to the gap before, in half octaves of time. Neither changes
when the piece is transposed, played faster or slower, or written in notes of half the length. Twelve steps
make an n-gram; a piece is the set of the n-grams of its pitched tracks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice, pairwise

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
        return _ratios(self.onsets, np.zeros(0, np.int64))

    @property
    def steps(self) -> NDArray[np.int64]:
        """(n - 1,) the symbols that n-grams are made of: an interval and a ratio each."""
        return _steps(self.intervals, self.ratios)


def top_lines(score: ScoreTick) -> list[TopLine]:
    """The top line of each pitched track that has a note, in the order of the tracks."""
    return _top_lines([score])[0]


def ngrams_of_scores(scores: Sequence[ScoreTick], size: int = NGRAM) -> list[NDArray[np.uint64]]:
    """The n-grams of each piece as hashes: (n,) uint64, sorted, each once; none where no track has two onsets.

    Of several together in a third of the time, where they are short.
    """
    return _ngrams(_top_lines(scores), size)


def whole_ngrams_of_lines(lines: list[TopLine], size: int = NGRAM) -> NDArray[np.uint64]:
    """Likewise of a piece's top lines that hold a whole n-gram, `size` steps or more: what they have in common with
    another's is no accident.

    For the split a shorter line is an n-gram too, so that short twins are found.
    """
    return _ngrams([[line for line in lines if len(line.pitches) > size]], size)[0]


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


def _ratios(onsets: NDArray[np.float64], firsts: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) onsets of one line or more behind each other -> (n - 1,) as TopLine.ratios; of no use from line to line.

    firsts: the place of the first note of each line but the first.
    """
    gaps = onsets[1:] - onsets[:-1]
    gaps[firsts - 1] = 1.0  # from line to line it may be anything
    ratios = np.zeros(len(gaps), np.int64)
    ratios[1:] = np.rint(2 * np.log2(gaps[1:] / gaps[:-1]))
    ratios[firsts[firsts < len(gaps)]] = 0
    return ratios


def _steps(intervals: NDArray[np.int64], ratios: NDArray[np.int64]) -> NDArray[np.int64]:
    return intervals * 1024 + ratios


def _top_lines(scores: Sequence[ScoreTick]) -> list[list[TopLine]]:
    """The top lines of each score, of all tracks at once."""
    onsets: list[NDArray[np.float64]] = []
    pitches: list[NDArray[np.integer]] = []
    tracks_of: list[int] = []
    for score in scores:
        before = len(onsets)
        for notes in (track.notes.numpy() for track in score.tracks if not track.is_drum and len(track.notes)):
            onsets.append(notes["time"] / score.ticks_per_quarter)
            pitches.append(notes["pitch"])
        tracks_of.append(len(onsets) - before)
    lines = iter(_highest(onsets, pitches) if onsets else ())
    return [list(islice(lines, count)) for count in tracks_of]


def _highest(onsets: Sequence[NDArray[np.float64]], pitches: Sequence[NDArray[np.integer]]) -> Iterator[TopLine]:
    """Onsets in quarter notes and pitches of the notes of each track, in any order -> its top line."""
    lengths = [len(of_track) for of_track in onsets]
    firsts = np.array([0, *accumulate(lengths[:-1])])
    onset, pitch = np.concatenate(onsets), np.concatenate(pitches).astype(np.int64)
    order = np.lexsort((onset, np.repeat(np.arange(len(lengths)), lengths)))
    onset, pitch = onset[order], pitch[order]
    is_start = np.ones(len(onset), bool)
    np.greater_equal(onset[1:] - onset[:-1], _TOGETHER_BEATS - 1e-9, out=is_start[1:])
    is_start[firsts] = True
    starts = np.flatnonzero(is_start)
    onset, pitch = onset[starts], np.maximum.reduceat(pitch, starts)
    ends = [*np.searchsorted(starts, firsts[1:]).tolist(), len(starts)]
    return (TopLine(onset[first:end], pitch[first:end]) for first, end in pairwise([0, *ends]))


def _ngrams(pieces: Sequence[Sequence[TopLine]], size: int) -> list[NDArray[np.uint64]]:
    """The n-grams of each piece's lines, hashed in one go; those from one line into the next are passed over."""
    lines = [line for piece in pieces for line in piece]
    if not lines:
        return [np.zeros(0, np.uint64) for _ in pieces]
    onsets = np.concatenate([line.onsets for line in lines])
    pitches = np.concatenate([line.pitches for line in lines])
    ends = list(accumulate(len(line.pitches) for line in lines))
    steps = _steps(pitches[1:] - pitches[:-1], _ratios(onsets, np.array(ends[:-1], np.int64)))
    hashes = ngrams_of_steps(steps, size)
    of_line = iter(
        hashes[first : end - size] if end - first > size else ngrams_of_steps(steps[first : end - 1], size)
        for first, end in pairwise([0, *ends])
    )
    none = np.zeros(0, np.uint64)
    return [np.unique(np.concatenate([none, *islice(of_line, len(piece))])) for piece in pieces]
