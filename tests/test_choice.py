"""Which pieces a preview looks at."""

import music
import pytest
from miditok import REMI

from midiaug.data.module import MidiDataModule
from midiaug.data.transpose import written_range
from midiaug.errors import ConfigError
from midiaug.inspection.choice import choose, read_file
from midiaug.tokenizers import make_tokenizer


@pytest.fixture(scope="module")
def data(tmp_path_factory, folder_of_tunes):
    module = MidiDataModule(folder_of_tunes, tokenizer=REMI(), cache_dir=tmp_path_factory.mktemp("cache"), seed=3)
    module.setup()
    return module


def test_more_pieces_are_the_same_ones_and_others(data):
    few, many = choose(data, 3, None), choose(data, 100, None)
    assert [piece.name for piece in few] == [piece.name for piece in many[:3]]
    assert len({piece.name for piece in many}) == 24
    assert {piece.side for piece in many} == {"train", "val"}
    assert all(piece.stored for piece in many)


def test_a_file_is_found_by_its_name_or_its_path(data, folder_of_tunes, monkeypatch):
    name = "band/book_0/tune_003.mid"
    monkeypatch.chdir(folder_of_tunes / "band")
    for given in (name, str(folder_of_tunes / name), "book_0/tune_003.mid"):
        (piece,) = choose(data, 3, given)
        assert piece.name == name
        assert piece.stored


def test_a_file_of_too_many_bars_for_the_tokenizer_is_refused_as_in_training(tmp_path):
    path = music.write(music.tune(7, bars=9), tmp_path / "long.mid")
    made = MidiDataModule(tmp_path, tokenizer=make_tokenizer("Octuple", {"max_bar_embedding": 5}))
    with pytest.raises(ConfigError, match=r"long\.mid: it cannot be used: too long: tokenizer\.params\.max_bar"):
        read_file(made, 1, str(path))


def test_a_file_outside_the_source_is_read_by_itself(data, tmp_path):
    path = music.write(music.tune(77, low=90), tmp_path / "my new, [tune].mid")
    (piece,) = choose(data, 3, str(path))
    pitches = [note.pitch for note in music.tune(77, low=90).tracks[0].notes]
    low, high = written_range(REMI())
    assert (piece.name, piece.side, piece.stored) == (path.name, "none", None)
    assert (piece.lowest, piece.highest) == (low - min(pitches), high - max(pitches))


@pytest.fixture
def unread(folder_of_tunes, tmp_path):
    """A source of which nothing may be read."""
    data = MidiDataModule(folder_of_tunes, tokenizer=REMI(), cache_dir=tmp_path / "cache")
    yield data
    assert not (tmp_path / "cache").exists()


def test_what_cannot_be_used_is_refused_with_its_reason_before_anything_is_read(unread, tmp_path):
    (tmp_path / "broken.mid").write_bytes(b"no music")
    (tmp_path / "words.txt").write_text("no music")
    (tmp_path / "folder.mid").mkdir()
    (tmp_path / "empty.abc").write_text("")
    for name, reason in [
        ("nowhere.mid", "no such file, and no piece of that name"),
        ("broken.mid", "not readable as MIDI"),
        ("words.txt", "not a .mid .midi .kar .abc file"),
        ("folder.mid", "that is a folder"),
        ("empty.abc", "the file is empty"),
    ]:
        with pytest.raises(ConfigError, match=reason):
            read_file(unread, 3, str(tmp_path / name))


def test_a_file_that_may_not_be_opened_is_refused_by_the_systems_reason(unread, locked):
    with pytest.raises(ConfigError, match=r"x.mid: it cannot be opened \(Permission denied\); give another file"):
        read_file(unread, 3, str(locked / "x.mid"))


def test_the_name_of_a_piece_of_the_source_is_no_file(unread):
    assert read_file(unread, 3, "band/book_0/tune_003.mid") is None


def test_of_a_file_outside_the_source_at_most_so_many_tunes_are_read(unread, tmp_path):
    (tmp_path / "book.abc").write_text("".join(f"X:{number}\nL:1/4\nM:4/4\nK:C\nCDEF|\n\n" for number in (1, 2, 3)))
    assert [piece.name for piece in read_file(unread, 2, str(tmp_path / "book.abc"))] == ["book.abc#1", "book.abc#2"]


def test_what_cannot_be_used_is_refused_with_its_reason(data, tmp_path):
    (tmp_path / "broken.mid").write_bytes(b"no music")
    (tmp_path / "words.txt").write_text("no music")
    for name, reason in [
        ("nowhere.mid", "no such file, and no piece of that name"),
        ("broken.mid", "not readable as MIDI"),
        ("words.txt", "not a .mid .midi .kar .abc file"),
    ]:
        with pytest.raises(ConfigError, match=reason):
            choose(data, 3, str(tmp_path / name))
