"""The keys of `python -m midiaug.generate`, checked."""

import math
from dataclasses import dataclass, field
from typing import Any

from omegaconf import DictConfig

from midiaug.errors import ConfigError
from midiaug.schemas import typed
from midiaug.settings import check_seed

MAX_BARS = 32
MOST_BARS = 1_000_000
MOST_PIECES = 4096  # they are drawn side by side, and what sounds in one takes 16 kB


@dataclass
class MusicPlace:
    """The keys under `data`: where the music of the checkpoint is now."""

    path: str | None = None
    cache_dir: str | None = None


@dataclass
class GenerateSettings:
    """Everything that `python -m midiaug.generate` takes."""

    ckpt: str | None = None
    n: int = 8
    prompt: str | None = None
    tune: int | None = None
    prompts: str | None = None
    bars: int = 2
    shift: int = 0
    max_bars: int | None = None
    max_tokens: int = 2048
    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    seed: int = 0
    wav: Any = "auto"
    soundfont: str | None = None
    data: MusicPlace = field(default_factory=MusicPlace)

    @property
    def length(self) -> int:
        """How many bars are generated: as many as are given of each validation piece, and else up to 32."""
        return self.max_bars or (MAX_BARS if self.prompts is None else self.bars)


def checked_generate(config: DictConfig) -> GenerateSettings:
    """The configuration as typed settings. Raises ConfigError for a value that cannot be used."""
    settings: GenerateSettings = typed(GenerateSettings, config)
    if not settings.ckpt:
        raise ConfigError(
            "ckpt is missing: give a checkpoint, as in ckpt=FILE, or ckpt=best for the newest below runs/"
        )
    for name in ("n", "tune", "bars", "max_bars", "max_tokens", "top_k"):
        value = getattr(settings, name)
        if value is not None and value < 1:
            raise ConfigError(f"{name}={value}: give a whole number, 1 or more")
    if not 0 < settings.temperature < math.inf:
        raise ConfigError(
            f"temperature={settings.temperature}: give a number above 0; top_k=1 takes the likeliest token"
        )
    if settings.top_p is not None and not 0 < settings.top_p <= 1:
        raise ConfigError(f"top_p={settings.top_p}: give a share above 0, up to 1")
    if settings.prompts not in (None, "val"):
        raise ConfigError(f"prompts={settings.prompts}: use val, or null; a file is given with prompt=FILE")
    if settings.prompts is not None and settings.prompt is not None:
        raise ConfigError(f"prompt={settings.prompt} and prompts={settings.prompts}: give one of them")
    if settings.tune is not None and settings.prompt is None:
        raise ConfigError(f"tune={settings.tune}: it names a tune of an ABC file; give that with prompt=FILE")
    if settings.shift and settings.prompt is None and settings.prompts is None:
        raise ConfigError(f"shift={settings.shift}: it moves a prompt; give one with prompt=FILE, or prompts=val")
    if settings.n > MOST_PIECES:
        raise ConfigError(f"n={settings.n}: at most {MOST_PIECES:,} at a time; give more seeds, one after another")
    for name in ("bars", "max_bars"):
        if (getattr(settings, name) or 0) > MOST_BARS:
            raise ConfigError(f"{name}={getattr(settings, name)}: at most {MOST_BARS:,}")
    if settings.wav not in ("auto", True, False):
        raise ConfigError(f"wav={settings.wav}: use auto, true or false")
    check_seed(settings.seed)
    return settings
