"""Rows of different lengths in flat files."""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midiaug.data.flat import Ragged, RaggedWriter, Strings, encode, open_array, save_array


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """Makes a new folder at each call, as one test of many examples needs many."""
    return lambda: tmp_path_factory.mktemp("flat")


def written(folder: Path, rows: Iterable, dtype: type[np.generic], pad: int = 0) -> Ragged:
    with RaggedWriter(folder, "rows", dtype) as writer:
        for row in rows:
            writer.append(np.array(row, dtype))
        writer.pad(pad)
    return Ragged(folder, "rows", dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int64, np.uint64])
@settings(deadline=None)
@given(rows=st.lists(st.lists(st.integers(0, 255), max_size=20), max_size=12), pad=st.integers(0, 5))
def test_rows_come_back_as_they_were_written(fresh, dtype, rows, pad):
    ragged = written(fresh(), rows, dtype, pad)
    assert len(ragged) == len(rows)
    assert [ragged[index].tolist() for index in range(len(rows))] == rows
    assert ragged.lengths().tolist() == [len(row) for row in rows]
    assert ragged.data.dtype == dtype


def test_the_largest_values_of_a_type_come_back(tmp_path):
    top = np.iinfo(np.uint64).max
    assert written(tmp_path, [[0, top], [top]], np.uint64)[1].tolist() == [top]


def test_empty_rows_and_no_rows_at_all_can_be_read(tmp_path):
    assert [len(row) for row in written(tmp_path, [[], [1], [], []], np.uint16)] == [0, 1, 0, 0]
    assert len(written(tmp_path, [[], []], np.uint16)) == 2
    assert len(written(tmp_path, [], np.uint16)) == 0


def test_padding_belongs_to_no_row_and_lets_a_window_be_read_past_the_last(tmp_path):
    ragged = written(tmp_path, [[7, 8], [9]], np.uint16, pad=3)
    assert ragged[1].tolist() == [9]
    start = ragged.offsets[1]
    assert ragged.data[start : start + 4].tolist() == [9, 0, 0, 0]


@pytest.mark.parametrize("row", [-1, 2, 100])
def test_a_row_that_is_not_there_is_an_index_error(tmp_path, row):
    ragged = written(tmp_path, [[1], [2]], np.uint8)
    with pytest.raises(IndexError, match=f"row {row} of 2"):
        ragged[row]


def test_rows_are_read_from_the_file_and_cannot_be_written(tmp_path):
    ragged = written(tmp_path, [[1, 2]], np.uint8)
    with pytest.raises(ValueError, match="read-only"):
        ragged[0][0] = 5
    assert isinstance(ragged.data.base, np.memmap)
    assert (tmp_path / "rows.bin").read_bytes() == b"\x01\x02"


def test_an_interrupted_writing_cannot_be_read(tmp_path):
    def rows():
        yield [1]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        written(tmp_path, rows(), np.uint8)
    with pytest.raises(FileNotFoundError):
        Ragged(tmp_path, "rows", np.uint8)


@settings(deadline=None)
@given(texts=st.lists(st.text(max_size=12), max_size=8))
def test_texts_come_back_as_they_were(fresh, texts):
    folder = fresh()
    with RaggedWriter(folder, "names", np.uint8) as writer:
        for text in texts:
            writer.append(encode(text))
    strings = Strings(folder, "names")
    assert len(strings) == len(texts)
    assert strings.all() == texts


@settings(deadline=None)
@given(raw=st.binary(min_size=1, max_size=12))
def test_any_file_name_comes_back_though_its_bytes_are_not_unicode(fresh, raw):
    folder, name = fresh(), os.fsdecode(raw)
    with RaggedWriter(folder, "names", np.uint8) as writer:
        writer.append(encode(name))
    assert Strings(folder, "names")[0] == name
    assert (folder / "names.bin").read_bytes() == raw


@pytest.mark.parametrize(
    "array", [np.arange(6).reshape(2, 3), np.zeros((0, 2), np.uint64), np.arange(9, dtype="i2")[::2]]
)
def test_an_array_is_written_as_numpy_writes_it(tmp_path, array):
    save_array(tmp_path / "own.npy", array)
    np.save(tmp_path / "numpys.npy", np.ascontiguousarray(array))
    assert (tmp_path / "own.npy").read_bytes() == (tmp_path / "numpys.npy").read_bytes()
    assert np.array_equal(open_array(tmp_path / "own.npy"), array)


def test_an_array_that_the_disk_does_not_take_is_said_to_be_so(disk):
    with pytest.raises(OSError, match="No space left on device"):
        save_array(disk.path / "a.npy", np.zeros(disk.free))
