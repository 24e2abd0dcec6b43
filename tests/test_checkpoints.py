"""The checkpoints of a run: each whole or not at all, of the best epoch and of the last step, and never in between."""

import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import BinaryIO

import pytest
import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from training import run, settings

from midiaug.callbacks import History
from midiaug.checkpoints import BestCheckpoint, LastCheckpoint, Patience, WholeCheckpoints, check_room_for_checkpoints
from midiaug.errors import OutputError
from midiaug.run import train_model
from midiaug.trainer import make_trainer

FOUR_AT_ONCE = ("trainer.accumulate_grad_batches=4", "checkpoint.minutes=1e-9", "trainer.max_epochs=2")


@pytest.fixture(scope="module")
def done(folder_of_tunes, shared_cache, tmp_path_factory):
    """The folder of a run, its settings and its rows."""
    chosen, folder = settings(folder_of_tunes, shared_cache, "aug.shifts=[-2,2]"), tmp_path_factory.mktemp("run")
    return folder, chosen, run(chosen, folder)[2]


# Whole or not at all


def test_a_checkpoint_is_whole_where_temporary_files_cannot_be_kept(
    folder_of_tunes, shared_cache, tmp_path, monkeypatch
):
    (tmp_path / "full").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "full" / "not there"))
    run(settings(folder_of_tunes, shared_cache, "trainer.max_epochs=1"), tmp_path / "run")
    assert torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] > 0


def test_a_failed_write_leaves_the_checkpoint_of_before(tmp_path, monkeypatch):
    path = tmp_path / "last.ckpt"
    path.write_bytes(b"as it was")

    def full(content: object, file: BinaryIO) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space"):
        WholeCheckpoints().save_checkpoint({}, path)
    assert path.read_bytes() == b"as it was"
    assert list(tmp_path.iterdir()) == [path]


# The last step


@pytest.mark.parametrize(("minutes", "inside"), [(1e-9, True), (1e3, False)])
def test_last_is_written_at_each_epochs_end_and_by_the_clock_in_between(
    minutes, inside, folder_of_tunes, cache, tmp_path, monkeypatch
):
    steps = []
    write = LastCheckpoint._write
    monkeypatch.setattr(
        LastCheckpoint, "_write", lambda self, trainer: (steps.append(trainer.global_step), write(self, trainer))
    )
    trainer, _, _ = run(settings(folder_of_tunes, cache, f"checkpoint.minutes={minutes}"), tmp_path)
    batches = trainer.num_training_batches
    ends = [batches, 2 * batches, 3 * batches]
    assert [step for step in steps if step in ends] == ends, "once at each epoch's end"
    assert bool(set(steps) - set(ends)) == inside
    assert (tmp_path / "checkpoints" / "last.ckpt").is_file()


def test_a_checkpoint_is_not_written_between_a_batch_and_its_validation(folder_of_tunes, shared_cache, tmp_path):
    more = ("trainer.val_check_interval=10", "checkpoint.minutes=1e-9", "trainer.max_epochs=1")
    chosen = settings(folder_of_tunes, shared_cache, *more)
    _, _, rows = run(chosen, tmp_path / "whole")

    class Break(Callback):
        def on_validation_start(self, trainer, pl_module):
            if trainer.global_step == 20:
                raise InterruptedError

    run(chosen, tmp_path / "broken", Break())
    _, _, again = run(chosen, tmp_path / "broken", ckpt=tmp_path / "broken" / "checkpoints" / "last.ckpt")
    assert [(row["step"], row["loss/val"]) for row in again] == [(row["step"], row["loss/val"]) for row in rows]


@pytest.fixture(scope="module")
def without_a_break(folder_of_tunes, shared_cache, tmp_path_factory):
    """The weights of a run that adds up the gradients of four batches."""
    chosen = settings(folder_of_tunes, shared_cache, *FOUR_AT_ONCE)
    return run(chosen, tmp_path_factory.mktemp("whole"))[1].state_dict()


@pytest.mark.parametrize("after", [16, 17, 18])
def test_a_checkpoint_is_not_written_while_gradients_wait_for_more_batches(
    after, without_a_break, folder_of_tunes, shared_cache, tmp_path
):
    chosen = settings(folder_of_tunes, shared_cache, *FOUR_AT_ONCE)

    class Break(Callback):
        def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
            if trainer.current_epoch == 0 and batch_idx == after:
                raise InterruptedError

    run(chosen, tmp_path / "broken", Break())
    _, again, _ = run(chosen, tmp_path / "broken", ckpt=tmp_path / "broken" / "checkpoints" / "last.ckpt")
    for name, weight in without_a_break.items():
        assert torch.equal(weight, again.state_dict()[name]), name


# The best epoch


def test_a_lone_last_checkpoint_looks_for_its_best_epoch_from_there_on(done, tmp_path):
    folder, chosen, rows = done
    lone = tmp_path / "last.ckpt"
    (tmp_path / "run").mkdir()
    shutil.copyfile(folder / "checkpoints" / "last.ckpt", lone)
    assert train_model(chosen, tmp_path / "run", lone) == rows[-1]["loss/val"]
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["best_epoch"] == 3


def best_of(folder: Path, content: dict) -> BestCheckpoint:
    """What goes on in a folder from a checkpoint's state."""
    best = BestCheckpoint(folder)
    best.load_state_dict(next(state for name, state in content["callbacks"].items() if "BestCheckpoint" in name))
    return best


def test_the_best_so_far_is_that_of_the_runs_own_folder_wherever_the_checkpoint_was_written(done, tmp_path):
    folder, _, rows = done
    content = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    shutil.copyfile(folder / "checkpoints" / "best.ckpt", tmp_path / "best.ckpt")
    there = best_of(tmp_path, content)
    assert there.best_model_path == str(tmp_path / "best.ckpt")
    assert list(there.best_k_models) == [str(tmp_path / "best.ckpt")]
    assert float(there.best_model_score) == pytest.approx(min(row["loss/val"] for row in rows))
    nowhere = best_of(tmp_path / "empty", content)
    assert (nowhere.best_model_path, nowhere.best_k_models, nowhere.best_model_score) == ("", {}, None)


def test_checkpoints_hold_no_code(done):
    for name in ("best", "last"):
        content = torch.load(done[0] / "checkpoints" / f"{name}.ckpt", weights_only=True)
        assert content["recipe"]["model"]["hidden"] == 16


# Patience


def test_a_run_that_was_stopped_early_is_at_its_end_until_it_is_given_more_patience(
    folder_of_tunes, shared_cache, tmp_path
):
    overfitting = ("data.limit=5", "model.hidden=48", "model.dropout=0", "optim.lr=0.05", "trainer.max_epochs=60")
    rows = run(settings(folder_of_tunes, shared_cache, *overfitting), tmp_path)[2]
    last = tmp_path / "checkpoints" / "last.ckpt"
    assert len(rows) < 60
    assert run(settings(folder_of_tunes, shared_cache, *overfitting), tmp_path, ckpt=last)[2] == rows
    more = settings(folder_of_tunes, shared_cache, *overfitting, "early_stopping.patience=6")
    assert len(run(more, tmp_path, ckpt=last)[2]) > len(rows)


def ends_at_once(patience: Patience, waited: int) -> bool:
    patience.load_state_dict(Patience(4).state_dict() | {"wait_count": waited})
    trainer = Trainer(logger=False, enable_checkpointing=False, accelerator="cpu", callbacks=[patience])
    patience.on_train_start(trainer, LightningModule())
    return trainer.should_stop


def test_epochs_are_counted_on_and_held_against_the_patience_of_this_run():
    assert [ends_at_once(Patience(epochs), waited=5) for epochs in (4, 5, 6)] == [True, True, False]


# Room


def trainer_of(folder: Path, cache: Path, directory: Path, *more: str) -> Trainer:
    return make_trainer(settings(folder, cache, *more), directory, History(directory, None))


@pytest.mark.parametrize(("there", "files"), [((), 3), (("last.ckpt",), 2), (("best.ckpt", "last.ckpt"), 1)])
def test_a_folder_without_room_is_refused_with_how_many_files_it_lacks_room_for(
    there, files, folder_of_tunes, shared_cache, disk
):
    directory = disk.path / "runs" / "a"
    for name in there:
        (directory / "checkpoints").mkdir(parents=True, exist_ok=True)
        (directory / "checkpoints" / name).touch()
    before = disk.files()
    trainer = trainer_of(folder_of_tunes, shared_cache, directory)
    disk.fill(leave=files * 12 * 45_000)
    check_room_for_checkpoints(trainer, directory, 40_000)
    with pytest.raises(OutputError, match=rf"runs/a: no room for {files} checkpoints of 0\.6 MB \(No space left"):
        check_room_for_checkpoints(trainer, directory, 50_000)
    assert disk.files() == before


def test_a_rehearsal_writes_none_and_needs_no_room(folder_of_tunes, shared_cache, tmp_path):
    trainer = trainer_of(folder_of_tunes, shared_cache, tmp_path, "trainer.fast_dev_run=true")
    check_room_for_checkpoints(trainer, tmp_path, 1 << 60)


def test_ctrl_c_waits_at_any_moment_until_a_checkpoint_is_whole(tmp_path):
    content = {"state_dict": {str(number): torch.zeros(64, 64) for number in range(60)}}
    path, checkpoints, stopped = tmp_path / "last.ckpt", WholeCheckpoints(), 0
    begin = time.perf_counter()
    checkpoints.save_checkpoint(content, path)
    whole, took = path.read_bytes(), time.perf_counter() - begin
    before = signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    try:
        for number in range(100):
            try:
                signal.setitimer(signal.ITIMER_REAL, took * (number + 1) / 200)
                checkpoints.save_checkpoint(content, path)
                time.sleep(took)
            except KeyboardInterrupt:
                stopped += 1
            assert path.read_bytes() == whole
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert stopped == 100
    assert [file.name for file in tmp_path.iterdir()] == ["last.ckpt"]
