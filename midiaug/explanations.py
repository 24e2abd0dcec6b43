"""What --help says: each key of a command with its default, below the comment that explains it in the YAML files."""

import re
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

_KEY = re.compile(r"( *)([A-Za-z_]\w*):")
_QUOTED = re.compile(r"^'(\w+)'(?=:)", re.MULTILINE)  # YAML takes a bare n for "no"
_LIST = re.compile(r"(?:\n *- [^\n:]*)+(?=\n|$)")  # a short list stands behind its key


def help_text(directory: Path, command: str, config: DictConfig) -> str:
    """The help of a command, as a template in which Hydra puts nothing more.

    directory: where the YAML files are. config: the whole configuration, with Hydra's own part.
    """
    choices = {group: choice for group, choice in config.hydra.runtime.choices.items() if "/" not in group}
    files = [directory / "common.yaml"]
    files += [directory / group / f"{choice}.yaml" for group, choice in choices.items() if choice is not None]
    comments: dict[str, list[str]] = {}
    for file in (*files, directory / f"{command}.yaml"):
        group = "" if file.parent == directory else file.parent.name
        comments |= comments_of(file.read_text(encoding="utf-8"), group)
    options = {group: sorted(path.stem for path in (directory / group).glob("*.yaml")) for group in sorted(choices)}
    own = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    parts = [
        str(config.hydra.help.header).strip(),
        *(["\nWhole groups of keys, chosen by name:\n"] if options else []),
        *(f"  {group}={'|'.join(names)}" for group, names in options.items()),
        "\nSingle keys, as in key=value, or group.key=value; here with their defaults:\n",
        *_explained(_QUOTED.sub(r"\1", OmegaConf.to_yaml(own)), comments),
        "\n" + str(config.hydra.help.footer).strip(),
    ]
    return "\n".join(parts).replace("$", "$$")


def comments_of(text: str, group: str = "") -> dict[str, list[str]]:
    """The lines of comment above each key of a YAML file, by the key with dots. group: what stands before the keys."""
    comments: dict[str, list[str]] = {}
    above: list[str] = []
    for line, key in _with_keys(text, group):
        if line.lstrip().startswith("#"):
            above.append(line.strip())
            continue
        if key and above:
            comments[key] = above
        above = []
    return comments


def _explained(text: str, comments: dict[str, list[str]]) -> list[str]:
    lines: list[str] = []
    for line, key in _with_keys(_LIST.sub(_on_one_line, text), ""):
        indent = " " * (2 + len(line) - len(line.lstrip()))
        lines += [indent + comment for comment in comments.get(key, []) if key]
        lines += [f"  {line}"]
    return lines


def _on_one_line(items: re.Match[str]) -> str:
    return f" [{', '.join(re.findall(r'- (.*)', items[0]))}]"


def _with_keys(text: str, group: str) -> list[tuple[str, str]]:
    """Each line with the key that it sets, by its indentation; an empty one where it sets none."""
    found: list[tuple[str, str]] = []
    parents: list[tuple[int, str]] = []
    for line in text.splitlines():
        key = _KEY.match(line)
        if key is None:
            found.append((line, ""))
            continue
        depth = len(key[1])
        parents = [parent for parent in parents if parent[0] < depth] + [(depth, key[2])]
        found.append((line, ".".join([*([group] if group else []), *(name for _, name in parents)])))
    return found
