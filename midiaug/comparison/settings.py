"""The keys of `python -m midiaug.compare`, checked."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import DictConfig

from midiaug.data.shifts import Shifts
from midiaug.errors import ConfigError
from midiaug.schemas import typed
from midiaug.settings import AugSettings, DataSettings, SharedSettings, TokenizerSettings, check_shared


@dataclass
class ComparedData(DataSettings):
    """The keys under `data`; without a source, the music is that of the runs."""

    source: str | None = None  # type: ignore[assignment]


@dataclass
class ComparedAug(AugSettings):
    """The keys under `aug`; where one is not given, that of the runs counts."""

    shifts: list[int] | None = None  # type: ignore[assignment]
    out_of_range: str | None = None  # type: ignore[assignment]


@dataclass
class ComparedTokenizer(TokenizerSettings):
    """The keys under `tokenizer`; without a name, that of the runs counts."""

    name: str | None = None  # type: ignore[assignment]


@dataclass
class CompareSettings(SharedSettings):
    """Everything that `python -m midiaug.compare` takes."""

    data: ComparedData = field(default_factory=ComparedData)
    aug: ComparedAug = field(default_factory=ComparedAug)
    tokenizer: ComparedTokenizer = field(default_factory=ComparedTokenizer)
    runs: Any = None
    music: bool = True

    @property
    def paths(self) -> list[str]:
        """The folders and patterns of `runs`, as they were typed."""
        given = self.runs if isinstance(self.runs, list) else [self.runs]
        return [str(path) for path in given if path is not None and str(path)]

    @property
    def asks_for_music(self) -> bool:
        """Whether the command line names music, and does not leave it to the runs."""
        return self.data.source is not None


def checked_compare(config: DictConfig) -> CompareSettings:
    """The configuration as typed settings. Raises ConfigError for a wrong value, or where nothing is asked for."""
    settings: CompareSettings = typed(CompareSettings, config)
    if settings.data.path is not None and settings.data.source is None:
        settings.data.source = "folder"
    if settings.data.collection != ComparedData.collection and settings.data.source is None:
        settings.data.source = "bundled"
    check_shared(settings)
    if settings.aug.shifts is not None:
        Shifts.parse(settings.aug.shifts)
    if settings.aug.out_of_range not in (None, "limit", "drop"):
        raise ConfigError(f"aug.out_of_range={settings.aug.out_of_range}: use limit or drop")
    if settings.aug.draw != ComparedAug.draw:
        raise ConfigError(f"aug.draw={settings.aug.draw}: nothing that compare shows depends on it; leave it out")
    if not settings.paths and not settings.asks_for_music:
        raise ConfigError("runs: give a folder of runs, as in runs=runs, or music, as in data.path=DIR or data=bundled")
    if not settings.paths and not settings.music:
        raise ConfigError("music=false: then runs=DIR is needed, or there is nothing to compare")
    return settings
