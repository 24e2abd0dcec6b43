"""The keys of `python -m midiaug.materialize`, checked."""

from dataclasses import asdict, dataclass

from omegaconf import DictConfig

from midiaug.data.arguments import check_arguments, check_source
from midiaug.errors import ConfigError
from midiaug.schemas import typed
from midiaug.settings import SharedSettings, check_shared


@dataclass
class MaterializeSettings(SharedSettings):
    """Everything that `python -m midiaug.materialize` takes."""

    out: str | None = None


def checked_for_materialize(config: DictConfig) -> MaterializeSettings:
    """The configuration as typed settings. Raises ConfigError for a value of the wrong type, or without `out`."""
    settings: MaterializeSettings = typed(MaterializeSettings, config)
    check_shared(settings)
    if not settings.out:
        raise ConfigError("out is missing; say where the copies go, as in out=my_copies")
    check_arguments(asdict(settings.data) | asdict(settings.aug) | {"seed": settings.seed})
    check_source(settings.data.source, settings.data.path, settings.data.column)
    return settings
