"""One file from the web, from a server that runs here."""

import errno
import hashlib
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from disks import Disk
from serving import Server, closed_url, serving

from midiaug.data.download import check_file, download
from midiaug.errors import CorpusError

CONTENT = random.Random(0).randbytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MOST = 1 << 20


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving(CONTENT) as running:
        yield running


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "music.zip.part"


def fetch(url: str, part: Path, sha256: str | None = SHA256, most_bytes: int = MOST) -> bytes:
    folder = part.parent / "new"
    folder.mkdir(exist_ok=True)
    try:
        download(url, folder / "music.zip", part, sha256, most_bytes)
        return (folder / "music.zip").read_bytes()
    finally:
        left = [path.name for path in folder.iterdir()]
        assert left in ([], ["music.zip"])


def test_a_file_comes_whole(server, part):
    assert fetch(server.url, part) == CONTENT
    assert server.asked == [None]
    assert not part.exists()


def test_what_a_break_left_is_taken_up_where_it_was(server, part):
    server.breaks = [98_304, 49_152]
    assert fetch(server.url, part) == CONTENT
    assert server.asked == [None, "bytes=98304-", "bytes=147456-"]


def test_a_server_that_goes_on_sending_nothing_is_given_up_and_the_next_run_goes_on(server, part):
    server.breaks = [98_304, 0]
    with pytest.raises(CorpusError, match=r"^the connection broke off$"):
        fetch(server.url, part)
    assert part.read_bytes() == CONTENT[:98_304]
    assert fetch(server.url, part) == CONTENT
    assert server.asked[-1] == "bytes=98304-"


def test_a_server_without_ranges_sends_all_of_it_again(server, part):
    server.ranges = False
    part.write_bytes(CONTENT[:70_000])
    assert fetch(server.url, part) == CONTENT
    assert server.asked == ["bytes=70000-"]


def test_a_length_is_not_needed(server, part):
    server.tells_length = False
    assert fetch(server.url, part) == CONTENT


def test_a_part_that_is_all_of_it_is_taken_as_it_is(server, part):
    part.write_bytes(CONTENT)
    assert fetch(server.url, part) == CONTENT


def test_a_part_that_is_longer_than_the_file_is_thrown_away(server, part):
    part.write_bytes(CONTENT + b"more")
    assert fetch(server.url, part) == CONTENT
    assert server.asked == ["bytes=300004-", None]


def test_a_part_of_another_file_is_found_out_by_the_hash_and_not_kept(server, part):
    part.write_bytes(b"x" * 1000)
    with pytest.raises(CorpusError, match=r"its SHA-256 differs$"):
        fetch(server.url, part)
    assert not part.exists()
    assert fetch(server.url, part) == CONTENT


def test_a_file_of_another_hash_is_not_kept(server, part):
    with pytest.raises(CorpusError, match=r"^what came is not what was asked for: its SHA-256 differs$"):
        fetch(server.url, part, "0" * 64)
    assert list(part.parent.rglob("*")) == [part.parent / "new"]


@pytest.mark.parametrize("tells_length", [True, False])
def test_a_file_larger_than_it_may_be_is_not_taken(server, part, tells_length):
    server.tells_length = tells_length
    with pytest.raises(CorpusError, match=r"^what it sends is too large, .*\d bytes$"):
        fetch(server.url, part, most_bytes=200_000)
    assert not part.exists()


@pytest.mark.parametrize(("status", "words"), [(404, "404 Not Found"), (503, "503 Service Unavailable")])
def test_an_error_of_the_server_is_named(server, part, status, words):
    server.status = status
    with pytest.raises(CorpusError, match=f"^the server answers {words}$"):
        fetch(server.url, part)
    assert not part.exists()


def test_a_server_that_is_not_there_is_said_so(part, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(CorpusError, match=r"^the server cannot be reached$"):
        fetch(closed_url(), part)


def test_a_full_disk_is_an_error_of_the_disk(server, disk: Disk):
    disk.fill()
    with pytest.raises(OSError, match="No space left") as raised:
        fetch(server.url, disk.path / "music.zip.part")
    assert raised.value.errno == errno.ENOSPC


def test_the_hash_of_a_file_is_checked(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    check_file(path, SHA256)
    check_file(path, None)
    with pytest.raises(CorpusError, match="SHA-256 differs"):
        check_file(path, "0" * 64)
    with pytest.raises(CorpusError, match=r"cannot be read \(Is a directory\)"):
        check_file(tmp_path, None)


def test_a_terminal_shows_a_bar(server, part):
    code = (
        "from pathlib import Path; from midiaug.data.download import download; "
        f"download({server.url!r}, Path({str(part.parent / 'music.zip')!r}), Path({str(part)!r}), {SHA256!r}, {MOST})"
    )
    terminal = pexpect.spawn(sys.executable, ["-c", code], encoding="utf-8", timeout=600, dimensions=(24, 100))
    terminal.expect("downloading")
    terminal.expect(pexpect.EOF)
    assert (part.parent / "music.zip").read_bytes() == CONTENT
