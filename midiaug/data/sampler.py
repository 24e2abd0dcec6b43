"""The samplers, which decide what comes when and in which key, and the loader that can go on where it stopped."""

from collections.abc import Iterator
from itertools import repeat
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data.distributed import DistributedSampler

from midiaug.data.dataset import Batch, Rows, TransposedDataset, widened
from midiaug.data.plan import Plan
from midiaug.errors import ConfigError

_KEPT_BYTES = 16 << 20


class BatchSampler(DistributedSampler[Any]):
    """Cuts an order of samples into batches, and deals them to the ranks in turn.

    Yields the arrays of one block as TransposedDataset takes them, (rows, semitones) and, where windows move or music
    is altered, by how much: `block` whole batches behind each other, or fewer. Every rank gets as many batches, all of
    `batch_size` samples but for the last round, which shares what is left evenly; a rest of fewer samples than ranks
    makes the last round's batches one sample longer instead.
    """

    def __init__(
        self, dataset: TransposedDataset, batch_size: int, rank: int = 0, world_size: int = 1, block: int = 1
    ) -> None:
        super().__init__(dataset, num_replicas=world_size, rank=rank, shuffle=False)
        if batch_size < 1:
            raise ConfigError(f"data.batch_size={batch_size}: a batch holds at least one window")
        self.batch_size, self.world_size = batch_size, world_size
        self.block = block if batch_size > 1 else 1
        self.start = 0  # the batch that the next iteration begins with; not 0 only after a resume

    def order(self) -> Rows:
        """All samples of this epoch, for all ranks: the arrays that TransposedDataset takes, (samples,) integers."""
        raise NotImplementedError

    def samples(self) -> int:
        """How many samples the shortest epoch has."""
        raise NotImplementedError

    def set_epoch(self, epoch: int) -> None:
        """Make the next iteration that of another epoch, as for torch's DistributedSampler."""
        if epoch != self.epoch:
            self.epoch, self.start = epoch, 0

    def __len__(self) -> int:
        rounds, left = divmod(self.samples(), self.batch_size * self.world_size)
        return max(1, rounds + (left >= self.world_size))

    def __iter__(self) -> Iterator[Rows]:
        start, self.start = self.start, 0
        columns = self.order()
        rows = columns[0]
        if not len(rows):  # with draw="balanced", where windows are fewer than shifts
            return
        last = len(self) - 1
        for first in range(start, last, self.block):
            numbers = range(first, min(first + self.block, last))
            where: slice | NDArray[np.int64] = slice(numbers[0] * self.batch_size, (numbers[-1] + 1) * self.batch_size)
            if self.world_size > 1:
                where = np.concatenate([np.arange(*self._bounds(number, len(rows))) for number in numbers])
            yield tuple(column[where] for column in columns)
        if start <= last:
            where = slice(*self._bounds(last, len(rows)))
            yield tuple(column[where] for column in columns)

    def batch(self, number: int) -> NDArray[np.integer]:
        """The row indices of this rank's batch of that number in this epoch."""
        rows = self.order()[0]
        return rows[slice(*self._bounds(number, len(rows)))]

    def _bounds(self, number: int, samples: int) -> tuple[int, int]:
        """Where this rank's batch of that number begins and ends in the epoch's order."""
        whole = (len(self) - 1) * self.world_size
        place = number * self.world_size + self.rank
        if place < whole:
            return place * self.batch_size, (place + 1) * self.batch_size
        tail, turn = samples - whole * self.batch_size, place - whole
        begin = whole * self.batch_size + turn * tail // self.world_size
        end = whole * self.batch_size + (turn + 1) * tail // self.world_size
        if begin == end:  # fewer samples than ranks: no rank may sit out, so this one repeats a sample
            begin = min(begin, samples - 1)
        return begin, max(end, begin + 1)


class TransposingSampler(BatchSampler):
    """The one place where shifts are drawn: the rows and semitones of each batch, from (seed, epoch) alone.

    plan: how. Every window comes once an epoch, in random order; with a balanced plan, once in each of its shifts over
    as many epochs as there are shifts. Ranks take turns in one global order of batches.
    Use it with `DataLoader(dataset, batch_size=None, sampler=sampler)`, or TransposingLoader for blocks.
    """

    def __init__(
        self,
        dataset: TransposedDataset,
        batch_size: int = 64,
        seed: int = 0,
        plan: Plan | None = None,
        rank: int = 0,
        world_size: int = 1,
        block: int = 1,
    ) -> None:
        super().__init__(dataset, batch_size, rank, world_size, block)
        self._shifts = len(dataset.shifts)
        self._seed, self._plan = seed, plan if plan is not None else Plan()
        self._windows = dataset
        self._samples = len(dataset)
        if self._plan.draw == "balanced":  # dealt evenly over the epochs
            self._samples = max(1, int(dataset.choices.count.sum(dtype=np.int64)) // self._shifts)

    def order(self) -> Rows:
        """The epoch's draw: row indices and semitones, and perhaps tokens and alterations, each (samples,) integers."""
        rows, semitones = self._plan.shifts(self._windows.choices, self._shifts, self._seed, self.epoch)
        slides = self._plan.slides(self._windows.windows, rows, self._seed, self.epoch)
        altered = self._plan.altered(len(rows), self._seed, self.epoch)
        if altered is not None:
            return rows, semitones, np.zeros(len(rows), np.int64) if slides is None else slides, altered
        return (rows, semitones) if slides is None else (rows, semitones, slides)

    def samples(self) -> int:
        """How many samples the shortest epoch has; with a balanced plan others may have one more."""
        return self._samples


class FixedSampler(BatchSampler):
    """The given windows in the given order, all shifted by the same number of semitones: for evaluation."""

    def __init__(
        self,
        dataset: TransposedDataset,
        rows: NDArray[np.int64],
        batch_size: int = 64,
        semitones: int = 0,
        rank: int = 0,
        world_size: int = 1,
        block: int = 1,
    ) -> None:
        super().__init__(dataset, batch_size, rank, world_size, block)
        self._order = rows, np.full(len(rows), semitones, np.int64)

    def order(self) -> Rows:
        """The same rows and semitones in every epoch."""
        return self._order

    def samples(self) -> int:
        """How many rows there are."""
        return len(self._order[0])


class TransposingLoader(DataLoader[Batch]):
    """A DataLoader that reads blocks of batches and hands out one at a time, and that can go on where it stopped.

    Lightning keeps `state_dict` in its checkpoints and gives it back before it asks for the first batch.
    """

    sampler: BatchSampler

    def __init__(
        self, dataset: TransposedDataset, sampler: BatchSampler, num_workers: int = 0, pin_memory: bool = False
    ) -> None:
        super().__init__(
            dataset,
            batch_size=None,
            sampler=sampler,
            num_workers=num_workers,
            collate_fn=_as_it_is,
            persistent_workers=num_workers > 0,
            generator=torch.Generator(),  # else each iteration would draw from the model's random numbers
        )
        self._windows = dataset
        self._pins = pin_memory  # each batch once it is widened; torch would pin what workers hand over before that
        self._delivered = {"epoch": 0, "batch": 0}

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]
        self._delivered = {"epoch": self.sampler.epoch, "batch": self.sampler.start}
        size = self.sampler.batch_size
        for block, shifts in self._from_workers() if self.num_workers else self._read_here():
            pieces = size if self.sampler.block > 1 and block.shape[1] % size == 0 else block.shape[1]
            told = torch.split(shifts, pieces) if shifts is not None else repeat(None)
            for *part, semitones in zip(*(torch.split(array, pieces) for array in block), told, strict=False):
                self._delivered["batch"] += 1
                batch = widened(*part)
                if semitones is not None:
                    batch["shifts"] = semitones
                yield {name: tensor.pin_memory() for name, tensor in batch.items()} if self._pins else batch

    def _read_here(self) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Blocks in the narrow type, which stay in the processor's cache while one batch after another is widened."""
        np.empty(_KEPT_BYTES, np.uint8)  # glibc then keeps as much freed memory, and does not fetch it anew each time
        for columns in self.sampler:
            told = torch.from_numpy(columns[1].astype(np.int64)) if self._windows.tell_shifts else None
            yield self._windows.narrow(*columns), told

    def _from_workers(self) -> Iterator[tuple[Tensor, Tensor | None]]:
        for block in super().__iter__():
            yield torch.stack([block["input_ids"], block["labels"], block["attention_mask"]]), block.get("shifts")

    def close(self) -> None:
        """End the worker processes; the next iteration starts new ones.

        A loader that is collected as garbage instead waits five seconds for each.
        """
        if self._iterator is not None and self.num_workers:
            try:
                self._iterator._shutdown_workers()  # type: ignore[attr-defined]  # torch has no public name for it
            except RuntimeError as error:  # one that is killed while all are told to end is no failure
                if "DataLoader worker" not in str(error):
                    raise
        self._iterator = None

    def state_dict(self) -> dict[str, int]:
        """Where the loader stands: the epoch, and how many of its batches were handed out."""
        if self._delivered["epoch"] == self.sampler.epoch and not self.sampler.start:
            return dict(self._delivered)
        return {"epoch": self.sampler.epoch, "batch": self.sampler.start}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Make the next iteration go on with the very next batch."""
        self.sampler.epoch, self.sampler.start = state["epoch"], state["batch"]


def _as_it_is(batch: Any) -> Any:
    return batch
