"""The token store: each piece tokenized once, in parallel, into flat files that are opened memory-mapped.

Pieces that a former store of the same tokenizer holds are copied from there.
"""

import json
from contextlib import closing
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from midiaug.data.cache import build_once, cache_key
from midiaug.data.corpus import Corpus, Quarantined
from midiaug.data.earlier import Earlier
from midiaug.data.flat import Ragged, open_array
from midiaug.data.pieces import Limits
from midiaug.data.proof import Proof
from midiaug.data.store_writer import StoreWriter
from midiaug.data.tokenized import Tokenized, tokenize_pieces
from midiaug.data.transpose import (
    MusicTokenizer,
    TokenTransposer,
    settings_of,
)
from midiaug.data.workers import Lost, in_processes
from midiaug.errors import RouteError

_FORMAT = 4
_PROOF_PIECES = 48


class TokenStore:
    """Token sequences of all pieces, memory-mapped.

    key: stands for the pieces, the tokenizer and what was left out.
    columns: how many ids a time step has, as FlatTokenizer writes them; 1 with a tokenizer of one vocabulary.
    tokens: Ragged of ids, a row a sequence, beginning with BOS and ending with EOS where the tokenizer has them.
    words: likewise where words begin, counted without BOS; None for a store that is not there to be merged.
    piece: (sequences,) the piece's row in the corpus. track: (sequences,) its place in what the tokenizer returns.
    lowest, highest: (pieces,) the shifts in semitones that keep each of a piece's notes.
    unwritable: (pieces,) notes left out because the tokenizer has no token for their pitch.
    cases: (pieces,) shifts in which both routes were compared on the piece, -1 where it has room for none.
    differences, reasons: of pieces where they differ (and whether only pieces of a sample are looked at for that) or
    that were left out, by row. passing: the rows of those whose reason may be gone the next time.
    """

    def __init__(self, directory: Path) -> None:
        meta = json.loads((directory / "meta.json").read_text())
        self.directory = directory
        self.key: str = meta["key"]
        self.columns: int = meta.get("columns", 1)  # a store of an older version does not say so
        self.tokens = Ragged(directory, "tokens", np.dtype(meta["dtype"]))
        self.words = Ragged(directory, "words", np.int32) if (directory / "words.npy").exists() else None
        self.piece: NDArray[np.int64] = open_array(directory / "piece.npy")
        self.track: NDArray[np.int64] = open_array(directory / "track.npy")
        self.lowest: NDArray[np.integer] = open_array(directory / "lowest.npy")
        self.highest: NDArray[np.integer] = open_array(directory / "highest.npy")
        self.unwritable: NDArray[np.int64] = open_array(directory / "unwritable.npy")
        self.cases: NDArray[np.integer] = open_array(directory / "cases.npy")
        self.proof = Proof(**meta["proof"])
        self.reasons: dict[str, str] = meta["reasons"]
        self.differences: dict[str, tuple[str, bool]] = meta["differences"]
        self.passing = frozenset(meta["passing"])
        self.quarantined = [Quarantined(**row) for row in meta["quarantined"]]

    def __reduce__(self) -> tuple[type["TokenStore"], tuple[Path]]:
        return TokenStore, (self.directory,)  # another process opens the files again, and shares their memory

    def sequences(self, piece: int) -> range:
        """The rows of a piece's sequences."""
        return range(*np.searchsorted(self.piece, [piece, piece + 1]).tolist())

    @cached_property
    def has_pieces(self) -> NDArray[np.bool_]:
        """(pieces,) whether a piece of the corpus has a sequence here."""
        return np.bincount(self.piece, minlength=len(self.lowest)) > 0


def build_store(
    corpus: Corpus,
    tokenizer: MusicTokenizer,
    limits: Limits,
    cache_dir: Path,
    processes: int | None = None,
    verify: bool = False,
    words: bool = False,
) -> TokenStore:
    """Tokenize the corpus, or find it tokenized in the cache: the key is its content and the tokenizer's settings.

    words: keep too where the words begin that a tokenizer merges within once it is trained.
    verify: read again what lies in the cache, to see whether it is what was written there.
    """
    versions = [_FORMAT, version("miditok"), version("symusic"), *(["words"] if words else [])]
    written_as = cache_key([versions, settings_of(tokenizer)])
    family = cache_key([written_as, limits.max_tokens])
    build = partial(
        _build,
        corpus=corpus,
        tokenizer=tokenizer,
        limits=limits,
        family=family,
        written_as=written_as,
        cache_dir=cache_dir,
        processes=processes,
        words=words,
    )
    directory = cache_dir / "stores" / f"{family}-{cache_key(corpus.key)}"
    return TokenStore(build_once(directory, build, lambda: bool(TokenStore(directory).passing), verify))


def _build(
    directory: Path,
    corpus: Corpus,
    tokenizer: MusicTokenizer,
    limits: Limits,
    family: str,
    written_as: str,
    cache_dir: Path,
    processes: int | None,
    words: bool,
) -> None:
    try:
        transposer: TokenTransposer | None = TokenTransposer(tokenizer)
        difference = None
    except RouteError as error:
        transposer, difference = None, str(error)
    sample = sample_of(corpus.digests, tokenizer) if transposer else frozenset()
    earlier = Earlier(cache_dir / "stores", family, TokenStore)
    places = earlier.find(np.asarray(corpus.digests)).tolist()
    tried = {row for row, place in enumerate(places) if place >= 0 and _is_passing(*earlier.row(place))}
    unproven = {row for row in sample if places[row] >= 0 and not _is_proven(*earlier.row(places[row]))}
    fresh = [row for row, place in enumerate(places) if place < 0 or row in tried or row in unproven]
    for row in fresh:
        places[row] = -1
    work = partial(
        tokenize_pieces,
        directory=corpus.directory,
        tokenizer=tokenizer,
        transposer=transposer,
        limits=limits,
        sample=sample,
        words=words,
    )
    weights = corpus.midi.lengths()[np.array(fresh, np.int64)].tolist()
    largest = transposer.ids_in_store if transposer else len(tokenizer)
    writer = StoreWriter(directory, tokenizer, corpus, largest, words)
    results = in_processes(work, fresh, weights, _lost, label="tokenizing", processes=processes)
    with writer, closing(results):
        for row, place in enumerate(places):
            if place < 0:
                result = next(results)
                writer.add(row, f"{result}, twice" if isinstance(result, Lost) and row in tried else result)
            else:
                writer.copy(row, *earlier.row(place))
    writer.finish(written_as, sample, difference)


def sample_of(digests: NDArray[np.uint64], tokenizer: MusicTokenizer) -> frozenset[int]:
    """The pieces to prove both routes on: some, or all where a single one may differ from the rest.

    Their content alone decides, so that those of the whole are also those of its parts, and proven there.
    """
    if tokenizer.config.use_key_signatures:  # MidiTok writes C major where a piece names no key: no score can move that
        return frozenset(range(len(digests)))
    return frozenset(np.argsort(digests[:, 0], kind="stable")[:_PROOF_PIECES].tolist())


def _is_proven(store: TokenStore, row: int) -> bool:
    return bool(store.cases[row]) or str(row) in store.reasons or str(row) in store.differences


def _is_passing(store: TokenStore, row: int) -> bool:
    return str(row) in store.passing


def _lost(row: int, reason: str) -> Tokenized | str:
    return Lost(f"tokenizing it {reason}")
