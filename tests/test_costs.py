"""What training would see, and what files on disk would cost."""

import itertools

import numpy as np
import pytest
from miditok import REMI, CPWord

from midiaug.data.columns import columns_of
from midiaug.data.module import MidiDataModule
from midiaug.data.shifts import Shifts
from midiaug.inspection.checks import Checked
from midiaug.inspection.choice import choose
from midiaug.inspection.costs import Measured, file_view, materializing, reading, training_view, written


@pytest.fixture(scope="module")
def made(tmp_path_factory, folder_of_tunes):
    def make(**others):
        module = MidiDataModule(
            folder_of_tunes,
            **{"tokenizer": REMI(), "shifts": Shifts.of(-24, 0, 24), "window": 40, "cache_dir": cache} | others,
        )
        module.setup()
        return module

    cache = tmp_path_factory.mktemp("cache")
    return make


@pytest.mark.parametrize("kind", [REMI, CPWord])
def test_the_tokens_of_an_epoch_are_those_that_its_batches_predict(made, kind):
    data = made(tokenizer=kind())
    labels = sum(int((batch["labels"][:, 1:] != -100).sum()) for batch in data.train_dataloader())
    assert training_view(data)["tokens_an_epoch"] == labels


def test_the_pairs_are_those_that_balanced_epochs_deal_out(made):
    data = made(draw="balanced")
    view = training_view(data)
    loader = data.train_dataloader()
    pairs, labels = 0, 0
    for epoch in range(3):
        loader.sampler.set_epoch(epoch)
        for batch in loader:
            pairs += len(batch["labels"])
            labels += int((batch["labels"][:, 1:] != -100).sum())
    assert view["pairs"] == pairs
    assert view["tokens_an_epoch"] == pytest.approx(labels / 3, abs=1)


def test_the_estimate_scales_what_was_measured_by_the_notes_of_all_copies_and_does_the_same_work_for_both(made):
    data = made()
    costs = materializing(data, Measured(1, 100, 1000, 0.5), Measured(0, 200, 0, 3.0), 1.0, True)
    room = [np.asarray(data.store.lowest) <= -24, np.asarray(data.store.highest) >= 24]
    copies = 1 + room[0].astype(int) + room[1]
    notes = np.asarray(data.corpus.notes)
    assert costs["files"] == copies.sum()
    assert costs["bytes"] == 10 * (copies * notes).sum()
    processes = costs["processes"]
    assert costs["writing_seconds"] == pytest.approx(0.005 * (copies * notes).sum() / processes, abs=0.01)
    assert costs["tokenizing_seconds"] == pytest.approx(0.015 * (copies * notes).sum() / processes, abs=0.01)
    assert costs["now"]["tokenizing_seconds"] == pytest.approx(0.015 * notes.sum() / processes, abs=0.01)
    assert costs["now"]["store_bytes"] == sum(path.stat().st_size for path in data.store.directory.iterdir())
    share = (copies * notes).sum() / notes.sum()
    assert costs["token_bytes"] == pytest.approx(costs["now"]["store_bytes"] * share, abs=1)


def test_the_copies_that_are_timed_are_those_that_materialize_writes_and_none_is_kept(made, tmp_path):
    data = made()
    pieces = choose(data, 4, None)
    measured = written(data, pieces, tmp_path / "scratch")
    room = [sum((piece.lowest <= shift <= piece.highest) or shift == 0 for shift in (-24, 0, 24)) for piece in pieces]
    assert measured.files == sum(room)
    assert measured.notes == sum(count * piece.score.note_num() for count, piece in zip(room, pieces, strict=True))
    assert measured.seconds > 0
    assert list(tmp_path.iterdir()) == []


def test_reading_an_epoch_is_scaled_to_all_its_windows(made, monkeypatch):
    data = made()
    clock = itertools.count()
    monkeypatch.setattr("midiaug.inspection.costs.time.perf_counter", lambda: float(next(clock)))
    assert reading(data, shifted=True) == pytest.approx(len(data.train) / min(64, len(data.train)))


@pytest.mark.parametrize("kind", [REMI, CPWord])
def test_a_file_alone_is_seen_as_the_same_file_in_a_corpus(made, kind):
    data = made(draw="balanced", tokenizer=kind())
    pieces, ends = choose(data, 100, None), 2 * columns_of(data.tokenizer)
    lengths = [[len(row) - ends for row in piece.stored] for piece in pieces]  # less their beginning and their end
    checked = [Checked(piece.name, lengths=whole) for piece, whole in zip(pieces, lengths, strict=True)]
    alone, view = file_view(data, pieces, checked), training_view(data)
    val = [piece for piece in pieces if piece.side == "val"]
    kept = [item for item in zip(pieces, checked, strict=True) if item[0].side == "train"]
    assert val
    of_train = file_view(data, [piece for piece, _ in kept], [result for _, result in kept])
    assert of_train | {"val_windows": view["val_windows"]} == view
    assert alone["train_windows"] == view["train_windows"] + view["val_windows"]
