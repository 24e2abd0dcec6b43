"""A loss that is no longer a number ends the training, and what was good stays."""

import math

import pytest
import torch
from pytorch_lightning import Callback
from test_callbacks import rows_of
from training import run, settings

from midiaug.errors import TrainingError


class Spoil(Callback):
    """Lets a step of AdamW leave an infinite weight. step: within the second epoch; None: its last."""

    def __init__(self, step):
        self._step = step

    def on_train_start(self, trainer, pl_module):
        batches = trainer.num_training_batches
        self._left = batches + (self._step or batches)
        self._weight = next(pl_module.parameters())
        trainer.optimizers[0].register_step_post_hook(self._spoil)

    def _spoil(self, *step):
        self._left -= 1
        if not self._left:
            with torch.no_grad():
                self._weight.fill_(math.inf)


def all_finite(path):
    return all(bool(weight.isfinite().all()) for weight in torch.load(path, weights_only=True)["state_dict"].values())


@pytest.mark.parametrize(
    ("step", "minutes", "when"),
    [
        (1, 1e3, "in step"),  # the next step's loss shows it
        (1, 1e-9, "after step"),  # a checkpoint is due first
        (None, 1e3, "in the validation after step"),
    ],
)
def test_weights_that_are_no_numbers_end_the_training_and_reach_no_checkpoint(
    step, minutes, when, folder_of_tunes, cache, tmp_path
):
    chosen = settings(folder_of_tunes, cache, f"checkpoint.minutes={minutes}", "trainer.max_epochs=3")
    with pytest.raises(TrainingError, match=f"not a number {when} ") as caught:
        run(chosen, tmp_path / "run", Spoil(step))
    sentence = str(caught.value)
    assert "epoch 2, at a learning rate of 0.00" in sentence
    assert "lower optim.lr. The best model until then is kept in" in sentence, "the gradient is clipped already"
    assert sentence.endswith("best.ckpt")
    assert [row["epoch"] for row in rows_of(tmp_path / "run" / "metrics.csv")] == ["1"]
    kept = sorted((tmp_path / "run" / "checkpoints").iterdir())
    assert [path.name for path in kept] == ["best.ckpt", "last.ckpt"]
    assert all(all_finite(path) for path in kept)


@pytest.mark.parametrize("rate", ["1e30", "1e38"])  # a loss that is not a number; a rate that AdamW cannot use
def test_a_rate_beyond_reason_is_one_sentence_with_its_cures(rate, folder_of_tunes, cache, tmp_path):
    chosen = settings(folder_of_tunes, cache, f"optim.lr={rate}", "trainer.gradient_clip_val=null", "model.layers=1")
    with pytest.raises(TrainingError, match="not a number in") as caught:
        run(chosen, tmp_path)
    assert "epoch 1" in str(caught.value)
    assert str(caught.value).endswith("lower optim.lr, or clip the gradient with trainer.gradient_clip_val=1")
    assert not list(tmp_path.rglob("*.ckpt"))


def test_an_equivariance_term_that_is_too_heavy_is_named(folder_of_tunes, cache, tmp_path):
    heavy = ("optim.equivariance=1e38", "aug.shifts=[-2,2]", "optim.lr=1e10")
    with pytest.raises(TrainingError, match=r"lower optim\.equivariance"):
        run(settings(folder_of_tunes, cache, *heavy), tmp_path)
