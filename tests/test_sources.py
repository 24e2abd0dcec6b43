"""Where pieces come from."""

import os
import subprocess
import sys
from pathlib import Path

import music
import pytest

from midiaug.data.pieces import read_midi_bytes
from midiaug.data.sources import Entry, bundled, folder, shuffled, tunes_of
from midiaug.errors import ConfigError, CorpusError

ONE = "X:1\nT:One\nM:4/4\nL:1/4\nK:C\nC D E F|G A B c|\n"
TWO = "X:2\nT:Two\nM:4/4\nL:1/4\nK:G\nG A B c|d e f g|\n"


def names(entries: list[Entry]) -> list[str]:
    return [entry.name for entry in entries]


def test_all_folders_below_are_read_and_names_are_paths_within_the_source(tmp_path):
    for path in ("b.mid", "a/c.mid", "a/deep/er/d.mid", "a.mid"):
        music.write(music.tune(0), tmp_path / path)
    entries = folder(tmp_path)
    assert names(entries) == ["a/c.mid", "a/deep/er/d.mid", "a.mid", "b.mid"]
    assert [entry.path for entry in entries] == [tmp_path / name for name in names(entries)]
    assert names(folder(str(tmp_path))) == names(entries)


def test_what_is_hidden_of_a_run_or_of_python_is_no_music_of_the_users_and_a_line_says_so(tmp_path, caplog):
    for path in ("a.mid", ".trash/b.mid", "runs/one/generated/x/01.mid", "venv/lib/corpus/c.mid", "runs/own.mid"):
        music.write(music.tune(0), tmp_path / path)
    (tmp_path / "runs" / "one" / ".hydra").mkdir()
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    with caplog.at_level("INFO", "midiaug"):
        assert names(folder(tmp_path)) == ["a.mid", "runs/own.mid"]
    assert f"{tmp_path}: passed over 3 folders, hidden, of runs or of Python, such as .trash" in caplog.text
    for asked, found in (("runs/one", "generated/x/01.mid"), (".trash", "b.mid"), ("venv", "lib/corpus/c.mid")):
        assert names(folder(tmp_path / asked)) == [found], "what is asked for by its own name is taken"


@pytest.mark.parametrize("name", ["tune.mid", "tune.midi", "tune.kar", "TUNE.MID", "Tune.Midi", "tune.KAR"])
def test_a_midi_ending_counts_in_any_case(tmp_path, name):
    path = music.write(music.tune(0), tmp_path / name)
    assert folder(tmp_path) == [Entry(name, path)]


@pytest.mark.parametrize("name", ["tune.abc", "TUNE.ABC"])
def test_an_abc_ending_counts_in_any_case(tmp_path, name):
    (tmp_path / name).write_text(ONE)
    assert folder(tmp_path) == [Entry(name, tmp_path / name, 0)]


def test_files_of_other_endings_are_no_entries(tmp_path):
    music.write(music.tune(0), tmp_path / "tune.mid")
    for name in ("notes.txt", "mid", "tune.mid.bak", "tune.mp3"):
        (tmp_path / name).write_bytes(b"MThd")
    assert names(folder(tmp_path)) == ["tune.mid"]


def test_a_path_may_hold_spaces_and_letters_of_any_script(tmp_path):
    root = tmp_path / "my music für Anna"
    music.write(music.tune(0), root / "second book" / "Jig in D 曲.mid")
    assert names(folder(root)) == ["second book/Jig in D 曲.mid"]


def test_a_file_name_that_is_not_unicode_is_an_entry_like_any_other(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mid"))
    music.write(music.tune(0), tmp_path / "plain.mid").rename(path)
    (entry,) = folder(tmp_path)
    assert os.fsencode(entry.name) == b"caf\xe9.mid"
    assert read_midi_bytes(entry) == path.read_bytes()


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    music.write(music.tune(0), tmp_path / "midis" / "tune.mid")
    assert names(folder("~/midis")) == ["tune.mid"]


def test_a_single_file_is_a_source_of_one(tmp_path):
    path = music.write(music.tune(0), tmp_path / "tune.MID")
    music.write(music.tune(1), tmp_path / "other.mid")
    assert folder(path) == [Entry("tune.MID", path)]


def test_a_single_file_of_another_ending_is_refused(tmp_path):
    (tmp_path / "tune.txt").write_text(ONE)
    with pytest.raises(CorpusError, match=r"data\.path=.*tune\.txt: no \.mid \.midi \.kar \.abc file"):
        folder(tmp_path / "tune.txt")


@pytest.mark.parametrize("target", [".", "..", "../.."], ids=["itself", "its parent", "the source"])
def test_a_loop_of_links_ends_and_each_file_is_read_once(tmp_path, target):
    music.write(music.tune(0), tmp_path / "top.mid")
    music.write(music.tune(1), tmp_path / "a" / "b" / "deep.mid")
    (tmp_path / "a" / "b" / "again").symlink_to(target, target_is_directory=True)
    assert names(folder(tmp_path)) == ["a/b/deep.mid", "top.mid"]


def test_a_link_to_the_source_itself_ends(tmp_path):
    music.write(music.tune(0), tmp_path / "source" / "tune.mid")
    (tmp_path / "source" / "self").symlink_to(tmp_path / "source", target_is_directory=True)
    assert names(folder(tmp_path / "source")) == ["tune.mid"]
    (tmp_path / "link").symlink_to(tmp_path / "source", target_is_directory=True)
    assert names(folder(tmp_path / "link")) == ["tune.mid"]


def test_a_link_to_a_folder_elsewhere_is_followed(tmp_path):
    music.write(music.tune(0), tmp_path / "elsewhere" / "tune.mid")
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "link").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert names(folder(tmp_path / "source")) == ["link/tune.mid"]


def test_a_link_to_nowhere_does_not_stop_the_listing(tmp_path):
    music.write(music.tune(0), tmp_path / "tune.mid")
    (tmp_path / "gone").symlink_to(tmp_path / "nothing here", target_is_directory=True)
    assert names(folder(tmp_path)) == ["tune.mid"]


def test_which_name_a_linked_folder_gets_does_not_hang_on_the_order_of_the_file_system(tmp_path):
    for number in range(8):
        music.write(music.tune(number), tmp_path / f"folder_{number}" / "tune.mid")
        (tmp_path / f"link_{number}").symlink_to(tmp_path / f"folder_{number}", target_is_directory=True)
    assert len({name.split("_")[0] for name in names(folder(tmp_path))}) == 1


def test_a_pipe_named_like_a_midi_file_is_no_entry_as_reading_it_would_never_end(tmp_path):
    music.write(music.tune(0), tmp_path / "tune.mid")
    os.mkfifo(tmp_path / "pipe.mid")
    assert names(folder(tmp_path)) == ["tune.mid"]


def test_no_such_folder_is_said_with_its_key_and_what_to_give(tmp_path):
    with pytest.raises(CorpusError, match=r"data\.path=.*/nowhere: No such file or directory; give a folder"):
        folder(tmp_path / "nowhere")


def test_a_folder_that_may_not_be_opened_is_said_with_its_key(locked):
    with pytest.raises(CorpusError, match=r"data\.path=.*/locked/music: "):
        folder(locked / "music")


def test_an_empty_folder_is_said_with_its_key_and_what_to_give(tmp_path):
    (tmp_path / "empty" / "below").mkdir(parents=True)
    with pytest.raises(CorpusError, match=r"data\.path=.*/empty: no \.mid .* file in it .*give a folder of music"):
        folder(tmp_path / "empty")


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old mac"])
def test_an_abc_file_of_several_tunes_is_as_many_entries_that_can_be_read(tmp_path, ending):
    path = tmp_path / "book.abc"
    path.write_bytes((ONE + "\n" + TWO).replace("\n", ending).encode())
    entries = folder(tmp_path)
    assert entries == [Entry("book.abc#1", path, 0), Entry("book.abc#2", path, 1)]
    assert len({read_midi_bytes(entry) for entry in entries}) == 2


def test_the_mark_that_windows_puts_before_a_text_hides_no_tune(tmp_path):
    (tmp_path / "book.abc").write_bytes((ONE + "\n" + TWO).encode("utf-8-sig"))
    assert names(folder(tmp_path)) == ["book.abc#1", "book.abc#2"]


@pytest.mark.parametrize(
    "content", [b"", b"T:No number\nK:C\nCDEF|\n", bytes(range(256))], ids=["empty", "no X", "junk"]
)
def test_an_abc_file_without_a_tune_is_an_entry_so_that_the_quarantine_can_name_it(tmp_path, content):
    music.write(music.tune(0), tmp_path / "tune.mid")
    (tmp_path / "bad.abc").write_bytes(content)
    assert names(folder(tmp_path)) == ["bad.abc", "tune.mid"]


def test_tunes_are_parted_at_the_lines_that_begin_with_x():
    text = "% a book\n" + ONE + "\nW:no X: here\n" + TWO
    assert tunes_of(text) == [ONE + "\nW:no X: here\n", TWO]


def test_airds_airs_are_1180_tunes():
    entries = bundled("aird")
    assert len(entries) == 1180
    assert len({entry.name for entry in entries}) == 1180
    assert entries == bundled()


def test_music21_is_found_without_the_seconds_that_importing_it_takes():
    code = "import sys; from midiaug.data.sources import bundled; bundled(); sys.exit('music21' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_missing_music21_is_said_with_the_two_ways_out(monkeypatch):
    monkeypatch.setitem(sys.modules, "music21", None)  # Python's own mark of a module that cannot be found
    with pytest.raises(CorpusError, match=r"not installed.*pip install 'midiaug\[tunes\]'.*data=folder data\.path="):
        bundled("aird")


def test_an_unknown_collection_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"data\.collection=bach: .*aird, oneill, ryan, essen"):
        bundled("bach")


def test_the_seed_alone_decides_the_shuffled_order():
    entries = [Entry(f"{number}.mid", Path(f"{number}.mid")) for number in range(50)]
    assert shuffled(entries, 1) == shuffled(list(entries), 1)
    assert shuffled(entries, 1) != shuffled(entries, 2)
    assert shuffled(entries, 1) != entries
    assert sorted(names(shuffled(entries, 1))) == sorted(names(entries))
    renamed = [Entry(f"other {number}.mid", Path("x")) for number in range(50)]
    positions = [entries.index(entry) for entry in shuffled(entries, 1)]
    assert [renamed.index(entry) for entry in shuffled(renamed, 1)] == positions


def test_a_link_that_leads_to_itself_ends_nothing(tmp_path):
    music.write(music.tune(1), tmp_path / "tune.mid")
    (tmp_path / "self.mid").symlink_to(tmp_path / "self.mid")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    assert [entry.name for entry in folder(tmp_path)] == ["self.mid", "tune.mid"]
