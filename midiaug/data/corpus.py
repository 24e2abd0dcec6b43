"""The readable pieces of a source, read once in parallel and kept in the cache as flat files.

Beside each piece's MIDI bytes stands its fingerprint; beside the pieces, the quarantine: what was left out and why.
"""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from midiaug.data.cache import build_once, key_of
from midiaug.data.fingerprint import VERSION, ngrams_of
from midiaug.data.flat import Ragged, RaggedWriter, Strings, encode
from midiaug.data.pieces import Limits, parse, read_midi_bytes
from midiaug.data.sources import Entry, shuffled
from midiaug.data.workers import in_processes
from midiaug.errors import CorpusError, QuarantinedFile

_FORMAT = 2


@dataclass(frozen=True)
class Quarantined:
    """A file, by its path within the source, that was left out, and the reason."""

    file: str
    reason: str


@dataclass(frozen=True)
class _Read:
    midi: bytes
    ngrams: NDArray[np.uint64]
    notes: int


class Corpus:
    """The pieces that could be read, memory-mapped.

    names: each piece's path within the source. midi: its MIDI bytes, (bytes,) uint8.
    ngrams: its fingerprint, sorted uint64. notes: (pieces,) int64. quarantined: what was left out.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.key = directory.name
        self.names = Strings(directory, "names")
        self.midi = Ragged(directory, "midi", np.uint8)
        self.ngrams = Ragged(directory, "ngrams", np.uint64)
        self.notes: NDArray[np.int64] = np.load(directory / "notes.npy", mmap_mode="r")
        self.quarantined = [Quarantined(**row) for row in json.loads((directory / "quarantine.json").read_text())]

    def __len__(self) -> int:
        return len(self.notes)


def read_corpus(
    entries: list[Entry],
    limits: Limits,
    cache_dir: Path,
    *,
    limit: int | None = None,
    seed: int = 0,
    processes: int | None = None,
) -> Corpus:
    """Read the entries, or find them read in the cache: the key is the content of the files and the limits.

    limit: only the first that many readable pieces of the order that the seed shuffles.
    Raises CorpusError where not one piece can be read.
    """
    if limit is None:
        corpus = _read_cached(entries, limits, cache_dir, None, processes)
    else:
        entries = shuffled(entries, seed)
        more = limit // 8 + 16  # than asked for, as some may not be readable; twice as many where that is not enough
        while True:
            taken, more = limit + more, 2 * more
            corpus = _read_cached(entries[:taken], limits, cache_dir, limit, processes)
            if len(corpus) == limit or taken >= len(entries):
                break
    if len(corpus) == 0:
        first = corpus.quarantined[0]
        raise CorpusError(
            f"no file can be used, of {len(corpus.quarantined):,}; the first, {first.file}: {first.reason}. "
            "Give a folder with readable MIDI or ABC files"
        )
    return corpus


def _read_cached(
    entries: list[Entry], limits: Limits, cache_dir: Path, limit: int | None, processes: int | None
) -> Corpus:
    paths = list(dict.fromkeys(entry.path for entry in entries))
    with ThreadPoolExecutor(8) as threads:
        digests = dict(zip(paths, threads.map(_digest, paths), strict=True))
    key = key_of(
        [_FORMAT, VERSION, version("symusic"), limits.max_bars, limits.max_tokens, limit]
        + [[ascii(entry.name), digests[entry.path]] for entry in entries]
    )
    build = partial(_build, entries=entries, limits=limits, limit=limit, processes=processes)
    return Corpus(build_once(cache_dir / "corpora" / key, build))


def _digest(path: Path) -> str:
    try:
        return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    except OSError:
        return "unreadable"  # its reading names the reason


def _build(directory: Path, entries: list[Entry], limits: Limits, limit: int | None, processes: int | None) -> None:
    quarantined: list[dict[str, str]] = []
    notes: list[int] = []
    first_with: dict[bytes, str] = {}
    results = in_processes(
        partial(_read, limits=limits),
        entries,
        [_weight(entry) for entry in entries],
        _lost,
        label="reading",
        processes=processes,
    )
    with (
        RaggedWriter(directory, "names", np.uint8) as names,
        RaggedWriter(directory, "midi", np.uint8) as midi,
        RaggedWriter(directory, "ngrams", np.uint64) as ngrams,
    ):
        for entry, result in zip(entries, results, strict=False):  # stops early once the limit is reached
            if isinstance(result, _Read):
                twin = first_with.setdefault(hashlib.blake2b(result.midi).digest(), entry.name)
                if twin == entry.name:
                    names.append(encode(entry.name))
                    midi.append(np.frombuffer(result.midi, np.uint8))
                    ngrams.append(result.ngrams)
                    notes.append(result.notes)
                    if len(notes) == limit:
                        break
                    continue
                result = f"the same bytes as {twin}"
            quarantined.append({"file": entry.name, "reason": result})
    np.save(directory / "notes.npy", np.array(notes, np.int64))
    (directory / "quarantine.json").write_text(json.dumps(quarantined, indent=1))


def _read(entries: list[Entry], limits: Limits) -> list[_Read | str]:
    """Read each entry, in a process of its own: a piece, or the reason why not."""
    results: list[_Read | str] = []
    for entry in entries:
        try:
            midi = read_midi_bytes(entry)
            score = parse(midi, limits)
            results.append(_Read(midi, ngrams_of(score), score.note_num()))
        except QuarantinedFile as reason:
            results.append(str(reason))
    return results


def _weight(entry: Entry) -> float:
    try:
        return 2000.0 + (entry.path.stat().st_size if entry.tune is None else 20_000)
    except OSError:
        return 1.0


def _lost(entry: Entry, reason: str) -> _Read | str:
    return f"not readable: it {reason}"
