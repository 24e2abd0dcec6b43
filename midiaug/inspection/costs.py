"""What training would see, and what the same would cost as files on disk."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from midiaug.data.module import MidiDataModule
from midiaug.data.shifts import Choices
from midiaug.inspection.checks import Checked


def training_view(data: MidiDataModule) -> dict[str, Any]:
    """Windows, tokens and (window, shift) pairs of an epoch and of all epochs.

    tokens_an_epoch: those that training predicts; with aug.draw=balanced, on average over a round of epochs.
    pairs: the distinct (window, shift) pairs that may come.
    """
    windows, choices = data.train.windows, data.train.choices
    predicted = np.asarray(windows.length, np.int64) - 1
    share = np.asarray(choices.count, np.int64) / len(data.shifts) if data.draw == "balanced" else 1
    return {
        "train_windows": len(data.train),
        "val_windows": len(data.validation),
        "window": data.window,
        "tokens_an_epoch": round(float((predicted * share).sum())),
        "pairs": int(np.asarray(choices.count, np.int64).sum()),
        "shifts": list(data.shifts),
    }


def materializing(data: MidiDataModule, checked: Sequence[Checked], seconds: float, built: bool) -> dict[str, Any]:
    """What transposed copies of the whole source would cost, and what the cache costs now.

    The estimate: seconds and bytes a note, as the preview's own files took to transpose, write and tokenize in one
    process, times the notes that all copies would have. seconds: reading and tokenizing took this time. built: whether
    the tokens were made anew, not found in the cache.
    """
    store, pieces = data.store, data.store.has_pieces
    room = (np.full_like(store.lowest, -127), np.full_like(store.highest, 127)) if data.out_of_range == "drop" else None
    lowest, highest = room or (np.asarray(store.lowest), np.asarray(store.highest))
    copies = Choices.within(data.shifts, lowest[pieces], highest[pieces]).count.astype(np.int64)
    notes = int((np.asarray(data.corpus.notes)[pieces] * copies).sum())
    measured = max(1, sum(result.notes for result in checked))
    files = sum(len(result.files) for result in checked)
    return {
        "files": int(copies.sum()),
        "bytes": round(notes * sum(result.bytes for result in checked) / measured),
        "seconds": round(notes * sum(result.seconds for result in checked) / measured, 1),
        "estimated_from": {"files": files, "notes": sum(result.notes for result in checked)},
        "now": {
            "store_bytes": _size(store),
            "cache_bytes": _size(store) + _size(data.corpus),
            "seconds": round(seconds, 3),
            "tokenized_now": built,
        },
    }


def _size(part: Any) -> int:
    return sum(path.stat().st_size for path in part.directory.iterdir())
