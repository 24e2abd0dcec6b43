"""The learner: its loss, its schedule, and what it measures in eval mode."""

import numpy as np
import pytest
import torch
from miditok import REMI
from pytorch_lightning import Trainer
from pytorch_lightning.loggers.logger import DummyLogger

from midiaug import Learner, MidiDataModule, Shifts
from midiaug.data.transpose import MAX_SHIFT
from midiaug.errors import CheckpointError, ConfigError
from midiaug.model import token_losses


def small_trainer(**options: object) -> Trainer:
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    options = {
        "max_epochs": 1,
        "accelerator": "cpu",
        "num_sanity_val_steps": 0,
        "enable_model_summary": False,
    } | options
    return Trainer(**(quiet | options))


def small_learner(tokenizer: object, **options: object) -> Learner:
    return Learner(tokenizer, {"embed": 8, "hidden": 12, "layers": 1, "dropout": 0.4}, **options)


@pytest.fixture
def data(folder_of_tunes, cache):
    return MidiDataModule(folder_of_tunes, REMI(), Shifts.of(-1, 0, 1), window=48, batch_size=16, cache_dir=cache)


def mean_loss(learner: Learner, loader: object) -> float:
    learner.eval()
    nats = tokens = 0
    for batch in loader:
        with torch.no_grad():
            nats += float(token_losses(learner(batch["input_ids"][:, :-1]), batch["labels"]).sum())
        tokens += int((batch["labels"][:, 1:] != -100).sum())
    return nats / tokens


def test_losses_are_taken_in_eval_mode_over_all_validation_and_as_many_training_windows(data):
    learner = small_learner(data.tokenizer)
    trainer = small_trainer()
    trainer.fit(learner, datamodule=data)
    measured = {name: float(value) for name, value in trainer.callback_metrics.items()}
    assert measured["loss/val"] == pytest.approx(mean_loss(learner, data.val_dataloader()), rel=1e-5)
    assert measured["loss/train"] == pytest.approx(mean_loss(learner, data.probe_dataloader()), rel=1e-5)
    assert measured["loss/gap"] == pytest.approx(measured["loss/val"] - measured["loss/train"], abs=1e-5)
    assert measured["perplexity/val"] == pytest.approx(np.exp(measured["loss/val"]), rel=1e-4)
    assert 0 <= measured["accuracy/top1"] <= measured["accuracy/top5"] <= 1
    assert measured["nats_per_note/val"] > measured["loss/val"], "a note takes several tokens"


def test_accuracy_counts_the_tokens_that_are_predicted_and_no_padding(data):
    learner = small_learner(data.tokenizer)
    trainer = small_trainer()
    trainer.fit(learner, datamodule=data)
    right = tokens = 0
    learner.eval()
    for batch in data.val_dataloader():
        with torch.no_grad():
            guess = learner(batch["input_ids"][:, :-1]).argmax(-1)
        target = batch["labels"][:, 1:]
        right += int(((guess == target) & (target != -100)).sum())
        tokens += int((target != -100).sum())
    assert float(trainer.callback_metrics["accuracy/top1"]) == pytest.approx(right / tokens, abs=1e-6)


def test_the_rate_rises_and_then_falls_along_a_cosine(data):
    learner = small_learner(data.tokenizer, lr=0.01, warmup=0.25)
    rates: list[float] = []

    learner.on_train_batch_start = lambda *_: rates.append(learner.optimizers().param_groups[0]["lr"])
    small_trainer(max_epochs=2).fit(learner, datamodule=data)
    steps = len(rates)
    peak = int(np.argmax(rates))
    assert 0.2 * steps < peak < 0.3 * steps
    assert max(rates) == pytest.approx(0.01, rel=0.05)
    assert np.all(np.diff(rates[: peak + 1]) > 0)
    assert np.all(np.diff(rates[peak:]) < 0)
    assert rates[-1] < 0.0005


def test_the_rate_is_defined_where_nothing_ends_the_training(data):
    learner = small_learner(data.tokenizer)
    small_trainer(max_epochs=-1, max_time="00:00:00:02").fit(learner, datamodule=data)
    assert 0 < learner.optimizers().param_groups[0]["lr"] <= 4e-3


class Notes(DummyLogger):
    """A logger that remembers."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: dict[int, float] = {}

    def log_metrics(self, metrics, step=None, **rest):
        if "loss/step" in metrics:
            assert step not in self.steps
            self.steps[step] = metrics["loss/step"]


@pytest.mark.parametrize("accumulate", [1, 2])
def test_the_loss_of_every_so_many_steps_is_logged(accumulate, data):
    learner, notes = small_learner(data.tokenizer), Notes()
    losses: list[torch.Tensor] = []
    step = learner.training_step
    learner.training_step = lambda batch, batch_idx: losses.append(step(batch, batch_idx)) or losses[-1]
    small_trainer(logger=notes, log_every_n_steps=3, accumulate_grad_batches=accumulate).fit(learner, datamodule=data)
    ends = [min(first + accumulate, len(losses)) - 1 for first in range(0, len(losses), accumulate)]
    last = [float(losses[end].detach()) for end in ends]  # of the batches that a step is made of
    assert len(last) > 8
    assert notes.steps == {number: pytest.approx(last[number], rel=1e-6) for number in range(2, len(last), 3)}


@pytest.mark.parametrize("options", [{"lr": 0.0}, {"weight_decay": -1.0}, {"warmup": 1.0}])
def test_absurd_settings_are_refused_by_name(options):
    with pytest.raises(ConfigError, match=rf"^optim\.{next(iter(options))}="):
        small_learner(REMI(), **options)


def test_it_trains_under_lightnings_own_defaults(data):
    trainer = Trainer(fast_dev_run=True, accelerator="cpu", enable_progress_bar=False, enable_model_summary=False)
    trainer.fit(small_learner(data.tokenizer), datamodule=data)
    assert trainer.global_step == 1


def test_a_model_comes_back_from_its_checkpoint_with_its_tokenizer(data, tmp_path):
    learner = small_learner(data.tokenizer)
    trainer = Trainer(
        max_steps=2, accelerator="cpu", logger=False, enable_progress_bar=False, default_root_dir=tmp_path
    )
    trainer.fit(learner, datamodule=data)
    trainer.save_checkpoint(tmp_path / "some.ckpt")
    loaded = Learner.load(tmp_path / "some.ckpt")
    assert not loaded.training
    assert loaded.tokenizer.vocab == data.tokenizer.vocab
    batch = next(iter(data.val_dataloader()))["input_ids"]
    with torch.no_grad():
        assert torch.equal(loaded(batch), learner.eval()(batch))


def test_a_file_that_is_no_checkpoint_is_refused_by_name(tmp_path):
    torch.save({"weights": torch.zeros(2)}, tmp_path / "other.ckpt")
    (tmp_path / "junk.ckpt").write_bytes(b"junk")
    for name in ("other.ckpt", "junk.ckpt", "missing.ckpt"):
        with pytest.raises(CheckpointError, match=name):
            Learner.load(tmp_path / name)


def test_a_checkpoint_that_cannot_be_read_is_not_called_damaged(tmp_path):
    with pytest.raises(CheckpointError, match=r"cannot be read \(Is a directory\); use another"):
        Learner.load(tmp_path)


def test_training_smooths_its_targets_and_the_measured_loss_does_not(data):
    torch.manual_seed(0)  # of an untrained model the two losses may be alike by chance
    plain, smooth = small_learner(data.tokenizer), small_learner(data.tokenizer, label_smoothing=0.3)
    smooth.load_state_dict(plain.state_dict())
    data.setup()
    batch = next(iter(data.train_dataloader()))
    plain.eval(), smooth.eval()
    with torch.no_grad():
        losses = token_losses(plain(batch["input_ids"][:, :-1]), batch["labels"], 0.3)
        mean = float(losses.sum() / (batch["labels"][:, 1:] != -100).sum())
        assert float(smooth.training_step(batch, 0)) == pytest.approx(mean, rel=1e-5)
        assert float(plain.training_step(batch, 0)) != pytest.approx(mean, rel=1e-5)
    with pytest.raises(ConfigError, match=r"optim\.label_smoothing=1\.0: give a share"):
        small_learner(data.tokenizer, label_smoothing=1.0)


def test_a_model_that_is_told_learns_from_the_batches_shifts(folder_of_tunes, cache):
    options = {"window": 48, "batch_size": 16, "cache_dir": cache, "tell_shifts": True}
    data = MidiDataModule(folder_of_tunes, REMI(), Shifts.of(-2, 3), **options)
    learner = Learner(data.tokenizer, {"embed": 8, "hidden": 12, "layers": 1, "condition": True})
    small_trainer().fit(learner, datamodule=data)
    moved = learner.model.shift_embedding.weight.detach().abs().sum(1).nonzero().flatten() - MAX_SHIFT
    assert moved.tolist() == [-2, 3]


def test_a_checkpoint_of_before_there_was_a_loss_term_was_trained_without_it(data):
    learner = small_learner(data.tokenizer)
    older = {"recipe": {**learner.recipe, "optim": {**learner.recipe["optim"]}}}
    del older["recipe"]["optim"]["equivariance"]
    learner.check_same(older)
    with pytest.raises(ConfigError, match=r"trained with optim\.equivariance=0\.0, and this run has 2"):
        small_learner(data.tokenizer, equivariance=2).check_same(older)
    with pytest.raises(ConfigError, match=r"trained with optim\.equivariance=2, and this run has 0\.0"):
        learner.check_same({"recipe": small_learner(data.tokenizer, equivariance=2).recipe})
