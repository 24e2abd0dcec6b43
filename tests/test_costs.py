"""What training would see, and what files on disk would cost."""

import numpy as np
import pytest
from miditok import REMI

from midiaug.data.module import MidiDataModule
from midiaug.data.shifts import Shifts
from midiaug.inspection.checks import Checked
from midiaug.inspection.costs import materializing, training_view


@pytest.fixture(scope="module")
def made(tmp_path_factory, folder_of_tunes):
    def make(**others):
        module = MidiDataModule(
            folder_of_tunes, tokenizer=REMI(), shifts=Shifts.of(-24, 0, 24), window=40, cache_dir=cache, **others
        )
        module.setup()
        return module

    cache = tmp_path_factory.mktemp("cache")
    return make


def test_the_tokens_of_an_epoch_are_those_that_its_batches_predict(made):
    data = made()
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


def test_the_estimate_scales_what_was_measured_by_the_notes_of_all_copies(made):
    data = made()
    one = Checked("a", files={0: "a_+0.mid"}, seconds=0.5, bytes=1000, notes=100)
    costs = materializing(data, [one], 1.0, True)
    room = [np.asarray(data.store.lowest) <= -24, np.asarray(data.store.highest) >= 24]
    copies = 1 + room[0].astype(int) + room[1]
    assert costs["files"] == copies.sum()
    assert costs["bytes"] == 10 * (copies * np.asarray(data.corpus.notes)).sum()
    assert costs["seconds"] == pytest.approx(costs["bytes"] / 1000 * 0.5, abs=0.1)
    assert costs["now"]["store_bytes"] == sum(path.stat().st_size for path in data.store.directory.iterdir())
