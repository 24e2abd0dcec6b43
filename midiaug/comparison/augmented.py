"""What transposition makes of a corpus: how many samples, which tokens, pitches and keys it then holds."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midiaug.comparison.statistics import Notes, raw_token_counts
from midiaug.data.module import MidiDataModule
from midiaug.data.routes import Windows
from midiaug.data.shifts import Choices, Shifts
from midiaug.data.transpose import MAX_SHIFT, TokenTransposer, written_range
from midiaug.errors import RouteError

_RARE = 10  # a token that comes less often is hardly learned
_PITCHES = 128


def augmented(
    data: MidiDataModule, notes: Notes, windows: Windows, of_window: NDArray[np.integer], shifts: Shifts
) -> dict[str, Any]:
    """The training pieces with these shifts, as compare.json has it; `[0]` gives the original.

    windows, of_window: of the training pieces, and the piece of each. Each piece takes only shifts that keep all of its
    notes, as aug.out_of_range=limit has it. Counts are those to be expected of an epoch, in which each window comes
    once, in one of its shifts.
    """
    store = data.store
    training = ~data.split.validation & store.has_pieces
    choices = Choices.within(shifts, np.asarray(store.lowest), np.asarray(store.highest))
    count = choices.count[of_window].astype(np.int64)
    low, high = written_range(data.tokenizer)
    pitches = np.zeros(_PITCHES)
    tonics = np.zeros(12)
    for pieces, allowed in _alike(choices, training):
        found = np.asarray(notes.pitches)[pieces].sum(0, dtype=np.int64)
        found[:low] = found[high + 1 :] = 0  # notes without a token are left out before anything is shifted
        keys = np.asarray(notes.key)[pieces]
        tonic = np.bincount(keys[keys >= 0] % 12, minlength=12)
        for shift in allowed.tolist():
            pitches += np.roll(found, shift) / len(allowed)
            tonics += np.roll(tonic, shift) / len(allowed)
    return {
        "shifts": list(shifts),
        "samples": int(count.sum()),
        "times": float(count.sum() / max(1, len(windows))),
        "tokens": int((count * windows.length).sum()),
        "pieces_with_fewer_shifts": int((choices.count[training] < len(shifts)).sum()),
        "pitches": np.round(pitches, 3).tolist(),
        "pitch_classes": np.round(np.bincount(np.arange(_PITCHES) % 12, pitches), 3).tolist(),
        "tonics": np.round(tonics, 3).tolist(),
        "vocabulary": _vocabulary(data, choices, training),
    }


def _alike(choices: Choices, pieces: NDArray[np.bool_]) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.integer]]]:
    """The pieces that may take the same shifts, (pieces,) of the corpus, and those shifts."""
    pairs = np.stack([choices.first, choices.count], 1)
    for first, count in np.unique(pairs[pieces], axis=0).tolist():
        yield pieces & (pairs == (first, count)).all(1), choices.values[first : first + count]


def _vocabulary(data: MidiDataModule, choices: Choices, training: NDArray[np.bool_]) -> dict[str, Any] | None:
    """Which entries come up, and how often; None for a tokenizer whose tokens no table can shift."""
    try:
        transposer = TokenTransposer(data.tokenizer)
    except RouteError:
        return None
    entries = len(data.tokenizer)
    expected = np.zeros(entries)
    for pieces, allowed in _alike(choices, training):
        counts = raw_token_counts(data, pieces)
        for shift in allowed.tolist():
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
