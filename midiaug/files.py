"""Write files whole or not at all, one or several: under a temporary name in the same folder, then renamed."""

import csv
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from secrets import token_hex
from typing import Any

_PART, _RANDOM = "part", "[0-9a-f]" * 8
_OLD_S = 600.0


def temporary_name(path: Path) -> Path:
    """A new name for a file that is not yet whole, beside the path; `remove_leftovers` knows it."""
    return path.with_name(f".{path.stem}.{_PART}{token_hex(4)}{path.suffix}")


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside the path, then give it the path's name."""
    temporary = temporary_name(path)
    try:  # the name is known before the file is there, so that Ctrl-C never leaves it
        temporary.touch(exist_ok=False)
        write(temporary)
        with temporary.open("rb+") as file:  # a rename may reach the disk before what it names does
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        # a full disk names no file
        if isinstance(error, OSError) and error.errno and error.filename in (None, str(temporary)):
            error.filename = str(path)
        raise


@contextmanager
def all_or_none(directory: Path, name: str) -> Iterator[Path]:
    """Give a hidden folder inside the directory to write to; at the end what is in it moves up, and it goes.

    Where writing fails or is stopped nothing of it stays. A file that was there before under the same name is replaced;
    of several that write there at once, the last one's files stay. name: of who writes, in that of the hidden folder:
    what a killed one left goes.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for leftover in directory.glob(f".{name}.*"):
        if is_old(leftover):
            shutil.rmtree(leftover, ignore_errors=True)
    scratch = directory / f".{name}.{token_hex(4)}"
    try:
        scratch.mkdir()
        yield scratch
        for folder, _, files in os.walk(scratch):
            target = directory / Path(folder).relative_to(scratch)
            target.mkdir(parents=True, exist_ok=True)
            for file in files:
                Path(folder, file).replace(target / file)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def is_old(path: Path) -> bool:
    """Whether nothing was written there for ten minutes, so that whoever did is gone; False where it is no more."""
    try:
        return time.time() - path.stat().st_mtime > _OLD_S
    except FileNotFoundError:
        return False


def remove_leftovers(folder: Path, stem: str = "*") -> None:
    """Remove what killed processes left under temporary names in a folder, of all files or of those with one stem.

    For folders that no other process writes to meanwhile; a user's own files may lie in them, such as `.env.20260101`.
    """
    for leftover in folder.glob(f".{stem}.{_PART}{_RANDOM}*"):
        leftover.unlink(missing_ok=True)


def write_json(path: Path, content: object) -> None:
    """Write a value as JSON."""
    write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows that have the same keys as a table with a header."""
    text = StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8; a file name in it that is not valid Unicode is written with the bytes that it has."""
    content = text.encode("utf-8", errors="surrogateescape")

    def write(temporary: Path) -> None:
        temporary.write_bytes(content)

    write_whole(path, write)
