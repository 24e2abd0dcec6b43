"""The keys of `python -m midiaug.materialize`, checked."""

from dataclasses import asdict, dataclass, field

from omegaconf import DictConfig

from midiaug.data.arguments import check_arguments, checked_source
from midiaug.errors import ConfigError
from midiaug.schemas import typed
from midiaug.settings import ReadingSettings, ShiftSettings, TokenizerSettings, check_seed, take_path


@dataclass
class MaterializeSettings:
    """Everything that `python -m midiaug.materialize` takes."""

    out: str | None = None
    data: ReadingSettings = field(default_factory=ReadingSettings)
    aug: ShiftSettings = field(default_factory=ShiftSettings)
    tokenizer: TokenizerSettings = field(default_factory=TokenizerSettings)
    seed: int = 0


def checked_for_materialize(config: DictConfig) -> MaterializeSettings:
    """The configuration as typed settings. Raises ConfigError for a value of the wrong type, or without `out`."""
    settings: MaterializeSettings = typed(MaterializeSettings, config)
    take_path(settings.data)
    check_seed(settings.seed)
    if not settings.out:
        raise ConfigError("out is missing; say where the copies go, as in out=my_copies")
    check_arguments(asdict(settings.data) | asdict(settings.aug) | {"seed": settings.seed})
    if settings.data.num_workers == 0:
        raise ConfigError("data.num_workers=0: use auto, or a number of processes, 1 or more")
    checked_source(settings.data.source, settings.data.path, settings.data.column)
    return settings
