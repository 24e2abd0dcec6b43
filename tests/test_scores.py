"""Comparing a transposed score with its original: whatever else moved is found, and named by its place."""

import music
import pytest
from symusic import ControlChange, Note, Tempo, TimeSignature

from midiaug.data.transpose import transpose
from midiaug.inspection.scores import difference_of


def band():
    score = music.tune(5, bars=6, chords=True, drums=True)
    score.tracks[0].controls.append(ControlChange(480, 64, 100, "tick"))
    return score


@pytest.mark.parametrize("shift", [-6, -1, 0, 4, 12])
def test_a_transposed_score_passes(shift):
    assert difference_of(band(), transpose(band(), shift), shift) is None


def change_note(score, track, number, **changes):
    notes = list(score.tracks[track].notes)
    old = notes[number]
    fields = {"time": old.time, "duration": old.duration, "pitch": old.pitch, "velocity": old.velocity} | changes
    notes[number] = Note(fields["time"], fields["duration"], fields["pitch"], fields["velocity"], "tick")
    score.tracks[track].notes = notes


def later(score):
    change_note(score, 0, 3, time=score.tracks[0].notes[3].time + 1)


def longer(score):
    change_note(score, 0, 3, duration=score.tracks[0].notes[3].duration + 1)


def louder(score):
    change_note(score, 0, 3, velocity=score.tracks[0].notes[3].velocity + 1)


def higher(score):
    change_note(score, 0, 3, pitch=score.tracks[0].notes[3].pitch + 1)


def drums_moved(score):
    score.tracks[2].shift_pitch(1, inplace=True)


def note_lost(score):
    score.tracks[1].notes = list(score.tracks[1].notes)[:-1]


def faster(score):
    score.tempos = [Tempo(0, 33, ttype="tick")]


def in_three(score):
    score.time_signatures = [TimeSignature(0, 3, 4, "tick")]


def control_lost(score):
    score.tracks[0].controls = []


def in_another_key(score):
    score.key_signatures[0].key += 1


def other_instrument(score):
    score.tracks[0].program += 1


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (later, "track 1, bar 1, beat .*: a note's onset"),
        (longer, "track 1, bar 1, beat .*: a note's duration"),
        (louder, "track 1, bar 1, beat .*: a note's velocity"),
        (higher, "track 1, bar 1, beat .*: a note's pitch"),
        (drums_moved, "track 3, bar 1, beat 1, a note's pitch"),
        (note_lost, "track 2, bar 6, beat 3, number of notes: expected 36, found 35"),
        (faster, "bar 1, beat 1, tempos"),
        (in_three, "bar 1, beat 1, time signatures"),
        (control_lost, "track 1, number of controls: expected 1, found 0"),
        (in_another_key, "bar 1, beat 1, a key signature"),
        (other_instrument, "track 1, program"),
    ],
)
def test_anything_else_that_moved_is_found_and_named(spoil, named):
    shifted = transpose(band(), 3)
    spoil(shifted)
    found = difference_of(band(), shifted, 3)
    assert found is not None
    import re

    assert re.search(named.replace(".*:", ".*"), str(found)), str(found)


def test_a_shift_that_was_not_made_is_found():
    assert "pitch" in str(difference_of(band(), band(), 2))
