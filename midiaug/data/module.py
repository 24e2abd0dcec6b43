"""MidiDataModule: a folder of music in, batches of transposed windows out."""

from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pytorch_lightning import LightningDataModule

from midiaug.data.arguments import VAL_SPLIT, SourceName, check_arguments, checked_source, plain, usable
from midiaug.data.cache import default_cache_dir
from midiaug.data.columns import columns_of
from midiaug.data.corpus import Corpus, Quarantined
from midiaug.data.dataset import TransposedDataset
from midiaug.data.identity import check_identity, identity
from midiaug.data.merges import Merges
from midiaug.data.music import Music, Reading, Source, list_entries, read_music
from midiaug.data.pieces import Limits
from midiaug.data.plan import Draw, Plan, Starts
from midiaug.data.report import report_shifts, report_windows, say
from midiaug.data.routes import OutOfRange, Route, RouteName
from midiaug.data.sampler import FixedSampler, TransposingLoader, TransposingSampler
from midiaug.data.shifts import Shifts
from midiaug.data.sides import windows_of
from midiaug.data.split import Split, limited
from midiaug.data.store import TokenStore
from midiaug.data.transpose import MAX_SHIFT, MusicTokenizer, default_tokenizer
from midiaug.data.windows import probe_rows, whole_steps
from midiaug.data.workers import cores

_MOST_WORKERS = 16  # more only wait for each other and for memory
# read at once by table: shares the fixed cost, and stays within the processor's cache; workers hand theirs over whole
_BLOCK_TOKENS, _BLOCK_TOKENS_OF_WORKERS = 1 << 19, 1 << 16


class MidiDataModule(LightningDataModule):
    """Reads, splits, tokenizes and transposes, in this order; made once, it serves any number of epochs.

    path: a folder of .mid .midi .kar .abc files, or one file. With `source="parquet"`, Parquet files with MIDI bytes in
    a column: a file, a folder, or a pattern with * and **. None for "bundled" and what is downloaded, as "maestro".
    shifts: the semitones to draw from; `draw` to `tempo` as Plan has them. tell_shifts: batches have `shifts` too,
    (batch,) int64 semitones, for a model that is told. merges: train the tokenizer on the training side.
    Every key under `data` and `aug` is an argument here, with the same meaning and default.

    After `setup`: corpus, store, split, route_name, train (a TransposedDataset), validation (likewise).
    Raises ConfigError for an argument that cannot be; `setup` raises CorpusError where the music cannot be read,
    SplitError where it cannot be split, and RouteError where the route that is asked for is not right for it.
    """

    _training: TransposingLoader | None = None
    _training_rank = (0, 1)
    _loaders: list[TransposingLoader]
    _position: dict[str, int] | None = None

    def __init__(
        self,
        path: str | Path | None = None,
        tokenizer: MusicTokenizer | None = None,
        shifts: Shifts | None = None,
        *,
        source: SourceName | None = None,
        collection: str = "aird",
        column: str | None = None,
        limit: int | None = None,
        train_limit: int | None = None,
        window: int = 256,
        batch_size: int = 64,
        num_workers: int | Literal["auto"] = "auto",
        route: RouteName = "auto",
        val_split: float = VAL_SPLIT,
        folds: int | None = None,
        fold: int = 0,
        split: str | Path | dict[str, Any] | None = None,
        twin_share: float = 0.5,
        max_bars: int = 10_000,
        max_tokens: int = 1_000_000,
        cache_dir: str | Path | None = None,
        verify: bool = False,
        draw: Draw = "random",
        original: float = 0.0,
        anneal: tuple[int, int] | None = None,
        starts: Starts = "fixed",
        velocity: tuple[int, int] | str | None = None,
        duration: tuple[int, int] | str | None = None,
        tempo: tuple[int, int] | str | None = None,
        tell_shifts: bool = False,
        out_of_range: OutOfRange = "limit",
        merges: Merges | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        check_arguments(locals())
        self.arguments = plain(locals())
        self.source = checked_source(source, path, column)
        self.given_tokenizer = usable(tokenizer if tokenizer is not None else default_tokenizer(), merges)
        self.shifts = shifts or Shifts.of(-5, -3, -1, 0, 1, 3, 5)
        self.path, self.limits, self.batch_size = path, Limits(max_bars, max_tokens), batch_size
        self.window = whole_steps(window, columns_of(self.given_tokenizer))
        self.requested_workers, self.requested_route, self.tell_shifts = num_workers, route, tell_shifts
        split_as = (limit, val_split, split, twin_share, seed, folds, fold)
        self.reading = Reading(self.limits, *split_as, verify, train_limit, merges, self.shifts)
        self.cache_dir = Path(cache_dir).expanduser() if cache_dir else default_cache_dir()
        self._loaders, self.place = [], Source(self.source, path, collection, column, self.cache_dir)
        self.plan = Plan(draw, original, anneal, starts, velocity, duration, tempo)
        self.plan.alterations.check(self.given_tokenizer)
        self.train_limit, self.draw, self.out_of_range, self.seed = train_limit, draw, out_of_range, seed

    @cached_property
    def _music(self) -> Music:
        return read_music(list_entries(self.place), self.given_tokenizer, self.reading, self.cache_dir)

    @property
    def tokenizer(self) -> MusicTokenizer:
        """What writes the tokens; one that is to be trained is there once the music is read."""
        return self.given_tokenizer if self.reading.merges is None else self._music.tokenizer

    @property
    def corpus(self) -> Corpus:
        """The pieces that could be read."""
        return self._music.corpus

    @property
    def split(self) -> Split:
        """Which side each piece is on."""
        return self._music.split

    @property
    def store(self) -> TokenStore:
        """The pieces as tokens."""
        return self._music.store

    @property
    def quarantined(self) -> list[Quarantined]:
        """What was left out, and why."""
        return self.corpus.quarantined + self.store.quarantined

    def setup(self, stage: str | None = None) -> None:
        """Read, split, tokenize and choose the route; a second call finds it done."""
        _ = self._sides

    @cached_property
    def _sides(self) -> tuple[str, TransposedDataset, TransposedDataset]:
        split, store = self.split, self.store
        training = limited(usable := ~split.validation & store.has_pieces, self.train_limit, self.seed)
        if training.sum() < usable.sum():
            say("limit", f"{training.sum():,} of the {usable.sum():,} pieces to train on are used")
        altering = self.plan.alterations, training, self.reading
        name, why, route = self._music.route(self.requested_route, self.out_of_range, *altering, self.cache_dir)
        drops = self.out_of_range == "drop" and name == "midi"  # the table can take no note away
        train, validation = (self._dataset(route, side, drops) for side in (training, split.validation))
        say("route", f"{name}: {why}")
        report_shifts(self.shifts, self.plan, self.out_of_range, store, training)
        report_windows(train.windows, validation.windows, self.arguments["window"])
        return name, train, validation

    def _dataset(self, route: Route, pieces: NDArray[np.bool_], drops: bool) -> TransposedDataset:
        windows, of_window = windows_of(self.store, pieces, self.window, self.cache_dir)
        room = np.asarray(self.store.lowest), np.asarray(self.store.highest)
        if drops:
            room = np.full_like(room[0], -MAX_SHIFT), np.full_like(room[1], MAX_SHIFT)
        how = (self.shifts, route, self.tokenizer.pad_token_id, self.tell_shifts)
        return TransposedDataset(windows, of_window, room, *how)

    @property
    def route_name(self) -> str:
        """The route that was taken, tokens or midi."""
        return self._sides[0]

    @property
    def train(self) -> TransposedDataset:
        """The windows of the training pieces."""
        return self._sides[1]

    @property
    def validation(self) -> TransposedDataset:
        """The windows of the validation pieces."""
        return self._sides[2]

    def train_dataloader(self) -> TransposingLoader:
        """The training batches of the sampler's epoch, in this rank's turn; each call returns the same loader."""
        if self._training is None or self._training_rank != self._rank():
            self._training_rank = self._rank()
            sampler = TransposingSampler(self.train, self.batch_size, self.seed, self.plan, *self._rank(), self._block)
            self._training = self._loader(self.train, sampler)
        if self._position is not None:
            self._training.load_state_dict(self._position)
            self._position = None
        return self._training

    def val_dataloader(self) -> TransposingLoader:
        """The validation windows in their own keys: each validation token but a sequence's first once as a label."""
        return self.fixed_dataloader(self.validation, np.arange(len(self.validation)))

    def probe_dataloader(self) -> TransposingLoader:
        """As many training windows as there are validation windows, in their own keys, the same all through a run.

        Their loss, taken as the validation loss is, is what the gap is measured from.
        """
        return self.fixed_dataloader(self.train, probe_rows(len(self.train), len(self.validation), self.seed))

    def fixed_dataloader(
        self, dataset: TransposedDataset, rows: NDArray[np.int64], semitones: int = 0, shared: bool = True
    ) -> TransposingLoader:
        """These windows of `train` or `validation` in this order, all shifted alike; shared among the ranks, or not."""
        rank = self._rank() if shared else (0, 1)
        return self._loader(dataset, FixedSampler(dataset, rows, self.batch_size, semitones, *rank, self._block))

    @property
    def _block(self) -> int:
        tokens = _BLOCK_TOKENS_OF_WORKERS if self.num_workers else _BLOCK_TOKENS
        return max(1, tokens // (self.batch_size * self.window)) if self.route_name == "tokens" else 1

    @property
    def num_workers(self) -> int:
        """Processes that read: none for the table, which is faster than handing its batches over."""
        if self.requested_workers != "auto":
            return self.requested_workers
        return 0 if self.route_name == "tokens" else min(cores(), _MOST_WORKERS)

    def _rank(self) -> tuple[int, int]:
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)

    def _loader(self, dataset: TransposedDataset, sampler: Any) -> TransposingLoader:
        on_gpu = self.trainer is not None and self.trainer.strategy.root_device.type == "cuda"
        self._loaders.append(TransposingLoader(dataset, sampler, self.num_workers, pin_memory=on_gpu))
        return self._loaders[-1]

    def teardown(self, stage: str | None = None) -> None:
        """End the worker processes of all loaders."""
        for loader in self._loaders:
            loader.close()
        self._loaders = [self._training] if self._training is not None else []

    def state_dict(self) -> dict[str, Any]:
        """Where training stands, and what a run must agree with to go on from there with the very next batch."""
        kept = {"arguments": self.arguments, "split": self.split.packed, **self._identity()}
        return {"position": self._training.state_dict() if self._training else None, **kept}

    def _identity(self) -> dict[str, Any]:
        keys: dict[str, Any] = {"data.train_limit": self.train_limit, "data.window": self.window}
        keys |= {"data.batch_size": self.batch_size, "aug.shifts": list(self.shifts)}
        keys |= {"aug.out_of_range": self.out_of_range, "seed": self.seed}
        keys |= {f"aug.{key}": value for key, value in asdict(self.plan).items()}
        return identity(self.corpus.key, self.store.key, self.split.validation) | keys

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where the checkpoint stands, with the next train_dataloader.

        Raises ConfigError for a checkpoint of other music or another draw, with the first key that differs.
        """
        # Lightning gives the position to the loader as well, but not where the number of steps was asked for before
        self._position = state_dict.get("position")
        self.check_same(state_dict)

    def check_same(self, state_dict: dict[str, Any]) -> None:
        """Raise ConfigError for a state of other music or another draw, with the first key that differs."""
        check_identity(self._identity(), state_dict)
