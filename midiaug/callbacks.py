"""What a run keeps of itself while it trains: a row an epoch, the losses of each piece, and the last checkpoint."""

import math
import time
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import Checkpoint, ModelCheckpoint

from midiaug.data.dataset import Batch
from midiaug.data.module import MidiDataModule
from midiaug.errors import TrainingError
from midiaug.files import write_csv
from midiaug.learner import Learner

METRICS = (
    "loss/train",
    "loss/val",
    "loss/gap",
    "nats_per_note/train",
    "nats_per_note/val",
    "perplexity/val",
    "accuracy/top1",
    "accuracy/top5",
)


def rehearsal(trainer: Trainer) -> bool:
    """Whether trainer.fast_dev_run is set: a run that goes through everything and leaves nothing."""
    return bool(getattr(trainer, "fast_dev_run", False))


class History(Callback):
    """One row an epoch in metrics.csv, and in val_pieces.csv what each validation piece cost in the best epoch.

    rows: what metrics.csv holds; kept in checkpoints, so that a resumed run goes on with it.
    """

    def __init__(self, directory: Path, data: MidiDataModule) -> None:
        self.rows: list[dict[str, Any]] = []
        self._directory, self._data = directory, data
        self._pieces: list[dict[str, Any]] = []  # what val_pieces.csv holds
        self._tokens: torch.Tensor | int = 0
        self._begin = self._end = 0.0

    @property
    def best(self) -> dict[str, Any]:
        """The row of the epoch with the lowest validation loss. Raises TrainingError where none is a number."""
        finite = [row for row in self.rows if math.isfinite(row["loss/val"])]
        if not finite:
            raise TrainingError(
                "the loss is not a number from the first epoch on; lower optim.lr, or clip the gradient"
            )
        return min(finite, key=lambda row: float(row["loss/val"]))

    @property
    def has_loss(self) -> bool:
        """Whether any epoch has a validation loss that is a number."""
        return any(math.isfinite(row["loss/val"]) for row in self.rows)

    @property
    def tokens_per_second(self) -> float:
        """Tokens trained on since the epoch began, per second; padding does not count."""
        return int(self._tokens) / max(1e-9, self._end - self._begin)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin to count."""
        self._restart()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin to count, also within an epoch that is resumed."""
        self._restart()

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write what a resumed run brought with it: it may go on in another directory."""
        self._write(trainer)

    def _restart(self) -> None:
        self._tokens, self._begin = 0, time.perf_counter()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Count the batch's tokens, of all ranks as of this one."""
        self._tokens = self._tokens + batch["attention_mask"].sum() * trainer.world_size
        self._end = time.perf_counter()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Add the epoch's row; where it is the best so far, keep the loss of each validation piece."""
        if trainer.sanity_checking or not isinstance(pl_module, Learner):
            return
        measured = {name: float(trainer.callback_metrics[name]) for name in METRICS}
        row = {"epoch": trainer.current_epoch + 1, "step": trainer.global_step, **measured}
        row["learning_rate"] = trainer.optimizers[0].param_groups[0]["lr"]
        row["tokens_per_second"] = round(self.tokens_per_second)
        self.rows.append(row)
        by_piece = pl_module.losses["val"].by_piece()  # adds up over the ranks, so each takes part
        if math.isfinite(row["loss/val"]) and row is self.best:
            names, group = self._data.corpus.names, self._data.split.group
            self._pieces = [
                {"piece": names[piece], "group": int(group[piece]), "loss": loss.nats_per_token}
                | {"nats": loss.nats, "tokens": loss.tokens, "notes": loss.notes}
                for piece, loss in by_piece.items()
            ]
        self._write(trainer)

    def _write(self, trainer: Trainer) -> None:
        for name, rows in {"metrics.csv": self.rows, "val_pieces.csv": self._pieces}.items():
            if rows and trainer.is_global_zero and not rehearsal(trainer):
                write_csv(self._directory / name, rows)

    def state_dict(self) -> dict[str, Any]:
        """The rows so far."""
        return {"rows": self.rows, "pieces": self._pieces}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the rows of the checkpoint."""
        self.rows, self._pieces = list(state_dict["rows"]), list(state_dict["pieces"])


class BestCheckpoint(ModelCheckpoint):
    """Keeps best.ckpt, the weights of the epoch with the lowest validation loss; a resumed run may lie elsewhere."""

    def __init__(self, directory: Path) -> None:
        super().__init__(
            directory, "best", monitor="loss/val", auto_insert_metric_name=False, enable_version_counter=False
        )

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


class LastCheckpoint(Checkpoint):
    """Writes last.ckpt at the end of each epoch, and every so many minutes in between."""

    def __init__(self, path: Path, minutes: float) -> None:
        self.path = path
        self._seconds = 60 * minutes
        self._written = time.monotonic()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Let the time begin."""
        self._written = time.monotonic()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Write where the time is over; all ranks follow the first one's clock."""
        # no checkpoint holds gradients that wait for more batches; the epoch's end, with its validation, has its own
        if (batch_idx + 1) % trainer.accumulate_grad_batches or batch_idx + 1 >= trainer.num_training_batches:
            return
        due = time.monotonic() - self._written >= self._seconds
        if due if trainer.world_size == 1 else trainer.strategy.broadcast(due):
            self._write(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write at the end of the epoch."""
        self._write(trainer)

    def _write(self, trainer: Trainer) -> None:
        if rehearsal(trainer):
            return
        trainer.save_checkpoint(self.path)
        self._written = time.monotonic()
