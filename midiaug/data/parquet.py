"""Pieces in the rows of Parquet files, as large collections are published: MIDI bytes in one column.

Listing reads the files' footers only; reading streams one row group's column, a few rows at a time.
"""

import glob
from bisect import bisect_right
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from midiaug.data.sources import Entry, files_below
from midiaug.errors import ConfigError, CorpusError, QuarantinedFile, one_line

if TYPE_CHECKING:
    import pyarrow.parquet

_ENDING = ".parquet"
_ROWS_AT_ONCE = 64


def rows(path: str | Path, column: str | None = None) -> list[Entry]:
    """List the rows of Parquet files, each a piece, named `file.parquet#17` for row 17, counted from 0.

    path: a file, a folder (all .parquet files in it and below), or a pattern of files with * and **.
    column: the column of MIDI bytes, `audio.bytes` for a field of a struct; None where there is only one it may be.
    Raises CorpusError: no such file, not Parquet, pyarrow missing. Raises ConfigError: no such column, or of no bytes.
    """
    if find_spec("pyarrow") is None:
        raise CorpusError("data=parquet: reading Parquet takes pyarrow; run pip install 'midiaug[parquet]'")
    files = _files(path)
    with ThreadPoolExecutor(8) as threads:  # many small reads, perhaps over a network
        opened = list(threads.map(_footer, (file for _, file in files)))
    chosen = column or _only_candidate(path, opened[0][0])
    entries: list[Entry] = []
    for (name, file), (schema, count) in zip(files, opened, strict=True):
        _check_column(file, schema, chosen)
        entries += [Entry(f"{name}#{row}", file, row=row, column=chosen) for row in range(count)]
    if not entries:
        raise CorpusError(f"data.path={path}: no rows in its Parquet files; give files with a piece in each row")
    return entries


def read_row(path: Path, column: str, row: int) -> bytes:
    """The bytes in a row. Raises QuarantinedFile where there are none or the file cannot be read.

    Rows of a file that are asked for in ascending order are read once.
    """
    import pyarrow

    try:
        data = _cursor(path, column).value(row)
    except (OSError, pyarrow.ArrowException, RuntimeError, TypeError, KeyError) as error:  # a file of other columns now
        _cursor.cache_clear()  # its stream may stand anywhere
        raise QuarantinedFile(f"this row cannot be read from the Parquet file ({one_line(error)})") from error
    if not data:
        raise QuarantinedFile("nothing in this row" if data is None else "no bytes in this row")
    return data


class _Cursor:
    """Reads a column from the top down; a row before the one it stands at makes it begin its row group again."""

    def __init__(self, path: Path, column: str) -> None:
        import pyarrow.parquet

        # streamed with a small buffer: a row group may hold gigabytes
        self._file = pyarrow.parquet.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False)
        self._column = column
        self._inner = _inner(self._file.schema_arrow.names, column)
        groups = range(self._file.metadata.num_row_groups)
        sizes = [self._file.metadata.row_group(group).num_rows for group in groups]
        self._ends = list(accumulate(sizes))
        self._group = -1
        self._batches: Iterator[Any] = iter(())
        self._batch: Any = ()
        self._start = 0

    def value(self, row: int) -> bytes | None:
        """What stands in that row of the file; None for nothing."""
        group = bisect_right(self._ends, row)
        if group != self._group or row < self._start:
            self._batches = self._file.iter_batches(
                _ROWS_AT_ONCE, row_groups=[group], columns=[self._column], use_threads=False
            )
            self._group, self._batch = group, ()
            self._start = self._ends[group - 1] if group else 0
        while row >= self._start + len(self._batch):
            self._start += len(self._batch)
            self._batch = next(self._batches).column(0)
        value = self._batch[row - self._start].as_py()
        for name in self._inner:
            value = None if value is None else value[name]
        return value  # type: ignore[no-any-return]


@lru_cache(maxsize=1)
def _cursor(path: Path, column: str) -> _Cursor:
    return _Cursor(path, column)  # one a process: neighbours come one after another


def _files(path: str | Path) -> list[tuple[str, Path]]:
    """The Parquet files of a path with their names below it, sorted by name."""
    root = Path(path).expanduser()
    if root.is_file():
        return [(root.name, root)]
    if root.is_dir():
        found = files_below(root, (_ENDING,))
    else:
        base = next(parent for parent in root.parents if not glob.has_magic(str(parent)))
        files = sorted({Path(name) for name in glob.glob(str(root), recursive=True) if Path(name).is_file()})
        found = [(file.relative_to(base).as_posix(), file) for file in files]
    if not found:
        raise CorpusError(
            f"data.path={path}: no {_ENDING} file there; give a file, a folder, or a pattern such as 'a/**/*.parquet'"
        )
    return found


def _footer(path: Path) -> tuple["pyarrow.Schema", int]:
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path, pre_buffer=False) as file:
            return file.schema_arrow, file.metadata.num_rows
    except (OSError, pyarrow.ArrowException, RuntimeError, TypeError, KeyError) as error:  # a file of other columns now
        raise CorpusError(f"{path}: not readable as a Parquet file ({one_line(error)}); take it away") from error


def _only_candidate(path: str | Path, schema: "pyarrow.Schema") -> str:
    names = _candidates(schema)
    if len(names) != 1:
        raise ConfigError(
            f"data.path={path}: "
            + (f"several columns hold bytes; say which with data.column={'|'.join(names)}" if names else _none(schema))
        )
    return names[0]


def _check_column(path: Path, schema: "pyarrow.Schema", column: str) -> None:
    names = _candidates(schema)
    if column in names:
        return
    advice = f"use {' or '.join(names)}" if names else _none(schema)
    known = dict(_leaves(schema))
    if column in known or column in schema.names:
        kind = known[column] if column in known else schema.field(column).type
        raise ConfigError(f"data.column={column}: of type {kind} in {path.name}, not bytes; {advice}")
    raise ConfigError(f"data.column={column}: no such column in {path.name}; {advice}")


def _none(schema: "pyarrow.Schema") -> str:
    return f"no column of bytes among {', '.join(schema.names)}; MIDI files are expected as binary"


def _candidates(schema: "pyarrow.Schema") -> list[str]:
    from pyarrow import types

    binary = (types.is_binary, types.is_large_binary, types.is_fixed_size_binary, types.is_binary_view)
    return [name for name, kind in _leaves(schema) if any(fits(kind) for fits in binary)]


def _leaves(fields: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    from pyarrow import types

    for field in fields:
        if types.is_struct(field.type):
            yield from _leaves(field.type, f"{prefix}{field.name}.")
        else:
            yield prefix + field.name, field.type


def _inner(names: list[str], column: str) -> list[str]:
    """The names below the top one: `bytes` for `audio.bytes`; none for a column that is no struct."""
    if column in names:
        return []
    top = next(name for name in names if column.startswith(f"{name}."))
    return column[len(top) + 1 :].split(".")
