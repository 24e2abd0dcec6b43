"""A published collection in the cache: fetched once, checked before it is used, whole or not at all."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import music
import pytest
from disks import Disk
from serving import Server, closed_url, serving, zipped

from midiaug.data.fetching import fetched, fetched_folder
from midiaug.data.published import Published
from midiaug.data.unpacking import listing_sha256
from midiaug.errors import CacheError, CorpusError

FETCH = """
import logging, sys
from pathlib import Path
from midiaug.data.fetching import fetched
from midiaug.data.published import Published
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
one = Published("tiny", "a tiny set", "MIT", sys.argv[1], "tiny.zip", r"MIDI/[^/]+\\.mid", sys.argv[2])
print(len(fetched(one, Path(sys.argv[3]))))
"""


@pytest.fixture(scope="module")
def tunes(tmp_path_factory) -> dict[str, bytes]:
    """Three tunes by their paths in the collection, and a fourth that repeats one."""
    files = music.corpus(tmp_path_factory.mktemp("published"), 3, seed=70, bars=4)
    content = {f"MIDI/{path.name}": path.read_bytes() for path in files}
    return content | {f"MIDI/melody/{files[0].name}": files[0].read_bytes()}


@pytest.fixture
def server(tunes, monkeypatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving(zipped({f"tiny-1/{name}": content for name, content in tunes.items()})) as running:
        yield running


@pytest.fixture
def tiny(server) -> Published:
    sha256 = hashlib.sha256(server.content).hexdigest()
    return Published("tiny", "a tiny set", "MIT", server.url, "tiny.zip", r"MIDI/[^/]+\.mid", sha256)


def pinned_by_music(tiny: Published, tunes: dict[str, bytes]) -> Published:
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in tunes.items() if "melody" not in name}
    return replace(tiny, archive_sha256=None, music_sha256=listing_sha256(hashes))


def left(cache: Path) -> list[str]:
    """What is in the folder of collections, but for locks."""
    return sorted(path.name for path in (cache / "collections").iterdir() if path.suffix != ".lock")


def test_the_music_is_fetched_once_and_then_the_network_is_not_asked(tiny, server, tunes, cache, caplog):
    caplog.set_level("INFO", "midiaug")
    entries = fetched(tiny, cache)
    assert [entry.name for entry in entries] == sorted(name for name in tunes if "melody" not in name)
    assert all(entry.path.read_bytes() == tunes[entry.name] for entry in entries)
    assert f"download    a tiny set, from {server.url}" in caplog.messages
    server.status = 500
    caplog.clear()
    assert fetched(tiny, cache) == entries
    assert fetched(replace(tiny, url=closed_url()), cache) == entries
    assert server.asked == [None]
    assert caplog.messages == []
    assert left(cache) == [fetched_folder(tiny, cache).name]


def test_music_is_known_by_its_own_checksum_where_the_archive_may_be_another(tiny, server, tunes, cache):
    collection = pinned_by_music(tiny, tunes)
    server.content = zipped({f"other name/{name}": content for name, content in reversed(tunes.items())})
    assert len(fetched(collection, cache)) == 3


@pytest.mark.parametrize("change", ["content", "name", "missing", "more"])
def test_other_music_than_was_asked_for_is_refused_before_it_is_used(tiny, server, tunes, cache, change):
    files = {f"tiny-1/{name}": content for name, content in tunes.items()}
    first = next(iter(files))
    if change == "content":
        files[first] += b"\0"
    elif change == "more":
        files["tiny-1/MIDI/more.mid"] = files[first]
    else:
        content = files.pop(first)
        files |= {"tiny-1/MIDI/other.mid": content} if change == "name" else {}
    server.content = zipped(files)
    with pytest.raises(CorpusError) as refusal:
        fetched(pinned_by_music(tiny, tunes), cache)
    assert str(refusal.value) == (
        f"data=tiny: {server.url}: the music in it is not what was asked for: its SHA-256 differs; try again, or get "
        f"that file in another way and put it at {cache / 'collections' / 'tiny.zip'}"
    )
    assert left(cache) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"content": b"<html>Please log in</html>"}, "what came is not what was asked for: its SHA-256 differs"),
        ({"status": 404}, "the server answers 404 Not Found"),
        ({"breaks": [0, 0]}, "the connection broke off"),
    ],
)
def test_what_cannot_be_had_is_said_in_one_sentence_and_leaves_nothing(tiny, server, cache, change, reason):
    vars(server).update(change)
    with pytest.raises(CorpusError) as refusal:
        fetched(tiny, cache)
    assert str(refusal.value).startswith(f"data=tiny: {server.url}: {reason}; try again, or get that file")
    assert "\n" not in str(refusal.value)
    assert left(cache) == []


def test_without_a_network_it_says_where_the_file_may_be_put(tiny, cache):
    url = closed_url()
    with pytest.raises(CorpusError) as refusal:
        fetched(replace(tiny, url=url), cache)
    advice = f"try again, or get that file in another way and put it at {cache / 'collections' / 'tiny.zip'}"
    assert str(refusal.value) == f"data=tiny: {url}: the server cannot be reached; {advice}"
    assert left(cache) == []


def test_a_file_that_was_put_there_by_hand_is_taken_and_left(tiny, server, cache, caplog):
    caplog.set_level("INFO", "midiaug")
    given = cache / "collections" / "tiny.zip"
    given.parent.mkdir(parents=True)
    given.write_bytes(server.content)
    assert len(fetched(tiny, cache)) == 3
    assert server.asked == []
    assert given.read_bytes() == server.content
    assert caplog.messages == [f"found       {given}, put there by hand"]


def test_a_wrong_file_that_was_put_there_by_hand_is_named_and_left(tiny, server, cache):
    given = cache / "collections" / "tiny.zip"
    given.parent.mkdir(parents=True)
    given.write_bytes(b"something else")
    with pytest.raises(CorpusError) as refusal:
        fetched(tiny, cache)
    reason = "it is not the file that was asked for: its SHA-256 differs"
    advice = f"put there what {server.url} gives, or remove it to have that downloaded"
    assert str(refusal.value) == f"data=tiny: {given}: {reason}; {advice}"
    assert left(cache) == ["tiny.zip"]


def test_an_evil_archive_writes_nothing_anywhere(tiny, server, tunes, cache):
    server.content = zipped({"tiny-1/MIDI/../../../../evil.mid": b"x", **{f"t/{name}": b"" for name in tunes}})
    evil = replace(tiny, archive_sha256=hashlib.sha256(server.content).hexdigest())
    with pytest.raises(CorpusError, match="leads out of its folder"):
        fetched(evil, cache)
    assert left(cache) == []
    assert sorted(path.name for path in cache.parent.iterdir()) == ["cache"]


def test_a_transfer_that_was_cut_off_goes_on_in_the_next_run(tiny, server, cache):
    server.breaks = [8192, 0]
    server.content += bytes(100_000)  # behind the archive's end: zipfile looks for that there
    long = replace(tiny, archive_sha256=hashlib.sha256(server.content).hexdigest())
    with pytest.raises(CorpusError, match="the connection broke off; try again"):
        fetched(long, cache)
    assert left(cache) == ["tiny.zip.part"]
    with pytest.raises(CorpusError, match="zip archive"):
        fetched(long, cache)
    assert server.asked == [None, "bytes=8192-", "bytes=8192-"]
    assert left(cache) == []


def test_a_changed_file_in_the_cache_has_the_collection_fetched_again(tiny, server, cache, caplog):
    first = fetched(tiny, cache)[0].path
    content = first.read_bytes()
    first.write_bytes(content[:-1])
    assert fetched(tiny, cache)[0].path.read_bytes() == content
    assert server.asked == [None, None]
    assert "damaged; it is built again" in caplog.text


def test_a_full_disk_is_named_with_the_cache(tiny, disk: Disk):
    cache = disk.path / "cache"
    (cache / "collections").mkdir(parents=True)
    disk.fill()
    with pytest.raises(CacheError, match=rf"data\.cache_dir={cache}: .*No space left on device.*free some space"):
        fetched(tiny, cache)
    disk.empty()
    assert len(fetched(tiny, cache)) == 3


def test_four_that_start_at_once_download_once(tiny, server, cache):
    words = [sys.executable, "-c", FETCH, server.url, tiny.archive_sha256 or "", str(cache)]
    running = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    said = [process.communicate(timeout=600) for process in running]
    assert [out.splitlines()[-1:] for out, _ in said] == [["3"]] * 4, said
    assert [err for _, err in said] == [""] * 4
    assert server.asked == [None]
