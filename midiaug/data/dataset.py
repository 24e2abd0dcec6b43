"""TransposedDataset: windows of token sequences, a pure function of (window, semitones)."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from midiaug.data.routes import Route
from midiaug.data.shifts import Choices, Shifts
from midiaug.data.transpose import MAX_SHIFT
from midiaug.data.windows import Windows
from midiaug.errors import ConfigError, PitchOutOfRange

IGNORED = -100
_TABLE_WINDOW = 512  # up to here a table of all lengths fits into the processor's cache
Batch = dict[str, Tensor]
Rows = tuple[NDArray[np.integer], ...]  # windows, semitones; perhaps tokens earlier; perhaps alterations


def widened(ids: Tensor, labels: Tensor, mask: Tensor) -> Batch:
    """The batch of the three arrays that TransposedDataset.narrow returns, or of a part of each, as int64."""
    # one by one: few enough numbers for torch to leave them to one thread
    return {"input_ids": ids.long(), "labels": labels.long(), "attention_mask": mask.long()}


class TransposedDataset(Dataset[Batch]):
    """Windows of token sequences, shifted when they are read.

    dataset[i] is window i, its shift drawn from torch's generator; dataset[i, 3] is window i three semitones
    up, the same whenever and wherever it is read. i and the shift may be arrays of n: dataset[rows, shifts]
    is a batch. A sample is a dict of `input_ids` (window,) int64, `labels` the same with -100 where padded (and, where
    a time step has several ids, in the first step, which is context), and `attention_mask` (window,) int64, with a
    leading n for a batch. A third array, dataset[rows, shifts, tokens],
    begins each window so many tokens earlier, as Windows.slid does; a fourth says which of the route's combinations of
    alterations each takes; nothing is altered without it.

    windows: where they lie. pieces: (windows,) each one's piece, a row of the corpus. room: (pieces,) the lowest
    and (pieces,) the highest shift that a piece of the corpus can take. shifts: what is drawn from. route: how a
    window is read. pad_id: the token behind a window's end. tell_shifts: whether samples have a `shifts` too, ()
    int64 semitones, for a model that is told.
    Raises PitchOutOfRange for a shift that takes notes of the window's piece out of range, ConfigError for one that is
    no whole number, and IndexError for a window that is not there.
    """

    def __init__(
        self,
        windows: Windows,
        pieces: NDArray[np.integer],
        room: tuple[NDArray[np.integer], NDArray[np.integer]],
        shifts: Shifts,
        route: Route,
        pad_id: int,
        tell_shifts: bool = False,
    ) -> None:
        self.windows = windows
        self.pieces = pieces
        self.shifts = shifts
        self._given_room = room
        self._route = route
        self._pad_id = pad_id
        self.tell_shifts = tell_shifts
        self._columns = np.arange(windows.size, dtype=np.int16 if windows.size < 1 << 15 else np.int32)
        every = np.arange(windows.size + 1) if windows.size <= _TABLE_WINDOW else np.zeros(0, np.int64)
        self._inside_by_length = self._compared(every)

    @cached_property
    def _room(self) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        lowest, highest = self._given_room
        return np.maximum(lowest, -MAX_SHIFT).astype(np.int8), np.minimum(highest, MAX_SHIFT).astype(np.int8)

    @cached_property
    def _of_piece(self) -> Choices:
        return Choices.within(self.shifts, *self._room)

    @cached_property
    def choices(self) -> Choices:
        """The shifts that each window may take of all `shifts`."""
        return self._of_piece[self.pieces]

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, index: int | Rows | tuple[int, ...]) -> Batch:
        if isinstance(index, tuple) and not np.issubdtype(np.asarray(index[1]).dtype, np.integer):
            raise ConfigError(f"a shift of {index[1]}: use whole numbers of semitones")
        rows, semitones, *others = index if isinstance(index, tuple) else (index, self._any_shift(np.asarray(index)))
        if np.ndim(rows):
            return self._batch(np.asarray(rows, np.int64), np.broadcast_to(semitones, np.shape(rows)), *others)
        one = self._batch(np.array([rows]), np.array([semitones]), *(np.array([other]) for other in others))
        return {name: tensor[0] for name, tensor in one.items()}

    def __getitems__(self, indices: Sequence[int | tuple[int, int]]) -> list[Batch]:
        """Many samples in one read, as a stock DataLoader asks for them; rows, or (row, semitones) pairs."""
        if isinstance(indices[0], tuple):
            rows, semitones = np.array(indices, np.int64).T
        else:
            rows = np.array(indices, np.int64)
            semitones = self._any_shift(rows)
        batch = self._batch(rows, semitones)
        return [{name: tensor[place] for name, tensor in batch.items()} for place in range(len(rows))]

    def _any_shift(self, rows: NDArray[np.integer]) -> NDArray[np.integer]:
        choices = self._of_piece[self.pieces[rows]]
        lots = torch.rand(np.shape(choices.count), dtype=torch.float64).numpy()
        drawn: NDArray[np.integer] = choices.values[choices.first + (lots * choices.count).astype(np.int64)]
        return drawn

    def _batch(self, rows: NDArray[np.integer], semitones: NDArray[np.integer], *others: NDArray[np.integer]) -> Batch:
        batch = widened(*self.narrow(rows, semitones, *others))
        return batch | {"shifts": torch.from_numpy(semitones.astype(np.int64))} if self.tell_shifts else batch

    def narrow(
        self,
        rows: NDArray[np.integer],
        semitones: NDArray[np.integer],
        tokens: NDArray[np.integer] | None = None,
        altered: NDArray[np.integer] | None = None,
    ) -> Tensor:
        """A batch in the narrowest type that holds the ids, which moves the least memory; `widened` makes it int64.

        rows, semitones, tokens, altered: (n,) -> (3, n, window): input_ids, labels and attention_mask.
        """
        if len(rows) and not (-len(self) <= rows.min() and rows.max() < len(self)):
            raise IndexError(f"window {rows.max() if rows.min() >= -len(self) else rows.min()} of {len(self)}")
        rows = rows % len(self)
        self._check_room(rows, semitones)
        windows, places = self.windows, rows
        if tokens is not None and tokens.any():
            windows, places = windows.slid(rows, tokens), np.arange(len(rows))
        ids, lengths = self._route.read(windows, places, semitones, altered)
        # in numpy, on one thread: torch would share this out among threads, which costs more than it brings
        valid = self._inside(lengths).astype(ids.dtype, copy=False)
        arrays = np.empty((3, *ids.shape), ids.dtype)
        inputs, labels, mask = arrays
        np.bitwise_and(ids, valid, out=inputs)
        np.bitwise_and(valid, 1, out=mask)
        np.invert(valid, out=valid)
        np.bitwise_and(valid, IGNORED, out=labels)
        labels |= inputs
        if windows.columns > 1:  # the first time step is context, as is the first token where a step has one
            labels[:, : windows.columns] = IGNORED
        if self._pad_id:
            inputs |= valid & self._pad_id
        return torch.from_numpy(arrays)

    def _inside(self, lengths: NDArray[np.integer]) -> NDArray[np.signedinteger]:
        """(n,) tokens -> (n, window): all bits where a token lies, none behind the window's end."""
        known = self._inside_by_length
        return known[lengths] if len(known) else self._compared(lengths)

    def _compared(self, lengths: NDArray[np.integer]) -> NDArray[np.signedinteger]:
        beyond: NDArray[Any] = self._columns - lengths[:, None].astype(self._columns.dtype)
        beyond >>= 8 * beyond.itemsize - 1
        return beyond

    def _check_room(self, rows: NDArray[np.integer], semitones: NDArray[np.integer]) -> None:
        of_piece = self.pieces[rows]
        lowest, highest = self._room[0][of_piece], self._room[1][of_piece]
        outside = (semitones < lowest) | (semitones > highest)
        if outside.any():
            at = int(outside.argmax())
            raise PitchOutOfRange(
                f"window {rows[at]}: a shift of {semitones[at]:+d} takes notes out of the pitches that can be written; "
                f"its piece has room from {lowest[at]:+d} to {highest[at]:+d}"
            )
