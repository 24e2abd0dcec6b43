"""Whether a directory of the cache is what its build left: its name, its files, their lengths and their checksums."""

import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

_FILE = "checksums.json"
_CHUNK_BYTES = 1 << 20
BEFORE = "-before"  # behind the name of a directory that is built anew


def write_checksums(directory: Path, name: str) -> None:
    """Write down what is in the directory. name: what it will be called."""
    files = {name: [size, checksum(directory / name)] for name, size in sorted(_sizes(directory).items())}
    (directory / _FILE).write_text(json.dumps({"of": name, "files": files}))


def is_whole(directory: Path, verify: bool = False) -> bool:
    """Whether the directory is there under its own name, with all files of its build as they were.

    verify: read the data too, the files `*.bin` and those in folders below; without it their length alone counts.
    """
    try:
        noted = json.loads((directory / _FILE).read_text())
        sizes = {name: size for name, size in _sizes(directory).items() if name != _FILE}
        files = noted["files"]
        if noted["of"] != directory.name.removesuffix(BEFORE) or sizes != {name: files[name][0] for name in files}:
            return False
        looked_at = [name for name in files if verify or not (name.endswith(".bin") or "/" in name)]
        return all(checksum(directory / name) == files[name][1] for name in looked_at)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):  # of another shape, or not there
        return False


def files_in(directory: Path) -> Iterator[Path]:
    """Every file in a directory and all below it."""
    for folder, _, names in os.walk(directory):
        yield from (Path(folder, name) for name in names)


def _sizes(directory: Path) -> dict[str, int]:
    return {path.relative_to(directory).as_posix(): path.stat().st_size for path in files_in(directory)}


def checksum(path: Path) -> int:
    """The CRC-32 of a file: no change of up to four bytes in a row keeps it."""
    crc = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            crc = zlib.crc32(chunk, crc)
    return crc
