"""Lightning's fit, with one sentence for each way in which it may end early."""

import logging
import re
import shlex
import shutil
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning import Trainer

from midiaug.callbacks import History
from midiaug.data.module import MidiDataModule
from midiaug.data.report import say
from midiaug.directories import shown, this_command
from midiaug.errors import CheckpointError, ConfigError, MidiaugError, OutputError, TrainingError, one_line
from midiaug.files import write_whole
from midiaug.finite import diverged
from midiaug.learner import Learner
from midiaug.places import fault_of
from midiaug.trainer import refused

log = logging.getLogger("midiaug")
_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")  # CUDA, a CPU on Linux, and on Windows
_WORKER = re.compile(r"DataLoader worker \(pid.*?(?:killed by signal: (\w+)|exited unexpectedly)")


def fit(trainer: Trainer, learner: Learner, data: MidiDataModule, ckpt: Path | None) -> None:
    """Train. After Ctrl-C or SIGTERM says how to go on, and raises KeyboardInterrupt.

    Raises CheckpointError for a checkpoint that cannot be read; ConfigError for what Lightning refuses; TrainingError
    where the memory does not suffice, or a process that reads was killed.
    """
    checkpoints = Path(trainer.default_root_dir) / "checkpoints"
    if ckpt is not None:
        say("resuming", f"from {shown(ckpt)}")
        _bring_best(ckpt.with_name("best.ckpt"), checkpoints, trainer)
    try:
        with _restoring(ckpt):
            trainer.fit(learner, datamodule=data, ckpt_path=ckpt, weights_only=True)
    except MisconfigurationException as error:
        raise refused(error) from error
    except ValueError as error:
        if "val_check_interval" not in str(error):
            raise
        raise refused(error) from error
    except (RuntimeError, MemoryError) as error:
        first = _before_teardown(error)
        if isinstance(first, KeyboardInterrupt | SystemExit):
            _stopped(trainer, checkpoints)
        if not isinstance(first, RuntimeError | MemoryError):
            raise first from None
        if "without overflow" in str(first):  # a rate that AdamW multiplies beyond all numbers
            raise diverged("in", trainer) from first
        _end_of(first, trainer, data, checkpoints)
    except SystemExit:  # what Lightning makes of Ctrl-C
        _stopped(trainer, checkpoints)
    finally:
        data.teardown()  # Lightning does not where training fails


def check_same(learner: Learner, data: MidiDataModule, content: dict[str, Any], ckpt: Path) -> None:
    """Raise ConfigError for a checkpoint of another model or other music, by its file: `last` is the newest of any."""
    try:
        learner.check_same(content)
        data.check_same(content["MidiDataModule"])
    except ConfigError as error:
        reason = str(error).removeprefix("ckpt: ").replace("model.cell=", "model=")
        raise ConfigError(f"ckpt={shown(ckpt)}: {reason}, name another run's file, or leave ckpt out") from error


def say_how_to_go_on(trainer: Trainer, history: History) -> None:
    """Where the loss of a run still fell at its end, give the command that trains it for three times as long."""
    last = Path(trainer.default_root_dir) / "checkpoints" / "last.ckpt"
    fell = len(history.rows) > 1 and history.best is history.rows[-1] and last.is_file()
    if not (fell and HydraConfig.initialized() and HydraConfig.get().mode == RunMode.RUN):
        return
    key, so_far = ("max_steps", trainer.max_steps) if trainer.max_steps > 0 else ("max_epochs", trainer.max_epochs)
    if so_far is None or so_far < 1:  # a run of so many minutes
        return
    command = f"{this_command(f'trainer.{key}')} trainer.{key}={3 * so_far} {shlex.quote(f'ckpt={shown(last)}')}"
    say("still fell", f"the validation loss, to the end; three times as long: {command}")


@contextmanager
def _restoring(ckpt: Path | None) -> Iterator[None]:
    """Raise CheckpointError where a checkpoint lacks what a training goes on with; else the failure itself."""
    try:
        yield
    except (MidiaugError, OSError, MemoryError):
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        restoring = any("checkpoint_connector" in frame.filename and "restore" in frame.name for frame in frames)
        if ckpt is None or not restoring or any(words in str(error).lower() for words in _NO_MEMORY):
            raise
        raise CheckpointError(
            f"ckpt={ckpt}: a training cannot go on with what it holds ({type(error).__name__}: {one_line(error)}); "
            "give a checkpoint as a run wrote it"
        ) from error


@contextmanager
def place_written(directory: Path) -> Iterator[None]:
    """Raise OutputError where the run's folder cannot be written any more, with the command to go on with."""
    try:
        yield
    except (OSError, ValueError) as error:
        fault = fault_of(error)
        if fault is None or isinstance(error, MidiaugError):
            raise
        how = _how_to_go_on(directory / "checkpoints")
        advice = f"free space there. {how}" if how else "free space there, or write elsewhere with hydra.run.dir=DIR"
        where = shown(Path(fault.filename or directory).absolute())
        raise OutputError(f"{where}: cannot be written ({fault.strerror}); {advice}") from error


def _before_teardown(error: BaseException) -> BaseException:
    """The failure itself: Lightning's teardown fails too, and hides it, where the readers were about to start."""
    return error.__context__ if "iter(combined_loader)" in str(error) and error.__context__ else error


def _bring_best(best: Path, checkpoints: Path, trainer: Trainer) -> None:
    """Copy the best checkpoint of a run that goes on in another folder."""
    if trainer.is_global_zero and best.is_file() and best.parent != checkpoints.resolve():
        checkpoints.mkdir(parents=True, exist_ok=True)
        write_whole(checkpoints / "best.ckpt", lambda temporary: shutil.copyfile(best, temporary))


def _stopped(trainer: Trainer, checkpoints: Path) -> NoReturn:
    if trainer.is_global_zero:
        how = _how_to_go_on(checkpoints)
        log.info("stopped. %s", how) if how else log.info(
            "stopped before its first checkpoint: nothing is kept, and the same command begins anew"
        )
    raise KeyboardInterrupt from None


def _how_to_go_on(checkpoints: Path) -> str | None:
    last = checkpoints / "last.ckpt"
    if not last.is_file():
        return None
    return f"To go on from its last checkpoint: {this_command()} {shlex.quote(f'ckpt={shown(last)}')}"


def _end_of(error: RuntimeError | MemoryError, trainer: Trainer, data: MidiDataModule, checkpoints: Path) -> NoReturn:
    """Raise a TrainingError for what is no fault of the program, and else the error itself."""
    worker = _WORKER.search(str(error))
    if worker is not None:
        if worker[1] in ("Terminated", "Interrupt") or trainer.received_sigterm:  # with this process
            _stopped(trainer, checkpoints)
        reason = (
            f"a process that reads the music was killed (signal: {worker[1] or 'unknown'}), which a system does where "
            f"memory runs out; give a smaller data.num_workers than {data.num_workers}"
        )
    elif isinstance(error, MemoryError) or any(words in str(error).lower() for words in _NO_MEMORY):
        reason = (
            f"the memory does not suffice in step {trainer.global_step + 1} ({one_line(error)[:200]}); give a smaller "
            f"data.batch_size than {data.batch_size}, a smaller data.window than {data.window}, or a smaller model"
        )
    else:
        raise error
    how = _how_to_go_on(checkpoints)
    raise TrainingError(reason + (f". {how}" if how else "")) from error
