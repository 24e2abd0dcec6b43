"""What the MIDI files of a preview are called, and that they are written whole."""

import music
import pytest
from symusic import Score

from midiaug.inspection.written import stems_of, write_midi
from midiaug.offline.names import copy_name


@pytest.mark.parametrize(("shift", "name"), [(3, "a/tune_+3.mid"), (-1, "a/tune_-1.mid"), (0, "a/tune_+0.mid")])
def test_a_file_is_named_by_its_piece_and_shift(shift, name):
    assert copy_name("a/tune", shift) == name


def test_no_two_pieces_share_a_name():
    names = ["a/x.mid", "b/x.mid", "a/x.midi", "a/x.abc#2", "a/x.abc#3", "x", "a/x.MID"]
    stems = stems_of(names)
    assert len(set(stems)) == len(names)
    assert stems[:2] == ["a/x", "b/x"]


def test_names_that_are_too_long_for_a_disk_are_cut_and_stay_different(tmp_path):
    stems = stems_of([f"{'é' * 120}{number}.mid" for number in range(12)])
    assert len(set(stems)) == 12
    for stem in stems:
        write_midi(music.tune(1, bars=1), tmp_path / copy_name(stem, -11))
    assert len(list(tmp_path.iterdir())) == 12


def test_a_file_holds_the_score_and_its_size_is_returned(tmp_path):
    score = music.tune(2, drums=True)
    path = tmp_path / "below it" / "tune [1]_+0.mid"
    assert write_midi(score, path) == path.stat().st_size
    assert Score(path).note_num() == score.note_num()
