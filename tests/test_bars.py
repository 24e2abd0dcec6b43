"""The first bar as tokens, and which shifts are shown."""

from pathlib import Path

import music
import pytest
from miditok import REMI, TSD, MIDILike

from midiaug.data.pieces import Limits
from midiaug.inspection.bars import first_bar, some_of, token_table
from midiaug.inspection.checks import Checked, Plan
from midiaug.inspection.choice import Chosen

SHIFTS = (-3, -1, 0, 1, 3)


@pytest.mark.parametrize(
    ("shifts", "most", "chosen"),
    [
        ([3, -1, 0], 7, [-1, 0, 3]),
        (range(-6, 6), 7, [-6, -4, -2, 0, 1, 3, 5]),
        (range(1, 13), 4, [1, 5, 8, 12]),
        ([-5, -3, -1, 0, 1, 3, 5], 5, [-5, -1, 0, 1, 5]),
    ],
)
def test_the_extreme_shifts_the_nearest_to_none_and_some_between_are_shown(shifts, most, chosen):
    assert some_of(shifts, most) == chosen


def bar_of(tokenizer, score):
    piece = Chosen("a tune.mid", "train", bytes(score.dumps_midi()), -30, 30, None, [])
    plan = Plan(Path(), tokenizer, Limits(), SHIFTS, True, False)
    return first_bar(piece, Checked("a tune.mid", files=dict.fromkeys(SHIFTS, "")), plan)


@pytest.mark.parametrize("kind", [REMI, TSD, MIDILike])
def test_the_first_bar_holds_the_notes_that_begin_in_it(kind):
    score = music.tune(4, bars=4)
    notes = score.tracks[0].notes.numpy()
    wanted = notes["pitch"][notes["time"] < music.BAR].tolist()
    bar = bar_of(kind(), score)
    for shift in SHIFTS:
        names = bar["shifted"][f"{shift:+d}"]
        pitches = [int(name.split("_")[1]) for name in names if name.startswith(("Pitch", "NoteOn"))]
        assert pitches == [pitch + shift for pitch in wanted]


def test_the_table_marks_the_tokens_that_changed_and_no_others():
    bar = bar_of(REMI(), music.tune(4, bars=4))
    lines = [line for line in token_table(bar).splitlines() if line.startswith("│")]
    assert len(lines) == len(bar["original"])
    for line in lines:
        assert line.count("*") == (4 if "Pitch_" in line else 0), line


def test_the_table_is_no_wider_than_a_terminal():
    assert max(map(len, token_table(bar_of(REMI(), music.tune(4, chords=True))).splitlines())) <= 96
