"""The first bar as tokens, and which shifts are shown."""

import music
import pytest
from miditok import REMI, TSD, CPWord, MIDILike, MuMIDI, Octuple
from symusic import Note, TimeSignature

from midiaug.data.columns import columns_of, flattened
from midiaug.data.proof import tokenize
from midiaug.data.transpose import transpose
from midiaug.inspection.bars import bars_shown, cost_table, full_bar, some_of, token_table

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
    shifted = {shift: tokenize(tokenizer, transpose(score, shift)) for shift in SHIFTS}
    return {"piece": "a tune.mid"} | bars_shown(score, tokenize(tokenizer, score), shifted, tokenizer)


@pytest.mark.parametrize("kind", [REMI, TSD, MIDILike, CPWord, Octuple, MuMIDI])
def test_the_first_bar_holds_the_notes_that_begin_in_it(kind):
    score = music.tune(4, bars=4)
    notes = score.tracks[0].notes.numpy()
    wanted = notes["pitch"][notes["time"] < music.BAR].tolist()
    bar = bar_of(flattened(kind()), score)
    for shift in SHIFTS:
        names = bar["shifted"][f"{shift:+d}"]
        pitches = [int(name.split("_")[1]) for name in names if name.startswith(("Pitch", "NoteOn"))]
        assert pitches == [pitch + shift for pitch in wanted]
        assert bar["from_token"] % columns_of(flattened(kind())) == len(names) % columns_of(flattened(kind())) == 0


def test_the_table_marks_the_tokens_that_changed_and_no_others():
    bar = bar_of(REMI(), music.tune(4, bars=4))
    lines = [line for line in token_table(bar).splitlines() if line.startswith("│")]
    assert len(lines) == len(bar["original"])
    for line in lines:
        assert line.count("*") == (4 if "Pitch_" in line else 0), line


def test_notes_are_spelled_in_the_key_of_their_column():
    score = music.tune(4, bars=4)
    for number, note in enumerate(score.tracks[0].notes):  # F, A, C, F, B flat, A, G
        note.pitch = 65 + (0, 4, 7, 0, 5, 4, 2)[number % 7]
    bar = bar_of(REMI(), score)
    assert bar["key"] == "F major"
    assert "Pitch_70 B♭4" in token_table(bar)
    score = music.moved(score, 1)
    bar = bar_of(REMI(), score)
    assert bar["key"] == "F♯ major"
    assert "Pitch_70 A♯4" in token_table(bar)
    assert "♭" not in "".join(line.split("│")[2] for line in token_table(bar).splitlines() if line.startswith("│"))


def test_the_table_is_no_wider_than_a_terminal():
    assert max(map(len, token_table(bar_of(REMI(), music.tune(4, chords=True))).splitlines())) <= 96


def with_upbeat():
    """Four bars, of which the first holds a note on its last beat alone."""
    score = music.tune(4, bars=4)
    notes = [note for note in score.tracks[0].notes if note.time >= music.BAR]
    score.tracks[0].notes = [Note(music.BAR - music.QUARTER, music.QUARTER, 61, 80, "tick"), *notes]
    return score


@pytest.mark.parametrize("kind", [REMI, TSD, MIDILike, CPWord, Octuple, MuMIDI])
def test_an_upbeat_is_passed_over(kind):
    score = with_upbeat()
    notes = score.tracks[0].notes.numpy()
    wanted = notes["pitch"][(notes["time"] >= music.BAR) & (notes["time"] < 2 * music.BAR)].tolist()
    bar = bar_of(flattened(kind()), score)
    assert bar["bar"] == 2
    for shift in SHIFTS:
        names = bar["shifted"][f"{shift:+d}"]
        pitches = [int(name.split("_")[1]) for name in names if name.startswith(("Pitch", "NoteOn"))]
        assert pitches == [pitch + shift for pitch in wanted]
        assert bar["from_token"] % columns_of(flattened(kind())) == len(names) % columns_of(flattened(kind())) == 0


def test_an_upbeat_with_a_signature_of_its_own_is_passed_over():
    score = music.tune(4, bars=4)
    score.time_signatures = [TimeSignature(0, 4, 4, "tick"), TimeSignature(music.QUARTER, 4, 4, "tick")]
    assert full_bar(score, True).number == 1


def test_a_piece_of_an_upbeat_alone_shows_that():
    score = with_upbeat()
    score.tracks[0].notes = list(score.tracks[0].notes)[:1]
    assert full_bar(score, True).number == 0
    assert any(name == "Pitch_61" for name in bar_of(REMI(), score)["original"])


def test_the_costs_stand_side_by_side_with_the_same_work():
    now = {"tokenizing_seconds": 30.0, "store_bytes": 3_200_000}
    costs = {"files": 7203, "bytes": 2e7, "token_bytes": 2e7, "writing_seconds": 0.6, "tokenizing_seconds": 200.0}
    rows = [line for line in cost_table(costs | {"now": now}).splitlines() if line.startswith("\u2502")]
    assert rows[0].split("\u2502")[2:6] == [" 7,203 ", " 40.0 MB ", "   0.6 s ", "    3.3 min "]
    assert [cell.strip() for cell in rows[1].split("\u2502")[2:6]] == ["none", "3.2 MB", "none", "30.0 s"]
