"""The token store: each piece tokenized once, in parallel, into flat files that are opened memory-mapped.

Pieces that a former store of the same tokenizer holds are copied from there.
"""

import json
from array import array
from contextlib import closing
from dataclasses import asdict
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midiaug.data.cache import build_once, key_of
from midiaug.data.corpus import Corpus, Quarantined
from midiaug.data.earlier import Earlier
from midiaug.data.flat import Ragged, RaggedWriter, open_array, save_array
from midiaug.data.pieces import Limits
from midiaug.data.proof import Proof
from midiaug.data.shifts import room_of
from midiaug.data.tokenized import Tokenized, tokenize_pieces
from midiaug.data.transpose import (
    MusicTokenizer,
    TokenTransposer,
    settings_of,
    written_range,
)
from midiaug.data.workers import Lost, Passing, in_processes
from midiaug.errors import RouteError

MAX_WINDOW = 1 << 16
_FORMAT = 4
_PROOF_PIECES = 48
_COLUMNS = {"lowest": np.int16, "highest": np.int16, "unwritable": np.int64, "cases": np.int16}


class TokenStore:
    """Token sequences of all pieces, memory-mapped.

    key: stands for the pieces, the tokenizer and what was left out.
    tokens: Ragged of ids, a row a sequence, beginning with BOS and ending with EOS where the tokenizer has them.
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
        self.tokens = Ragged(directory, "tokens", np.dtype(meta["dtype"]))
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
) -> TokenStore:
    """Tokenize the corpus, or find it tokenized in the cache: the key is its content and the tokenizer's settings.

    verify: read again what lies in the cache, to see whether it is what was written there.
    """
    versions = [_FORMAT, version("miditok"), version("symusic")]
    written_as = key_of([versions, settings_of(tokenizer)])
    family = key_of([written_as, limits.max_tokens])
    build = partial(
        _build,
        corpus=corpus,
        tokenizer=tokenizer,
        limits=limits,
        family=family,
        written_as=written_as,
        cache_dir=cache_dir,
        processes=processes,
    )
    directory = cache_dir / "stores" / f"{family}-{key_of(corpus.key)}"
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
) -> None:
    try:
        transposer: TokenTransposer | None = TokenTransposer(tokenizer)
        difference = None
    except RouteError as error:
        transposer, difference = None, str(error)
    sample = _sample(corpus.digests, tokenizer) if transposer else frozenset()
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
    )
    weights = corpus.midi.lengths()[np.array(fresh, np.int64)].tolist()
    largest = transposer.ids_in_store if transposer else len(tokenizer)
    writer = _Writer(directory, tokenizer, corpus, np.dtype(np.uint16 if largest <= 1 << 16 else np.uint32))
    results = in_processes(work, fresh, weights, _lost, label="tokenizing", processes=processes)
    with writer.tokens, closing(results):
        for row, place in enumerate(places):
            if place < 0:
                result = next(results)
                writer.add(row, f"{result}, twice" if isinstance(result, Lost) and row in tried else result)
            else:
                writer.copy(row, *earlier.row(place))
        writer.tokens.pad(MAX_WINDOW)
    writer.finish(written_as, sample, difference)


def _sample(digests: NDArray[np.uint64], tokenizer: MusicTokenizer) -> frozenset[int]:
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


class _Writer:
    """Collects what TokenStore opens."""

    def __init__(self, directory: Path, tokenizer: MusicTokenizer, corpus: Corpus, dtype: np.dtype[Any]) -> None:
        self._directory, self._corpus, self._dtype = directory, corpus, dtype
        self._range = written_range(tokenizer)
        special = [[tokenizer.vocab[name]] if name in tokenizer.vocab else [] for name in ("BOS_None", "EOS_None")]
        self._bos, self._eos = (np.array(ids, dtype) for ids in special)
        self.tokens = RaggedWriter(directory, "tokens", dtype)
        self._piece, self._track = array("q"), array("q")
        self._columns = {name: np.zeros(len(corpus), np.int64) for name in _COLUMNS}
        self._keys = np.array(corpus.digests)
        self._reasons: dict[int, str] = {}
        self._differences: dict[int, tuple[str, bool]] = {}
        self._passing: list[str] = []

    def add(self, row: int, result: Tokenized | str) -> None:
        if isinstance(result, str):
            self._reasons[row] = result
            if isinstance(result, Passing):
                self._passing.append(str(row))
            return
        for number, ids in zip(result.tracks, result.ids, strict=True):
            self._sequence(row, number, np.concatenate([self._bos, ids.astype(self._dtype), self._eos]))
        low, high = room_of(result.span, self._range)
        for name, value in zip(_COLUMNS, (low, high, result.unwritable, result.cases), strict=True):
            self._columns[name][row] = value
        if result.difference:
            self._differences[row] = result.difference, result.sampled

    def copy(self, row: int, store: TokenStore, before: int) -> None:
        """Take a piece from a former store, where it has the row `before`."""
        for sequence in store.sequences(before):
            self._sequence(row, int(store.track[sequence]), store.tokens[sequence])
        for name in _COLUMNS:
            self._columns[name][row] = getattr(store, name)[before]
        if str(before) in store.reasons:
            self._reasons[row] = store.reasons[str(before)]
        if str(before) in store.differences:
            self._differences[row] = store.differences[str(before)]

    def _sequence(self, piece: int, track: int, ids: NDArray[Any]) -> None:
        self.tokens.append(ids)
        self._piece.append(piece)
        self._track.append(track)

    def finish(self, written_as: str, sample: frozenset[int], difference: str | None) -> None:
        """Write all but the tokens. difference: why no piece can be shifted by table."""
        for name, column in {"piece": self._piece, "track": self._track, **self._columns}.items():
            save_array(self._directory / f"{name}.npy", np.asarray(column, _COLUMNS.get(name, np.int64)))
        save_array(self._directory / "keys.npy", self._keys)
        # what was proven of other pieces, in another store, does not count: the same corpus has the same proof
        counting = [row for row, (_, sampled) in self._differences.items() if row in sample or not sampled]
        names, first = self._corpus.names, min(counting, default=None)
        if difference is None and first is not None:
            difference = f"{names[first]}, {self._differences[first][0]}"
        cases = np.maximum(self._columns["cases"][sorted(sample)], 0)
        meta = {
            "key": key_of([written_as, self._corpus.key, sorted(self._reasons)]),
            "dtype": self._dtype.name,
            "proof": asdict(Proof(int((cases > 0).sum()), int(cases.sum()), difference)),
            "quarantined": [asdict(Quarantined(names[row], reason)) for row, reason in self._reasons.items()],
            "reasons": self._reasons,
            "differences": self._differences,
            "passing": self._passing,
        }
        (self._directory / "meta.json").write_text(json.dumps(meta, indent=1))


def _lost(row: int, reason: str) -> Tokenized | str:
    return Lost(f"tokenizing it {reason}")
