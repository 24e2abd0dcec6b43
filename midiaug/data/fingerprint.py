"""What of a piece no transposition changes: the one definition of "the same tune" that midiaug has.

A track is reduced to its top line, one note an onset. Each step along it is a symbol made of the interval
in semitones and of the ratio of its onset gap to the gap before, in half octaves of time. Neither changes
when the piece is transposed, played faster or slower, or written in notes of half the length. Twelve steps
make an n-gram; a piece is the set of the n-grams of its pitched tracks.
"""

import numpy as np
from numpy.typing import NDArray
from symusic.core import ScoreTick

NGRAM = 12
VERSION = 2
_TOGETHER_BEATS = 1 / 24  # onsets closer than this are one chord
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def ngrams_of(score: ScoreTick) -> NDArray[np.uint64]:
    """The n-grams of a piece as hashes: (n,) uint64, sorted, each once; none where no track has two onsets."""
    parts = [
        _hashes(_steps(notes["time"] / score.ticks_per_quarter, notes["pitch"].astype(np.int64)))
        for notes in (track.notes.numpy() for track in score.tracks if not track.is_drum)
        if len(notes["time"])
    ]
    return np.unique(np.concatenate(parts)) if parts else np.zeros(0, np.uint64)


def _steps(onsets: NDArray[np.float64], pitches: NDArray[np.int64]) -> NDArray[np.int64]:
    """Onsets in quarter notes and pitches of one track -> (onsets - 1,) step symbols of its top line."""
    order = np.argsort(onsets, kind="stable")
    onsets, pitches = onsets[order], pitches[order]
    starts = np.flatnonzero(np.diff(onsets, prepend=-np.inf) >= _TOGETHER_BEATS - 1e-9)
    if len(starts) < 2:
        return np.zeros(0, np.int64)
    top = np.maximum.reduceat(pitches, starts)
    gaps = np.diff(onsets[starts])
    ratios = np.zeros(len(gaps), np.int64)
    ratios[1:] = np.rint(2 * np.log2(gaps[1:] / gaps[:-1]))
    return np.diff(top) * 1024 + ratios


def _hashes(steps: NDArray[np.int64]) -> NDArray[np.uint64]:
    """One hash a window of NGRAM steps; a shorter track is one n-gram whole."""
    if len(steps) == 0:
        return np.zeros(0, np.uint64)
    windows = np.lib.stride_tricks.sliding_window_view(steps, min(NGRAM, len(steps)))
    hashes = np.full(len(windows), windows.shape[1], np.uint64)
    for column in windows.T:
        hashes = (hashes ^ column.astype(np.uint64)) * _MULTIPLIER
        hashes ^= hashes >> np.uint64(29)
    return hashes
