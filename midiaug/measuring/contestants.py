"""The loaders that take part in the benchmark, and how the tokens that they deliver are counted.

A token counts where a training loop takes the batch; padding does not count. Summing a batch's mask would take
several percent of a fast loader's time. So one epoch is read and summed up before anything is timed (with
aug.draw=balanced, as many as there are shifts), and while the clock runs a batch counts as its number of windows times
the tokens of an average window: exact over whole epochs, and right on average where the clock stops in between.
Loaders that read scores take a millisecond for each window; there the mask is summed while the clock runs.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from miditok.pytorch_data import DataCollator
from torch.utils.data import DataLoader, Dataset

from midiaug.data.dataset import Batch
from midiaug.data.module import MidiDataModule
from midiaug.errors import BenchmarkError, RouteError
from midiaug.measuring.rivals import FromScores, Padded, StoredWindows, pretokenized
from midiaug.run import make_data
from midiaug.settings import TrainAugSettings, TrainSettings

BASE, MIDI, DATASET_MIDI, STOCK = "file_each_time", "midi_route", "dataset_midi", "stock_dataloader"
TOKENS, TOKENS_PLAIN, EMPTY, MEMCPY = "tokens_route", "tokens_route_no_shift", "empty_dataloader", "memcpy"
TOKENS_SHIFT = "tokens_route_shift_alone"
WHAT = {
    BASE: "file, shift, tokenizer, crop, for each sample",
    MIDI: "midiaug, route midi",
    DATASET_MIDI: "MidiTok DatasetMIDI, tokenized beforehand",
    STOCK: "stock DataLoader on a memory map, not transposed",
    TOKENS: "midiaug, route tokens",
    TOKENS_SHIFT: "midiaug, route tokens, transposed and nothing else",
    TOKENS_PLAIN: "midiaug, route tokens, not transposed",
    EMPTY: "DataLoader that hands out one ready batch",
    MEMCPY: "copying the same bytes",
}
_READY_BATCHES = 10_000


@dataclass
class Contestant:
    """A loader, epoch after epoch.

    epoch: the batches of the epoch of that number. count: the tokens of a batch. note: what else there is to say.
    share: how much of the training tokens an epoch can reach at most, where its own way leaves some out.
    """

    epoch: Callable[[int], Iterable[Batch]]
    count: Callable[[Batch], float]
    note: str = ""
    share: float | None = None
    close: Callable[[], None] = lambda: None
    _next: int = field(default=0, init=False)

    def tokens_per_second(self, seconds: float) -> float:
        """Tokens delivered a second, for at least so many seconds; each call goes on with another epoch."""
        tokens, begin, elapsed = 0.0, time.perf_counter(), 0.0
        while elapsed < seconds:
            number, self._next = self._next, self._next + 1
            for batch in self.epoch(number):
                tokens += self.count(batch)
                if time.perf_counter() - begin >= seconds:
                    break
            elapsed = time.perf_counter() - begin
        return tokens / elapsed


@dataclass(frozen=True)
class LineUp:
    """The contestants by name, and why others are left out."""

    contestants: dict[str, Contestant]
    left_out: dict[str, str]

    def close(self) -> None:
        """End their worker processes."""
        for contestant in self.contestants.values():
            contestant.close()


def tokens_in(batch: Batch) -> int:
    """The tokens of a batch, without padding."""
    return int(batch["attention_mask"].sum())


def line_up(settings: TrainSettings, data: MidiDataModule, files: Sequence[Path]) -> LineUp:
    """All contestants on the training pieces of `data`, ready to be timed.

    files: the same pieces as MIDI files. All read in this process, unless data.num_workers is a number.
    """
    workers = workers_of(settings)
    stock = _stock(data, workers)
    ready = next(iter(stock.epoch(0)))
    found = {BASE: _base(data, files, workers), MIDI: _own(_module(settings, "midi", settings.aug), tokens_in)}
    left_out: dict[str, str] = {}
    try:
        found[DATASET_MIDI] = _dataset_midi(data, files, workers)
    except BenchmarkError as error:
        left_out[DATASET_MIDI] = str(error)
    found[STOCK] = stock
    shift_alone = replace(settings.aug, velocity=None, duration=None, tempo=None)
    augs = {TOKENS: settings.aug, TOKENS_SHIFT: shift_alone, TOKENS_PLAIN: replace(shift_alone, shifts=[0])}
    if settings.aug == shift_alone:
        del augs[TOKENS_SHIFT]
    for name, aug in augs.items():
        try:
            module = _module(settings, "tokens", aug)
        except RouteError as error:
            left_out[name] = str(error).removeprefix("data.route=tokens: ").partition("; use ")[0]
            continue
        found[name] = _own(module, counted_beforehand(module))
    found[EMPTY] = _handing_out(ready, workers)
    found[MEMCPY] = _copying(ready)
    return LineUp(found, left_out)


def workers_of(settings: TrainSettings) -> int:
    """The processes that each loader reads with: none where data.num_workers is auto, so that all use one core."""
    return 0 if settings.data.num_workers == "auto" else int(settings.data.num_workers)


def counted_beforehand(data: MidiDataModule) -> Callable[[Batch], float]:
    """A cheap count for the batches of the training loader: read through once, untimed, for the tokens of a window."""
    loader, tokens, windows = data.train_dataloader(), 0, 0
    for number in range(len(data.shifts) if data.draw == "balanced" else 1):
        loader.sampler.set_epoch(number)
        for batch in loader:
            tokens += tokens_in(batch)
            windows += len(batch["input_ids"])
    return by_window(tokens / windows)


def by_window(tokens: float) -> Callable[[Batch], float]:
    """A count for batches whose windows have so many tokens each on average."""
    return lambda batch: len(batch["input_ids"]) * tokens


def _module(settings: TrainSettings, route: str, aug: TrainAugSettings) -> MidiDataModule:
    changed = replace(settings.data, route=route, num_workers=workers_of(settings))
    module = make_data(replace(settings, data=changed, aug=aug))
    module.setup()
    return module


def _own(data: MidiDataModule, count: Callable[[Batch], float]) -> Contestant:
    loader = data.train_dataloader()

    def epoch(number: int) -> Iterable[Batch]:
        loader.sampler.set_epoch(number)
        return loader

    return Contestant(epoch, count, close=data.teardown)


def _stock_loader(dataset: Dataset[Any], data: MidiDataModule, workers: int, collate: Any) -> DataLoader[Any]:
    return DataLoader(
        dataset,
        batch_size=data.batch_size,
        shuffle=True,
        collate_fn=collate,
        num_workers=workers,
        persistent_workers=workers > 0,
    )


def _base(data: MidiDataModule, files: Sequence[Path], workers: int) -> Contestant:
    dataset = FromScores(files, data.tokenizer, list(data.shifts), data.window)
    loader = _stock_loader(dataset, data, workers, Padded(data.window, data.tokenizer.pad_token_id))
    return Contestant(lambda _: loader, tokens_in)


def _dataset_midi(data: MidiDataModule, files: Sequence[Path], workers: int) -> Contestant:
    dataset = pretokenized(files, data.tokenizer, data.window)
    lengths = [len(sample) for sample in dataset.samples if len(sample)]
    collate = DataCollator(data.tokenizer.pad_token_id, copy_inputs_as_labels=True)
    loader = _stock_loader(dataset, data, workers, collate)
    share = sum(lengths) / training_tokens(data)
    note = f"reads {share:.1%} of the training tokens, cannot transpose"
    return Contestant(lambda _: loader, by_window(sum(lengths) / max(1, len(lengths))), note, share)


def training_tokens(data: MidiDataModule) -> int:
    """The tokens of all training pieces in the store."""
    lengths = np.diff(np.asarray(data.store.tokens.offsets))
    return int(lengths[~data.split.validation[data.store.piece]].sum())


def _stock(data: MidiDataModule, workers: int) -> Contestant:
    dataset = StoredWindows(data)
    loader = _stock_loader(dataset, data, workers, as_it_is)
    return Contestant(lambda _: loader, by_window(float(dataset.lengths.mean())))


class _Ready(Dataset[Batch]):
    """One ready batch, again and again."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch

    def __len__(self) -> int:
        return _READY_BATCHES

    def __getitem__(self, index: int) -> Batch:
        return self._batch


def _handing_out(batch: Batch, workers: int) -> Contestant:
    loader: DataLoader[Batch] = DataLoader(
        _Ready(batch), batch_size=None, collate_fn=as_it_is, num_workers=workers, persistent_workers=workers > 0
    )
    tokens = tokens_in(batch)
    return Contestant(lambda _: loader, lambda _: tokens, "the most that a DataLoader can hand over")


def _copying(batch: Batch) -> Contestant:
    source = [tensor.numpy() for tensor in batch.values()]
    target = [np.empty_like(array) for array in source]
    tokens = tokens_in(batch)

    def epoch(number: int) -> Iterator[Batch]:
        for _ in range(_READY_BATCHES):
            for into, array in zip(target, source, strict=True):
                np.copyto(into, array)
            yield batch

    return Contestant(epoch, lambda _: tokens)


def as_it_is(batch: Any) -> Any:
    """What stands in for a collate function where the dataset hands out whole batches."""
    return batch
