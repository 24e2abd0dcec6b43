"""What is said when all trainings of a sweep have ended."""

from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from midiaug.directories import compare_command


class SweepEnd(Callback):
    """Hydra's callback of configs/train.yaml."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Say how to compare the runs."""
        print(f"\n{'compare':<12}{compare_command(Path(config.hydra.sweep.dir))}", flush=True)  # noqa: T201
