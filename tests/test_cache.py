"""Directories that are built once, whole or not at all."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from midiaug.data.cache import build_once, cache_key, check_cache, default_cache_dir
from midiaug.data.flat import save_array
from midiaug.errors import CacheError

# builds `data` in the folder given, notes each start of a build, and takes as long as given
BUILDER = """
import sys, time
from pathlib import Path
from midiaug.data.cache import build_once

target, log, seconds = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])

def build(directory):
    (directory / "data").write_text("half")
    with log.open("a") as file:
        file.write("started\\n")
    time.sleep(seconds)
    (directory / "data").write_text("whole")

build_once(target, build)
"""


def builder(target: Path, log: Path, seconds: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", BUILDER, str(target), str(log), str(seconds)])


def wait_for(path: Path) -> None:
    end = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not come"
        time.sleep(0.01)


def whole(directory: Path) -> None:
    (directory / "data").write_text("whole")


def folders(parent: Path) -> list[str]:
    return sorted(path.name for path in parent.iterdir() if path.is_dir())


def test_a_directory_is_built_the_first_time_only(cache):
    built = []
    for _ in range(3):
        assert build_once(cache / "kind" / "key", lambda d: (built.append(d), whole(d))[1]) == cache / "kind" / "key"
    assert len(built) == 1
    assert (cache / "kind" / "key" / "data").read_text() == "whole"
    assert folders(cache / "kind") == ["key"]


def test_a_directory_has_its_name_only_once_it_is_complete(cache):
    target = cache / "kind" / "key"
    there = []
    build_once(target, lambda directory: there.append((directory == target, target.exists())))
    assert there == [(False, False)]
    assert target.is_dir()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_build_that_raises_leaves_nothing_and_the_next_one_builds(cache, error):
    def broken(directory: Path) -> None:
        whole(directory)
        raise error

    with pytest.raises(error):
        build_once(cache / "kind" / "key", broken)
    assert folders(cache / "kind") == []
    assert (build_once(cache / "kind" / "key", whole) / "data").read_text() == "whole"


def test_a_killed_build_leaves_nothing_that_the_next_one_trips_on(cache, tmp_path):
    target, log = cache / "kind" / "key", tmp_path / "log"
    process = builder(target, log, 60)
    wait_for(log)
    process.kill()
    process.wait()
    assert not target.exists()
    assert len(folders(cache / "kind")) == 1  # what the killed build had begun
    assert (build_once(target, whole) / "data").read_text() == "whole"
    assert folders(cache / "kind") == ["key"]


def test_two_processes_that_start_at_once_build_once_and_both_find_it_whole(cache, tmp_path):
    target, log = cache / "kind" / "key", tmp_path / "log"
    processes = [builder(target, log, 0.5) for _ in range(2)]
    assert [process.wait(timeout=600) for process in processes] == [0, 0]
    assert log.read_text() == "started\n"
    assert (target / "data").read_text() == "whole"
    assert folders(cache / "kind") == ["key"]


def test_a_process_waits_for_another_that_builds_the_same_but_not_for_one_that_builds_something_else(cache, tmp_path):
    log = tmp_path / "log"
    process = builder(cache / "kind" / "key", log, 1.0)
    wait_for(log)
    build_once(cache / "kind" / "other", whole)
    assert not (cache / "kind" / "key").exists()
    built = []
    build_once(cache / "kind" / "key", built.append)
    assert process.wait(timeout=600) == 0
    assert built == []
    assert (cache / "kind" / "key" / "data").read_text() == "whole"


def test_building_one_directory_keeps_what_another_of_a_longer_name_has_begun(cache, tmp_path):
    log = tmp_path / "log"
    process = builder(cache / "kind" / "key2", log, 1.0)
    wait_for(log)
    build_once(cache / "kind" / "key", whole)
    assert process.wait(timeout=600) == 0
    assert folders(cache / "kind") == ["key", "key2"]


def test_a_cache_that_cannot_be_written_is_said_with_its_key_and_what_to_do(tmp_path):
    (tmp_path / "cache").write_text("a file where a folder should be")
    with pytest.raises(CacheError, match=r"data\.cache_dir=.*/cache: the cache cannot be written .*another folder"):
        build_once(tmp_path / "cache" / "kind" / "key", whole)


def test_a_cache_where_this_user_may_not_look_is_said_with_its_key_and_what_to_do(locked):
    with pytest.raises(CacheError, match=r"data\.cache_dir=.*/locked/cache: .*Permission denied.*another folder"):
        build_once(locked / "cache" / "kind" / "key", whole)


def test_a_full_disk_is_said_with_its_key_and_leaves_nothing(cache):
    def full(directory: Path) -> None:
        whole(directory)
        with open("/dev/full", "w") as file:  # every write to it fails as on a full disk
            file.write("x")

    with pytest.raises(CacheError, match=r"data\.cache_dir=.*No space left on device.*free some space"):
        build_once(cache / "kind" / "key", full)
    assert folders(cache / "kind") == []


def test_a_full_or_read_only_disk_is_said_before_anything_is_built_and_what_is_there_can_be_used(disk):
    cache = disk.path / "cache"
    build_once(cache / "kind" / "key", whole)
    check_cache(cache, "kind")
    before = disk.files()
    disk.fill(leave=1 << 16)
    for stop, reason in ((lambda: None, "No space left on device"), (disk.set_read_only, "Read-only file system")):
        stop()
        built = []
        with pytest.raises(CacheError, match=rf"^data\.cache_dir={cache}: the cache cannot be written \({reason}\)"):
            build_once(cache / "kind" / "other", built.append)
        with pytest.raises(CacheError, match=rf"^data\.cache_dir={cache}: the cache cannot be written \({reason}\)"):
            check_cache(cache, "corpora")
        assert built == []
        assert (build_once(cache / "kind" / "key", built.append) / "data").read_text() == "whole"
        assert disk.files() - {"cache/kind/other.lock"} == before
        assert list(disk.path.rglob(".*")) == []


def test_a_disk_that_fills_up_in_a_build_leaves_nothing_and_what_was_there(disk):
    build_once(disk.path / "kind" / "key", whole)

    def too_much(directory: Path) -> None:
        disk.fill(leave=1 << 15)
        save_array(directory / "large.npy", np.zeros(1 << 16))

    with pytest.raises(CacheError, match="No space left on device"):
        build_once(disk.path / "kind" / "other", too_much)
    assert folders(disk.path / "kind") == ["key"]
    disk.empty()
    build_once(disk.path / "kind" / "other", whole)
    assert (build_once(disk.path / "kind" / "key", too_much) / "data").read_text() == "whole"


def test_equal_values_have_equal_keys_and_others_have_others():
    assert cache_key([1, "a", {"x": 1, "y": None}]) == cache_key([1, "a", {"y": None, "x": 1}])
    parts = [[1, "a"], [1, "b"], ["1", "a"], [1, "a", None], ["a", 1], [[1], "a"], {"1": "a"}]
    assert len({cache_key(part) for part in parts}) == len(parts)
    assert cache_key([1]).isalnum()


def test_a_key_is_the_same_in_every_process():
    code = "from midiaug.data.cache import cache_key; print(cache_key(['x', {'b': 1, 'a': 2}]))"
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert printed.strip() == cache_key(["x", {"a": 2, "b": 1}])


def test_the_default_cache_is_the_users_own(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache_dir() == tmp_path / "midiaug"


@pytest.mark.parametrize(
    "damage", ["cut", "longer", "flipped", "gone", "more", "no list", "odd list", "empty", "of another name"]
)
def test_a_damaged_directory_is_built_again_and_said(cache, damage, caplog):
    target = build_once(cache / "kind" / "key", whole)
    if damage in ("cut", "longer", "flipped"):
        (target / "data").write_text({"cut": "who", "longer": "wholesome", "flipped": "whale"}[damage])
    elif damage == "gone":
        (target / "data").unlink()
    elif damage == "more":
        (target / "more").touch()
    elif damage == "of another name":
        build_once(cache / "kind" / "other", lambda directory: (directory / "data").write_text("other"))
        shutil.rmtree(target)
        (cache / "kind" / "other").rename(target)
    elif damage == "odd list":
        (target / "checksums.json").write_text("[1]")
    else:
        for path in list(target.iterdir()):
            if damage == "empty" or path.name != "data":
                path.unlink()
    build_once(target, whole)
    assert (target / "data").read_text() == "whole"
    assert "key: damaged; it is built again" in caplog.text
    caplog.clear()
    build_once(target, whole)
    assert not caplog.text


def test_large_data_is_read_again_only_where_that_is_asked_for(cache, caplog):
    def large(directory: Path) -> None:
        (directory / "tokens.bin").write_bytes(bytes(3_000_000))

    target = build_once(cache / "kind" / "key", large)
    content = bytearray(3_000_000)
    content[2_500_000] = 1
    (target / "tokens.bin").write_bytes(content)
    build_once(target, large)
    assert not caplog.text
    build_once(target, large, verify=True)
    assert "key: damaged; it is built again" in caplog.text
    assert not any((target / "tokens.bin").read_bytes())
    caplog.clear()
    build_once(target, large, verify=True)
    assert not caplog.text
