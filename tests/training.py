"""Small, whole training runs, in this process or in one of their own."""

import os
import subprocess
import sys
from pathlib import Path

from composed import composed
from forking import Running, Stop, forked, measure_briefly, started
from pytorch_lightning import Callback, Trainer, seed_everything

from midiaug.callbacks import History
from midiaug.fitting import fit
from midiaug.run import make_data, make_learner
from midiaug.settings import TrainSettings, checked
from midiaug.trainer import make_trainer

SMALL = (
    "data.window=48",
    "data.batch_size=16",
    "model.embed=12",
    "model.hidden=16",
    "trainer.max_epochs=3",
    "trainer.accelerator=cpu",
)
measure_briefly()


def overrides(folder: Path, cache: Path, *more: str) -> list[str]:
    """A small run on a folder, as words of a command line."""
    return ["data=folder", f"data.path='{folder}'", f"data.cache_dir='{cache}'", *SMALL, *more]


def settings(folder: Path, cache: Path, *more: str) -> TrainSettings:
    """The settings of a small run on a folder."""
    return checked(composed("train", *overrides(folder, cache, *more)))


class StopAfter(Callback):
    """Writes a checkpoint after so many steps, or at the end of an epoch, and breaks the run off."""

    def __init__(self, path: Path, *, step: int | None = None, epoch: int | None = None) -> None:
        self._path, self._step, self._epoch = path, step, epoch

    def on_train_batch_end(self, trainer: Trainer, *rest: object) -> None:
        if trainer.global_step == self._step:
            self._stop(trainer)

    def on_train_epoch_end(self, trainer: Trainer, *rest: object) -> None:
        if trainer.current_epoch + 1 == self._epoch:
            self._stop(trainer)

    def _stop(self, trainer: Trainer) -> None:
        trainer.save_checkpoint(self._path)
        raise InterruptedError


def run(chosen: TrainSettings, directory: Path, *callbacks: Callback, ckpt: Path | None = None):
    """Train in this process; returns the trainer, the learner and the rows of metrics.csv."""
    seed_everything(chosen.seed, verbose=False)
    data = make_data(chosen)
    learner = make_learner(chosen, data)
    history = History(directory, data)
    trainer = make_trainer(chosen, directory, history)
    trainer.callbacks.extend(callbacks)
    try:
        fit(trainer, learner, data, ckpt)
    except InterruptedError:
        trainer.loggers[0].finalize("stopped")
    return trainer, learner, history.rows


def command(cwd: Path, *words: str, name: str = "train", **popen: object) -> subprocess.Popen[str]:
    """Start `python -m midiaug.train`, or another command, in a process of its own."""
    arguments = [sys.executable, "-m", f"midiaug.{name}", *words]
    return subprocess.Popen(
        arguments, cwd=cwd, env=_environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **popen
    )


def finished(
    cwd: Path, *words: str, name: str = "train", anew: bool = False, stop: Stop | None = None
) -> tuple[int, str]:
    """The status of a command and what it said, at its end; in a forked process, which has imported everything.

    With `anew` Python is started, as a person starts it: at least once in the tests of each command.
    """
    if not anew:
        return forked(f"midiaug.{name}", list(words), cwd, _environment(), timeout=600, stop=stop)
    process = command(cwd, *words, name=name)
    output = process.communicate(timeout=600)[0]
    return process.returncode, output


def running(cwd: Path, *words: str, name: str = "train") -> Running:
    """A command that is started beside others; in a forked process, which has imported everything."""
    return started(f"midiaug.{name}", list(words), cwd, _environment())


def _environment() -> dict[str, str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    environment.pop("HYDRA_FULL_ERROR", None)
    return environment
