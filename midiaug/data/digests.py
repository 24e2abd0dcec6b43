"""What is in a file, as 128 bits, without reading again a file that has not changed since it was last read.

The table holds a row for each file that was hashed. A file is known again by its device, inode, size and both of
its times; one that was changed in the last moments is not kept, as its times may not tell the next change.
"""

import hashlib
import logging
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from midiaug.files import remove_leftovers, write_whole

log = logging.getLogger("midiaug")
_SETTLED_NS = 2_000_000_000
_THREADS, _AT_ONCE, _CHUNK_BYTES = 8, 32, 1 << 16
_SLOW_S = 0.0005  # a file


def digest(data: bytes) -> bytes:
    """16 bytes that stand for these."""
    return hashlib.blake2b(data, digest_size=16).digest()


def as_keys(digests: Sequence[bytes]) -> NDArray[np.uint64]:
    """(n, 2) uint64 of n digests."""
    return np.frombuffer(b"".join(digests), np.uint64).reshape(-1, 2)


class Lookup:
    """Finds the place of a 128-bit key in a table of them. keys: (n, 2) uint64."""

    def __init__(self, keys: NDArray[np.uint64]) -> None:
        self._order = np.argsort(keys[:, 0], kind="stable")
        self._first, self._second = keys[self._order].T

    def find(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """(n, 2) keys -> (n,) int64: the first place of each in the table, -1 where it is not there or all zero."""
        if not len(self._first):
            return np.full(len(keys), -1, np.int64)
        place = np.minimum(np.searchsorted(self._first, keys[:, 0]), len(self._first) - 1)
        # two different keys with the same first half would need billions of rows: the second is then not found
        same = (self._first[place] == keys[:, 0]) & (self._second[place] == keys[:, 1]) & keys.any(axis=1)
        return np.where(same, self._order[place], -1)


def digests_of(paths: Sequence[Path], cache_dir: Path) -> list[bytes | None]:
    """The digest of each file's content, None where it cannot be read; what was hashed is kept in the cache."""
    table = cache_dir / "digests"
    known = _load(table)
    now = time.time_ns()
    stats = [_stat(path) for path in paths]
    identities = as_keys([digest(identity) for identity, _ in stats])
    places = Lookup(known[:, :2]).find(identities).tolist()
    found: list[bytes | None] = [known[place, 2:].tobytes() if place >= 0 else None for place in places]
    fresh = [number for number, place in enumerate(places) if place < 0]
    for number, content in zip(fresh, _hashed([paths[number] for number in fresh]), strict=True):
        found[number] = content
    settled = {n: content for n in fresh if (content := found[n]) and 0 < stats[n][1] < now - _SETTLED_NS}
    if settled:
        _add(table, np.concatenate([identities[list(settled)], as_keys(list(settled.values()))], axis=1))
    return found


def _hashed(paths: Sequence[Path]) -> Iterator[bytes | None]:
    """The digest of each file: by one thread as long as that is fast, then by several, which wait for a disk together.

    To hand a small file over to a thread takes longer than to hash it.
    """
    slow = False
    with ThreadPoolExecutor(_THREADS) as threads:
        for start in range(0, len(paths), _AT_ONCE):
            part, begin = paths[start : start + _AT_ONCE], time.perf_counter()
            yield from list(threads.map(_digest, part) if slow else map(_digest, part))
            slow = slow or time.perf_counter() - begin > len(part) * _SLOW_S


def _stat(path: Path) -> tuple[bytes, int]:
    """What tells a file and its state from others, and when it last changed in nanoseconds; 0 where it is not there."""
    try:
        stat = os.stat(path)
    except OSError:
        return b"", 0
    numbers = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
    return repr(numbers).encode(), max(numbers[3:])


def _digest(path: Path) -> bytes | None:
    try:
        file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))  # a file object costs as much as a small file
        try:
            content = hashlib.blake2b(digest_size=16)
            while chunk := os.read(file, _CHUNK_BYTES):
                content.update(chunk)
            return content.digest()
        finally:
            os.close(file)
    except OSError:
        return None  # its reading names the reason


def _load(table: Path) -> NDArray[np.uint64]:
    try:
        check, rows = (content := table.read_bytes())[:16], content[16:]
    except OSError:
        check, rows = b"", b""
    # not there yet, or damaged: every file is hashed
    return np.frombuffer(rows if check == digest(rows) else b"", np.uint64).reshape(-1, 4)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _add(table: Path, rows: NDArray[np.uint64]) -> None:
    try:
        table.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(table.with_suffix(".lock")):
            remove_leftovers(table.parent, table.stem)  # none but the holder of the lock writes one
            everything = np.concatenate([_load(table), rows]).tobytes()
            write_whole(table, lambda temporary: _write(temporary, digest(everything) + everything))
    except OSError as error:  # a cache that cannot be written still can be read
        log.debug("%s: not kept (%s)", table, error)
