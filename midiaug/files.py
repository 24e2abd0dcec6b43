"""Write files whole or not at all: under a temporary name in the same folder, then renamed."""

import csv
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path
from typing import Any


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary file beside the path, then give it the path's name."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        with temporary.open("rb+") as file:  # a rename may reach the disk before what it names does
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: Path, content: object) -> None:
    """Write a value as JSON."""
    text = json.dumps(content, indent=1, allow_nan=False) + "\n"
    write_whole(path, lambda temporary: _write_text(temporary, text))


def write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows that have the same keys as a table with a header."""
    text = StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(path, lambda temporary: _write_text(temporary, text.getvalue()))


def _write_text(path: Path, text: str) -> None:
    # a file name that is not valid Unicode is written with the bytes that it has
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
