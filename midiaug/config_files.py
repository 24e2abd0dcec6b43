"""Where the YAML files are, and which keys they hold."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

_SHARED = ("common", "commands")  # what the files of commands begin with


def config_dir() -> Path:
    """Where the YAML files are: inside the package in an installed wheel, beside it in a checkout."""
    inside = Path(__file__).parent / "configs"
    return inside if inside.is_dir() else Path(__file__).parents[1] / "configs"


def options_of(group: str) -> list[str]:
    """What may stand behind `group=`, such as lstm and gru for model; empty where there is no such group."""
    folder = config_dir() / group
    return sorted(path.stem for path in folder.glob("*.yaml")) if group and folder.is_dir() else []


def known_keys(command: str | None = None) -> list[str]:
    """Every key of the YAML files, written with dots; of one command, without those of other commands' files."""
    keys: list[str] = []
    own = {command, *_SHARED} if command and (config_dir() / f"{command}.yaml").is_file() else None
    for path in sorted(config_dir().glob("**/*.yaml")):
        if own is not None and path.parent == config_dir() and path.stem not in own:
            continue
        group = path.relative_to(config_dir()).parent.as_posix().replace("/", ".")
        at_top = group == "." or "@package _global_" in path.read_text(encoding="utf-8")
        keys += _keys_below(OmegaConf.load(path), "" if at_top else group)
    return sorted(set(keys))


def _keys_below(node: Any, prefix: str) -> list[str]:
    keys: list[str] = []
    for name in node if isinstance(node, DictConfig) else ():
        if name in ("defaults", "hydra"):
            continue
        key = f"{prefix}.{name!s}" if prefix else str(name)
        inside = OmegaConf.is_dict(node._get_node(name))
        keys += _keys_below(node[name], key) if inside else [key]
    return keys
