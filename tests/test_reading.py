"""Entries read in a process of its own: pieces, or the reasons why they are none."""

import music
import numpy as np
import pytest

from midiaug.data import reading
from midiaug.data.digests import digest
from midiaug.data.pieces import Limits
from midiaug.data.reading import ReadPiece, read_entries
from midiaug.data.sources import folder
from midiaug.data.workers import Passing


@pytest.fixture
def candidates(tmp_path):
    for number in range(6):
        (tmp_path / f"{number}.mid").write_bytes(music.tune(number, chords=number % 2 == 1).dumps_midi())
    (tmp_path / "2.mid").write_bytes(b"not music")
    return [(entry, digest(entry.path.read_bytes())) for entry in folder(tmp_path)]


@pytest.mark.parametrize("notes_at_once", [1, 100, 1 << 14])
def test_each_piece_has_its_own_fingerprint_however_many_are_read_at_once(candidates, monkeypatch, notes_at_once):
    monkeypatch.setattr(reading, "_NOTES_AT_ONCE", notes_at_once)
    results = read_entries(candidates, Limits())
    assert results[2] == "not readable as MIDI (it does not begin with the MThd header)"
    for number in (0, 1, 3, 4, 5):
        score = music.tune(number, chords=number % 2 == 1)
        piece = results[number]
        assert isinstance(piece, ReadPiece)
        assert piece.midi == candidates[number][0].path.read_bytes()
        assert np.array_equal(piece.ngrams, music.ngrams_of(score))
        assert piece.notes == score.note_num()


def test_a_file_that_changed_since_it_was_listed_is_left_out_for_this_time(candidates):
    candidates[4][0].path.write_bytes(music.tune(7).dumps_midi())
    results = read_entries(candidates, Limits())
    assert results[4] == "the file changed while it was read"
    assert [isinstance(result, Passing) for result in results] == [False] * 4 + [True, False]
