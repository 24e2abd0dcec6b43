"""A zip archive from elsewhere, taken apart into one folder."""

import hashlib
import os
import shutil
import stat
import subprocess
import zipfile
from pathlib import Path

import pytest
from serving import zipped

from midiaug.data.unpacking import listing_sha256, unpack
from midiaug.errors import CorpusError

MUSIC = {"set-1/MIDI/a b.mid": b"a", "set-1/MIDI/b.mid": b"bb", "set-1/MIDI/C.mid": b"ccc"}
OTHERS = {"set-1/MIDI/melody/b.mid": b"m", "set-1/README.md": b"r", "set-1/MIDI/b.midi": b"x", "set-1/MIDI/": b""}
WANTED = r"MIDI/[^/]+\.mid"


def unpacked(root: Path, content: bytes, most_bytes: int = 1 << 20) -> str:
    archive = root / "archive.zip"
    archive.write_bytes(content)
    (root / "out").mkdir()
    return unpack(archive, root / "out", WANTED, most_bytes)


def below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_wanted_files_alone_are_written_without_the_outer_folder(tmp_path):
    unpacked(tmp_path, zipped(OTHERS | MUSIC))
    assert below(tmp_path / "out") == {name.removeprefix("set-1/"): content for name, content in MUSIC.items()}


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs sha256sum")
def test_the_checksum_is_what_sha256sum_makes_of_the_files(tmp_path):
    found = unpacked(tmp_path, zipped(MUSIC))
    command = "sha256sum MIDI/*.mid | sha256sum"
    said = subprocess.run(
        ["/bin/sh", "-c", command], cwd=tmp_path / "out", env=os.environ | {"LC_ALL": "C"}, capture_output=True
    )
    assert said.stdout.decode().split()[0] == found


def test_the_checksum_knows_names_and_content_and_no_order():
    one = {"a.mid": "1", "b.mid": "2"}
    assert listing_sha256(one) == hashlib.sha256(b"1  a.mid\n2  b.mid\n").hexdigest()
    assert listing_sha256({"b.mid": "2", "a.mid": "1"}) == listing_sha256(one)
    assert listing_sha256({"a.mid": "2", "b.mid": "1"}) != listing_sha256(one)


def member(name: str, mode: int = 0) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


@pytest.mark.parametrize(
    ("evil", "words"),
    [
        (member("set-1/MIDI/../../../evil.mid"), "leads out of its folder"),
        (member("../MIDI/evil.mid"), "leads out of its folder"),
        (member("/MIDI/evil.mid"), "leads out of its folder"),
        (member("set-1/MIDI/..\\..\\evil.mid"), "leads out of its folder"),
        (member("C:/MIDI/evil.mid"), "leads out of its folder"),
        (member("set-1/MIDI/evil.mid", stat.S_IFLNK | 0o777), "is a link or no file"),
        (member("set-1/elsewhere", stat.S_IFLNK | 0o777), "is a link or no file"),
        (member("set-1/MIDI/evil.mid", stat.S_IFIFO | 0o666), "is a link or no file"),
    ],
    ids=lambda value: value.filename if isinstance(value, zipfile.ZipInfo) else "",
)
def test_a_member_that_could_leave_the_folder_is_refused(tmp_path, evil, words):
    with pytest.raises(CorpusError, match=words):
        unpacked(tmp_path, zipped({evil: b"/etc/passwd", **MUSIC}))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive.zip", "out"]
    assert below(tmp_path / "out") == {}


def test_an_archive_may_not_grow_beyond_a_bound(tmp_path):
    bomb = zipped({"set-1/MIDI/a.mid": bytes(3 << 20)})
    assert len(bomb) < 10_000
    with pytest.raises(CorpusError, match="larger than the music ever was"):
        unpacked(tmp_path, bomb, 2 << 20)
    assert sum(map(len, below(tmp_path / "out").values())) <= 2 << 20


def test_the_bound_is_of_all_files_together(tmp_path):
    with pytest.raises(CorpusError, match="larger"):
        unpacked(tmp_path, zipped(MUSIC), most_bytes=5)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_comes_twice_is_refused(tmp_path):
    with pytest.raises(CorpusError, match=r"holds MIDI/b\.mid twice"):
        unpacked(tmp_path, zipped({member("set-1/MIDI/b.mid"): b"1", member("set-1/MIDI/b.mid "[:-1]): b"2"}))


def broken(content: bytes) -> bytes:
    place = content.index(b"a b.mid") + len(b"a b.mid")
    return content[:place] + b"\xff" + content[place + 1 :]


@pytest.mark.parametrize("content", [b"<html>", b"", zipped(MUSIC)[:-30], broken(zipped(MUSIC))])
def test_what_is_no_whole_archive_is_said_so(tmp_path, content):
    with pytest.raises(CorpusError, match="not a whole zip archive"):
        unpacked(tmp_path, content)


def test_an_archive_without_the_music_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="none of the music is in it"):
        unpacked(tmp_path, zipped(OTHERS))
