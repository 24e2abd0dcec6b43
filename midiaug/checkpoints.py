"""The checkpoints that a run keeps: of its best epoch, and of its last step, each written whole or not at all."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Checkpoint, EarlyStopping, ModelCheckpoint

from midiaug.callbacks import rehearsal
from midiaug.data.dataset import Batch
from midiaug.directories import shown
from midiaug.errors import OutputError
from midiaug.files import remove_leftovers, write_whole
from midiaug.places import check_room

_ASKED_EVERY = 64
_BYTES_A_WEIGHT = 12


class WholeCheckpoints(TorchCheckpointIO):
    """Writes a checkpoint beside its final name, then renames it.

    Lightning's own writing goes through the system's folder for temporary files, and is cut short by a crash or a
    full disk where that folder is on another file system.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write the checkpoint; what stood there before stays until it is whole."""
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with _ctrl_c_held():
            write_whole(Path(path), partial(_save, checkpoint))


@contextmanager
def _ctrl_c_held() -> Iterator[None]:
    """Let Ctrl-C wait until a file is whole: torch makes another error of it, or aborts, while it writes into one."""
    before = signal.getsignal(signal.SIGINT)
    if not callable(before) or threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: held.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if held:
            before(*held[-1])


def _save(checkpoint: dict[str, Any], path: Path) -> None:
    with path.open("wb") as file:
        try:
            torch.save(checkpoint, file)
        except RuntimeError as error:  # what torch makes of a full disk, at the end of its file
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise


def check_room_for_checkpoints(trainer: Trainer, directory: Path, weights: int) -> None:
    """Raise OutputError where a run's folder has no room for best.ckpt, last.ckpt and the next of either beside them.

    directory: need not be there yet. weights: of the model; AdamW keeps two numbers for each.
    """
    if rehearsal(trainer) or not trainer.is_global_zero:
        return
    there = next(folder for folder in (directory, *directory.parents) if folder.is_dir())
    size = _BYTES_A_WEIGHT * weights
    files = 1 + sum(not (directory / "checkpoints" / name).is_file() for name in ("best.ckpt", "last.ckpt"))
    try:
        check_room(there, size * files)
    except OSError as error:
        raise OutputError(
            f"{shown(directory)}: no room for {files} checkpoints of {size / 1e6:.1f} MB ({error.strerror}); free "
            "space there, or write elsewhere with hydra.run.dir=DIR"
        ) from error


class BestCheckpoint(ModelCheckpoint):
    """Keeps best.ckpt, the weights of the epoch with the lowest validation loss; a resumed run may lie elsewhere."""

    def __init__(self, directory: Path) -> None:
        super().__init__(
            directory, "best", monitor="loss/val", auto_insert_metric_name=False, enable_version_counter=False
        )

    @cached_property
    def state_key(self) -> str:
        """What Lightning makes anew for each call of a hook."""
        return super().state_key

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write, unless the epoch was not validated."""
        if "loss/val" in trainer.callback_metrics:
            super().on_train_epoch_end(trainer, pl_module)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from the best so far, which lies in this run's directory."""
        here = {"dirpath": self.dirpath}
        if state_dict["best_k_models"] and Path(str(self.dirpath), "best.ckpt").is_file():
            path = str(Path(str(self.dirpath), "best.ckpt"))
            here |= {"best_model_path": path, "kth_best_model_path": path}
            here |= {"best_k_models": {path: state_dict["best_model_score"]}}  # type: ignore[dict-item]
        elif state_dict["best_k_models"]:
            return  # the file is not here: the next best begins anew
        super().load_state_dict(state_dict | here)


class Patience(EarlyStopping):
    """Ends the training after so many validations without a lower loss, counted over a run and its resumes."""

    def __init__(self, validations: int) -> None:
        super().__init__("loss/val", patience=validations, strict=False, check_finite=False)

    @cached_property
    def state_key(self) -> str:
        """What Lightning makes anew for each call of a hook."""
        return super().state_key

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on counting, with this run's patience."""
        super().load_state_dict(state_dict | {"patience": self.patience})

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """End at once where the checkpoint's run was at its end."""
        trainer.should_stop = trainer.should_stop or self.wait_count >= self.patience


class LastCheckpoint(Checkpoint):
    """Writes last.ckpt at the end of each epoch, and every so many minutes in between."""

    def __init__(self, path: Path, minutes: float) -> None:
        self.path = path
        self._seconds = 60 * minutes
        self._written = time.monotonic()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Let the time begin; remove what a killed run left half-written."""
        self._written = time.monotonic()
        if trainer.is_global_zero:
            remove_leftovers(self.path.parent)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Write where the time is over; all ranks follow the first one's clock."""
        trainer.should_stop |= (
            0 <= trainer.max_steps <= trainer.global_step
        )  # so that Lightning validates before it ends
        # no checkpoint holds gradients that wait for more batches; the epoch's end, with its validation, has its own
        if (batch_idx + 1) % trainer.accumulate_grad_batches or batch_idx + 1 >= trainer.num_training_batches:
            return
        # a resumed run would not take the validation that follows this batch
        batches = trainer.fit_loop._data_fetcher
        if batches is not None and trainer.fit_loop.epoch_loop._should_check_val_fx(batches):
            return
        due = time.monotonic() - self._written >= self._seconds
        if trainer.world_size > 1:  # asking makes all wait for each other
            due = (batch_idx + 1) % _ASKED_EVERY == 0 and trainer.strategy.broadcast(due)
        if due:
            self._write(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write at the end of the epoch."""
        self._write(trainer)

    def _write(self, trainer: Trainer) -> None:
        if rehearsal(trainer):
            return
        trainer.save_checkpoint(self.path)
        self._written = time.monotonic()
