"""The token store: each piece tokenized once, in parallel, into flat files that are opened memory-mapped."""

import json
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midiaug.data.cache import build_once, key_of
from midiaug.data.corpus import Corpus, Quarantined
from midiaug.data.flat import Ragged, RaggedWriter
from midiaug.data.pieces import Limits, parse
from midiaug.data.proof import Proof, mark_drums, proof_shifts, prove_routes, tokenize
from midiaug.data.transpose import (
    MusicTokenizer,
    TokenTransposer,
    pitch_span,
    settings_of,
    without_unwritable,
    written_range,
)
from midiaug.data.workers import in_processes
from midiaug.errors import QuarantinedFile, RouteError

MAX_WINDOW = 1 << 16
_FORMAT = 3
_PROOF_PIECES = 48


@dataclass(frozen=True)
class _Tokenized:
    tracks: list[int]
    ids: list[NDArray[np.int64]]
    span: tuple[int, int]
    unwritable: int
    cases: int
    difference: str | None


class TokenStore:
    """Token sequences of all pieces, memory-mapped.

    tokens: Ragged of ids, a row a sequence, beginning with BOS and ending with EOS where the tokenizer has them.
    piece: (sequences,) the piece's row in the corpus. track: (sequences,) its place in what the tokenizer returns.
    lowest, highest: (pieces,) the shifts in semitones that keep each of a piece's notes.
    unwritable: (pieces,) notes left out because the tokenizer has no token for their pitch.
    """

    def __init__(self, directory: Path) -> None:
        meta = json.loads((directory / "meta.json").read_text())
        self.directory = directory
        self.tokens = Ragged(directory, "tokens", np.dtype(meta["dtype"]))
        self.piece: NDArray[np.int64] = np.load(directory / "piece.npy", mmap_mode="r")
        self.track: NDArray[np.int64] = np.load(directory / "track.npy", mmap_mode="r")
        self.lowest: NDArray[np.int64] = np.load(directory / "lowest.npy", mmap_mode="r")
        self.highest: NDArray[np.int64] = np.load(directory / "highest.npy", mmap_mode="r")
        self.unwritable: NDArray[np.int64] = np.load(directory / "unwritable.npy", mmap_mode="r")
        self.proof = Proof(**meta["proof"])
        self.quarantined = [Quarantined(**row) for row in meta["quarantined"]]

    @cached_property
    def has_pieces(self) -> NDArray[np.bool_]:
        """(pieces,) whether a piece of the corpus has a sequence here."""
        return np.bincount(self.piece, minlength=len(self.lowest)) > 0


def build_store(
    corpus: Corpus, tokenizer: MusicTokenizer, limits: Limits, cache_dir: Path, processes: int | None = None
) -> TokenStore:
    """Tokenize the corpus, or find it tokenized in the cache: the key is its content and the tokenizer's settings."""
    versions = [_FORMAT, version("miditok"), version("symusic")]
    key = key_of([versions, corpus.key, settings_of(tokenizer), limits.max_tokens])
    build = partial(_build, corpus=corpus, tokenizer=tokenizer, limits=limits, processes=processes)
    return TokenStore(build_once(cache_dir / "stores" / key, build))


def _build(directory: Path, corpus: Corpus, tokenizer: MusicTokenizer, limits: Limits, processes: int | None) -> None:
    rows = list(range(len(corpus)))
    try:
        transposer: TokenTransposer | None = TokenTransposer(tokenizer)
        difference = None
    except RouteError as error:
        transposer, difference = None, str(error)
    work = partial(
        _tokenize_pieces,
        directory=corpus.directory,
        tokenizer=tokenizer,
        transposer=transposer,
        limits=limits,
        sample=frozenset(_sample(len(corpus), tokenizer)),
    )
    results = in_processes(work, rows, corpus.midi.lengths().tolist(), _lost, label="tokenizing", processes=processes)
    largest = transposer.ids_in_store if transposer else len(tokenizer)
    writer = _Writer(directory, tokenizer, len(rows), np.dtype(np.uint16 if largest <= 1 << 16 else np.uint32))
    writer.difference = difference
    with writer.tokens:
        for row, result in zip(rows, results, strict=True):
            writer.add(row, corpus.names[row], result)
        writer.tokens.pad(MAX_WINDOW)
    writer.finish()


def _sample(pieces: int, tokenizer: MusicTokenizer) -> list[int]:
    """The pieces to prove both routes on: some, or all where a single one may differ from the rest."""
    if tokenizer.config.use_key_signatures:  # MidiTok writes C major where a piece names no key: no score can move that
        return list(range(pieces))
    return [int(row) for row in np.linspace(0, pieces - 1, min(_PROOF_PIECES, pieces)).round()]


class _Writer:
    """Collects what TokenStore opens."""

    def __init__(self, directory: Path, tokenizer: MusicTokenizer, pieces: int, dtype: np.dtype[Any]) -> None:
        self._directory, self._dtype = directory, dtype
        self._range = written_range(tokenizer)
        special = [[tokenizer.vocab[name]] if name in tokenizer.vocab else [] for name in ("BOS_None", "EOS_None")]
        self._bos, self._eos = (np.array(ids, dtype) for ids in special)
        self.tokens = RaggedWriter(directory, "tokens", dtype)
        self._piece: list[int] = []
        self._track: list[int] = []
        self._spans = np.zeros((pieces, 2), np.int64)
        self._unwritable = np.zeros(pieces, np.int64)
        self._quarantined: list[Quarantined] = []
        self._proven = self._cases = 0
        self.difference: str | None = None

    def add(self, row: int, name: str, result: _Tokenized | str) -> None:
        if isinstance(result, str):
            self._quarantined.append(Quarantined(name, result))
            return
        for number, ids in zip(result.tracks, result.ids, strict=True):
            self.tokens.append(np.concatenate([self._bos, ids.astype(self._dtype), self._eos]))
            self._piece.append(row)
            self._track.append(number)
        self._spans[row] = self._range[0] - result.span[0], self._range[1] - result.span[1]
        self._unwritable[row] = result.unwritable
        self._proven += result.cases > 0
        self._cases += result.cases
        if result.difference and self.difference is None:
            self.difference = f"{name}, {result.difference}"

    def finish(self) -> None:
        columns = {"piece": self._piece, "track": self._track, "unwritable": self._unwritable}
        for name, column in {**columns, "lowest": self._spans[:, 0], "highest": self._spans[:, 1]}.items():
            np.save(self._directory / f"{name}.npy", np.asarray(column, np.int64))
        meta = {
            "dtype": self._dtype.name,
            "proof": asdict(Proof(self._proven, self._cases, self.difference)),
            "quarantined": [asdict(entry) for entry in self._quarantined],
        }
        (self._directory / "meta.json").write_text(json.dumps(meta, indent=1))


def _tokenize_pieces(
    rows: list[int],
    directory: Path,
    tokenizer: MusicTokenizer,
    transposer: TokenTransposer | None,
    limits: Limits,
    sample: frozenset[int],
) -> list[_Tokenized | str]:
    """Tokenize these pieces, in a process of its own; the pieces of the sample also prove the two routes."""
    midi = Ragged(directory, "midi", np.uint8)
    results: list[_Tokenized | str] = []
    for row in rows:
        try:
            results.append(_tokenize_piece(midi[row].tobytes(), tokenizer, transposer, limits, row in sample, row))
        except QuarantinedFile as reason:
            results.append(str(reason))
    return results


def _tokenize_piece(
    data: bytes, tokenizer: MusicTokenizer, transposer: TokenTransposer | None, limits: Limits, prove: bool, seed: int
) -> _Tokenized:
    score, unwritable = without_unwritable(parse(data, limits), tokenizer)
    span = pitch_span(score)
    if span is None:
        raise QuarantinedFile("no note within the pitches that the tokenizer writes")
    try:
        ids = tokenize(tokenizer, score)
    except Exception as error:  # MidiTok's own failures on odd music are of every kind, and cost this piece alone
        raise QuarantinedFile(f"the tokenizer failed on it ({type(error).__name__}: {error})") from error
    total = sum(len(row) for row in ids)
    if total > limits.max_tokens:
        raise QuarantinedFile(f"too long: {total:,} tokens, and data.max_tokens is {limits.max_tokens:,}")
    cases, difference = 0, None
    try:
        if transposer is not None:
            ids, difference = mark_drums(ids, score, tokenizer, transposer)
            if prove and difference is None:
                cases, difference = prove_routes(ids, score, tokenizer, transposer, proof_shifts(span, tokenizer, seed))
    except Exception as error:  # again of every kind; the score as it is can be used, by the other route
        difference = f"the tokenizer fails on it when it is shifted ({type(error).__name__}: {error})"
    tracks = [number for number, row in enumerate(ids) if len(row)]
    if not tracks:
        raise QuarantinedFile("the tokenizer found no token in it")
    return _Tokenized(tracks, [ids[number] for number in tracks], span, unwritable, cases, difference)


def _lost(row: int, reason: str) -> _Tokenized | str:
    return f"tokenizing it {reason}"
