"""The MIDI files of a preview: what is lost on the way to the disk is found."""

import re

import music
import pytest
from symusic import Note, Score, Tempo

from midiaug.inspection.written import file_difference, named, write_midi
from midiaug.offline.names import copy_name, copy_stems


@pytest.mark.parametrize(("shift", "name"), [(3, "a/tune_+3.mid"), (-1, "a/tune_-1.mid"), (0, "a/tune_+0.mid")])
def test_a_file_is_named_by_its_piece_and_shift(shift, name):
    assert copy_name("a/tune", shift) == name


def test_a_name_as_long_as_a_disk_takes_is_written(tmp_path):
    (stem,) = copy_stems(["\u00e9" * 300 + ".mid"])
    write_midi(music.tune(1, bars=1), tmp_path / copy_name(stem, -11))
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_holds_the_score_and_its_size_is_returned(tmp_path):
    score = music.tune(2, drums=True)
    path = tmp_path / "below it" / "tune [1]_+0.mid"
    assert write_midi(score, path) == path.stat().st_size
    assert Score(path).note_num() == score.note_num()


def band():
    return music.tune(8, bars=6, chords=True, drums=True)


def last_note_lost(score):
    score.tracks[0].notes = list(score.tracks[0].notes)[:-1]


def in_another_key(score):
    score.key_signatures[0].key += 1


def key_late(score):
    score.key_signatures[0].time += 480


def key_lost(score):
    score.key_signatures = []


def faster(score):
    score.tempos = [Tempo(0, 33, ttype="tick")]


def softer(score):
    score.tracks[1].notes[0].velocity -= 1


def later(score):
    score.tracks[0].notes[2].time += 1


def drums_up(score):
    score.tracks[2].shift_pitch(1, inplace=True)


def drums_lost(score):
    score.tracks = list(score.tracks)[:2]


def other_instrument(score):
    score.tracks[1].program += 1


def test_a_file_that_holds_the_score_passes(tmp_path):
    write_midi(band(), tmp_path / "a.mid")
    assert file_difference(band(), tmp_path / "a.mid", 0) is None
    assert "a note's pitch" in str(file_difference(band(), tmp_path / "a.mid", 2))


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (last_note_lost, "track 1, bar 6, .*number of notes"),
        (in_another_key, "a key signature"),
        (key_late, "a key signature"),
        (key_lost, "number of key signatures: expected 1, found 0"),
        (faster, "tempos"),
        (softer, "track 2, bar 1, beat 1, a note's velocity"),
        (later, "track 1, bar 1, .*a note's onset"),
        (drums_up, "track 3, bar 1, beat 1, a note's pitch"),
        (drums_lost, "number of tracks: expected 3, found 2"),
        (other_instrument, "track 2, program"),
    ],
)
def test_what_a_writer_loses_or_changes_is_found(tmp_path, spoil, found):
    wrong = band()
    spoil(wrong)
    write_midi(wrong, tmp_path / "a.mid")
    assert re.search(found, str(file_difference(band(), tmp_path / "a.mid", 0)))


def test_music_that_midi_itself_cannot_hold_is_found(tmp_path):
    score = music.tune(8, bars=2)
    score.tracks[0].notes = [Note(0, 1920, 60, 80, "tick"), Note(480, 240, 60, 90, "tick")]
    write_midi(score, tmp_path / "a.mid")
    assert "a note's duration, in ticks: expected 1920, found 720" in str(file_difference(score, tmp_path / "a.mid", 0))


def test_a_file_that_is_cut_off_is_found(tmp_path):
    size = write_midi(band(), tmp_path / "a.mid")
    (tmp_path / "a.mid").write_bytes((tmp_path / "a.mid").read_bytes()[: size // 2])
    assert file_difference(band(), tmp_path / "a.mid", 0) is not None


def test_a_track_without_anything_is_no_loss(tmp_path):
    score = band()
    score.tracks[1].notes = []
    write_midi(score, tmp_path / "a.mid")
    assert file_difference(score, tmp_path / "a.mid", 0) is None


def test_a_full_disk_names_the_file(tmp_path):
    def full():
        with named(tmp_path / "x.mid"), open("/dev/full", "w") as file:
            file.write("x" * 100_000)

    with pytest.raises(OSError, match="No space left") as caught:
        full()
    assert caught.value.filename == str(tmp_path / "x.mid")
