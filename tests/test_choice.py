"""Which pieces a preview looks at."""

import music
import pytest
from miditok import REMI

from midiaug.data.module import MidiDataModule
from midiaug.data.transpose import written_range
from midiaug.errors import ConfigError
from midiaug.inspection.choice import choose


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


def test_a_file_outside_the_source_is_read_by_itself(data, tmp_path):
    path = music.write(music.tune(77, low=90), tmp_path / "my new, [tune].mid")
    (piece,) = choose(data, 3, str(path))
    pitches = [note.pitch for note in music.tune(77, low=90).tracks[0].notes]
    low, high = written_range(REMI())
    assert (piece.name, piece.side, piece.stored) == (path.name, "none", None)
    assert (piece.lowest, piece.highest) == (low - min(pitches), high - max(pitches))


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
