"""What transposition makes of a corpus is what reading every window in every shift gives."""

import music
import numpy as np
import pytest
from miditok import REMI

from midiaug.comparison.augmented import Counted, augmented
from midiaug.comparison.statistics import count_notes
from midiaug.data.module import MidiDataModule
from midiaug.data.shifts import Shifts
from midiaug.data.transpose import written_range


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """High tunes and three shifts, of which some tunes cannot take the upper one."""
    folder = tmp_path_factory.mktemp("high")
    music.corpus(folder / "tunes", 16, low=72, bars=8)
    module = MidiDataModule(folder / "tunes", shifts=Shifts.of(-2, 0, 21), window=64, cache_dir=folder / "cache")
    module.setup()
    return module


def seen(data, shifts, out_of_range="limit"):
    notes = count_notes(data.corpus, data.limits, data.cache_dir)
    counted = Counted.of(data, notes, data.train.windows, data.train.pieces)
    return augmented(data, counted, Shifts.of(*shifts), out_of_range)


def test_the_samples_are_all_pairs_of_a_window_and_a_shift_that_it_can_take(data):
    figures = seen(data, (-2, 0, 21))
    choices = data.train.choices
    assert figures["samples"] == int(choices.count.sum())
    assert len(data.train) < figures["samples"] < 3 * len(data.train)
    assert figures["tokens"] == int((choices.count.astype(int) * (np.asarray(data.train.windows.length) - 1)).sum())
    training = np.unique(data.train.pieces)
    assert figures["pieces_with_fewer_shifts"] == int((data.store.highest[training] < 21).sum()) > 0


def test_the_pitches_in_use_are_those_of_the_transposed_windows(data):
    figures = seen(data, (-2, 0, 21))
    ids: set[int] = set()
    for row in range(len(data.train)):
        choices = data.train.choices
        first, count = int(choices.first[row]), int(choices.count[row])
        for shift in choices.values[first : first + count].tolist():
            batch = data.train[row, shift]
            ids |= set(batch["input_ids"][batch["attention_mask"].bool()].tolist())
    names = {number: name for name, number in data.tokenizer.vocab.items()}
    pitches = sorted(int(names[number].split("_")[1]) for number in ids if names[number].startswith("Pitch_"))
    assert np.flatnonzero(figures["pitches"]).tolist() == pitches
    assert figures["vocabulary"]["pitch_entries_used"] == len(pitches)
    assert figures["vocabulary"]["used"] == len(ids)


def test_as_many_notes_are_there_after_as_before(data):
    plain, moved = seen(data, (0,)), seen(data, (-2, 0, 21))
    for key in ("pitches", "pitch_classes", "tonics"):
        assert sum(moved[key]) == pytest.approx(sum(plain[key]), abs=0.1)
    assert plain["samples"] == len(data.train)
    assert plain["times"] == 1
    assert moved["pitches"] != plain["pitches"]


def test_one_shift_moves_pitch_classes_and_tonics_by_as_much(data):
    plain, moved = seen(data, (0,)), seen(data, (-2,))
    assert moved["pitch_classes"] == np.roll(plain["pitch_classes"], -2).tolist()
    assert moved["tonics"] == np.roll(plain["tonics"], -2).tolist()


def test_a_tokenizer_whose_tokens_no_table_shifts_has_no_coverage(folder_of_tunes, trained, tmp_path):
    module = MidiDataModule(folder_of_tunes / "plain", trained, Shifts.of(0), cache_dir=tmp_path)
    module.setup()
    figures = seen(module, (-1, 0, 1))
    assert isinstance(module.tokenizer, REMI)
    assert figures["vocabulary"] is None
    assert figures["samples"] == 3 * len(module.train)


def test_with_drop_each_piece_takes_all_shifts_and_what_leaves_the_range_is_not_counted(data):
    limited, dropped = seen(data, (-2, 0, 21)), seen(data, (-2, 0, 21), "drop")
    assert limited["pieces_with_fewer_shifts"] > 0 == dropped["pieces_with_fewer_shifts"]
    assert dropped["samples"] == 3 * len(data.train) > limited["samples"]
    assert sum(dropped["pitches"]) < sum(limited["pitches"]) - 1
    assert not any(dropped["pitches"][written_range(data.tokenizer)[1] + 1 :])


def test_the_tokens_are_counted_once_whatever_the_levels(data, monkeypatch):
    notes = count_notes(data.corpus, data.limits, data.cache_dir)
    counted = Counted.of(data, notes, data.train.windows, data.train.pieces)
    monkeypatch.setattr("midiaug.comparison.augmented.raw_token_counts", None)
    assert augmented(data, counted, Shifts.of(-2, 0))["vocabulary"]["used"] > 0
    training = np.flatnonzero(~data.split.validation[data.store.piece])
    tokens = np.concatenate([data.store.tokens[row] for row in training])
    assert counted.tokens.sum(0).tolist() == np.bincount(tokens).tolist()
