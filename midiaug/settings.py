"""Every key with its type: what a configuration may hold, checked before anything is read."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from midiaug.errors import ConfigError
from midiaug.schemas import flat, typed


@dataclass
class ReadingSettings:
    """The keys under `data` that say what is read, and how it is split."""

    source: str = "bundled"
    path: str | None = None
    collection: str = "aird"
    column: str | None = None
    limit: int | None = None
    val_split: float = 0.1
    split: str | None = None
    twin_share: float = 0.5
    num_workers: Any = "auto"
    max_bars: int = 10_000
    max_tokens: int = 1_000_000
    cache_dir: str | None = None


@dataclass
class DataSettings(ReadingSettings):
    """The keys under `data`; those of MidiDataModule."""

    window: int = 256
    batch_size: int = 64
    route: str = "auto"
    verify: bool = False


@dataclass
class TrainDataSettings(DataSettings):
    """The keys under `data` of `python -m midiaug.train`."""

    train_limit: int | None = None
    folds: int | None = None
    fold: int = 0


@dataclass
class ShardSettings(DataSettings):
    """The keys under `data` of `python -m midiaug.prepare`."""

    shards: int | None = None
    shard: int | None = None


@dataclass
class ShiftSettings:
    """The keys under `aug` that say which shifts a piece takes."""

    shifts: list[int] = field(default_factory=list)
    out_of_range: str = "limit"


@dataclass
class AugSettings(ShiftSettings):
    """The keys under `aug`."""

    draw: str = "random"


@dataclass
class TrainAugSettings(AugSettings):
    """The keys under `aug` of `python -m midiaug.train`."""

    original: float = 0.0
    anneal: list[int] | None = None
    starts: str = "fixed"
    velocity: Any = None
    duration: Any = None
    tempo: Any = None


@dataclass
class TokenizerSettings:
    """The keys under `tokenizer`: MidiTok's class and what its TokenizerConfig takes, or a file; and what to train."""

    name: str = "REMI"
    params: dict[str, Any] = field(default_factory=dict)
    file: str | None = None
    train: str | None = None
    vocab_size: int | None = None


@dataclass
class ModelSettings:
    """The keys under `model`; those of RecurrentLM."""

    cell: str = "lstm"
    embed: int = 128
    hidden: int = 256
    layers: int = 2
    dropout: float = 0.3
    locked: bool = False
    weight_drop: float = 0.0
    condition: bool = False


@dataclass
class OptimSettings:
    """The keys under `optim`."""

    lr: float = 4e-3
    weight_decay: float = 0.01
    warmup: float = 0.1
    label_smoothing: float = 0.0
    equivariance: float = 0.0
    average: float = 0.0


@dataclass
class EarlyStoppingSettings:
    """The keys under `early_stopping`."""

    patience: int | None = 4


@dataclass
class CheckpointSettings:
    """The keys under `checkpoint`."""

    minutes: float = 10.0


@dataclass
class SharedSettings:
    """What every command takes."""

    data: DataSettings = field(default_factory=DataSettings)
    aug: AugSettings = field(default_factory=AugSettings)
    tokenizer: TokenizerSettings = field(default_factory=TokenizerSettings)
    seed: int = 0


@dataclass
class TrainSettings(SharedSettings):
    """Everything that `python -m midiaug.train` takes."""

    data: TrainDataSettings = field(default_factory=TrainDataSettings)
    aug: TrainAugSettings = field(default_factory=TrainAugSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    optim: OptimSettings = field(default_factory=OptimSettings)
    trainer: dict[str, Any] = field(default_factory=dict)
    early_stopping: EarlyStoppingSettings = field(default_factory=EarlyStoppingSettings)
    checkpoint: CheckpointSettings = field(default_factory=CheckpointSettings)
    ckpt: str | None = None
    resume: bool = False


@dataclass
class PrepareSettings(SharedSettings):
    """Everything that `python -m midiaug.prepare` takes; nothing depends on `aug`, which all commands share."""

    data: ShardSettings = field(default_factory=ShardSettings)


def checked(config: DictConfig) -> TrainSettings:
    """The configuration as typed settings. Raises ConfigError for a value of the wrong type or an absurd one."""
    settings: TrainSettings = typed(TrainSettings, config)
    check_training(settings)
    return settings


def check_training(settings: TrainSettings) -> None:
    """Raise ConfigError for a value of `train` that no run can use."""
    check_shared(settings)
    patience = settings.early_stopping.patience
    if patience is not None and patience < 1:
        raise ConfigError(
            f"early_stopping.patience={patience}: give a number of validations, 1 or more, or null for no end"
        )
    if not 0 < settings.checkpoint.minutes < math.inf:
        raise ConfigError(f"checkpoint.minutes={settings.checkpoint.minutes}: give a number of minutes above 0")


def checked_for_prepare(config: DictConfig) -> PrepareSettings:
    """Likewise for `python -m midiaug.prepare`."""
    settings: PrepareSettings = typed(PrepareSettings, config)
    check_shared(settings)
    return settings


def complete(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of `train` by their keys with dots; what a run of an older version lacks has its default."""
    defaults = flat(asdict(TrainSettings()))
    given = {
        key: float(value) if type(value) is int and isinstance(defaults.get(key), float) else value
        for key, value in flat(dict(settings)).items()
    }
    return {key: value for key, value in defaults.items() if value != {}} | given


def validated_by(trainer: Mapping[str, Any]) -> str:
    """What a run's validations are counted by: `step` where they do not stand at the ends of epochs, else `epoch`.

    trainer: the keys under `trainer`.
    """
    interval = trainer.get("val_check_interval")
    within = type(interval) is int or interval not in (None, 1.0)
    return "step" if within or trainer.get("check_val_every_n_epoch", 1) is None else "epoch"


def source_name(settings: SharedSettings) -> str:
    """What the music is called where its path would be too long: its folder's name, or the collection's."""
    path = settings.data.path
    return Path(path).expanduser().resolve().name if path is not None else collection_name(vars(settings.data))


def collection_name(data: Mapping[str, Any]) -> str:
    """What music without a path is called, by the keys under `data`: a bundled collection, or what is downloaded."""
    return str(data.get("collection" if data.get("source") in (None, "bundled") else "source"))


def check_shared(settings: SharedSettings) -> None:
    """Raise ConfigError for a seed that is none; a path alone means data=folder."""
    take_path(settings.data)
    check_seed(settings.seed)


def take_path(data: ReadingSettings) -> None:
    """A path alone means data=folder."""
    if data.path is not None and data.source == "bundled":
        data.source = "folder"


def check_seed(seed: int) -> None:
    """Raise ConfigError for a seed that is none."""
    if not 0 <= seed < 1 << 32:
        raise ConfigError(f"seed={seed}: give a whole number from 0 to 4294967295")
