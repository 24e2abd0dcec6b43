"""What a run writes down while it trains: a row a validation, and the losses of each piece."""

import logging
import time
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer

from midiaug.data.dataset import Batch
from midiaug.data.module import MidiDataModule
from midiaug.files import write_csv
from midiaug.learner import Learner
from midiaug.settings import validated_by

log = logging.getLogger("midiaug")
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
    """One row a validation in metrics.csv, and in val_pieces.csv what each validation piece cost in the best one.

    rows: what metrics.csv holds; kept in checkpoints, so that a resumed run goes on with it. unit: what rows are called
    by, `epoch`, or `step` where a run is validated within epochs or across them; known once the training begins.
    """

    def __init__(self, directory: Path, data: MidiDataModule) -> None:
        self.rows: list[dict[str, Any]] = []
        self.unit = "epoch"
        self._directory, self._data = directory, data
        self._pieces: list[dict[str, Any]] = []  # what val_pieces.csv holds
        self._first = 0  # the first row whose weights best.ckpt may hold
        self._tokens: torch.Tensor | int = 0  # since this epoch began, or was resumed
        self._before = 0  # until then, of all ranks
        self._ranks = 1
        self._begin = self._end = 0.0

    @property
    def best(self) -> dict[str, Any]:
        """The row with the lowest validation loss, of those whose weights may be at hand."""
        return min(self.rows[self._first :], key=lambda row: float(row["loss/val"]))

    @property
    def tokens_per_second(self) -> float:
        """Tokens trained on since the epoch began, per second, of all ranks as of this one; padding does not count."""
        return int(self._tokens) * self._ranks / max(1e-9, self._end - self._begin)

    @property
    def tokens(self) -> int:
        """Tokens trained on in all, of all ranks as of this one; padding does not count."""
        return self._before + int(self._tokens) * self._ranks

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin to count."""
        self._restart(trainer)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin to count, also within an epoch that is resumed."""
        self._restart(trainer)

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Find out the unit, and write what a resumed run brought with it: it may go on in another directory.

        Raises ConfigError where the ranks do not have the same music, such as from caches of their own.
        """
        self.unit = validated_by(
            {name: getattr(trainer, name) for name in ("val_check_interval", "check_val_every_n_epoch")}
        )
        if trainer.world_size > 1:
            self._data.check_same(trainer.strategy.broadcast(self._data.state_dict()))
        self._write(trainer)

    def _restart(self, trainer: Trainer) -> None:
        self._before = self.tokens
        self._tokens, self._ranks, self._begin = 0, trainer.world_size, time.perf_counter()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Count the batch's tokens."""
        self._tokens = self._tokens + batch["attention_mask"].sum()  # stays on its device: nothing waits for it
        self._end = time.perf_counter()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Add a row; where it is the best so far, keep the loss of each validation piece."""
        if trainer.sanity_checking or not isinstance(pl_module, Learner):
            return
        measured = {name: float(trainer.callback_metrics[name]) for name in METRICS}
        row = {"epoch": trainer.current_epoch + 1, "step": trainer.global_step, **measured}
        if not self.rows or "tokens" in self.rows[0]:  # rows of a checkpoint of an older version have none
            row["tokens"] = self.tokens
        row["learning_rate"] = trainer.optimizers[0].param_groups[0]["lr"]
        row["tokens_per_second"] = round(self.tokens_per_second)
        self.rows.append(row)
        by_piece = pl_module.losses["val"].by_piece()  # adds up over the ranks, so each takes part
        if row is self.best:
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
        """The rows and the tokens so far."""
        return {"rows": self.rows, "pieces": self._pieces, "first": self._first, "tokens": self.tokens}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the rows of the checkpoint; its best epoch counts only where best.ckpt, its weights, is here."""
        rows = list(state_dict["rows"])
        for row in rows:  # what lacks them is no row
            _ = int(row["epoch"]), *(float(row[f"loss/{side}"]) for side in ("train", "val", "gap"))
        self.rows, self._pieces = rows, list(state_dict["pieces"])
        self._first, self._before = state_dict["first"], state_dict.get("tokens", 0)
        if self.rows and not (self._directory / "checkpoints" / "best.ckpt").is_file():
            self._first = len(self.rows) - 1  # the last one's weights are those of the checkpoint
            log.warning("there is no best.ckpt beside the checkpoint: the best epoch is looked for from here on")
