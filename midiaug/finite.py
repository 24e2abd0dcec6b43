"""A training whose loss is no longer a number is ended, before anything that was good is written over."""

import math
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer

from midiaug.data.dataset import Batch
from midiaug.directories import shown
from midiaug.errors import TrainingError

_EVERY = 50  # steps, where to look means to wait for a GPU or for other ranks


class FiniteLoss(Callback):
    """Raises TrainingError for a loss that is infinite or not a number: in a step, on either side of a validation.

    Nor are weights that are not finite ever written into a checkpoint. On a CPU each step's loss is looked at; on other
    devices that of each fiftieth step, which is enough, as weights that are not numbers stay so; with several ranks,
    whose losses differ, their common weights.
    """

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Look at the step."""
        alone = trainer.world_size == 1
        if (not alone or pl_module.device.type != "cpu") and trainer.global_step % _EVERY:
            return
        if not (math.isfinite(outputs["loss"]) if alone else _weights_are_finite(pl_module)):
            raise diverged("in", trainer)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Look at both losses."""
        losses = [trainer.callback_metrics.get(f"loss/{side}", 0.0) for side in ("train", "val")]
        if not all(math.isfinite(loss) for loss in losses):
            raise diverged("in the validation after", trainer)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Look at the weights that are about to be written."""
        if not _weights_are_finite(pl_module):
            raise diverged("after", trainer)


def _weights_are_finite(module: LightningModule) -> bool:
    return all(bool(weight.isfinite().all()) for weight in module.parameters())


def diverged(when: str, trainer: Trainer) -> TrainingError:
    """What is said of a training that came to this, with its step and what to change."""
    rate = trainer.optimizers[0].param_groups[0]["lr"]
    cures = ["lower optim.lr"]
    if trainer.gradient_clip_val is None:
        cures.append("clip the gradient with trainer.gradient_clip_val=1")
    if getattr(trainer.lightning_module, "equivariance", 0) > 1:
        cures.append("lower optim.equivariance")
    best = Path(trainer.default_root_dir) / "checkpoints" / "best.ckpt"
    kept = f". The best model until then is kept in {shown(best)}" if best.is_file() else ""
    return TrainingError(
        f"the loss is not a number {when} step {trainer.global_step}, epoch {trainer.current_epoch + 1}, at a learning "
        f"rate of {rate:.3g}; {', or '.join(cures)}{kept}"
    )
