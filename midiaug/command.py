"""What every command shares: it starts under Hydra from any directory, and says what went wrong in one sentence."""

import difflib
import os
import re
import shlex
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from midiaug.errors import CheckpointError, ConfigError, MidiaugError

Task = Callable[[DictConfig], Any]


def config_dir() -> Path:
    """Where the YAML files are: inside the package in an installed wheel, beside it in a checkout."""
    inside = Path(__file__).parent / "configs"
    return inside if inside.is_dir() else Path(__file__).parents[1] / "configs"


def command(name: str) -> Callable[[Task], Callable[[], None]]:
    """Make a task a command that reads `configs/<name>.yaml`.

    An error that a user can mend is one sentence on stderr, and the exit status is 1; with HYDRA_FULL_ERROR=1
    in the environment it is a traceback.
    """

    def decorate(task: Task) -> Callable[[], None]:
        def main() -> None:
            _register_resolvers()
            run = hydra.main(version_base="1.3", config_path=str(config_dir()), config_name=name)(task)
            if os.environ.get("HYDRA_FULL_ERROR", "0") not in ("", "0"):
                run()
                return
            os.environ["HYDRA_FULL_ERROR"] = "1"  # so that Hydra hands the error on, and does not print it itself
            try:
                run()
            except KeyboardInterrupt:
                sys.exit(130)
            except (MidiaugError, HydraException, OmegaConfBaseException) as error:
                sys.stdout.flush()
                print(sentence_of(error), file=sys.stderr)  # noqa: T201
                sys.exit(1)

        return main

    return decorate


def sentence_of(error: Exception) -> str:
    """An error in one sentence, with the name of its kind in front."""
    if isinstance(error, MidiaugError):
        return f"{type(error).__name__}: {error}"
    text = " ".join(str(error).split())
    unknown = re.search(r"Could not override '([^']+)'", text)
    if unknown:
        key = unknown[1]
        close = difflib.get_close_matches(key, known_keys(), n=1, cutoff=0.5)
        hint = f"did you mean {close[0]}? " if close else ""
        text = f"{key}: there is no such key; {hint}--help lists them all"
    text = re.sub(r" ?(Set the environment variable HYDRA_FULL_ERROR|See https?://|Config search path:).*", "", text)
    return f"ConfigError: {text}"


def known_keys() -> list[str]:
    """Every key of the YAML files, written with dots."""
    keys: list[str] = []
    for path in sorted(config_dir().glob("**/*.yaml")):
        content = OmegaConf.load(path)
        group = path.relative_to(config_dir()).parent.as_posix().replace("/", ".")
        keys += _keys_below(content, "" if group == "." else group)
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
    """What differs from the defaults, as part of a folder's name: `model=gru,aug=none`."""
    kept = re.sub(r"[^\w=.,+-]+", "_", overrides).strip("_,")
    return kept[:120].rstrip("_,") or "default"


def run_dir(root: str, ckpt: str | None, overrides: str) -> str:
    """A new folder for a run, named by its time and what differs; or, with ckpt=last, the folder of the run resumed."""
    if ckpt == "last" and list(Path(root).glob("**/checkpoints/last.ckpt")):
        return str(newest_checkpoint(root).parents[1])
    return os.path.join(root, f"{datetime.now():%Y-%m-%d_%H-%M-%S-%f}_{run_name(overrides)}")


def this_command() -> str:
    """The command line as it was typed, without ckpt=last, to show how to go on with it."""
    module = Path(sys.argv[0]).stem
    return shlex.join(["python", "-m", f"midiaug.{module}", *(word for word in sys.argv[1:] if word != "ckpt=last")])


def _register_resolvers() -> None:
    OmegaConf.register_new_resolver("midiaug.run_dir", run_dir, replace=True, use_cache=True)
    OmegaConf.register_new_resolver("midiaug.run_name", run_name, replace=True)


def typed(schema: type, config: DictConfig) -> Any:
    """The configuration as an object of the dataclass `schema`. Raises ConfigError for a key of the wrong type."""
    try:
        return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(schema), config))
    except OmegaConfBaseException as error:
        key = error.full_key or error.key
        reason = str(error).splitlines()[0]
        try:
            value = OmegaConf.select(config, str(key))
        except OmegaConfBaseException:
            value = None
        shown = f"{key}={value}" if value is not None else f"{key}"
        raise ConfigError(f"{shown}: {reason[:1].lower()}{reason[1:]}") from error
