"""Reads and tokenizes ahead of training, whole or a shard at a time, into the cache that training reads from.

A shard is the corpus of a part of the entries; a run over all of them takes from it what is there already.
"""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from midiaug.data.corpus import Corpus, Quarantined, read_corpus
from midiaug.data.module import MidiDataModule
from midiaug.data.music import base_store, list_entries, read_pieces
from midiaug.data.report import report_pieces, report_split, report_unwritable, say
from midiaug.data.shards import check_shards, shard_of
from midiaug.data.store import TokenStore, build_store


@dataclass(frozen=True)
class Prepared:
    """What a preparation came to. bytes: of the folders in the cache. seconds: it took, little where it was done."""

    shards: int | None
    shard: int | None
    pieces: int
    quarantined: list[Quarantined]
    tokens: int
    bytes: int
    seconds: float
    cache_dir: str
    corpus: str | None
    store: str | None

    def summary(self) -> dict[str, Any]:
        """The figures as they go into prepare.json."""
        return asdict(self) | {"quarantined": len(self.quarantined)}


def prepare(data: MidiDataModule, shards: int | None = None, shard: int | None = None) -> Prepared:
    """Read and tokenize all of the source and split it, or one shard of it, and say what came of it.

    Raises ConfigError for a shard that is none of them; CorpusError where there is nothing to read in all.
    """
    check_shards(shards, shard, data.reading.limit)
    start = time.perf_counter()
    if shards is None or shard is None:
        found: tuple[Corpus, TokenStore | None] | None = _prepare_whole(data)
    else:
        found = _prepare_shard(data, shards, shard)
    seconds = time.perf_counter() - start
    result = _result(data, found, shards, shard, seconds)
    say("tokens", f"{result.tokens:,}; {result.bytes / 1e6:,.1f} MB in the cache, {seconds:.1f} s")
    say("cache", str(data.cache_dir))
    return result


def _prepare_whole(data: MidiDataModule) -> tuple[Corpus, TokenStore]:
    how = data.reading
    if how.merges is None:
        return data.corpus, data.store
    entries = list_entries(data.place)
    corpus, split = read_pieces(entries, how, data.cache_dir)
    store = _stored(data, corpus)
    report_split(split, store.has_pieces, how.twin_share)
    say("merges", f"{how.merges.model} is learned by the training, which knows its shifts; its music is ready")
    return corpus, store


def _stored(data: MidiDataModule, corpus: Corpus) -> TokenStore:
    """The tokens of some pieces, before anything is merged."""
    tokenizer, limits, verify = data.given_tokenizer, data.limits, data.reading.verify
    merges = data.reading.merges is not None or tokenizer.is_trained
    store = (base_store if merges else build_store)(corpus, tokenizer, limits, data.cache_dir, verify=verify)
    report_pieces(int(store.has_pieces.sum()), corpus.quarantined + store.quarantined)
    report_unwritable(store, tokenizer)
    return store


def _prepare_shard(data: MidiDataModule, shards: int, shard: int) -> tuple[Corpus, TokenStore | None] | None:
    entries = list_entries(data.place)
    part = shard_of(entries, shards, shard)
    say("shard", f"{shard} of 0 to {shards - 1}: {len(part):,} of the {len(entries):,}")
    if not part:
        say("", "nothing is left for this one: there are fewer pieces than shards, or some are very large")
        return None
    verify = data.reading.verify
    corpus = read_corpus(part, data.limits, data.cache_dir, may_be_empty=True, verify=verify)
    if len(corpus) == 0:
        say("pieces", f"none of the {len(part):,} can be used; each has its reason in quarantine.json")
        return corpus, None
    return corpus, _stored(data, corpus)


def _result(
    data: MidiDataModule,
    found: tuple[Corpus, TokenStore | None] | None,
    shards: int | None,
    shard: int | None,
    seconds: float,
) -> Prepared:
    corpus, store = found or (None, None)
    parts = [part for part in (corpus, store) if part is not None]  # a corpus of no pieces counts as false
    return Prepared(
        shards=shards,
        shard=shard,
        pieces=int(store.has_pieces.sum()) if store is not None else 0,
        quarantined=[entry for part in parts for entry in part.quarantined],
        tokens=int(np.asarray(store.tokens.lengths()).sum()) if store is not None else 0,
        bytes=sum(_bytes_of(part.directory) for part in parts),
        seconds=round(seconds, 3),
        cache_dir=str(data.cache_dir),
        corpus=corpus.directory.name if corpus is not None else None,
        store=store.directory.name if store is not None else None,
    )


def _bytes_of(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.iterdir())
