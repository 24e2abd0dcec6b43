"""From files to pieces, sides and tokens, in this order: everything that is made once, before the first epoch."""

import logging
import multiprocessing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midiaug.data.alterations import Alterations, stepped_tables
from midiaug.data.altering import altering_difference
from midiaug.data.corpus import Corpus, read_corpus
from midiaug.data.fetching import fetched
from midiaug.data.merged import MergedRoute, build_merged
from midiaug.data.merges import Lesson, Merges, train_merges
from midiaug.data.merging import Merging
from midiaug.data.parquet import rows
from midiaug.data.pieces import Limits
from midiaug.data.published import PUBLISHED, Published
from midiaug.data.report import report_pieces, report_split, report_unwritable, report_velocity, say
from midiaug.data.routes import MidiRoute, OutOfRange, Route, RouteName, TokenRoute, choose_route
from midiaug.data.shifts import Shifts
from midiaug.data.sides import fold_of, groups_of, split_of
from midiaug.data.sources import COLLECTIONS, Entry, bundled, folder
from midiaug.data.spelling import untrained
from midiaug.data.split import Fold, Split, limited, read_split
from midiaug.data.store import TokenStore, build_store
from midiaug.data.transpose import MusicTokenizer, TokenTransposer
from midiaug.data.workers import Processes
from midiaug.errors import ConfigError, SplitError

log = logging.getLogger("midiaug")


@dataclass(frozen=True)
class Music:
    """The pieces, which side each is on, and their tokens; the three have a row for each piece in the same order.

    tokenizer: what wrote them, trained where it was to be. merging: what a trained one's tokens were made from.
    """

    corpus: Corpus
    split: Split
    store: TokenStore
    tokenizer: MusicTokenizer
    merging: Merging | None = None

    def route(
        self,
        requested: RouteName,
        out_of_range: OutOfRange,
        alterations: Alterations,
        training: NDArray[np.bool_],
        how: "Reading",
        cache_dir: Path,
    ) -> tuple[str, str, Route]:
        """How windows are read: tokens or midi, why in words, and by what.

        training: (pieces,) those whose windows are altered.
        """
        differing = altering_difference(self.corpus, self.tokenizer, how.limits, alterations, training, how.seed)
        of = (self.store, how.shifts, self.store.has_pieces, out_of_range, differing)
        name, why = choose_route(requested, *of)
        if name == "midi":
            score = MidiRoute(self.corpus, self.store, self.tokenizer, how.limits, out_of_range, alterations)
            return name, why, score
        if self.merging is not None:
            return name, why, MergedRoute(self.store, self.merging, self.corpus, list(how.shifts), cache_dir)
        tables = stepped_tables(self.tokenizer, alterations)
        return name, why, TokenRoute(self.store, TokenTransposer(self.tokenizer), tables)


@dataclass(frozen=True)
class Reading:
    """How music is read and split: the keys under `data` of the same names, and the seed.

    merges: what the tokenizer is trained to, on so many of the training pieces (train_limit) in these shifts.
    """

    limits: Limits
    limit: int | None
    val_split: float
    split_file: str | Path | dict[str, Any] | None
    twin_share: float
    seed: int
    folds: int | None = None
    fold: int = 0
    verify: bool = False
    train_limit: int | None = None
    merges: Merges | None = None
    shifts: Shifts = field(default_factory=lambda: Shifts.of(0))


@dataclass(frozen=True)
class Source:
    """Where pieces come from: the keys under `data` of the same names. kind: data.source."""

    kind: str
    path: str | Path | None
    collection: str
    column: str | None
    cache_dir: Path

    @property
    def published(self) -> Published | None:
        """The collection that is downloaded, if it is one."""
        return PUBLISHED.get(self.kind)


def entries_of(source: Source) -> list[Entry]:
    """The candidate pieces, downloaded first where they have to be. Raises CorpusError where there are none."""
    if source.published is not None:
        return fetched(source.published, source.cache_dir)
    if source.kind == "bundled":
        return bundled(source.collection)
    if source.kind == "parquet":
        return rows(source.path or ".", source.column)
    return folder(source.path or ".")


def list_entries(source: Source) -> list[Entry]:
    """Likewise, and the screen says which they are."""
    entries = entries_of(source)
    if source.published is not None:
        say("source", f"{source.published.title}: {len(entries):,} files; licence: {source.published.licence}")
    elif source.kind == "bundled":
        say("source", COLLECTIONS[source.collection][1])
    elif source.kind == "parquet":
        files = len({entry.path for entry in entries})
        say("source", f"{source.path}: {len(entries):,} rows of {files:,} Parquet files")
    else:
        say("source", f"{source.path}: {len(entries):,} {'file or tune' if len(entries) == 1 else 'files and tunes'}")
    return entries


def read_music(entries: list[Entry], tokenizer: MusicTokenizer, how: Reading, cache_dir: Path) -> Music:
    """Read, split, and only then tokenize, or find it done in the cache; the screen says what came of it."""
    corpus, split = read_pieces(entries, how, cache_dir)
    if how.merges is None and not tokenizer.is_trained:
        music = Music(
            corpus, split, build_store(corpus, tokenizer, how.limits, cache_dir, verify=how.verify), tokenizer
        )
    else:
        music = _merged(corpus, split, tokenizer, how, cache_dir)
    store = music.store
    report_pieces(int(store.has_pieces.sum()), corpus.quarantined + store.quarantined)
    if not all((side & store.has_pieces).any() for side in (split.validation, ~split.validation)):
        first = store.quarantined[0]
        raise SplitError(
            f"no piece of one side of the split could be tokenized (such as {first.file}: {first.reason}); add pieces, "
            "or take another seed"
        )
    report_split(split, store.has_pieces, how.twin_share)
    report_unwritable(store, tokenizer)
    report_velocity(store, music.tokenizer)
    return music


def base_store(
    corpus: Corpus, tokenizer: MusicTokenizer, limits: Limits, cache_dir: Path, verify: bool = False
) -> TokenStore:
    """The pieces as the tokenizer writes them before it merges anything, or find it in the cache."""
    return build_store(corpus, untrained(tokenizer), limits, cache_dir, verify=verify, words=True)


def _merged(corpus: Corpus, split: Split, tokenizer: MusicTokenizer, how: Reading, cache_dir: Path) -> Music:
    """The music of a trained tokenizer, or of one that is trained first, on the training side alone."""
    base, plain = base_store(corpus, tokenizer, how.limits, cache_dir, how.verify), untrained(tokenizer)
    if how.merges is not None:
        training = limited(~split.validation & base.has_pieces, how.train_limit, how.seed)
        lesson = Lesson.of(corpus, base, plain, how.limits, training, how.shifts, how.seed)
        tokenizer = train_merges(lesson, how.merges, cache_dir)
        pieces = len({piece for piece, _ in lesson.pairs})
        learned = f"learned from {pieces:,} training pieces, {len(lesson.pairs):,} with their transpositions"
        say("tokenizer", f"{how.merges.model}: {len(tokenizer):,} tokens, {len(plain):,} before merging; {learned}")
    merging = Merging(base, plain, tokenizer)
    store = build_merged(merging, corpus, how.limits, cache_dir, how.verify)
    return Music(corpus, split, store, tokenizer, merging)


def read_pieces(
    entries: list[Entry], how: Reading, cache_dir: Path, processes: Processes | None = None
) -> tuple[Corpus, Split]:
    """Read and split, or find it done in the cache. processes: that read; None starts one a core."""
    if getattr(
        multiprocessing.current_process(), "_inheriting", False
    ):  # a child that runs the script again to find it
        raise ConfigError(
            "this script starts processes while it is imported by one; put its code below if __name__ == '__main__':"
        )
    corpus = read_corpus(
        entries, how.limits, cache_dir, limit=how.limit, seed=how.seed, processes=processes, verify=how.verify
    )
    return corpus, _split(corpus, how, cache_dir)


def _split(corpus: Corpus, how: Reading, cache_dir: Path) -> Split:
    if how.folds is not None:
        return fold_of(corpus, how.twin_share, Fold(how.fold, how.folds), how.seed, cache_dir)
    if how.split_file is None:
        return split_of(corpus, how.twin_share, how.val_split, how.seed, cache_dir)
    group = np.asarray(groups_of(corpus, how.twin_share, cache_dir))
    split, remarks = read_split(how.split_file, corpus.names.all(), group)
    for remark in remarks:
        log.warning(remark)
    return split
