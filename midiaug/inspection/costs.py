"""What training would see, and what the same would cost as files on disk."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midiaug.data.columns import columns_of, ends_of
from midiaug.data.module import MidiDataModule
from midiaug.data.shifts import Choices, draw_random
from midiaug.data.transpose import MAX_SHIFT, written_range
from midiaug.data.workers import cores
from midiaug.inspection.checks import Checked
from midiaug.inspection.choice import Chosen, drawn_rows
from midiaug.offline.copies import Copies, Piece, Writing, write_copies

_MEASURED_S = 0.2  # long enough for the clock, too short to be waited for


@dataclass(frozen=True)
class Measured:
    """So many files and notes took so many seconds of one process, and so many bytes."""

    files: int
    notes: int
    bytes: int
    seconds: float


def training_view(data: MidiDataModule) -> dict[str, Any]:
    """Windows, tokens, batches and (window, shift) pairs of an epoch and of all epochs.

    tokens_an_epoch: those that training predicts; with aug.draw=balanced, on average over a round of epochs, as the
    batches. pairs: the distinct (window, shift) pairs that may come.
    """
    predicted = np.asarray(data.train.windows.predicted, np.int64)
    view = _view(data, predicted, np.asarray(data.train.choices.count, np.int64))
    return view | {"val_windows": len(data.validation)}


def file_view(data: MidiDataModule, pieces: Sequence[Chosen], checked: Sequence[Checked]) -> dict[str, Any]:
    """The same of pieces that stand for themselves, were all of them trained on. Nothing of the source is read."""
    columns, ends = columns_of(data.given_tokenizer), sum(map(len, ends_of(data.given_tokenizer)))
    predicted, counts = [], []
    for piece, result in zip(pieces, checked, strict=True):
        room = (-MAX_SHIFT, MAX_SHIFT) if data.out_of_range == "drop" else (piece.lowest, piece.highest)
        count = int(Choices.within(data.shifts, np.array([room[0]]), np.array([room[1]])).count[0])
        for whole in result.lengths:
            left = whole + ends - columns  # each window but the first begins with the last time step of the one before
            while left > 0:
                predicted.append(min(data.window - columns, left))
                counts.append(count)
                left -= data.window - columns
    return _view(data, np.array(predicted, np.int64), np.array(counts, np.int64)) | {"val_windows": 0}


def _view(data: MidiDataModule, predicted: NDArray[np.int64], counts: NDArray[np.int64]) -> dict[str, Any]:
    share = counts / len(data.shifts) if data.draw == "balanced" else np.ones(len(counts))
    return {
        "train_windows": len(predicted),
        "window": data.window,
        "tokens_an_epoch": round(float((predicted * share).sum())),
        "batches_an_epoch": int(np.ceil(share.sum() / data.batch_size)),
        "batch_size": data.batch_size,
        "pairs": int(counts.sum()),
        "shifts": list(data.shifts),
    }


def written(data: MidiDataModule, pieces: Sequence[Chosen], scratch: Path) -> Measured:
    """Let `materialize` write the copies of these pieces into a folder that is not kept, again and again for a while.

    Of pieces outside the source, as many others of it.
    """
    rows = [piece.row for piece in pieces if piece.row is not None] or drawn_rows(data, len(pieces))
    how = Writing(scratch, written_range(data.tokenizer), data.shifts, data.out_of_range)
    rounds: list[float] = []
    copies: list[Copies] = []
    while sum(rounds) < _MEASURED_S:
        scratch.mkdir()
        began = time.perf_counter()
        copies = write_copies([Piece(row, str(row), str(row)) for row in rows], data.corpus.directory, how)
        rounds.append(time.perf_counter() - began)
        shutil.rmtree(scratch)
    files, notes, size = (sum(of) for of in zip(*((c.files, c.notes, c.bytes) for c in copies), strict=True))
    return Measured(files, notes, size, median(rounds))


def reading(data: MidiDataModule, shifted: bool) -> float:
    """Seconds to read the windows of an epoch, each in a drawn shift or as it is, from a few batches of them."""
    order, semitones = draw_random(data.train.choices, data.seed, 0)
    semitones = semitones if shifted else np.zeros_like(semitones)
    read, began, spent = 0, time.perf_counter(), 0.0
    size = data.batch_size if data.route_name == "tokens" else 1
    while read < len(order) and spent < _MEASURED_S:
        data.train.narrow(order[read : read + size], semitones[read : read + size])
        read += size
        spent = time.perf_counter() - began
    return spent * len(order) / min(read, len(order)) / max(1, data.num_workers)


def materializing(
    data: MidiDataModule, files: Measured, tokenized: Measured, seconds: float, built: bool
) -> dict[str, Any]:
    """What transposed copies of the whole source would cost as files, and what the same costs now; for both, estimates.

    files: writing copies. tokenized: tokenizing. Each is scaled by the notes of the source, once or in all copies, and
    shared out among the cores, as materialize and the token store do. seconds: reading and tokenizing took this time.
    built: whether the tokens were made anew, not found in the cache.
    """
    store, pieces = data.store, data.store.has_pieces
    room = (np.full_like(store.lowest, -127), np.full_like(store.highest, 127)) if data.out_of_range == "drop" else None
    lowest, highest = room or (np.asarray(store.lowest), np.asarray(store.highest))
    copies = Choices.within(data.shifts, lowest[pieces], highest[pieces]).count.astype(np.int64)
    own = np.asarray(data.corpus.notes)[pieces]
    once, all_copies = int(own.sum()), int((own * copies).sum())
    processes = min(cores(), int(pieces.sum()))
    writing = all_copies * files.seconds / max(1, files.notes) / processes
    tokenizing = tokenized.seconds / max(1, tokenized.notes) / processes
    return {
        "files": int(copies.sum()),
        "bytes": round(all_copies * files.bytes / max(1, files.notes)),
        "token_bytes": round(_size(store) * all_copies / max(1, once)),
        "writing_seconds": round(writing, 3),
        "tokenizing_seconds": round(all_copies * tokenizing, 3),
        "estimated_from": {"files": files.files, "notes": files.notes, "tokenized_notes": tokenized.notes},
        "processes": processes,
        "now": {
            "store_bytes": _size(store),
            "cache_bytes": _size(store) + _size(data.corpus),
            "tokenizing_seconds": round(once * tokenizing, 3),
            "reading_seconds_an_epoch": round(reading(data, shifted=True), 4),
            "reading_unshifted_seconds_an_epoch": round(reading(data, shifted=False), 4),
            "seconds": round(seconds, 3),
            "tokenized_now": built,
        },
    }


def _size(part: Any) -> int:
    return sum(path.stat().st_size for path in part.directory.iterdir())
