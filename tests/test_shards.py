"""A shard is a run of the entries; together they are all of them, and about equal in bytes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midiaug.data.shards import check_shards, shard_of
from midiaug.data.sources import Entry
from midiaug.errors import ConfigError


def files(folder: Path, sizes: list[int]) -> list[Entry]:
    entries = []
    for number, size in enumerate(sizes):
        path = folder / f"{number:03d}.mid"
        path.write_bytes(bytes(size))
        entries.append(Entry(path.name, path))
    return entries


def size_of(entries: list[Entry]) -> int:
    return sum(entry.path.stat().st_size for entry in entries)


@given(st.lists(st.integers(0, 5000), max_size=30), st.integers(1, 12))
def test_the_shards_one_after_another_are_the_entries(tmp_path_factory, sizes, shards):
    entries = files(tmp_path_factory.mktemp("files"), sizes)
    parts = [shard_of(entries, shards, shard) for shard in range(shards)]
    assert [entry for part in parts for entry in part] == entries
    assert parts == [shard_of(list(entries), shards, shard) for shard in range(shards)]


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=60), st.integers(1, 12))
def test_no_shard_is_further_from_its_share_than_one_file(tmp_path_factory, sizes, shards):
    entries = files(tmp_path_factory.mktemp("files"), sizes)
    for shard in range(shards):
        assert abs(size_of(shard_of(entries, shards, shard)) - sum(sizes) / shards) <= max(sizes)


def test_large_files_are_counted_by_their_bytes_not_their_number(tmp_path):
    entries = files(tmp_path, [100] * 10 + [1000])
    assert [len(shard_of(entries, 2, shard)) for shard in (0, 1)] == [10, 1]


def test_the_pieces_of_one_file_share_its_bytes(tmp_path):
    (path,) = (entry.path for entry in files(tmp_path, [800]))
    entries = [Entry(f"000.mid#{number}", path, number) for number in range(8)]
    assert [len(shard_of(entries, 4, shard)) for shard in range(4)] == [2, 2, 2, 2]


def test_more_shards_than_files_leave_some_empty(tmp_path):
    parts = [shard_of(files(tmp_path, [10, 10]), 5, shard) for shard in range(5)]
    assert sorted(map(len, parts)) == [0, 0, 0, 1, 1]


def test_a_file_that_is_gone_is_in_a_shard_all_the_same(tmp_path):
    entries = [Entry("gone.mid", tmp_path / "gone.mid")]
    assert [shard_of(entries, 2, shard) for shard in (0, 1)] in ([entries, []], [[], entries])


@pytest.mark.parametrize(
    ("shards", "shard", "limit", "sentence"),
    [
        (
            3,
            None,
            None,
            r"data\.shard=null: give one of the 3 shards, from 0 to 2; for all, --multirun 'data\.shard=ra",
        ),
        (None, 1, None, r"data\.shards=null: give the number of shards in all, 1 or more"),
        (0, 0, None, r"data\.shards=0: give the number of shards"),
        (3, 3, None, r"data\.shard=3: give one of the 3 shards, from 0 to 2"),
        (3, -1, None, r"data\.shard=-1: give one of the 3 shards"),
        (3, 1, 50, r"data\.limit=50: not with shards"),
    ],
)
def test_a_shard_that_is_none_of_them_is_refused(shards, shard, limit, sentence):
    with pytest.raises(ConfigError, match=sentence):
        check_shards(shards, shard, limit)


def test_no_shards_take_a_limit():
    check_shards(None, None, 50)
    check_shards(1, 0, None)
