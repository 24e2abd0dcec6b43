"""The figures of a corpus are those that counting its files one by one gives."""

from collections import Counter

import music
import numpy as np
import pytest
from miditok import REMI, TokenizerConfig
from symusic import Score

from midiaug.comparison.statistics import corpus_statistics, count_notes, histogram, token_counts
from midiaug.data.module import MidiDataModule
from midiaug.data.shifts import Shifts
from midiaug.keys import key_of, pitch_class_weights


@pytest.fixture(scope="module")
def data(folder_of_tunes, tmp_path_factory):
    """The tunes, plain, with chords and with drums."""
    tokenizer = REMI(TokenizerConfig(use_programs=True))
    return MidiDataModule(folder_of_tunes, tokenizer, Shifts.of(0), cache_dir=tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def notes(data):
    return count_notes(data.corpus, data.limits, data.cache_dir)


@pytest.fixture(scope="module")
def scores(folder_of_tunes, data):
    return [Score(folder_of_tunes / name) for name in data.corpus.names]


def test_notes_tracks_and_keys_are_those_of_the_files(data, notes, scores):
    figures = corpus_statistics(data, notes, windows=100)
    assert figures["pieces"] == {"read": 24, "left_out": 0, "train": 22, "val": 2}
    assert figures["tracks"] == 8 + 16 + 24
    assert figures["notes"] == sum(score.note_num() for score in scores)
    drums = sum(len(track.notes) for score in scores for track in score.tracks if track.is_drum)
    assert figures["drum_notes"] == drums > 0
    pitched = [track.notes.numpy()["pitch"] for score in scores for track in score.tracks if not track.is_drum]
    assert figures["pitches"] == np.bincount(np.concatenate(pitched), minlength=128).tolist()
    assert figures["keys"] == dict(Counter(str(key_of(pitch_class_weights(score))) for score in scores))
    assert np.asarray(notes.beats) == pytest.approx([score.end() / music.QUARTER for score in scores])


def test_tokens_and_the_vocabulary_in_use_are_those_of_the_store(data, notes):
    figures = corpus_statistics(data, notes, windows=100)
    everything = np.concatenate([data.store.tokens[row] for row in range(len(data.store.piece))])
    assert figures["tokens"] == len(everything)
    counts = token_counts(data, np.ones(24, bool))
    assert counts.tolist() == np.bincount(everything, minlength=len(data.tokenizer)).tolist()
    training = token_counts(data, ~data.split.validation)
    assert figures["vocabulary"] == {"entries": len(data.tokenizer), "used": int((training > 0).sum())}
    assert figures["windows_per_entry"] == 100 / len(data.tokenizer)


def test_drums_that_share_the_tokens_of_pitches_are_counted_with_them(folder_of_tunes, tmp_path):
    tokenizer = REMI(TokenizerConfig(use_programs=True, use_pitchdrum_tokens=False))
    data = MidiDataModule(folder_of_tunes / "band", tokenizer, Shifts.of(0), cache_dir=tmp_path)
    counts = token_counts(data, np.ones(8, bool))
    assert len(counts) == len(tokenizer)
    notes = sum(Score(path).note_num() for path in (folder_of_tunes / "band").rglob("*.mid"))
    assert sum(counts[number] for name, number in tokenizer.vocab.items() if name.startswith("Pitch_")) == notes


def test_a_second_count_is_found_in_the_cache(data, notes):
    before = {path: path.stat().st_mtime_ns for path in (data.cache_dir / "notes").rglob("*.npy")}
    again = count_notes(data.corpus, data.limits, data.cache_dir)
    assert before == {path: path.stat().st_mtime_ns for path in (data.cache_dir / "notes").rglob("*.npy")}
    assert np.array_equal(again.pitches, notes.pitches)


def test_a_histogram_counts_each_value_once_and_one_long_piece_does_not_hide_the_rest():
    values = np.append(np.arange(1000), 1_000_000)
    shape = histogram(values)
    assert sum(shape["counts"]) == 1001
    assert shape["edges"][-1] < 1000
    assert (shape["least"], shape["median"], shape["largest"]) == (0, 500, 1_000_000)
    assert sum(histogram(np.array([7]))["counts"]) == 1
    assert histogram(np.zeros(0))["counts"] == []
