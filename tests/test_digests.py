"""Files are known by their content, and hashed again only where they may have changed."""

import hashlib
import os
import time

import numpy as np
import pytest

from midiaug.data import digests
from midiaug.data.digests import Lookup, as_keys, digest, digests_of
from midiaug.files import temporary_name


def hashed(monkeypatch):
    """The names of the files that are read from here on."""
    names = []
    read = digests._digest
    monkeypatch.setattr(digests, "_digest", lambda path: (names.append(path.name), read(path))[1])
    return names


@pytest.fixture
def files(tmp_path):
    """Three files that have not changed for a while: the second and the third alike."""
    paths = [tmp_path / name for name in "abc"]
    for path, content in zip(paths, (b"one", b"two", b"two"), strict=True):
        path.write_bytes(content)
    time.sleep(0.01)
    return paths


def test_the_digest_is_that_of_the_content(files, cache):
    found = digests_of(files, cache)
    assert found[0] == hashlib.blake2b(b"one", digest_size=16).digest()
    assert found[1] == found[2] != found[0]


def test_a_settled_file_is_hashed_once(files, cache, monkeypatch):
    monkeypatch.setattr(digests, "_SETTLED_NS", 0)
    names = hashed(monkeypatch)
    first = digests_of(files, cache)
    assert names == ["a", "b", "c"]
    assert digests_of(files, cache) == first
    assert digests_of(files[::-1], cache) == first[::-1]
    assert names == ["a", "b", "c"]


def test_a_file_that_changed_just_now_is_hashed_again(files, cache, monkeypatch):
    names = hashed(monkeypatch)
    digests_of(files, cache)
    digests_of(files, cache)
    assert names == ["a", "b", "c"] * 2


@pytest.mark.parametrize("same_times", [True, False])
def test_other_content_of_the_same_length_is_noticed(files, cache, monkeypatch, same_times):
    monkeypatch.setattr(digests, "_SETTLED_NS", 0)
    before = digests_of(files, cache)
    dates = files[0].stat()
    files[0].write_bytes(b"six")
    if same_times:
        os.utime(files[0], ns=(dates.st_atime_ns, dates.st_mtime_ns))
    after = digests_of(files, cache)
    assert after[0] == digest(b"six")
    assert after[1:] == before[1:]


def test_a_file_that_cannot_be_read_has_none_and_is_tried_again(files, cache, monkeypatch):
    monkeypatch.setattr(digests, "_SETTLED_NS", 0)
    missing = files[0].with_name("missing")
    assert digests_of([missing, *files], cache)[0] is None
    missing.write_bytes(b"here now")
    assert digests_of([missing], cache) == [digest(b"here now")]


@pytest.mark.parametrize("damage", [b"no table", b"", bytes(48)])
def test_a_damaged_table_and_a_cache_that_cannot_be_written_cost_time_only(damage, files, tmp_path, monkeypatch):
    monkeypatch.setattr(digests, "_SETTLED_NS", 0)
    wanted = [digest(b"one"), digest(b"two"), digest(b"two")]
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "digests").write_bytes(damage)
    assert digests_of(files, tmp_path / "cache") == wanted
    (tmp_path / "file").write_text("")
    assert digests_of(files, tmp_path / "file") == wanted


def test_no_files_are_no_digests(cache):
    assert digests_of([], cache) == []


def test_a_lookup_finds_the_first_place_of_a_key_and_no_other():
    names = [digest(bytes([number % 50])) for number in range(100)]
    table = Lookup(as_keys(names))
    assert table.find(as_keys(names)).tolist() == [number % 50 for number in range(100)]
    assert table.find(as_keys([digest(b"other")])).tolist() == [-1]
    halves = as_keys([names[0][:8] + names[1][8:]])
    assert table.find(halves).tolist() == [-1]
    assert Lookup(np.zeros((0, 2), np.uint64)).find(halves).tolist() == [-1]
    assert Lookup(np.zeros((1, 2), np.uint64)).find(np.zeros((1, 2), np.uint64)).tolist() == [-1], "zeros are no key"


def test_a_slow_disk_changes_no_digest(tmp_path, monkeypatch):
    files = [tmp_path / f"{number}.mid" for number in range(70)]
    for number, file in enumerate(files[:-1]):
        file.write_bytes(bytes([number]) * number)
    expected = [digest(file.read_bytes()) for file in files[:-1]] + [None]
    assert digests_of(files, tmp_path / "fast") == expected
    monkeypatch.setattr(digests, "_SLOW_S", 0.0)  # the first part is slow already
    assert digests_of(files, tmp_path / "slow") == expected


def test_what_a_killed_writer_left_is_removed_by_the_next(files, cache, monkeypatch):
    monkeypatch.setattr(digests, "_SETTLED_NS", 0)
    cache.mkdir()
    left, others = temporary_name(cache / "digests"), cache / ".digests.old"
    for path in (left, others):
        path.write_bytes(b"half of")
    digests_of(files, cache)
    assert not left.exists()
    assert others.exists()
    assert len(digests._load(cache / "digests")) == 3
