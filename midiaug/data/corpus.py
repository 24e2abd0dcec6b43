"""The readable pieces of a source, read once in parallel and kept in the cache as flat files.

Beside each piece's MIDI bytes stands its fingerprint; beside the pieces, the quarantine: what was left out and why.
Where files came or went, only the new ones are read: the others are copied from what was built before.
"""

import json
from array import array
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midiaug.data.cache import build_once, cache_key, check_cache
from midiaug.data.digests import as_keys, digest, digests_of
from midiaug.data.earlier import Earlier
from midiaug.data.fingerprint import VERSION
from midiaug.data.flat import Ragged, RaggedWriter, Strings, encode, open_array, save_array
from midiaug.data.pieces import Limits
from midiaug.data.reading import Candidate, ReadPiece, read_entries
from midiaug.data.sources import Entry, shuffled
from midiaug.data.workers import Lost, Passing, Processes, in_processes
from midiaug.errors import CorpusError

_FORMAT = 4


@dataclass(frozen=True)
class Quarantined:
    """A file, by its path within the source, that was left out, and the reason."""

    file: str
    reason: str


class Corpus:
    """The pieces that could be read, memory-mapped.

    key: stands for the pieces and their names. names: each piece's path within the source.
    midi: its MIDI bytes, (bytes,) uint8.
    ngrams: its fingerprint, sorted uint64. notes: (pieces,) int64. digests: (pieces, 2) uint64, of its MIDI bytes.
    quarantined: what was left out.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.key = (directory / "key").read_text()
        self.names = Strings(directory, "names")
        self.midi = Ragged(directory, "midi", np.uint8)
        self.ngrams = Ragged(directory, "ngrams", np.uint64)
        self.notes: NDArray[np.int64] = open_array(directory / "notes.npy")
        self.digests: NDArray[np.uint64] = open_array(directory / "digests.npy")
        self.quarantined = [Quarantined(**row) for row in json.loads((directory / "quarantine.json").read_text())]

    @cached_property
    def reasons(self) -> list[tuple[str, bool]]:
        """Why what stands behind the pieces in keys.npy was left out, and whether that may be gone the next time."""
        return [(reason, passing) for reason, passing in json.loads((self.directory / "reasons.json").read_text())]

    def __len__(self) -> int:
        return len(self.notes)


def read_corpus(
    entries: list[Entry],
    limits: Limits,
    cache_dir: Path,
    *,
    limit: int | None = None,
    seed: int = 0,
    processes: Processes | int | None = None,
    may_be_empty: bool = False,
    verify: bool = False,
) -> Corpus:
    """Read the entries, or find them read in the cache: the key is the content of the files and the limits.

    limit: only the first that many readable pieces of the order that the seed shuffles.
    processes: that read, or how many; None for one a core.
    may_be_empty: return a corpus without pieces, as a shard of a larger one may be.
    verify: read again what lies in the cache, to see whether it is what was written there.
    Raises CorpusError where not one piece can be read.
    """
    if limit is None:
        corpus = _read_cached(entries, limits, cache_dir, None, processes, verify)
    else:
        entries = shuffled(entries, seed)
        more = limit // 8 + 16  # than asked for, as some may not be readable; twice as many where that is not enough
        while True:
            taken, more = limit + more, 2 * more
            corpus = _read_cached(entries[:taken], limits, cache_dir, limit, processes, verify)
            if len(corpus) == limit or taken >= len(entries):
                break
    if len(corpus) == 0 and not may_be_empty:
        first = corpus.quarantined[0]
        raise CorpusError(
            f"no file can be used, of {len(corpus.quarantined):,}; the first, {first.file}: {first.reason}. "
            "Give a folder with readable MIDI or ABC files"
        )
    return corpus


def _read_cached(
    entries: list[Entry],
    limits: Limits,
    cache_dir: Path,
    limit: int | None,
    processes: Processes | int | None,
    verify: bool,
) -> Corpus:
    check_cache(cache_dir, "corpora")
    paths = list(dict.fromkeys(entry.path for entry in entries))
    content = dict(zip(paths, digests_of(paths, cache_dir), strict=True))
    contents = as_keys([content[entry.path] or bytes(16) for entry in entries])
    keys = as_keys([_content_key(entry, content[entry.path]) for entry in entries])
    family = cache_key([_FORMAT, VERSION, version("symusic"), limits.max_bars, limits.max_tokens])
    names = digest("\n".join(ascii(entry.name) for entry in entries).encode())
    key = cache_key([digest(keys.tobytes()).hex(), names.hex(), limit])
    how = {"family": family, "limits": limits, "limit": limit, "processes": processes}
    build = partial(_build, entries=entries, contents=contents, keys=keys, **how)  # type: ignore[arg-type]
    directory = cache_dir / "corpora" / f"{family}-{key}"

    def again() -> bool:
        return any(passing for _, passing in Corpus(directory).reasons)

    return Corpus(build_once(directory, build, again, verify))


def _content_key(entry: Entry, content: bytes | None) -> bytes:
    """What the entry holds; of several in a file, with its place in it. All zeros where it cannot be read."""
    if content is None:
        return bytes(16)
    place = (entry.tune, entry.row, entry.column)
    return content if place == (None, None, None) else digest(content + repr(place).encode())


def _build(
    directory: Path,
    entries: list[Entry],
    contents: NDArray[np.uint64],
    keys: NDArray[np.uint64],
    family: str,
    limits: Limits,
    limit: int | None,
    processes: Processes | int | None,
) -> None:
    earlier = Earlier(directory.parent, family, Corpus)
    places = earlier.find(keys).tolist()
    tried = set()
    for number, place in enumerate(places):
        if place >= 0 and _is_passing(*earlier.row(place)):
            places[number] = -1
            tried.add(number)
    writer = _Writer(directory)
    fresh = [(entry, key.tobytes()) for entry, key, place in zip(entries, contents, places, strict=True) if place < 0]
    weights = [_weight(entry) for entry, _ in fresh]
    work = partial(read_entries, limits=limits)
    with writer, closing(in_processes(work, fresh, weights, _lost, label="reading", processes=processes)) as results:
        for number, (entry, key, place) in enumerate(zip(entries, keys, places, strict=True)):
            result = next(results) if place < 0 else _read_before(*earlier.row(place))
            if isinstance(result, Lost) and number in tried:
                result = f"{result}, twice"
            writer.add(entry.name, key, result)
            if len(writer.notes) == limit:
                break
    writer.finish()


def _is_passing(corpus: Corpus, row: int) -> bool:
    return row >= len(corpus) and corpus.reasons[row - len(corpus)][1]


def _read_before(corpus: Corpus, row: int) -> ReadPiece | str:
    if row >= len(corpus):
        return corpus.reasons[row - len(corpus)][0]  # a passing one is not asked for: it is read again
    return ReadPiece(corpus.midi[row].tobytes(), corpus.ngrams[row], int(corpus.notes[row]))


class _Writer:
    """Collects what Corpus opens; of several pieces of the same bytes, the first."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._names = RaggedWriter(directory, "names", np.uint8)
        self._midi = RaggedWriter(directory, "midi", np.uint8)
        self._ngrams = RaggedWriter(directory, "ngrams", np.uint64)
        self.notes = array("q")
        self._digests: list[bytes] = []
        self._keys: list[bytes] = []
        self._first_with: dict[bytes, str] = {}
        self._quarantined: list[dict[str, str]] = []
        self._reasons: list[tuple[bytes, str]] = []

    def __enter__(self) -> None:
        return None

    def __exit__(self, *error: Any) -> None:
        for writer in (self._names, self._midi, self._ngrams):
            writer.__exit__(*error)

    def add(self, name: str, key: NDArray[np.uint64], result: ReadPiece | str) -> None:
        if isinstance(result, str):
            self._quarantined.append({"file": name, "reason": result})
            self._reasons.append((key.tobytes(), result))
            return
        content = digest(result.midi)
        twin = self._first_with.setdefault(content, name)
        if twin != name:
            self._quarantined.append({"file": name, "reason": f"the same bytes as {twin}"})
            return
        self._names.append(encode(name))
        self._midi.append(np.frombuffer(result.midi, np.uint8))
        self._ngrams.append(result.ngrams)
        self.notes.append(result.notes)
        self._digests.append(content)
        self._keys.append(key.tobytes())

    def finish(self) -> None:
        save_array(self._directory / "notes.npy", np.array(self.notes, np.int64))
        save_array(self._directory / "digests.npy", as_keys(self._digests))
        save_array(self._directory / "keys.npy", as_keys(self._keys + [key for key, _ in self._reasons]))
        names = (self._directory / "names.bin").read_bytes()
        key = cache_key([digest(b"".join(self._digests)).hex(), digest(names).hex()])
        (self._directory / "key").write_text(key)
        # a file that could not even be hashed has another key once it can
        reasons = [(reason, isinstance(reason, Passing) and any(key)) for key, reason in self._reasons]
        texts: dict[str, Any] = {"quarantine": self._quarantined, "reasons": reasons}
        for name, content in texts.items():
            (self._directory / f"{name}.json").write_text(json.dumps(content, indent=1))


def _weight(entry: Entry) -> float:
    try:
        return 2000.0 + (entry.path.stat().st_size if entry.tune is None and entry.row is None else 20_000)
    except OSError:
        return 1.0


def _lost(entry: Candidate, reason: str) -> ReadPiece | str:
    return Lost(f"not readable: it {reason}")
