"""Where a run is written, and how to find it again."""

import os
import re
import shlex
import sys
from datetime import datetime
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import OverrideParseException

from midiaug.errors import CheckpointError


def newest_checkpoint(root: str | Path) -> Path:
    """The last.ckpt that was written most recently below a folder of runs. Raises CheckpointError without any."""
    found = sorted(Path(root).glob("**/checkpoints/last.ckpt"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise CheckpointError(f"ckpt=last: no checkpoints/last.ckpt below {root}; train first, or give a file")
    return found[-1]


def checkpoint_file(ckpt: str | None, root: str | Path = "runs") -> Path | None:
    """The file that `ckpt` names, or None. Raises CheckpointError where there is none."""
    if ckpt is None:
        return None
    path = newest_checkpoint(root) if ckpt == "last" else Path(ckpt).expanduser()
    if not path.is_file():
        raise CheckpointError(f"ckpt={ckpt}: no such file; give a checkpoint that a run wrote, or last")
    return path.resolve()


def run_name(overrides: str) -> str:
    """What differs, as a folder's name: `model=gru,aug=none`.

    overrides: what differs from the defaults. In a sweep only the keys that take several values count.
    """
    swept = _swept_keys(sys.argv[1:])
    parts = re.split(r",(?=[^,=]+=)", overrides)
    overrides = ",".join(part for part in parts if part.partition("=")[0] in swept) or overrides
    kept = re.sub(r"[^\w=.,+-]+", "_", re.sub(r"[\[\]]", "", overrides)).strip("_,")
    return kept[:120].rstrip("_,") or "default"


def _swept_keys(words: list[str]) -> list[str]:
    """The keys that a command line gives several values, as `model=lstm,gru` does."""
    overrides = [word for word in words if "=" in word and not word.startswith("-")]
    try:
        parsed = OverridesParser.create().parse_overrides(overrides)
    except OverrideParseException:  # not this program's command line
        return []
    return [override.get_key_element().lstrip("+~") for override in parsed if override.is_sweep_override()]


def run_dir(root: str, ckpt: str | None, overrides: str) -> str:
    """A new folder for a run, named by its time and what differs; or, with ckpt=last, the folder of the run resumed."""
    if ckpt == "last" and list(Path(root).glob("**/checkpoints/last.ckpt")):
        return str(newest_checkpoint(root).parents[1])
    return os.path.join(root, f"{datetime.now():%Y-%m-%d_%H-%M-%S-%f}_{run_name(overrides)}")


def shown(path: Path) -> str:
    """A path as a person would type it: relative where it lies below the working directory."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def this_command() -> str:
    """The command line as it was typed, without ckpt=last, to show how to go on with it."""
    module = Path(sys.argv[0]).stem
    return shlex.join(["python", "-m", f"midiaug.{module}", *(word for word in sys.argv[1:] if word != "ckpt=last")])
