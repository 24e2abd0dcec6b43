"""What summary.json and TensorBoard's tab of a sweep hold."""

from types import SimpleNamespace

import pytest
from training import run, settings

from midiaug import outcome
from midiaug.callbacks import History
from midiaug.equivariance import OverKeys
from midiaug.outcome import compared, final_figures, loader_speed, summary_of

IN_KEYS = OverKeys({-1: 2.0, 0: 1.5, 1: 2.5}, equivariance=0.25, averaged=1.75)


@pytest.fixture(scope="module")
def chosen(folder_of_tunes, shared_cache):
    return settings(folder_of_tunes, shared_cache, "aug.shifts=[-1,1]", "trainer.max_epochs=2", "seed=3")


@pytest.fixture(scope="module")
def done(chosen, tmp_path_factory):
    """The data and the history of a run."""
    trainer, _, _ = run(chosen, tmp_path_factory.mktemp("run"))
    return trainer.datamodule, next(callback for callback in trainer.callbacks if isinstance(callback, History))


def test_the_summary_is_of_the_best_epoch_and_of_all_keys(chosen, done):
    data, history = done
    summary = summary_of(chosen, data, history, IN_KEYS, OverKeys({}))
    best = min(history.rows, key=lambda row: row["loss/val"])
    assert summary["loss"] == {side: best[f"loss/{side}"] for side in ("train", "val", "gap")}
    assert (summary["best_epoch"], summary["epochs"]) == (best["epoch"], 2)
    assert summary["loss_by_key"] == {"-1": 2.0, "0": 1.5, "1": 2.5}
    assert (summary["key_spread"], summary["over_keys"]) == (1.0, 2.0)
    assert (summary["equivariance"], summary["loss_averaged_over_keys"]) == (0.25, 1.75)
    assert summary["told"] is None
    assert summary["settings"]["optim"]["lr"] == chosen.optim.lr
    assert "cell" not in summary["model"]


def test_what_a_model_that_was_told_does_stands_apart(chosen, done):
    summary = summary_of(chosen, *done, IN_KEYS, OverKeys({0: 1.0, 1: 1.25}))
    assert summary["told"]["loss_by_key"] == {"0": 1.0, "1": 1.25}
    assert (summary["told"]["key_spread"], summary["key_spread"]) == (0.25, 1.0)


def test_the_tab_of_a_sweep_has_what_is_known(chosen, done):
    data, history = done
    figures = final_figures(history, IN_KEYS)
    assert (figures["best/key_spread"], figures["best/equivariance"]) == (1.0, 0.25)
    assert figures["best/gap"] == pytest.approx(figures["best/val"] - figures["best/train"], abs=1e-6)
    assert set(figures) - set(final_figures(history, OverKeys({}))) == {"best/key_spread", "best/equivariance"}
    tab = compared(chosen, data)
    assert (tab["aug shifts"], tab["seed"], tab["tokenizer"], tab["window"]) == ("[-1, 0, +1]", 3, "REMI", 48)


def test_the_loaders_speed_counts_tokens_without_padding_over_as_many_epochs_as_it_takes(chosen, done, monkeypatch):
    data, _ = done
    batches = [int(batch["attention_mask"].sum()) for batch in data.train_dataloader()]
    assert sum(batches) < sum(batch["input_ids"].numel() for batch in data.train_dataloader())
    clock = iter([0.0, *(0.5 for _ in batches), 2.0, 4.0])  # the second epoch's first batch is the last
    monkeypatch.setattr(outcome, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    assert 0 < 4 * loader_speed(data, seconds=1.0) - sum(batches) <= chosen.data.batch_size * chosen.data.window
