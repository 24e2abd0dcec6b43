"""The files of a token store, written piece after piece."""

import json
from array import array
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from midiaug.data.cache import cache_key
from midiaug.data.columns import columns_of, ends_of
from midiaug.data.corpus import Corpus, Quarantined
from midiaug.data.flat import Ragged, RaggedWriter, save_array
from midiaug.data.proof import Proof
from midiaug.data.shifts import room_of
from midiaug.data.tokenized import Tokenized
from midiaug.data.transpose import MusicTokenizer, written_range
from midiaug.data.workers import Passing

MAX_WINDOW = 1 << 16
_OF_A_PIECE = {"lowest": np.int16, "highest": np.int16, "unwritable": np.int64, "cases": np.int16}


class Stored(Protocol):
    """What StoreWriter takes of a store that is there already; TokenStore says what each is."""

    tokens: Ragged
    words: Ragged | None
    track: NDArray[np.int64]
    reasons: dict[str, str]
    differences: dict[str, tuple[str, bool]]

    def sequences(self, piece: int) -> range: ...  # noqa: D102


class StoreWriter:
    """Collects what TokenStore opens. ids: how many different ones there may be. words: whether it keeps words."""

    def __init__(self, directory: Path, tokenizer: MusicTokenizer, corpus: Corpus, ids: int, words: bool) -> None:
        self._dtype = dtype = np.dtype(np.uint16 if ids <= 1 << 16 else np.uint32)
        self._directory, self._corpus = directory, corpus
        self._range = written_range(tokenizer)
        self._bos, self._eos = (np.array(ids, dtype) for ids in ends_of(tokenizer))
        self._columns = columns_of(tokenizer)
        self._tokens = RaggedWriter(directory, "tokens", dtype)
        self._words = RaggedWriter(directory, "words", np.int32) if words else None
        self._piece, self._track = array("q"), array("q")
        self._of_pieces = {name: np.zeros(len(corpus), np.int64) for name in _OF_A_PIECE}
        self._keys = np.array(corpus.digests)
        self._reasons: dict[int, str] = {}
        self._differences: dict[int, tuple[str, bool]] = {}
        self._passing: list[str] = []

    def __enter__(self) -> None:
        return None

    def __exit__(self, *error: Any) -> None:
        if not error[0]:
            self._tokens.pad(MAX_WINDOW)
        for writer in (self._tokens, self._words):
            if writer is not None:
                writer.__exit__(*error)

    def add(self, row: int, result: Tokenized | str) -> None:
        """Take a piece as it was tokenized, or the reason why it could not be."""
        if isinstance(result, str):
            self._reasons[row] = result
            if isinstance(result, Passing):
                self._passing.append(str(row))
            return
        for number, ids in zip(result.tracks, result.ids, strict=True):
            self._sequence(row, number, np.concatenate([self._bos, ids.astype(self._dtype), self._eos]))
        for starts in result.words:
            self._add_words(starts)
        low, high = room_of(result.span, self._range)
        for name, value in zip(_OF_A_PIECE, (low, high, result.unwritable, result.cases), strict=True):
            self._of_pieces[name][row] = value
        if result.difference:
            self._differences[row] = result.difference, result.sampled

    def copy(self, row: int, store: Stored, before: int, merged: Sequence[NDArray[Any]] | None = None) -> None:
        """Take a piece from another store, where it has the row `before`. merged: ids to write in place of its own."""
        for place, sequence in enumerate(store.sequences(before)):
            ids = store.tokens[sequence] if merged is None else merged[place]
            self._sequence(row, int(store.track[sequence]), ids)
            if store.words is not None:
                self._add_words(store.words[sequence])
        for name in _OF_A_PIECE:
            self._of_pieces[name][row] = getattr(store, name)[before]
        if str(before) in store.reasons:
            self._reasons[row] = store.reasons[str(before)]
        if str(before) in store.differences:
            self._differences[row] = store.differences[str(before)]

    def prove(self, row: int, cases: int, difference: str | None) -> None:
        """What proving the routes on a piece of the sample gave; what was found before stands."""
        self._of_pieces["cases"][row] = cases
        if difference is not None:
            self._differences.setdefault(row, (difference, True))

    def _sequence(self, piece: int, track: int, ids: NDArray[Any]) -> None:
        self._tokens.append(ids)
        self._piece.append(piece)
        self._track.append(track)

    def _add_words(self, starts: NDArray[Any]) -> None:
        if self._words is not None:
            self._words.append(starts)

    def finish(self, written_as: str, sample: frozenset[int], difference: str | None) -> None:
        """Write all but the tokens. difference: why no piece can be shifted by table."""
        for name, column in {"piece": self._piece, "track": self._track, **self._of_pieces}.items():
            save_array(self._directory / f"{name}.npy", np.asarray(column, _OF_A_PIECE.get(name, np.int64)))
        save_array(self._directory / "keys.npy", self._keys)
        # what was proven of other pieces, in another store, does not count: the same corpus has the same proof
        counting = [row for row, (_, sampled) in self._differences.items() if row in sample or not sampled]
        names, first = self._corpus.names, min(counting, default=None)
        if difference is None and first is not None:
            difference = f"{names[first]}, {self._differences[first][0]}"
        cases = np.maximum(self._of_pieces["cases"][sorted(sample)], 0)
        meta = {
            "key": cache_key([written_as, self._corpus.key, sorted(self._reasons)]),
            "dtype": self._dtype.name,
            "columns": self._columns,
            "proof": asdict(Proof(int((cases > 0).sum()), int(cases.sum()), difference)),
            "quarantined": [asdict(Quarantined(names[row], reason)) for row, reason in self._reasons.items()],
            "reasons": self._reasons,
            "differences": self._differences,
            "passing": self._passing,
        }
        (self._directory / "meta.json").write_text(json.dumps(meta, indent=1))
