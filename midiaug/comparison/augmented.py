"""What transposition makes of a corpus: how many samples, which tokens, pitches and keys it then holds."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from midiaug.comparison.statistics import Notes, raw_token_counts
from midiaug.data.module import MidiDataModule
from midiaug.data.shifts import Choices, Shifts
from midiaug.data.transpose import MAX_SHIFT, TokenTransposer, written_range
from midiaug.data.windows import Windows
from midiaug.errors import RouteError

_RARE = 10  # a token that comes less often is hardly learned
_PITCHES = 128


@dataclass(frozen=True)
class Counted:
    """The training pieces, those with room for the same shifts put together; what all sets of shifts are made from.

    lowest, highest: (classes,) the shifts that keep each note. pieces: (classes,) how many. pitches: (classes, 128)
    notes. tonics: (classes, 12) pieces. tokens: (classes, ids of the store). windows: (classes,) how many, and
    predicted: (classes,) the tokens of them that training predicts, all but the first of each.
    """

    lowest: NDArray[np.integer]
    highest: NDArray[np.integer]
    pieces: NDArray[np.int64]
    pitches: NDArray[np.int64]
    tonics: NDArray[np.int64]
    tokens: NDArray[np.int64]
    windows: NDArray[np.int64]
    predicted: NDArray[np.int64]

    @classmethod
    def of(cls, data: MidiDataModule, notes: Notes, windows: Windows, of_window: NDArray[np.integer]) -> Self:
        """Count once. windows, of_window: of the training pieces, and the piece of each."""
        store = data.store
        training = np.flatnonzero(~data.split.validation & store.has_pieces)
        room = np.stack([np.asarray(store.lowest), np.asarray(store.highest)], 1)
        found, inverse = np.unique(room[training], axis=0, return_inverse=True)
        of_piece = np.full(len(room), -1)
        of_piece[training] = inverse.reshape(-1)
        keys = np.asarray(notes.key)[training]
        known = keys >= 0
        tonics, pitches = np.zeros((len(found), 12), np.int64), np.zeros((len(found), _PITCHES), np.int64)
        np.add.at(tonics, (of_piece[training][known], keys[known] % 12), 1)
        np.add.at(pitches, of_piece[training], np.asarray(notes.pitches)[training])
        low, high = written_range(data.tokenizer)
        pitches[:, :low] = pitches[:, high + 1 :] = 0  # notes without a token are left out before anything is shifted
        places = of_piece[of_window]
        return cls(
            found[:, 0],
            found[:, 1],
            np.bincount(of_piece[training], minlength=len(found)),
            pitches,
            tonics,
            raw_token_counts(data, of_piece, len(found)),
            np.bincount(places, minlength=len(found)),
            np.bincount(places, windows.predicted, len(found)).astype(np.int64),
        )


def augmented(data: MidiDataModule, counted: Counted, shifts: Shifts, out_of_range: str = "limit") -> dict[str, Any]:
    """The training pieces with these shifts, as compare.json has it; `[0]` gives the original.

    out_of_range: as aug.out_of_range: with `limit` a piece takes only shifts that keep all of its notes; with `drop` it
    takes all of them, and the notes that leave the range are not counted. Counts are those to be expected of an epoch,
    in which each window comes once, in one of its shifts; but `tokens` are those that all samples together predict.
    """
    wide = out_of_range == "drop"
    room = [np.full_like(end, sign * MAX_SHIFT) if wide else end for end, sign in _ends(counted)]
    choices = Choices.within(shifts, *room)
    count = choices.count.astype(np.int64)
    low, high = written_range(data.tokenizer)
    pitches, tonics = np.zeros(_PITCHES), np.zeros(12)
    for rows, allowed in _alike(choices):
        notes, keys = counted.pitches[rows].sum(0), counted.tonics[rows].sum(0)
        for shift in allowed:
            pitches += np.roll(notes, shift) / len(allowed)
            tonics += np.roll(keys, shift) / len(allowed)
    pitches[:low] = pitches[high + 1 :] = 0
    samples = int((count * counted.windows).sum())
    return {
        "shifts": list(shifts),
        "out_of_range": out_of_range,
        "samples": samples,
        "times": samples / max(1, int(counted.windows.sum())),
        "tokens": int((count * counted.predicted).sum()),
        "pieces_with_fewer_shifts": int(counted.pieces[count < len(shifts)].sum()),
        "pitches": np.round(pitches, 3).tolist(),
        "pitch_classes": np.round(np.bincount(np.arange(_PITCHES) % 12, pitches), 3).tolist(),
        "tonics": np.round(tonics, 3).tolist(),
        "vocabulary": _vocabulary(data, counted, choices),
    }


def _ends(counted: Counted) -> list[tuple[NDArray[np.integer], int]]:
    return [(counted.lowest, -1), (counted.highest, 1)]


def _alike(choices: Choices) -> Iterator[tuple[NDArray[np.bool_], list[int]]]:
    """The classes that may take the same shifts, (classes,), and those shifts."""
    pairs = np.stack([choices.first, choices.count], 1)
    for first, count in np.unique(pairs, axis=0).tolist():
        yield (pairs == (first, count)).all(1), choices.values[first : first + count].tolist()


def _vocabulary(data: MidiDataModule, counted: Counted, choices: Choices) -> dict[str, Any] | None:
    """Which entries come up, and how often; None for a tokenizer whose tokens no table can shift."""
    try:
        transposer = TokenTransposer(data.tokenizer)
    except RouteError:
        return None
    entries = len(data.tokenizer)
    expected = np.zeros(entries)
    for rows, allowed in _alike(choices):
        counts = counted.tokens[rows].sum(0)
        for shift in allowed:
            ids = transposer.table[shift + MAX_SHIFT][: len(counts)]
            some = (counts > 0) & (ids >= 0)
            expected += np.bincount(ids[some], counts[some], entries) / len(allowed)
    kinds = [transposer.name_of(number).partition("_")[0] for number in range(entries)]
    pitched = np.isin(kinds, ["Pitch", "NoteOn"])
    used = expected > 0
    return {
        "entries": entries,
        "used": int(used.sum()),
        "coverage": float(used.mean()),
        "rare": int((used & (expected < _RARE)).sum()),
        "pitch_entries": int(pitched.sum()),
        "pitch_entries_used": int((used & pitched).sum()),
        "median_of_used_pitch_entries": float(np.median(expected[used & pitched])) if (used & pitched).any() else 0.0,
    }
