"""The keys of `python -m midiaug.preview`, checked."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from omegaconf import DictConfig

from midiaug.errors import ConfigError
from midiaug.schemas import typed
from midiaug.settings import SharedSettings, check_shared

_OF_SOURCE = ("source", "path", "collection", "column", "limit", "val_split", "split", "twin_share")


@dataclass
class PreviewKeys:
    """The keys under `preview`."""

    pieces: int = 3
    file: str | None = None


@dataclass
class PreviewSettings(SharedSettings):
    """Everything that `python -m midiaug.preview` takes."""

    preview: PreviewKeys = field(default_factory=PreviewKeys)


def checked_preview(config: DictConfig) -> PreviewSettings:
    """The configuration of a preview as typed settings. Raises ConfigError for a value that cannot be used."""
    settings: PreviewSettings = typed(PreviewSettings, config)
    check_shared(settings)
    if settings.preview.pieces < 1:
        raise ConfigError(f"preview.pieces={settings.preview.pieces}: give a number of pieces, 1 or more")
    if settings.preview.file is not None and not settings.preview.file.strip():
        raise ConfigError("preview.file is empty: give a MIDI or ABC file, or leave the key out")
    return settings


def names_a_source(words: Sequence[str]) -> bool:
    """Whether the words of a command line say which music is read; a file alone needs no other music."""
    keys = {word.lstrip("+~").partition("=")[0] for word in words}
    return bool(keys & {"data", *(f"data.{key}" for key in _OF_SOURCE)})
