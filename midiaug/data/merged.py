"""The stores of a trained tokenizer: what it writes for each piece in its own key, and one more for each shift.

Each is made from the base store: base ids are shifted by table and merged afterwards, a whole sequence at a time.
A sequence has more merged tokens in one key than in another. Its windows are those of its own key; in another, each
begins as many tokens from the start, and the last one takes what is left, as far as it has room.
"""

from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from midiaug.data.cache import build_once, cache_key
from midiaug.data.corpus import Corpus
from midiaug.data.flat import Ragged, RaggedWriter
from midiaug.data.merging import Merging
from midiaug.data.pieces import Limits
from midiaug.data.proof import proof_shifts
from midiaug.data.routes import MidiRoute
from midiaug.data.store import TokenStore, sample_of
from midiaug.data.store_writer import MAX_WINDOW, StoreWriter
from midiaug.data.transpose import settings_of, written_range
from midiaug.data.windows import Windows
from midiaug.data.workers import Lost, in_processes
from midiaug.errors import ConfigError, PitchOutOfRange, RouteError

_FORMAT = 1
_KEPT_TOKENS = 1 << 22  # of sequences in shifts that have no store


@dataclass(frozen=True)
class _Merged:
    """A piece's sequences; of one of the sample, what proving the routes gave."""

    ids: list[NDArray[np.int64]]
    cases: int = 0
    difference: str | None = None


def merge_pieces(
    pieces: list[int], merging: Merging, shift: int, corpus: Path, limits: Limits, sample: frozenset[int]
) -> list[_Merged | str]:
    """Merge pieces, in a process of its own; those of the sample also prove that the score gives the same."""
    results: list[_Merged | str] = []
    for piece in pieces:
        try:
            ids = merging(merging.store.sequences(piece), shift)
        except (ConfigError, PitchOutOfRange) as error:
            results.append(str(error))
            continue
        proof = prove_merging(piece, merging, Corpus(corpus), limits) if piece in sample else (0, None)
        results.append(_Merged(ids, *proof))
    return results


def prove_merging(piece: int, merging: Merging, corpus: Corpus, limits: Limits) -> tuple[int, str | None]:
    """Compare a piece's merged tokens with what its shifted score gives: the shifts compared, the first difference."""
    base, (low, high) = merging.store, written_range(merging.tokenizer)
    route = MidiRoute(corpus, base, merging.tokenizer, limits, "limit")
    span = low - int(base.lowest[piece]), high - int(base.highest[piece])
    shifts = proof_shifts(span, merging.tokenizer, crc32(corpus.midi[piece].tobytes()))
    rows = base.sequences(piece)
    for cases, shift in enumerate([0, *shifts]):
        try:
            pairs = [(got, route.sequence(row, shift)) for row, got in zip(rows, merging(rows, shift), strict=True)]
        except Exception as error:  # MidiTok's own failures are of every kind
            return cases, f"shift {shift:+d}: it fails ({type(error).__name__}: {error})"
        for track, (got, wanted) in enumerate(pairs):
            if not np.array_equal(got, wanted):
                counts = f"{len(got)} merged tokens by table, {len(wanted)} from the score"
                return cases, f"shift {shift:+d}, track {track}: {counts}, and not the same"
    return len(shifts), None


def build_merged(merging: Merging, corpus: Corpus, limits: Limits, cache_dir: Path, verify: bool = False) -> TokenStore:
    """What the trained tokenizer writes for each piece in its own key, or find it in the cache.

    The proof is that of the base ids, and, on the same sample, that of the merged ones.
    """
    base, tokenizer = merging.store, merging.tokenizer
    written_as = cache_key([_FORMAT, settings_of(tokenizer)])

    def build(directory: Path) -> None:
        sample = sample_of(corpus.digests, tokenizer) if base.proof.difference is None else frozenset()
        work = partial(merge_pieces, shift=0, corpus=corpus.directory, limits=limits, sample=sample)
        pieces = np.flatnonzero(base.has_pieces).tolist()
        writer = StoreWriter(directory, tokenizer, corpus, len(tokenizer), words=False)
        with writer, closing(_in_processes(work, merging, pieces)) as results:
            for row in range(len(corpus)):
                result = next(results) if base.has_pieces[row] else base.reasons[str(row)]
                if isinstance(result, str):
                    writer.add(row, result)
                    continue
                writer.copy(row, base, row, result.ids)
                if row in sample:
                    writer.prove(row, result.cases, result.difference)
        writer.finish(written_as, sample, base.proof.difference)

    key = cache_key([written_as, base.key])
    return TokenStore(build_once(cache_dir / "merged" / key, build, verify=verify))


def _in_processes(work: Any, merging: Merging, pieces: list[int]) -> Any:
    offsets = np.asarray(merging.store.tokens.offsets)
    rows = [merging.store.sequences(piece) for piece in pieces]
    weights = [float(offsets[of_piece.stop] - offsets[of_piece.start]) for of_piece in rows]
    return in_processes(partial(work, merging=merging), pieces, weights, _lost, label="merging")


def _lost(piece: int, reason: str) -> _Merged | str:
    return Lost(f"merging its tokens {reason}")


class MergedRoute:
    """Reads windows of merged tokens from the store of each shift.

    store: the trained tokenizer's, in which windows lie; merging: what it was made from. shifts: those that get a store
    of their own in the cache; sequences in any other are merged when they are read, and the last of them kept.
    """

    def __init__(self, store: TokenStore, merging: Merging, corpus: Corpus, shifts: list[int], cache_dir: Path) -> None:
        self._merging, self._offsets = merging, np.asarray(store.tokens.offsets)
        self._base_rows = np.flatnonzero(store.has_pieces[merging.store.piece])
        self._type = np.dtype(np.int16 if len(merging.tokenizer) <= 1 << 15 else np.int32)
        self._stores = {0: store.tokens}
        for shift in {*shifts} - {0}:
            self._stores[shift] = _shifted(store, merging, corpus, shift, cache_dir)
        self._kept: dict[tuple[int, int], NDArray[np.int64]] = {}
        self._kept_tokens = 0

    def read(
        self,
        windows: Windows,
        rows: NDArray[np.integer],
        semitones: NDArray[np.integer],
        altered: NDArray[np.integer] | None = None,
    ) -> tuple[NDArray[Any], NDArray[np.integer]]:
        """As Route.read, the windows of each shift in one gather. Raises ConfigError for windows to be altered."""
        if altered is not None:
            raise ConfigError("altered: merged tokens cannot be altered; use data.route=midi")
        ids, lengths = np.zeros((len(rows), windows.size), self._type), np.zeros(len(rows), np.int64)
        for shift in np.unique(semitones).tolist():
            at = np.flatnonzero(semitones == shift)
            data, first, total = self._sequences(windows.sequence[rows[at]], shift, windows.size)
            place, lengths[at] = windows.within(rows[at], self._offsets, total)
            ids[at] = np.lib.stride_tricks.sliding_window_view(data, windows.size)[first + place]
        return ids, lengths

    def _sequences(
        self, rows: NDArray[np.integer], shift: int, size: int
    ) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
        """Tokens, and (n,) where in these each row's sequence begins, and how long it is."""
        tokens = self._stores.get(shift)
        if tokens is not None:
            offsets = tokens.offsets
            return tokens.data, offsets[rows], offsets[rows + 1] - offsets[rows]
        needed, place = np.unique(rows, return_inverse=True)
        found = [self._now(int(row), shift) for row in needed]
        total = np.array([len(ids) for ids in found])
        return np.concatenate([*found, np.zeros(size, np.int64)]), (np.cumsum(total) - total)[place], total[place]

    def _now(self, row: int, shift: int) -> NDArray[np.int64]:
        if (row, shift) not in self._kept:
            (ids,) = self._merging([int(self._base_rows[row])], shift)
            self._kept[row, shift] = ids
            self._kept_tokens += len(ids)
            while len(self._kept) > 1 and self._kept_tokens > _KEPT_TOKENS:
                self._kept_tokens -= len(self._kept.pop(next(iter(self._kept))))
        return self._kept[row, shift]


def _shifted(store: TokenStore, merging: Merging, corpus: Corpus, shift: int, cache_dir: Path) -> Ragged:
    """All sequences of a store, shifted; without a token where a piece has no room for that."""
    dtype = store.tokens.data.dtype

    def build(directory: Path) -> None:
        roomy = (store.lowest <= shift) & (shift <= store.highest) & store.has_pieces
        work = partial(merge_pieces, shift=shift, corpus=corpus.directory, limits=Limits(), sample=frozenset())
        writer = RaggedWriter(directory, "tokens", dtype)
        with writer, closing(_in_processes(work, merging, np.flatnonzero(roomy).tolist())) as results:
            for piece in np.flatnonzero(store.has_pieces).tolist():
                silent = _Merged([np.zeros(0, np.int64)] * len(store.sequences(piece)))
                result = next(results) if roomy[piece] else silent
                if isinstance(result, str):
                    raise RouteError(
                        f"{corpus.names[piece]}, shifted by {shift:+d}: {result}; use data.route=midi, or leave it out"
                    )
                for ids in result.ids:
                    writer.append(ids)
            writer.pad(MAX_WINDOW)

    return Ragged(
        build_once(cache_dir / "merged" / f"{cache_key([_FORMAT, store.key])}{shift:+d}", build), "tokens", dtype
    )
