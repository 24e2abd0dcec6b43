"""Every key of the commands with its type: what a configuration may hold, checked before anything is read."""

import os
import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import hydra
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from midiaug.errors import CheckpointError, ConfigError


@dataclass
class DataSettings:
    """The keys under `data`; those of MidiDataModule."""

    source: str = "bundled"
    path: str | None = None
    collection: str = "aird"
    limit: int | None = None
    val_split: float = 0.1
    split: str | None = None
    twin_share: float = 0.5
    window: int = 256
    batch_size: int = 64
    num_workers: Any = "auto"
    route: str = "auto"
    max_bars: int = 10_000
    max_tokens: int = 1_000_000
    cache_dir: str | None = None


@dataclass
class AugSettings:
    """The keys under `aug`."""

    shifts: list[int] = field(default_factory=list)
    draw: str = "random"
    out_of_range: str = "limit"


@dataclass
class TokenizerSettings:
    """The keys under `tokenizer`: MidiTok's class, and what its TokenizerConfig takes."""

    name: str = "REMI"
    params: dict[str, Any] = field(default_factory=dict)


@dataclass
class ModelSettings:
    """The keys under `model`; those of RecurrentLM."""

    cell: str = "lstm"
    embed: int = 128
    hidden: int = 256
    layers: int = 2
    dropout: float = 0.3


@dataclass
class OptimSettings:
    """The keys under `optim`."""

    lr: float = 4e-3
    weight_decay: float = 0.01
    warmup: float = 0.1


@dataclass
class EarlyStoppingSettings:
    """The keys under `early_stopping`."""

    patience: int = 4


@dataclass
class CheckpointSettings:
    """The keys under `checkpoint`."""

    minutes: float = 10.0


@dataclass
class TrainSettings:
    """Everything that `python -m midiaug.train` takes."""

    data: DataSettings = field(default_factory=DataSettings)
    aug: AugSettings = field(default_factory=AugSettings)
    tokenizer: TokenizerSettings = field(default_factory=TokenizerSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    optim: OptimSettings = field(default_factory=OptimSettings)
    trainer: dict[str, Any] = field(default_factory=dict)
    early_stopping: EarlyStoppingSettings = field(default_factory=EarlyStoppingSettings)
    checkpoint: CheckpointSettings = field(default_factory=CheckpointSettings)
    seed: int = 0
    ckpt: str | None = None


def checked(config: DictConfig) -> TrainSettings:
    """The configuration as typed settings. Raises ConfigError for a key of the wrong type."""
    try:
        typed: Any = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(TrainSettings), config))
    except OmegaConfBaseException as error:
        raise ConfigError(f"{error.full_key}={_value(config, error.full_key)}: {_first_line(error)}") from error
    settings: TrainSettings = typed
    if settings.early_stopping.patience < 1:
        raise ConfigError(
            f"early_stopping.patience={settings.early_stopping.patience}: give a number of epochs, 1 or more"
        )
    if settings.checkpoint.minutes <= 0:
        raise ConfigError(f"checkpoint.minutes={settings.checkpoint.minutes}: give a number of minutes above 0")
    return settings


def config_dir() -> Path:
    """Where the YAML files are: beside the package in a checkout, inside it in an installed wheel."""
    inside = Path(__file__).parent / "configs"
    return inside if inside.is_dir() else Path(__file__).parents[1] / "configs"


def newest_checkpoint(root: str | Path) -> Path:
    """The last.ckpt that was written most recently below a folder of runs. Raises CheckpointError without any."""
    found = sorted(Path(root).glob("**/checkpoints/last.ckpt"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise CheckpointError(f"ckpt=last: no checkpoints/last.ckpt below {root}; train first, or give a file")
    return found[-1]


def run_name(overrides: str) -> str:
    """What differs from the defaults, as part of a folder's name: `model=gru,aug=none`."""
    kept = re.sub(r"[^\w=.,+-]+", "_", overrides).strip("_,")
    return kept[:120].rstrip("_,") or "default"


def run_dir(root: str, ckpt: str | None, overrides: str) -> str:
    """A new folder for a run, named by its time and what differs; or, with ckpt=last, the folder of the run resumed."""
    if ckpt == "last" and list(Path(root).glob("**/checkpoints/last.ckpt")):
        return str(newest_checkpoint(root).parents[1])
    return os.path.join(root, f"{datetime.now():%Y-%m-%d_%H-%M-%S-%f}_{run_name(overrides)}")


def register_resolvers() -> None:
    """Make run_dir and run_name available to the YAML files."""
    OmegaConf.register_new_resolver("midiaug.run_dir", run_dir, replace=True, use_cache=True)
    OmegaConf.register_new_resolver("midiaug.run_name", run_name, replace=True)


def hydra_main(name: str) -> Any:
    """hydra.main for the configuration of that name, wherever midiaug is installed."""
    register_resolvers()
    return hydra.main(version_base="1.3", config_path=str(config_dir()), config_name=name)


def _value(config: DictConfig, key: str | None) -> Any:
    return OmegaConf.select(config, key) if key else None


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
