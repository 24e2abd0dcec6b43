"""Train one model: `python -m midiaug.train`; with --multirun, one after another."""

import logging
import math
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from midiaug.command import command
from midiaug.directories import checkpoint_file, stopped
from midiaug.errors import ConfigError, TrainingError
from midiaug.resuming import finished
from midiaug.settings import checked

log = logging.getLogger("midiaug")


@command("train")
def main(config: DictConfig) -> float:
    """Check the settings, train, and return the lowest validation loss, so that a sweeper can use it."""
    settings = checked(config)
    if settings.ckpt == "last" and HydraConfig.get().mode == RunMode.MULTIRUN:
        raise ConfigError(
            "ckpt=last: a sweep has a last.ckpt for each of its runs; resume one run at a time, by its file"
        )
    directory = Path(HydraConfig.get().runtime.output_dir)
    ckpt = checkpoint_file(settings.ckpt, directory)
    if settings.resume:
        loss, ckpt = finished(directory, settings), ckpt or stopped(directory)
        if loss is not None:
            return loss
    from midiaug.run import train_model  # torch and Lightning load in seconds, and a wrong setting needs neither

    try:
        return train_model(settings, directory, ckpt)
    except TrainingError as error:
        if HydraConfig.get().runtime.choices.get("hydra/sweeper") != "optuna":
            raise
        log.warning("%s. The search goes on", error)
        return math.inf
    except KeyboardInterrupt:
        if settings.resume and HydraConfig.get().mode == RunMode.MULTIRUN:
            log.info("The same command again goes on with the whole sweep")
        raise


if __name__ == "__main__":
    main()
