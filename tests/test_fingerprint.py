"""What of a piece no transposition changes."""

import music
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from symusic import Note, Score, Tempo, Track
from symusic.core import ScoreTick

from midiaug.data.fingerprint import ngrams_of_scores, ngrams_of_steps, top_lines, whole_ngrams_of_lines

SEEDS = range(8)


def line(*notes: tuple[int, int], ticks_per_quarter: int = 480) -> ScoreTick:
    """A track of one voice: each note's onset in ticks, and its pitch."""
    score = Score(ticks_per_quarter)
    score.tracks.append(Track("", 0, False))
    for time, pitch in notes:
        score.tracks[0].notes.append(Note(time, 100, pitch, 64, "tick"))
    return score


def shared(one: ScoreTick, other: ScoreTick) -> float:
    """The share of the smaller fingerprint that both have."""
    first, second = set(music.ngrams_of(one).tolist()), set(music.ngrams_of(other).tolist())
    return len(first & second) / min(len(first), len(second))


def equal(one: ScoreTick, other: ScoreTick) -> bool:
    return len(music.ngrams_of(one)) > 0 and np.array_equal(music.ngrams_of(one), music.ngrams_of(other))


def test_a_fingerprint_is_sorted_and_holds_each_n_gram_once():
    ngrams = music.ngrams_of(music.tune(1, chords=True, drums=True))
    assert ngrams.dtype == np.uint64
    assert (ngrams[1:] > ngrams[:-1]).all()


@settings(deadline=None)
@given(seed=st.integers(0, 1000), semitones=st.integers(-12, 12))
def test_transposing_does_not_change_it(seed, semitones):
    score = music.tune(seed, chords=True, drums=True)
    assert equal(score, music.moved(score, semitones))


@pytest.mark.parametrize("seed", SEEDS)
def test_another_tempo_does_not_change_it(seed):
    faster = music.tune(seed)
    faster.tempos = [Tempo(0, 211, ttype="tick"), Tempo(4000, 40, ttype="tick")]
    assert equal(music.tune(seed), faster)


@pytest.mark.parametrize("seed", SEEDS)
def test_notes_of_twice_the_length_do_not_change_it(seed):
    assert equal(music.tune(seed), music.stretched(music.tune(seed), 2))


@pytest.mark.parametrize("factor", [2, 3, 10])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_music_in_finer_ticks_does_not_change_it(seed, factor):
    finer = music.stretched(music.tune(seed), factor)
    finer.ticks_per_quarter *= factor
    assert equal(music.tune(seed), finer)


def test_quick_notes_written_in_half_the_length_do_not_change_it():
    # 32nd notes in triplets become 64th: still one behind the other, not a chord
    quick = line(*[(40 * step, 60 + 7 * step % 12) for step in range(20)])
    slow = music.stretched(quick, 2)
    assert equal(slow, quick)
    quick.ticks_per_quarter *= 2
    assert equal(slow, quick)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_rest_before_the_tune_does_not_change_it(seed):
    late = music.tune(seed)
    late.tracks[0].notes = [Note(n.time + 1920, n.duration, n.pitch, n.velocity, "tick") for n in late.tracks[0].notes]
    assert equal(music.tune(seed), late)


def test_names_instruments_loudness_and_note_ends_do_not_change_it():
    other = music.tune(1, program=40)
    other.tracks[0].name = "Violin"
    other.tracks[0].notes = [Note(n.time, 10, n.pitch, 127, "tick") for n in other.tracks[0].notes]
    assert equal(music.tune(1), other)


def test_drums_do_not_count():
    assert equal(music.tune(1, drums=True), music.tune(1))
    drums = music.tune(1, drums=True)
    del drums.tracks[0]
    assert len(music.ngrams_of(drums)) == 0


def test_different_tunes_share_almost_nothing():
    tunes = [music.tune(seed, chords=True) for seed in range(30)]
    shares = [shared(one, other) for index, one in enumerate(tunes) for other in tunes[:index]]
    assert max(shares) < 0.02


def test_the_melody_alone_is_wholly_within_the_melody_with_chords():
    assert shared(music.tune(1), music.tune(1, chords=True)) == 1
    assert len(music.ngrams_of(music.tune(1))) < len(music.ngrams_of(music.tune(1, chords=True)))


def test_an_excerpt_shares_all_its_n_grams_but_those_at_its_edge():
    half = music.tune(1, bars=16)
    half.tracks[0].notes = half.tracks[0].notes[: len(half.tracks[0].notes) // 2]
    assert shared(music.tune(1), half) == 1


def test_one_other_note_changes_at_most_the_n_grams_that_it_is_in():
    changed = music.tune(1)
    changed.tracks[0].notes[30].pitch += 1
    before, after = set(music.ngrams_of(music.tune(1)).tolist()), set(music.ngrams_of(changed).tolist())
    # a note ends one step and begins the next, so it is in one n-gram more than a single step
    assert 0 < len(before - after) <= 12 + 1


def test_the_rhythm_counts_not_the_intervals_alone():
    pitches = [60, 62, 64, 65, 67, 69, 71, 72] * 3
    even = line(*[(240 * step, pitch) for step, pitch in enumerate(pitches)])
    dotted = line(*[(240 * step + 120 * (step % 2), pitch) for step, pitch in enumerate(pitches)])
    assert shared(even, dotted) == 0


def test_of_notes_that_sound_together_the_highest_is_the_line():
    melody = [(240 * step, 60 + 5 * step % 13) for step in range(20)]
    below = [(time, pitch - distance) for time, pitch in melody for distance in (3, 8 + time % 7)]
    assert equal(line(*melody), line(*melody, *below))
    assert equal(line(*melody), line(*below, *melody))


@pytest.mark.parametrize("notes", [[], [(0, 60)], [(0, 60), (0, 64), (0, 67)]], ids=["nothing", "a note", "a chord"])
def test_a_track_of_fewer_than_two_onsets_has_no_n_gram(notes):
    assert music.ngrams_of(line(*notes)).shape == (0,)


@pytest.mark.parametrize("steps", [1, 5, 11, 12, 15])
def test_a_track_has_an_n_gram_for_each_run_of_twelve_steps_and_a_shorter_one_is_a_single_n_gram(steps):
    notes = [(240 * step, 40 + step * (step + 1) // 2 % 50) for step in range(steps + 1)]
    assert len(music.ngrams_of(line(*notes))) == max(1, steps - 12 + 1)


@pytest.mark.parametrize(("steps", "count"), [(0, 0), (1, 0), (11, 0), (12, 1), (15, 4)])
def test_of_whole_n_grams_a_shorter_line_has_none(steps, count):
    notes = [(240 * step, 40 + step * (step + 1) // 2 % 50) for step in range(steps + 1)]
    grams = whole_ngrams_of_lines(top_lines(line(*notes)))
    assert len(grams) == count
    assert set(grams.tolist()) <= set(music.ngrams_of(line(*notes)).tolist())


def test_the_hashes_are_those_that_caches_hold():
    # another value means that VERSION has to change
    assert music.ngrams_of(music.tune(1, bars=4, chords=True)).sum() == 15793544367204439014


def test_each_pitched_track_has_a_top_line_in_quarter_notes():
    score = music.tune(1, chords=True, drums=True)
    melody, chords = top_lines(score)
    notes = score.tracks[0].notes.numpy()
    assert np.array_equal(melody.pitches, notes["pitch"])
    assert np.array_equal(melody.onsets, notes["time"] / music.QUARTER)
    assert np.array_equal(chords.onsets, np.arange(0, 64, 2))
    assert np.array_equal(chords.pitches, score.tracks[1].notes.numpy()["pitch"].reshape(-1, 3).max(1))
    assert np.array_equal(chords.ratios, np.zeros(31))
    assert np.array_equal(melody.intervals, np.diff(notes["pitch"].astype(int)))


def test_the_ratio_is_in_half_octaves_of_time_and_that_of_the_first_step_is_none():
    (rhythm,) = top_lines(line((0, 60), (240, 60), (480, 60), (960, 60), (1320, 60), (1440, 60)))
    # even, twice as long, 3/4 of it, a third of that
    assert rhythm.ratios.tolist() == [0, 0, 2, -1, -3]


@pytest.mark.parametrize("size", [1, 4, 40])
def test_n_grams_of_another_size_are_counted_alike(size):
    steps = top_lines(line(*[(240 * step, 40 + step * (step + 1) // 2 % 50) for step in range(31)]))[0].steps
    assert len(ngrams_of_steps(steps, size)) == max(1, 30 - size + 1)


def test_many_scores_at_once_have_the_fingerprints_that_they_have_alone():
    drums = music.tune(3, drums=True)
    del drums.tracks[0]
    scores = [music.tune(1), line(), line((0, 60), (240, 62)), drums, line((0, 60)), music.tune(2, chords=True)]
    scores += [
        line(*[(240 * step, 40 + step * (step + 1) // 2 % 50) for step in range(notes)]) for notes in (11, 12, 13)
    ]
    together = ngrams_of_scores(scores)
    assert [len(grams) > 0 for grams in together] == [True, False, True, False, False, True, True, True, True]
    for score, grams in zip(scores, together, strict=True):
        assert np.array_equal(grams, music.ngrams_of(score))
        parts = [ngrams_of_steps(of_line.steps) for of_line in top_lines(score)]
        assert np.array_equal(grams, np.unique(np.concatenate([np.zeros(0, np.uint64), *parts])))
