"""The key of a piece."""

import music
import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import integers

from midiaug.keys import Key, key_of, pitch_class_weights, pitch_name


@pytest.mark.parametrize("key", [Key(0, "major"), Key(9, "minor"), Key(6, "major")], ids=str)
def test_a_melody_that_rests_on_its_tonic_is_in_that_key(key):
    weights = np.where(key.scale, 1.0, 0.0)
    weights[[key.tonic, (key.tonic + 7) % 12]] += 2
    weights[(key.tonic + (4 if key.mode == "major" else 3)) % 12] += 1
    assert key_of(weights) == key


@given(semitones=integers(-11, 11))
def test_the_key_moves_with_the_piece(semitones):
    score = music.tune(7, bars=24, chords=True)
    key = key_of(pitch_class_weights(score))
    assert key_of(pitch_class_weights(music.moved(score, semitones))) == key.moved(semitones)


def test_a_tune_made_of_a_major_scale_keeps_to_it():
    for seed in range(6):
        weights = pitch_class_weights(music.tune(seed, bars=40))
        tonic = int(np.random.default_rng([seed, 1]).integers(6))
        assert set(np.flatnonzero(weights)) <= set(np.flatnonzero(Key(tonic, "major").scale))


def test_drums_have_no_key_and_long_notes_count_for_more():
    score = music.tune(1, bars=4, drums=True)
    with_drums = pitch_class_weights(score)
    assert with_drums.sum() == pytest.approx(score.tracks[0].notes.numpy()["duration"].sum() / music.QUARTER)
    assert key_of(np.zeros(12)) is None
    assert key_of(np.ones(12)) is None


def test_a_key_is_named_as_musicians_do():
    assert [str(Key(3, "minor")), str(Key(6, "major")), str(Key(0, "major"))] == ["E♭ minor", "F♯ major", "C major"]


@pytest.mark.parametrize(
    ("key", "spelled"),
    [
        (Key(6, "major"), "C♯ D♯ F♯ G♯ A♯"),
        (Key(4, "minor"), "C♯ D♯ F♯ G♯ A♯"),
        (Key(1, "major"), "D♭ E♭ G♭ A♭ B♭"),
        (Key(2, "minor"), "C♯ E♭ F♯ A♭ B♭"),
        (Key(3, "minor"), "D♭ E♭ G♭ A♭ B♭"),
        (Key(0, "major"), "C♯ E♭ F♯ A♭ B♭"),
        (None, "C♯ E♭ F♯ A♭ B♭"),
    ],
    ids=str,
)
def test_the_black_keys_are_spelled_as_the_key_has_them(key, spelled):
    assert [pitch_name(pitch, key=key) for pitch in (61, 63, 66, 68, 70)] == [f"{name}4" for name in spelled.split()]
