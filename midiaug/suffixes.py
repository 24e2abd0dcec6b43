"""A sorted index of every passage of many melodies (a suffix array), which finds the longest that a melody shares.

A melody is written in letters, one a note: the interval to the next note, and above it nothing that a transposition or
another tempo changes: the ratio of the onset gap behind the next note to the one before it. Sorted by interval first
and ratio second, neighbours in the index agree in as much as any two entries can, down to a last interval whose ratio
differs. So a passage of n notes is found by its n - 1 intervals and n - 2 ratios, and by those alone.
(Manber and Myers 1993, "Suffix Arrays"; sorted by doubling, Larsson and Sadakane 2007, "Faster Suffix Sorting".)
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from midiaug.data.fingerprint import TopLine

END = 0  # in place of the last ratio of an indexed melody
_SOUGHT_END = 1  # of a melody that is looked up: unlike the other, so that no match goes on behind an end
_RATIOS = 1024
_MIDDLE = 512  # what is added to a ratio
_LOWEST = 128  # what is added to an interval
_BEHIND = (2 * _LOWEST) * _RATIOS  # the letter of a last note, which no interval follows
_CHUNK = 16  # letters compared at once


def letters_of(line: TopLine, end: int) -> NDArray[np.int32]:
    """(n,) the letters of a melody of n notes, two at the least."""
    letters = np.full(len(line.pitches), _BEHIND, np.int64)
    letters[:-1] = (line.intervals + _LOWEST) * _RATIOS
    letters[:-2] += line.ratios[1:] + _MIDDLE
    letters[-2] += end
    return letters.astype(np.int32)


class Suffixes:
    """The index of melodies, each as `letters_of(line, END)` writes it. A place counts the notes of all in a row."""

    def __init__(self, melodies: Sequence[NDArray[np.int32]]) -> None:
        longest = max((len(melody) for melody in melodies), default=0)
        self._text = np.concatenate([*melodies, np.full(_CHUNK, _BEHIND, np.int32)])
        size = len(self._text) - _CHUNK
        order = _sorted_suffixes(self._text[:size], longest)
        self._order = order[self._text[order] != _BEHIND]

    def longest(self, line: TopLine) -> tuple[int, int, int]:
        """The notes of the longest passage shared with one melody, its note in the line, and its place in the index.

        line: of two notes or more. (0, 0, 0) where no interval is shared.
        """
        if len(self._order) == 0:
            return 0, 0, 0
        sought = np.concatenate([letters_of(line, _SOUGHT_END)[:-1], np.full(_CHUNK, _BEHIND + 1, np.int32)])
        place, common = self._neighbours(sought)
        first = np.arange(len(line.pitches) - 1)
        # a last interval counts though the ratio behind it differs
        last = self._text[place + common] // _RATIOS == sought[first[:, None] + common] // _RATIOS
        intervals = common + last
        best = int(np.argmax(intervals))
        at, side = divmod(best, 2)
        notes = int(intervals[at, side])
        return (notes + 1, at, int(place[at, side])) if notes else (0, 0, 0)

    def _neighbours(self, sought: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Of each suffix that is sought, the entries just before and behind it, and the letters in common with each.

        Both are (suffixes, 2). Binary search for all of them at once, skipping what both bounds have in common.
        """
        starts = np.arange(len(sought) - _CHUNK)
        low, high = np.zeros_like(starts), np.full_like(starts, len(self._order))
        common = np.zeros((len(starts), 2), np.int64)
        while (open_ := np.flatnonzero(low < high)).size:
            middle = (low[open_] + high[open_]) // 2
            places = self._order[middle]
            same = self._common(places, sought, starts[open_], common[open_].min(1))
            below = self._text[places + same] < sought[starts[open_] + same]
            low[open_[below]], common[open_[below], 0] = middle[below] + 1, same[below]
            high[open_[~below]], common[open_[~below], 1] = middle[~below], same[~below]
        # at either edge of the index the one neighbour stands for both
        return self._order[np.clip(np.stack([low - 1, high], 1), 0, len(self._order) - 1)], common

    def _common(
        self, places: NDArray[np.int64], sought: NDArray[np.int32], starts: NDArray[np.int64], known: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """How many letters the text at each place shares with what is sought from each start; `known` at the least."""
        common, chunk = known.copy(), np.arange(_CHUNK)
        rows = np.arange(len(common))
        while rows.size:
            here = common[rows, None] + chunk
            equal = self._text[places[rows, None] + here] == sought[starts[rows, None] + here]
            whole = equal.all(1)
            common[rows] += np.where(whole, _CHUNK, equal.argmin(1))
            rows = rows[whole]
        return common


def _sorted_suffixes(text: NDArray[np.int32], depth: int) -> NDArray[np.int64]:
    """(n,) the places of the text in the order of what follows them, compared to at least `depth` letters."""
    size = len(text)
    if size == 0:
        return np.zeros(0, np.int64)
    alphabet, letters = np.unique(text, return_inverse=True)
    bits = len(alphabet).bit_length()
    known = 62 // bits  # letters that one number holds
    padded = np.concatenate([letters + 1, np.zeros(known, np.int64)])
    key = np.zeros(size, np.int64)
    for step in range(known):
        key = (key << bits) | padded[step : step + size]
    order = np.argsort(key, kind="stable")
    # a rank is the first slot of those whose known letters are the same; 0 is behind the end
    rank = np.zeros(size + 1, np.int64)
    slots = np.arange(size)
    rank[order] = _first_slots(key[order], slots) + 1
    while known < depth:
        ranks = rank[order]
        tied = np.concatenate([[False], ranks[1:] == ranks[:-1]])
        tied[:-1] |= tied[1:]
        slots = np.flatnonzero(tied)
        if len(slots) == 0:
            break
        places = order[slots]
        key = (rank[places] << 32) | rank[np.minimum(places + known, size)]
        within = np.argsort(key, kind="stable")
        order[slots] = places[within]
        rank[order[slots]] = _first_slots(key[within], slots) + 1
        known *= 2
    return order


def _first_slots(keys: NDArray[np.int64], slots: NDArray[np.int64]) -> NDArray[np.int64]:
    """For sorted keys in these slots, the first slot of each run of equal ones."""
    new = np.concatenate([[True], keys[1:] != keys[:-1]])
    first: NDArray[np.int64] = slots[new][np.cumsum(new) - 1]
    return first
