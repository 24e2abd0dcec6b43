"""The average of the weights: what is validated, measured and kept; training goes on with the weights themselves."""

import pytest
import torch
import training
from pytorch_lightning import Callback

from midiaug.errors import ConfigError
from midiaug.learner import Learner
from midiaug.model import token_losses


class Watch(Callback):
    """Keeps the weights as they are behind each training step, and while the training pieces are measured."""

    def __init__(self):
        self.behind_steps, self.while_validated = [], []

    def on_train_batch_end(self, trainer, pl_module, *rest):
        self.behind_steps.append(pl_module.model.output.bias.detach().clone())

    def on_validation_epoch_end(self, trainer, pl_module):  # before the learner measures the training pieces
        self.while_validated.append((len(self.behind_steps), pl_module.model.output.bias.detach().clone()))


@pytest.fixture
def averaged(folder_of_tunes, cache):
    return training.settings(folder_of_tunes, cache, "optim.average=0.8", "trainer.num_sanity_val_steps=0")


def moving_average(weights, decay=0.8):
    """The reference: the first weights, then decay times what was, and the rest of what is."""
    average = weights[0].double()
    for weight in weights[1:]:
        average = decay * average + (1 - decay) * weight.double()
    return average


def test_what_is_validated_is_the_moving_average_and_training_goes_on_without_it(averaged, tmp_path):
    watch = Watch()
    rows = training.run(averaged, tmp_path, watch)[2]
    assert len(watch.while_validated) == 3
    for steps, weight in watch.while_validated:
        expected = moving_average(watch.behind_steps[:steps])
        torch.testing.assert_close(weight.double(), expected, rtol=1e-4, atol=1e-6)
        assert not torch.allclose(weight, watch.behind_steps[steps - 1], atol=1e-5)
    best = Learner.load(tmp_path / "checkpoints" / "best.ckpt")
    steps, weight = watch.while_validated[min(range(3), key=lambda epoch: rows[epoch]["loss/val"])]
    assert torch.equal(best.model.output.bias, weight)


def test_both_losses_are_those_of_the_average(averaged, tmp_path):
    trainer, _, rows = training.run(averaged, tmp_path)
    best = Learner.load(tmp_path / "checkpoints" / "best.ckpt")
    row = min(rows, key=lambda row: row["loss/val"])
    for side, loader in (
        ("val", trainer.datamodule.val_dataloader()),
        ("train", trainer.datamodule.probe_dataloader()),
    ):
        nats = tokens = 0
        for batch in loader:
            with torch.no_grad():
                nats += float(token_losses(best(batch["input_ids"][:, :-1]), batch["labels"]).sum())
            tokens += int((batch["labels"][:, 1:] != -100).sum())
        assert row[f"loss/{side}"] == pytest.approx(nats / tokens, rel=1e-5)


def test_a_run_that_was_stopped_goes_on_with_weights_and_average(averaged, tmp_path):
    whole, _, rows = training.run(averaged, tmp_path / "whole")
    stopped = tmp_path / "stopped"
    training.run(averaged, stopped, training.StopAfter(tmp_path / "last.ckpt", epoch=2))
    (stopped / "checkpoints").mkdir(exist_ok=True)
    _, learner, resumed = training.run(averaged, stopped, ckpt=tmp_path / "last.ckpt")
    kept = [{key: value for key, value in row.items() if key != "tokens_per_second"} for row in (*rows, *resumed)]
    assert kept[: len(rows)] == kept[len(rows) :]
    for one, other in zip(whole.lightning_module.parameters(), learner.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("decay", [1.0, -0.1, 2.0])
def test_a_share_that_is_none_is_refused(folder_of_tunes, cache, tmp_path, decay):
    with pytest.raises(ConfigError, match=rf"optim\.average={decay}: give a share from 0 to below 1"):
        training.run(training.settings(folder_of_tunes, cache, f"optim.average={decay}"), tmp_path)
