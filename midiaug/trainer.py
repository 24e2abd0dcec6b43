"""Lightning's Trainer as midiaug uses it; arguments that Lightning fails on late are refused early, by name."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, get_type_hints

import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning import Trainer
from pytorch_lightning.profilers import PassThroughProfiler

from midiaug.averaging import Averaging
from midiaug.callbacks import History
from midiaug.checkpoints import BestCheckpoint, LastCheckpoint, Patience, WholeCheckpoints
from midiaug.curves import Curves
from midiaug.errors import ConfigError
from midiaug.finite import FiniteLoss
from midiaug.screen import Screen
from midiaug.settings import TrainSettings

_FLUSH_S = 10  # so that TensorBoard is not far behind


class NoProfiler(PassThroughProfiler):
    """Times nothing, as Lightning's default does, but without a generator for each of some fifty calls a step."""

    def profile(self, action_name: str) -> AbstractContextManager[str]:  # type: ignore[override]
        """Do nothing around the call."""
        return _NOTHING


_NOTHING = nullcontext("")


def make_trainer(settings: TrainSettings, directory: Path, history: History) -> Trainer:
    """Lightning's Trainer with midiaug's callbacks and logs. Raises ConfigError for an argument that it refuses."""
    _check_trainer(settings.trainer)
    checkpoints = directory / "checkpoints"
    best = BestCheckpoint(checkpoints)
    patience = settings.early_stopping.patience
    stopping = [] if patience is None else [Patience(patience)]
    last = LastCheckpoint(checkpoints / "last.ckpt", settings.checkpoint.minutes)
    screen = Screen(history, bar=settings.trainer.get("enable_progress_bar") is not False)
    average = settings.optim.average
    averaging = [Averaging(average)] if average else []
    own = {"enable_progress_bar": False, "profiler": settings.trainer.get("profiler") or NoProfiler()}
    try:
        trainer = Trainer(
            **(settings.trainer | own),
            callbacks=[*averaging, FiniteLoss(), history, screen, *stopping, best, last],
            plugins=[WholeCheckpoints()],
            logger=Curves(directory, name="", version="", default_hp_metric=False, flush_secs=_FLUSH_S),
            default_root_dir=directory,
        )
    except (MisconfigurationException, ValueError, TypeError, RuntimeError, AttributeError, ImportError) as error:
        raise refused(error) from error
    if not hasattr(trainer, "val_check_interval"):  # of a time; Lightning's own callbacks ask for it
        trainer.val_check_interval = settings.trainer["val_check_interval"]
    _go_on_with_the_next_epoch(trainer)
    # Lightning's `deterministic` also writes to memory that is about to be overwritten, a tenth of an LSTM's step
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    if trainer.strategy.root_device.type == "cuda":
        torch.set_float32_matmul_precision("high")  # TF32
    return trainer


def _go_on_with_the_next_epoch(trainer: Trainer) -> None:
    """Make a run of so many steps that was stopped at the end of an epoch go on as one of so many epochs does.

    With `max_steps`, Lightning ends that epoch a second time, and so takes the draw of the epoch after the next.
    """
    loop = trainer.fit_loop
    by_steps = loop._iteration_based_training

    def within_an_epoch() -> bool:
        return by_steps() and not loop.epoch_loop.batch_progress.is_last_batch

    loop._iteration_based_training = within_an_epoch  # type: ignore[method-assign]


def refused(error: Exception) -> ConfigError:
    """What Lightning says of settings, in one sentence."""
    return ConfigError(f"trainer: Lightning refuses these settings: {' '.join(str(error).split())}")


def _check_trainer(arguments: dict[str, Any]) -> None:
    """Raise ConfigError for arguments that Lightning fails on late, and without the name."""
    hints = get_type_hints(Trainer.__init__)
    for name, value in arguments.items():
        if name not in hints:
            raise ConfigError(f"trainer.{name}: Lightning's Trainer has no such argument; --help lists them")
        if isinstance(value, str) and "str" not in str(hints[name]) and "Literal" not in str(hints[name]):
            raise ConfigError(f"trainer.{name}={value}: give a number, true, false or null")
    if arguments.get("limit_val_batches") == 0:
        raise ConfigError("trainer.limit_val_batches=0: without validation there is no gap; give 1 batch or more")
    if arguments.get("overfit_batches"):
        raise ConfigError("trainer.overfit_batches: not with midiaug's sampler; use data.limit for a small corpus")
    if str(arguments.get("strategy")).endswith(("_fork", "_spawn", "_notebook")):
        raise ConfigError(f"trainer.strategy={arguments['strategy']}: use ddp, which starts each rank as a program")
    for name in ("max_epochs", "check_val_every_n_epoch", "val_check_interval"):
        value = arguments.get(name)
        wrong = isinstance(value, bool | list) or (isinstance(value, float) and not name.startswith("val"))
        if wrong or (value == 0 and name != "max_epochs"):
            raise ConfigError(f"trainer.{name}={value}: give a whole number, 1 or more")
    every, epochs = arguments.get("check_val_every_n_epoch") or 1, arguments.get("max_epochs") or 0
    if every > epochs > 0:
        raise ConfigError(f"trainer.check_val_every_n_epoch={every}: give no more than trainer.max_epochs={epochs}")
    if (arguments.get("gradient_clip_val") or 0) < 0:
        raise ConfigError(f"trainer.gradient_clip_val={arguments['gradient_clip_val']}: give a number above 0, or null")
    if not (arguments.get("accumulate_grad_batches") or 0) >= 1:
        raise ConfigError("trainer.accumulate_grad_batches: give a number of batches, 1 or more")
