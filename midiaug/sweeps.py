"""What is refused before the trainings of a sweep begin, and what is said when all have ended."""

import sys
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from midiaug.directories import compare_command, swept_keys
from midiaug.errors import ConfigError
from midiaug.sentences import sentence_of


class Sweep(Callback):
    """Hydra's callback of configs/train.yaml."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """End the sweep where each training would be written over the one before."""
        subdir = str(OmegaConf.to_container(config.hydra.sweep, resolve=False)["subdir"])  # type: ignore[call-overload,index]
        params = OmegaConf.select(config, "hydra.sweeper.params") or {}
        words = [*(f"{key}={value}" for key, value in params.items()), *config.hydra.overrides.task]
        if "${" not in subdir and swept_keys(words):
            error = ConfigError(
                f"hydra.sweep.subdir={subdir}: every training would be written over the one before; "
                "leave it out, or put ${hydra:job.num} into it"
            )
            print(sentence_of(error), file=sys.stderr)  # noqa: T201
            sys.exit(1)  # Hydra makes a warning of an exception

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Say how to compare the runs."""
        print(f"\n{'compare':<12}{compare_command(Path(config.hydra.sweep.dir))}", flush=True)  # noqa: T201
