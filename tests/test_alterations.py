"""Altering tokens by table gives what altering the score does, and the score's change is what a musician expects."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.strategies import integers
from miditok import REMI, TSD, MIDILike, Structured, TokenizerConfig
from symusic import Note, Score, Tempo, TimeSignature, Track

from midiaug.data.alterations import (
    LEVELS,
    MAX_STEPS,
    Alterations,
    Steps,
    altered,
    range_of,
    stepped_ids,
    stepped_tables,
)
from midiaug.data.proof import tokenize
from midiaug.data.transpose import TokenTransposer, transpose
from midiaug.errors import ConfigError

TIMED = {"use_tempos": True, "use_time_signatures": True}
TOKENIZERS = {
    "remi": REMI(TokenizerConfig(use_tempos=True)),
    "remi_meters": REMI(TokenizerConfig(**TIMED)),
    "remi_programs": REMI(TokenizerConfig(use_programs=True, **TIMED)),
    "remi_equal_tempos": REMI(TokenizerConfig(delete_equal_successive_tempo_changes=True, **TIMED)),
    "tsd": TSD(TokenizerConfig(use_tempos=True)),
    "structured": Structured(),
    "midilike": MIDILike(TokenizerConfig(use_tempos=True)),
}


def lively(seed):
    """A score of two voices and drums with many velocities, durations and tempos, in 4/4 and then in 6/8."""
    generator = np.random.default_rng(seed)
    score = Score(480)
    score.time_signatures.append(TimeSignature(0, 4, 4, "tick"))
    score.time_signatures.append(TimeSignature(4 * 1920, 6, 8, "tick"))
    for beat in range(0, 24, 6):
        score.tempos.append(Tempo(beat * 480, float(generator.uniform(35, 260)), ttype="tick"))
    for number in range(3):
        track = Track(f"voice {number}", 10 * number, number == 2)
        onsets = np.sort(generator.choice(24 * 8, 40, replace=False)) * 60
        for onset in onsets.tolist():
            duration, pitch = int(generator.integers(30, 7000)), int(generator.integers(45, 75))
            track.notes.append(Note(onset, duration, pitch, int(generator.integers(1, 128)), "tick"))
        score.tracks.append(track)
    return score


STEPS = integers(-8, 8)


@pytest.mark.parametrize("name", TOKENIZERS)
@given(integers(0, 40), integers(-6, 6), STEPS, STEPS, STEPS)
@settings(max_examples=25, deadline=None)
def test_the_table_gives_what_the_altered_score_gives(name, seed, shift, velocity, duration, tempo):
    tokenizer, score = TOKENIZERS[name], lively(seed)
    steps = Steps(velocity, 0 if name == "midilike" else duration, 0 if name == "structured" else tempo)
    transposer, table = TokenTransposer(tokenizer), stepped_ids(tokenizer, steps)
    expected = tokenize(tokenizer, transpose(score, shift), steps)
    for ids, wanted in zip(tokenize(tokenizer, score), expected, strict=True):
        np.testing.assert_array_equal(table[transposer(ids, shift)], wanted)


def one_note(duration=480, velocity=64, meter=(4, 4), tempo=120.0):
    score = Score(480)
    score.time_signatures.append(TimeSignature(0, *meter, "tick"))
    score.tempos.append(Tempo(0, tempo, ttype="tick"))
    score.tracks.append(Track("voice", 0, False))
    score.tracks[0].notes.append(Note(0, duration, 60, velocity, "tick"))
    return score


@pytest.mark.parametrize(("steps", "beats"), [(0, 1.0), (1, 1.125), (-2, 0.75), (-7, 0.125), (-8, 0.125)])
def test_a_step_of_duration_is_an_eighth_of_a_beat_for_short_notes(steps, beats):
    score = altered(one_note(), TOKENIZERS["remi"], Steps(duration=steps))
    assert score.tracks[0].notes[0].duration / score.ticks_per_quarter == beats


def test_a_beat_is_that_of_the_meter():
    score = altered(one_note(duration=240, meter=(6, 8)), TOKENIZERS["remi_meters"], Steps(duration=2))
    assert score.tracks[0].notes[0].duration / score.ticks_per_quarter == (1 + 2 / 8) / 2


def test_the_longest_note_stays():
    score = altered(one_note(duration=48_000), TOKENIZERS["remi"], Steps(duration=1))
    assert score.tracks[0].notes[0].duration / score.ticks_per_quarter == 12


@pytest.mark.parametrize(("steps", "velocity"), [(0, 63), (1, 67), (-3, 51), (8, 95)])
def test_a_step_of_velocity_is_a_32nd_of_all(steps, velocity):
    score = altered(one_note(velocity=64), TOKENIZERS["remi"], Steps(velocity=steps))
    assert score.tracks[0].notes[0].velocity == velocity


def test_the_loudest_and_the_softest_stay():
    for velocity, steps, expected in ((127, 5, 127), (2, -5, 3)):
        score = altered(one_note(velocity=velocity), TOKENIZERS["remi"], Steps(velocity=steps))
        assert score.tracks[0].notes[0].velocity == expected


def test_a_step_of_tempo_is_to_the_next_that_is_written_and_up_is_faster():
    tokenizer = TOKENIZERS["remi"]
    at = int(np.abs(tokenizer.tempos - 120).argmin())
    for steps in (-2, 0, 1):
        score = altered(one_note(), tokenizer, Steps(tempo=steps))
        assert score.tempos[0].tempo == pytest.approx(tokenizer.tempos[at + steps], abs=0.01)


def test_the_score_that_is_given_stays_as_it_was():
    score = lively(3)
    before = score.copy()
    altered(score, TOKENIZERS["remi"], Steps(2, 2, 2))
    assert score == before


def test_all_combinations_are_there_once_and_nothing_else():
    found = Alterations((-1, 1), None, (0, 2)).combinations
    assert len(set(found)) == len(found) == 9
    assert {(steps.velocity, steps.duration, steps.tempo) for steps in found} == {
        (velocity, 0, tempo) for velocity in (-1, 0, 1) for tempo in (0, 1, 2)
    }
    assert Alterations().combinations == [Steps()]
    assert not Alterations()


def test_the_tables_stand_in_the_order_of_the_combinations():
    tokenizer, alterations = TOKENIZERS["remi"], Alterations((-2, 2), (-1, 1))
    tables = stepped_tables(tokenizer, alterations)
    for table, steps in zip(tables, alterations.combinations, strict=True):
        np.testing.assert_array_equal(table, stepped_ids(tokenizer, steps))
    assert stepped_tables(tokenizer, Alterations()) is None


def test_too_many_combinations_are_refused():
    with pytest.raises(
        ConfigError, match=r"aug.velocity=\[-8, 8\], aug.duration=\[-1, 1\], aug.tempo=\[-8, 8\].*narrow one"
    ):
        _ = Alterations((-8, 8), (-1, 1), (-8, 8)).combinations


@pytest.mark.parametrize(
    ("tokenizer", "alterations", "said"),
    [
        (REMI(TokenizerConfig(use_velocities=False)), Alterations(velocity=(-1, 1)), "use_velocities=true"),
        (REMI(), Alterations(tempo=(-1, 1)), "use_tempos=true"),
        (MIDILike(), Alterations(duration=(-1, 1)), "MIDILike writes no durations"),
        (REMI(TokenizerConfig(use_rests=True)), Alterations(duration=(-1, 1)), "use_rests=false"),
        (
            REMI(TokenizerConfig(use_sustain_pedals=True, sustain_pedal_duration=True)),
            Alterations(duration=(0, 1)),
            "sustain_pedal_duration=false",
        ),
    ],
)
def test_what_a_tokenizer_cannot_write_is_refused_with_the_key_and_a_way_out(tokenizer, alterations, said):
    with pytest.raises(ConfigError, match=rf"^aug\.\w+=\[.*{said}"):
        alterations.check(tokenizer)


def test_what_it_can_write_is_not_refused():
    Alterations((-2, 2), (-1, 1), (-1, 1)).check(TOKENIZERS["remi_programs"])


def test_a_level_stands_for_a_range_and_a_range_for_itself():
    assert range_of("moderate") == (-2, 2)
    assert [range_of(wanted) for wanted in ((-3, 1), [0, 1], None, "no such level")] == [
        (-3, 1),
        [0, 1],
        None,
        "no such level",
    ]
    assert all(-MAX_STEPS <= low < 0 < high <= MAX_STEPS for low, high in LEVELS.values())
