"""The keys of `python -m midiaug.benchmark`, checked."""

import math
from dataclasses import dataclass, field

from omegaconf import DictConfig

from midiaug.errors import ConfigError
from midiaug.schemas import typed
from midiaug.settings import TrainSettings, check_training

PARTS = ("loaders", "augment_dataset", "start", "build", "step")


@dataclass
class BenchmarkSettings(TrainSettings):
    """Everything that `python -m midiaug.benchmark` takes."""

    parts: list[str] = field(default_factory=lambda: list(PARTS))
    rounds: int = 5
    seconds: float = 1.0
    repeats: int = 2
    steps: int = 3


def checked_benchmark(config: DictConfig) -> BenchmarkSettings:
    """The configuration of a benchmark as typed settings, checked likewise."""
    settings: BenchmarkSettings = typed(BenchmarkSettings, config)
    check_training(settings)
    unknown = [part for part in settings.parts if part not in PARTS]
    if unknown or not settings.parts:
        raise ConfigError(f"parts={','.join(settings.parts) or '[]'}: use one or more of {', '.join(PARTS)}")
    for name in ("rounds", "repeats", "steps"):
        if getattr(settings, name) < 1:
            raise ConfigError(f"{name}={getattr(settings, name)}: give a whole number, 1 or more")
    if not 0 < settings.seconds < math.inf:
        raise ConfigError(f"seconds={settings.seconds}: give a number of seconds above 0")
    return settings
