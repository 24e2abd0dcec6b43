"""metrics.csv and val_pieces.csv, while a run goes on."""

import csv

import pytest
from pytorch_lightning import Callback
from training import StopAfter, run, settings

from midiaug.callbacks import History
from midiaug.settings import validated_by


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_files_are_there_after_each_epoch_and_the_pieces_are_those_of_the_best(folder_of_tunes, cache, tmp_path):
    seen = []

    class Look(Callback):
        def on_train_epoch_end(self, trainer, pl_module):
            metrics = rows_of(tmp_path / "metrics.csv")
            pieces = rows_of(tmp_path / "val_pieces.csv")
            total = sum(float(row["nats"]) for row in pieces) / sum(int(row["tokens"]) for row in pieces)
            seen.append((len(metrics), total, min(float(row["loss/val"]) for row in metrics)))

    # few pieces and no dropout: the loss rises again, and early stopping ends the run
    overfitting = ("data.limit=5", "model.hidden=48", "model.dropout=0", "optim.lr=0.05", "trainer.max_epochs=60")
    run(settings(folder_of_tunes, cache, *overfitting), tmp_path, Look())
    assert [entry[0] for entry in seen] == list(range(1, len(seen) + 1))
    assert len(seen) < 60
    for _, total, best in seen:
        assert total == pytest.approx(best, rel=1e-5)
    values = [float(row["loss/val"]) for row in rows_of(tmp_path / "metrics.csv")]
    assert values.index(min(values)) == len(values) - 5, "patience is 4 epochs"


def test_tokens_a_second_counts_the_epochs_tokens_without_padding(folder_of_tunes, cache, tmp_path):
    trainer, _, rows = run(settings(folder_of_tunes, cache, "trainer.max_epochs=1"), tmp_path)
    history = next(callback for callback in trainer.callbacks if hasattr(callback, "rows"))
    loader = trainer.datamodule.train_dataloader()
    assert int(history._tokens) == sum(int(batch["attention_mask"].sum()) for batch in loader)
    assert rows[0]["tokens_per_second"] == pytest.approx(history.tokens_per_second, abs=1)


def test_the_tokens_of_a_row_are_those_since_the_first_step_also_of_a_resumed_run(folder_of_tunes, cache, tmp_path):
    chosen = settings(folder_of_tunes, cache, "trainer.max_epochs=2")
    trainer, _, whole = run(chosen, tmp_path)
    loader = trainer.datamodule.train_dataloader()
    epoch = sum(int(batch["attention_mask"].sum()) for batch in loader)
    assert [row["tokens"] for row in whole] == [epoch, 2 * epoch]
    (tmp_path / "stopped").mkdir()
    file = tmp_path / "stopped.ckpt"
    run(chosen, tmp_path / "stopped", StopAfter(file, step=len(loader) + len(loader) // 2))
    _, _, resumed = run(chosen, tmp_path / "stopped", ckpt=file)
    assert [row["tokens"] for row in resumed] == [epoch, 2 * epoch]


@pytest.mark.parametrize(
    ("words", "unit"),
    [
        ((), "epoch"),
        (("trainer.check_val_every_n_epoch=2",), "epoch"),
        (("trainer.val_check_interval=0.5",), "step"),
        (("trainer.val_check_interval=3", "trainer.check_val_every_n_epoch=null"), "step"),
    ],
)
def test_rows_are_called_by_steps_where_validations_do_not_stand_at_the_ends_of_epochs(
    words, unit, folder_of_tunes, shared_cache, tmp_path
):
    chosen = settings(folder_of_tunes, shared_cache, "trainer.max_epochs=2", *words)
    trainer, _, rows = run(chosen, tmp_path)
    (history,) = (callback for callback in trainer.callbacks if isinstance(callback, History))
    assert history.unit == unit == validated_by(chosen.trainer)
    assert len({row[unit] for row in rows}) == len(rows) > 0
