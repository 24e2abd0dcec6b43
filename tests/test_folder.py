"""The folder of copies: where it may be, what may be in it, and what a run that was stopped left there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from midiaug.data.sources import Entry, folder
from midiaug.errors import ConfigError, OutputError
from midiaug.offline.copies import Copies, LeftOut
from midiaug.offline.folder import MANIFEST, Target, check_place, check_reachable

HEADER = {"midiaug": "1", "source": "here", "corpus": "c", "split": "s", "shifts": [0, 1], "seed": 0}
ROW = {"file": "a_+0.mid", "source": "a.mid", "shift": 0, "notes": 3, "dropped": 0, "bytes": 40, "sha256": "ab"}
ROW |= {"side": "train", "group": 1}
NAMES = ["a_+0.mid", "a_+1.mid", "book/b_+0.mid"]


def test_a_disk_that_takes_no_more_is_said_before_any_music_is_read(disk):
    out = disk.path / "a" / "copies"
    check_reachable(out)
    disk.fill()
    with pytest.raises(
        ConfigError, match=rf"out={out}: {disk.path} takes no more \(No space left on device\); free space"
    ):
        check_reachable(out)
    disk.empty()
    out.mkdir(parents=True)
    (out / MANIFEST).touch()
    disk.fill()
    check_reachable(out)  # there may be nothing left to write
    disk.set_read_only()
    with pytest.raises(ConfigError, match=f"out={out}: {out} may not be written to"):
        check_reachable(out)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "music" / "book").mkdir(parents=True)
    for name in ("a.mid", "book/b.mid"):
        (tmp_path / "music" / name).write_bytes(b"MThd")
    return tmp_path / "music"


@pytest.mark.parametrize("out", ["music", "music/", "music/copies", "music/book/copies", "music/../music/x", "link/x"])
def test_a_folder_inside_that_of_the_music_is_refused(source, out):
    (source.parent / "link").symlink_to(source / "book")
    with pytest.raises(ConfigError, match="inside the folder of the music"):
        check_place(source.parent / out, str(source), folder(source))


def test_a_folder_inside_one_that_the_music_links_to_is_refused(source, tmp_path):
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    (tmp_path / "elsewhere" / "deep" / "c.mid").write_bytes(b"MThd")
    (source / "more").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="inside the folder of the music"):
        check_place(tmp_path / "elsewhere" / "out", str(source), folder(source))


@pytest.mark.parametrize("out", [".", "music/book/..", "linked"])
def test_a_folder_that_the_music_is_in_is_refused(source, tmp_path, out):
    (tmp_path / "linked").symlink_to(tmp_path)
    with pytest.raises(ConfigError, match=r"inside the folder of the music|the music lies in it"):
        check_place(tmp_path / out, str(source), folder(source))


def test_a_file_that_is_a_link_to_the_music_counts_as_where_it_leads(source, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "c.mid").write_bytes(b"MThd")
    (source / "c.mid").symlink_to(tmp_path / "real" / "c.mid")
    with pytest.raises(ConfigError, match="the music lies in it"):
        check_place(tmp_path / "real", str(source), folder(source))


def test_a_folder_beside_the_music_and_one_beside_a_single_file_are_fine(source, tmp_path):
    check_place(tmp_path / "music copies", str(source), folder(source))
    check_place(source / "copies", str(source / "a.mid"), folder(source / "a.mid"))
    check_place(tmp_path / "x", None, [Entry("a.mid", source / "a.mid")])
    with pytest.raises(ConfigError, match="inside the folder of the music"):
        check_place(source / "x", None, [Entry("a.mid", source / "a.mid")])


@pytest.mark.parametrize(
    ("out", "named"),
    [
        ("file", "file is a file, not a folder; give another"),
        ("file/deep/copies", "file is a file, not a folder; give another"),
        ("loop", "loop cannot be opened"),
        ("loop/copies", "loop cannot be opened"),
        ("nowhere/copies", "nowhere is a link to gone, which is not there; remove it, or"),
    ],
)
def test_a_place_where_no_folder_can_be_is_named(tmp_path, monkeypatch, out, named):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "nowhere").symlink_to("gone")
    with pytest.raises(ConfigError, match=f"out={out}: {named}"):
        check_reachable(Path(out))


def test_a_folder_that_may_not_be_written_to_is_refused(tmp_path, monkeypatch):
    # root may write anywhere, so the question to the system is answered for it
    monkeypatch.setattr("os.access", lambda path, mode: path != tmp_path or not mode & os.W_OK)
    with pytest.raises(ConfigError, match=f"{tmp_path} may not be written to; get the right to"):
        check_reachable(tmp_path / "new" / "copies")
    (tmp_path / "there").mkdir()
    check_reachable(tmp_path / "there" / "copies")


@pytest.mark.parametrize("there", ["a_+1.mid", "A_+1.MID", "book/b_+0.mid", "split.json"])
def test_a_file_in_the_way_is_named_before_anything_is_written(tmp_path, there):
    path = tmp_path / "out" / there
    path.parent.mkdir(parents=True)
    path.write_bytes(b"mine")
    with pytest.raises(OutputError, match="in the way") as failure, Target(tmp_path / "out", HEADER).opened(NAMES):
        pass
    assert str(failure.value).startswith(f"{path}: ")
    assert [file for file in (tmp_path / "out").rglob("*") if file.is_file()] == [path]


def test_other_files_may_be_there_and_other_music_is_warned_of(tmp_path, caplog):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with Target(tmp_path / "out", HEADER).opened(NAMES):
        assert caplog.text == ""
    (tmp_path / "out2").mkdir()
    (tmp_path / "out2" / "mine.mid").write_bytes(b"MThd")
    with Target(tmp_path / "out2", HEADER).opened(NAMES):
        assert "holds other music, 1 file, which training on it would read too" in caplog.text


def test_nothing_but_the_files_is_left_at_the_end(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with Target(tmp_path / "out", HEADER).opened(NAMES) as target:
        target.finished = True
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["notes.txt"]


def stopped(out: Path, rows: str = json.dumps(ROW)) -> None:
    with Target(out, HEADER).opened(NAMES) as target:
        target.note(Copies(rows))


def test_what_a_stopped_run_noted_is_known_to_the_next(tmp_path):
    stopped(tmp_path, ",\n".join(json.dumps(ROW | {"shift": shift}) for shift in (0, 1)))
    with Target(tmp_path, HEADER).opened(NAMES) as target:
        assert target.former == {"a.mid": [ROW, ROW | {"shift": 1}]}
        assert not target.finished
        target.note(Copies(json.dumps(ROW)))
    with Target(tmp_path, HEADER).opened(NAMES) as target:
        assert target.former == {"a.mid": [ROW]}


def test_what_a_stopped_run_left_out_is_known_to_the_next(tmp_path):
    lost = [LeftOut("a.mid", -1, "why"), LeftOut("a.mid", 2, "why not")]
    with Target(tmp_path, HEADER).opened(NAMES) as target:
        target.note(Copies(json.dumps(ROW), left_out=lost))
        target.note(Copies(json.dumps(ROW | {"source": "b.mid"})))
    with Target(tmp_path, HEADER).opened(NAMES) as target:
        assert target.left_out == {"a.mid": lost}
        assert set(target.former) == {"a.mid", "b.mid"}


def test_a_line_that_was_cut_off_is_not_believed(tmp_path):
    stopped(tmp_path)
    journal = tmp_path / ".materialize" / "journal.jsonl"
    with journal.open("a") as file:
        file.write('{"copies": [{"file": "b_+0')
    for _ in range(2):
        with Target(tmp_path, HEADER).opened(NAMES) as target:
            assert target.former == {"a.mid": [ROW]}
            target.note(Copies(json.dumps(ROW)))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 3}, "seed was 0, and is 3 now"),
        ({"shifts": [0]}, r"shifts was \[0, 1\], and is \[0\] now"),
        ({"corpus": "d"}, "the music was another one"),
        ({"split": "t"}, "the split was another one"),
    ],
)
@pytest.mark.parametrize("finished", [False, True])
def test_a_folder_of_other_settings_is_refused_and_left_as_it_is(tmp_path, change, named, finished):
    stopped(tmp_path)
    if finished:
        (tmp_path / MANIFEST).write_text(json.dumps(HEADER | {"copies": [ROW]}))
    before = sorted(path.name for path in tmp_path.rglob("*"))
    with pytest.raises(OutputError, match=named), Target(tmp_path, HEADER | change).opened(NAMES):
        pass
    assert sorted(path.name for path in tmp_path.rglob("*")) == before
    with Target(tmp_path, HEADER | {"source": "moved", "midiaug": "2"}).opened(NAMES) as target:
        assert target.former == {"a.mid": [ROW]}
        assert target.finished == finished


ODD = [None, "abc", 3, [1], [{}], [ROW | {"source": [1]}], [ROW | {"shift": None}], [ROW | {"shift": True}]]
DAMAGED = [{"copies": odd} for odd in ODD] + [
    {"copies": [], "left_out": odd} for odd in ("abc", [{}], [{"source": "a", "bad": 1}], [{"source": "a", "shift": 1}])
]


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[1]", "no JSON", '{"copies": []}', "\xd8\xff", *(json.dumps(HEADER | odd) for odd in DAMAGED)],
)
def test_a_manifest_of_no_run_is_refused(tmp_path, content):
    (tmp_path / MANIFEST).write_bytes(content.encode("latin-1"))
    with pytest.raises(OutputError, match="of no run, or damaged"), Target(tmp_path, HEADER).opened(NAMES):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [MANIFEST]


def test_a_manifest_that_is_no_file_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / MANIFEST)
    with pytest.raises(OutputError, match="of no run, or damaged"), Target(tmp_path, HEADER).opened(NAMES):
        pass


@pytest.mark.parametrize("content", [b"", b"\xd8\xff\n", b"3\n", b'{"copies": []}\n'])
def test_a_journal_of_no_run_is_named(tmp_path, content):
    (tmp_path / ".materialize").mkdir()
    (tmp_path / ".materialize" / "journal.jsonl").write_bytes(content)
    with (
        pytest.raises(OutputError, match=r"journal\.jsonl is of no run, or damaged; remove it, or give another folder"),
        Target(tmp_path, HEADER).opened(NAMES),
    ):
        pass


@pytest.mark.parametrize("line", [*(json.dumps(odd) for odd in DAMAGED), "\xd8", "[]"])
def test_a_damaged_line_of_the_journal_is_not_believed(tmp_path, line):
    stopped(tmp_path)
    journal = tmp_path / ".materialize" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes() + line.encode("latin-1") + b"\n")
    with Target(tmp_path, HEADER).opened(NAMES) as target:
        assert target.former == {"a.mid": [ROW]}
        target.note(Copies(json.dumps(ROW)))


@pytest.mark.parametrize("name", [".materialize", ".materialize/lock", ".materialize/journal.jsonl"])
def test_what_is_in_the_way_of_the_runs_own_files_is_named(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    if name == ".materialize":
        (tmp_path / name).write_text("mine")
    else:
        (tmp_path / name).mkdir()
    with pytest.raises(OutputError, match=name.replace(".", r"\.")), Target(tmp_path, HEADER).opened(NAMES):
        pass
    assert (tmp_path / name).exists()


@pytest.mark.parametrize("name", ["manifest.json/a_+0.mid", "Split.json/a_+0.mid", ".materialize/a_+0.mid"])
def test_a_folder_of_the_music_that_would_be_in_the_way_is_refused_first(tmp_path, name):
    with pytest.raises(OutputError, match="the music has a folder named"), Target(tmp_path, HEADER).opened([name]):
        pass
    assert not [path for path in tmp_path.iterdir() if path.name != ".materialize"]


def test_two_runs_do_not_write_into_one_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("midiaug.offline.folder._PATIENCE_S", 0.1)
    with (
        Target(tmp_path, HEADER).opened(NAMES),
        pytest.raises(OutputError, match="another run writes there"),
        Target(tmp_path, HEADER).opened(NAMES),
    ):
        pass


TAKING_TURNS = """
import os, sys
from pathlib import Path
from midiaug.offline.folder import Target
out, busy = Path("out"), Path("busy")
for turn in range(60):
    with Target(out, {"corpus": "c"}).opened(["a.mid"]) as target:
        busy.open("x").close()  # fails where another is in
        if not target.finished:
            (out / "manifest.json").write_text('{"corpus": "c"}')
        busy.unlink()
        target.finished = True
"""


def test_runs_that_wait_for_each_other_come_in_one_by_one(tmp_path):
    """The one that comes to its end takes the folder with the lock along, while others wait for the lock."""
    start = [sys.executable, "-c", TAKING_TURNS]
    runs = [subprocess.Popen(start, cwd=tmp_path, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [run.communicate(timeout=600)[1] for run in runs] == ["", "", ""]
    assert [path.name for path in (tmp_path / "out").iterdir()] == [MANIFEST]
