"""The variety of music."""

import itertools
import json
import math

import music
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from symusic import Note, Score, TimeSignature, Track
from symusic.core import ScoreTick

from midiaug.metrics import (
    FIGURES,
    figures_of,
    groove_consistency,
    keys_of,
    pair_similarities,
    parts_of,
    self_similarity,
    summary_of,
    variety,
)

BAR = 16  # ticks, with four to a quarter note
PITCHES = st.lists(st.integers(0, 127), min_size=1, max_size=40)


def piece(notes: list[tuple[int, int]], *signs: tuple[int, int, int], drum: bool = False) -> ScoreTick:
    """Notes as onset, in sixteenths, and pitch; time signatures as onset, numerator and denominator."""
    score = Score(4)
    score.tracks.append(Track("", 0, drum))
    score.tracks[0].notes = [Note(time, 1, pitch, 64, "tick") for time, pitch in notes]
    score.time_signatures = [TimeSignature(time, over, under, "tick") for time, over, under in signs]
    return score


def rhythm(*onsets: int, signs: tuple[tuple[int, int, int], ...] = ()) -> ScoreTick:
    return piece([(onset, 60) for onset in onsets], *signs)


def test_one_pitch_class_has_no_entropy_and_all_twelve_alike_have_the_most():
    assert variety(piece([(0, 48), (4, 60), (8, 72)])).pitch_class_entropy == 0
    assert variety(piece([(time, 60 + time) for time in range(12)])).pitch_class_entropy == pytest.approx(math.log2(12))
    # three notes of one class and one of another
    expected = 0.75 * math.log2(4 / 3) + 0.25 * 2
    assert variety(piece([(0, 60), (1, 72), (2, 60), (3, 67)])).pitch_class_entropy == pytest.approx(expected)


@settings(deadline=None)
@given(pitches=PITCHES)
def test_entropy_and_scale_consistency_are_those_of_their_definitions(pitches):
    figures = variety(piece(list(enumerate(pitches))))
    shares = [sum(pitch % 12 == kind for pitch in pitches) / len(pitches) for kind in range(12)]
    assert figures.pitch_class_entropy == pytest.approx(-sum(p * math.log2(p) for p in shares if p), abs=1e-12)
    scales = [
        {(tonic + step) % 12 for step in steps}
        for tonic in range(12)
        for steps in ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10))
    ]
    best = max(sum(pitch % 12 in scale for pitch in pitches) for scale in scales)
    assert figures.scale_consistency == pytest.approx(best / len(pitches))
    assert (figures.distinct_pitches, figures.pitch_range) == (len(set(pitches)), max(pitches) - min(pitches))


@pytest.mark.parametrize("semitones", [-4, 3])
def test_transposition_changes_the_key_alone(semitones):
    original, moved = (
        variety(score) for score in (music.tune(4, chords=True), music.moved(music.tune(4, chords=True), semitones))
    )
    assert original.key != moved.key
    assert {**original.as_json(), "key": None} == pytest.approx({**moved.as_json(), "key": None})


def test_drums_count_for_the_groove_alone():
    with_drums, without = variety(music.tune(4, drums=True)), variety(music.tune(4))
    assert with_drums.groove_consistency != without.groove_consistency
    assert {**with_drums.as_json(), "groove_consistency": 0} == {**without.as_json(), "groove_consistency": 0}
    drums = variety(piece([(0, 36), (4, 38)], drum=True))
    assert (drums.notes, drums.pitch_class_entropy, drums.pitch_range, drums.scale_consistency) == (0, None, None, None)


def test_no_note_and_one_note_have_the_figures_that_they_can_have():
    nothing, one = variety(piece([])), variety(piece([(0, 61)]))
    assert (nothing.notes, nothing.distinct_pitches) == (0, 0)
    assert {name for name, value in nothing.as_json().items() if value is not None} == {"notes", "distinct_pitches"}
    assert variety(Score(480)) == nothing
    assert (one.pitch_class_entropy, one.pitch_range, one.scale_consistency) == (0, 0, 1)
    assert (one.distinct_ngrams, one.groove_consistency) == (None, None)
    assert "NaN" not in json.dumps([nothing.as_json(), one.as_json()])


def test_a_passage_that_comes_again_in_another_key_is_not_distinct():
    pitches = np.random.default_rng(0).integers(48, 84, 40).tolist()
    twice = list(enumerate(pitches + [pitch + 5 for pitch in pitches]))
    assert variety(piece(twice[:40])).distinct_ngrams == 1
    # 79 steps are 68 passages of 12; each 39 steps of a time have 28
    assert variety(piece(twice)).distinct_ngrams == (68 - 28) / 68
    assert variety(piece([(time, 60) for time in range(33)])).distinct_ngrams == 1 / 21


def test_a_line_of_fewer_than_thirteen_notes_has_no_passage():
    assert variety(piece([(time, 60 + time) for time in range(12)])).distinct_ngrams is None
    assert variety(piece([(time, 60 + time) for time in range(13)])).distinct_ngrams == 1


def test_bars_of_one_rhythm_have_the_greatest_consistency():
    assert groove_consistency(rhythm(0, 4, 10, BAR, BAR + 4, BAR + 10)) == 1
    # a quarter note has 16 positions, so a bar 64: the second has one onset more, at one of them
    assert groove_consistency(rhythm(0, 4, BAR, BAR + 4, BAR + 10)) == 1 - 1 / 64


@settings(deadline=None, max_examples=50)
@given(onsets=st.sets(st.integers(0, 5 * BAR - 1), min_size=1, max_size=40))
def test_groove_is_the_mean_over_all_pairs_of_bars(onsets):
    first, last = min(onsets) // BAR, max(onsets) // BAR
    bars = [{onset % BAR for onset in onsets if onset // BAR == bar} for bar in range(first, last + 1)]
    pairs = [1 - len(one ^ other) / 64 for one, other in itertools.combinations(bars, 2)]
    found = groove_consistency(rhythm(*onsets))
    assert found == (pytest.approx(np.mean(pairs)) if pairs else None)


def test_bars_are_those_of_the_time_signatures_and_only_bars_of_a_length_are_compared():
    jig = tuple(onset + 12 * bar for bar in range(4) for onset in (0, 4, 6, 10))
    assert groove_consistency(rhythm(*jig, signs=((0, 6, 8),))) == 1
    assert groove_consistency(rhythm(*jig)) < 1
    assert groove_consistency(rhythm(*jig[:6], jig[7], signs=((0, 6, 8),))) == 1 - 1 / 48
    # one bar of 4/4 has none to be compared with; the jig begins behind it
    mixed = [0, 1, 2, *(BAR + onset for onset in jig)]
    assert groove_consistency(rhythm(*mixed, signs=((0, 4, 4), (BAR, 6, 8)))) == 1
    assert groove_consistency(rhythm(*mixed, signs=((BAR, 6, 8), (0, 3, 4), (0, 4, 4)))) == 1
    assert groove_consistency(rhythm(0, 1, BAR + 3, signs=((0, 4, 4), (BAR, 6, 8)))) is None


def test_a_rest_before_the_piece_does_not_count_and_one_within_it_does():
    assert groove_consistency(rhythm(3 * BAR, 4 * BAR)) == 1
    assert groove_consistency(rhythm(0, 2 * BAR)) == pytest.approx(1 - 2 / 3 / 64)


def test_notes_played_a_little_early_or_late_keep_their_position():
    exact, played = (Score(480) for _ in range(2))
    for score, offsets in ((exact, [0] * 8), (played, [3, -4, 5, 0, -6, 2, -3, 1])):
        score.tracks.append(Track("", 0, False))
        times = [480 * beat + 10 + offset for beat, offset in enumerate(offsets)]
        score.tracks[0].notes = [Note(time, 200, 60, 64, "tick") for time in times]
    assert groove_consistency(played) == groove_consistency(exact) == 1


@settings(deadline=None, max_examples=20)
@given(seeds=st.lists(st.integers(0, 6), min_size=2, max_size=6))
def test_similarity_is_what_two_pieces_share_of_what_either_has(seeds):
    scores = [music.tune(seed, bars=4, chords=seed > 4) for seed in seeds]
    sets = [set(music.ngrams_of(score).tolist()) for score in scores]
    expected = [len(one & other) / len(one | other) for one, other in itertools.combinations(sets, 2)]
    assert pair_similarities(scores).tolist() == pytest.approx(expected)
    assert self_similarity(scores) == pytest.approx(np.mean(expected))


@pytest.mark.parametrize("notes", [2, 8, 12])
def test_pieces_too_short_for_a_passage_have_no_similarity(notes):
    short = piece([(time, 60 + time) for time in range(notes)])
    assert len(pair_similarities([short, short])) == 0
    assert self_similarity([short, short]) is None
    long = piece([(time, 60 + time % 5) for time in range(30)])
    assert pair_similarities([short, short, long]).tolist() == [0, 0]


def test_the_same_tune_in_two_keys_is_wholly_alike_and_different_tunes_are_not():
    tune = music.tune(1)
    assert self_similarity([tune, music.moved(tune, 5), music.stretched(tune, 2)]) == 1
    assert self_similarity([music.tune(seed) for seed in range(8)]) < 0.02


def test_of_very_many_pieces_a_thousand_are_compared():
    scores = [music.tune(seed % 2, bars=4) for seed in range(1500)]
    pairs = pair_similarities(scores)
    assert len(pairs) == 1000 * 999 / 2
    assert 0 < pairs.mean() < 1


def test_pieces_without_passages_have_no_similarity():
    assert self_similarity([]) is None
    assert self_similarity([music.tune(1)]) is None
    assert self_similarity([piece([(0, 60)]), piece([])]) is None
    assert pair_similarities([piece([]), piece([]), music.tune(1)]).tolist() == [0, 0]


def test_a_summary_leaves_out_what_has_no_figure():
    scores = [music.tune(1), music.tune(2), piece([(0, 60)])]
    pieces, figures = figures_of(scores)
    assert [entry["n"] for entry in figures.values()] == [3, 3, 3, 3, 2, 3, 2, 3]
    assert tuple(figures) == ("notes", *FIGURES)
    grooves = [one.groove_consistency for one in pieces[:2]]
    assert figures["groove_consistency"] == pytest.approx(
        {"mean": np.mean(grooves), "median": np.median(grooves), "sd": np.std(grooves, ddof=1), "n": 2}
    )
    assert figures["self_similarity"]["mean"] == self_similarity(scores)
    assert summary_of(pieces)["self_similarity"] == {"mean": None, "sd": None, "median": None, "n": 0}
    assert summary_of(pieces[:1])["notes"] == {"mean": pieces[0].notes, "sd": None, "median": pieces[0].notes, "n": 1}
    assert "NaN" not in json.dumps([figures_of([])[1], figures])


def test_keys_are_counted_the_most_frequent_first():
    tune = music.tune(3)
    low, high = variety(tune), variety(music.moved(tune, 2))
    assert low.key != high.key
    for often, once in ((low, high), (high, low)):
        assert list(keys_of([once, often, often, variety(piece([]))]).items()) == [(often.key, 2), (once.key, 1)]


def test_a_part_is_one_track_with_the_bars_of_the_whole():
    score = music.tune(2, chords=True, drums=True)
    parts = parts_of(score)
    assert [part.note_num() for part in parts] == [len(score.tracks[0].notes), len(score.tracks[1].notes)]
    assert all(part.time_signatures == score.time_signatures for part in parts)
    assert variety(parts[0]) == variety(music.tune(2))
    parts[0].tracks[0].notes = []
    assert len(score.tracks[0].notes) > 0
