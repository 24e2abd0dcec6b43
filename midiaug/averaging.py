"""The average of the weights over the last steps, which is what is validated and kept."""

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import EMAWeightAveraging

from midiaug.errors import ConfigError


class Averaging(EMAWeightAveraging):
    """Validates and keeps an exponential moving average of the weights (Polyak and Juditsky 1992).

    decay: what is left of the average in each step, such as 0.99 for about the last hundred steps.
    """

    def __init__(self, decay: float) -> None:
        if not 0 <= decay < 1:
            raise ConfigError(f"optim.average={decay}: give a share from 0 to below 1, such as 0.99")
        super().__init__(use_buffers=False, decay=decay)

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Nothing: Lightning would take the average away before the training pieces' loss is measured."""

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """As on_validation_epoch_start."""

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put the average in the weights' place."""
        super().on_validation_epoch_start(trainer, pl_module)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put the weights back."""
        super().on_validation_epoch_end(trainer, pl_module)
