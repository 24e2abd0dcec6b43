"""Configurations as the command line puts them together."""

from functools import cache

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from midiaug.config_files import config_dir


@cache
def composed(command: str, *words: str) -> DictConfig:
    """The configuration of a command with these words: a tenth of a second, so each is put together once a process."""
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        return compose(command, list(words))
