"""Each way in which a training may end early has one sentence."""

import multiprocessing
import os
import signal
import subprocess
import time

import pytest
import torch
from pytorch_lightning import Callback
from training import run, settings

from midiaug.data.sampler import TransposingLoader
from midiaug.errors import CheckpointError, ConfigError, TrainingError
from midiaug.run import train_model


class At(Callback):
    """Does something before the first step."""

    def __init__(self, act):
        self._act = act

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self._act()


def end_workers(*numbers: int) -> None:
    """Signals from elsewhere to the processes that read, the last also to this one."""
    for process, number in zip(multiprocessing.active_children(), numbers, strict=False):
        subprocess.run(["kill", f"-{number}", str(process.pid)], check=True)  # noqa: S607
    if len(numbers) > 1:
        os.kill(os.getpid(), numbers[-1])
    time.sleep(2)  # where torch notices at once, it breaks this off


def too_much() -> None:
    torch.empty(1 << 60)


def far_too_much() -> None:
    bytearray(1 << 60)


@pytest.mark.parametrize("act", [too_much, far_too_much])
def test_where_the_memory_does_not_suffice_the_keys_that_decide_it_are_named(
    act, folder_of_tunes, shared_cache, tmp_path
):
    chosen = settings(folder_of_tunes, shared_cache)
    with pytest.raises(
        TrainingError,
        match=r"the memory does not suffice in step 1 \(.*\); give a smaller data\.batch_size than 16, a smaller "
        r"data\.window than 48, or a smaller model$",
    ):
        run(chosen, tmp_path, At(act))


def test_a_reading_process_that_is_killed_is_named_with_what_to_do(folder_of_tunes, shared_cache, tmp_path):
    chosen = settings(folder_of_tunes, shared_cache, "data.num_workers=2", "data.route=midi")
    with pytest.raises(
        TrainingError, match=r"was killed \(signal: (Killed|unknown)\).*smaller data\.num_workers than 2$"
    ):
        run(chosen, tmp_path, At(lambda: end_workers(signal.SIGKILL)))
    assert multiprocessing.active_children() == []


def test_reading_processes_that_are_told_to_end_stop_the_run_as_ctrl_c_does(
    folder_of_tunes, shared_cache, tmp_path, caplog
):
    chosen = settings(folder_of_tunes, shared_cache, "data.num_workers=2", "data.route=midi")
    with caplog.at_level("INFO", "midiaug"), pytest.raises(KeyboardInterrupt):
        run(chosen, tmp_path, At(lambda: end_workers(signal.SIGTERM, signal.SIGTERM)))
    assert "stopped before its first checkpoint: nothing is kept, and the same command begins anew" in caplog.text


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, OSError])
def test_what_ends_a_run_whose_readers_are_about_to_start_is_not_hidden_by_lightnings_teardown(
    stop, folder_of_tunes, shared_cache, tmp_path, monkeypatch
):
    def stopped(loader):
        raise stop("stopped")

    monkeypatch.setattr(TransposingLoader, "__iter__", stopped)
    with pytest.raises(OSError if stop is OSError else KeyboardInterrupt):
        run(settings(folder_of_tunes, shared_cache), tmp_path)


def test_any_other_error_stays_what_it_is(folder_of_tunes, shared_cache, tmp_path):
    with pytest.raises(RuntimeError, match="size of tensor a"):
        run(settings(folder_of_tunes, shared_cache), tmp_path, At(lambda: torch.zeros(2) + torch.zeros(3)))


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("model=gru", "it was trained with model=lstm, and this run has gru"),
        ("model.hidden=17", "it was trained with model.hidden=16, and this run has 17"),
        ("data.window=32", "trained with data.window=48, and this run has 32"),
    ],
)
def test_a_checkpoint_of_another_model_is_refused_by_its_file(word, reason, folder_of_tunes, shared_cache, tmp_path):
    (tmp_path / "run").mkdir()
    train_model(settings(folder_of_tunes, shared_cache, "trainer.max_epochs=1"), tmp_path / "run")
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    before = last.read_bytes()
    with pytest.raises(ConfigError) as refusal:
        train_model(settings(folder_of_tunes, shared_cache, word), tmp_path / "other", last)
    assert str(refusal.value) == f"ckpt={last}: {reason}; use the same, name another run's file, or leave ckpt out"
    assert last.read_bytes() == before
    assert not (tmp_path / "other").exists()


@pytest.fixture(scope="module")
def checkpoint(folder_of_tunes, shared_cache, tmp_path_factory):
    """A run's last checkpoint, to go on from."""
    directory = tmp_path_factory.mktemp("run")
    train_model(settings(folder_of_tunes, shared_cache, "trainer.max_epochs=1"), directory)
    return directory / "checkpoints" / "last.ckpt"


def _without_rows(content):
    del content["callbacks"]["History"]["rows"]


def _of_other_rows(content):
    content["callbacks"]["History"]["rows"] = [{"epoch": 1}]


def _of_one_number(content):
    content["callbacks"]["History"] = 3


def _of_a_list(content):
    content["callbacks"] = [1]


def _without_weights(content):
    content["state_dict"] = {}


def _of_other_sizes(content):
    content["state_dict"] = {name: weights[:1] for name, weights in content["state_dict"].items()}


def _without_optimizer(content):
    content["optimizer_states"] = [{}]


@pytest.mark.parametrize(
    "damage",
    [
        *(_without_rows, _of_other_rows, _of_one_number, _of_a_list),
        *(_without_weights, _of_other_sizes, _without_optimizer),
    ],
)
def test_a_checkpoint_that_lacks_what_a_training_goes_on_with_is_refused_by_name(
    checkpoint, damage, folder_of_tunes, shared_cache, tmp_path
):
    content = torch.load(checkpoint, weights_only=True)
    damage(content)
    torch.save(content, tmp_path / "other.ckpt")
    chosen = settings(folder_of_tunes, shared_cache, "trainer.max_epochs=2")
    with pytest.raises(CheckpointError, match=r"ckpt=.*other\.ckpt: a training cannot go on with what it holds \("):
        train_model(chosen, tmp_path, tmp_path / "other.ckpt")
