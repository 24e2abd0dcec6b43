"""Where a run is written, and how to find it again."""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import OverrideParseException
from hydra.types import RunMode
from omegaconf import OmegaConf

from midiaug.errors import CheckpointError
from midiaug.words import PATH_KEYS, as_typed, last_values, split_paths

_LONGEST_NAME = 120


def newest_checkpoint(root: str | Path, name: str = "last") -> Path:
    """The last.ckpt, or best.ckpt, that was written most recently below a folder of runs.

    Raises CheckpointError without any.
    """
    found = sorted(Path(root).glob(f"**/checkpoints/{name}.ckpt"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise CheckpointError(f"ckpt={name}: no checkpoints/{name}.ckpt below {root}; train first, or give a file")
    return found[-1]


def trained_checkpoint(ckpt: str, root: str | Path = "runs", chosen: Path | None = None) -> Path:
    """The file that `ckpt` names: a path, or `best` or `last` for the newest of that name below the root.

    chosen: a folder that `generated_dir` gave for this ckpt: the checkpoint is then that of its run, though another run
    has come to its end since. Raises CheckpointError where there is none.
    """
    if chosen is not None and ckpt in ("best", "last") and chosen.parent.name == "generated":
        own = chosen.parents[1] / "checkpoints" / f"{ckpt}.ckpt"
        if own.is_file():
            return own.resolve()
    path = newest_checkpoint(root, ckpt) if ckpt in ("best", "last") else _of_a_run(str(ckpt), "best")
    try:
        there = path.is_file()
    except OSError as error:
        raise CheckpointError(f"ckpt={ckpt}: cannot be opened ({error.strerror}); give another file") from error
    if not there:
        what = "that is a folder; give the file in its checkpoints/" if path.is_dir() else "no such file; give a file"
        raise CheckpointError(f"ckpt={ckpt}: {what} that a run wrote, or best or last for the newest below {root}/")
    return path.resolve()


def stopped(directory: Path) -> Path | None:
    """The checkpoint from which the run in the folder can go on; None where there is none."""
    last = directory / "checkpoints" / "last.ckpt"
    return last.resolve() if last.is_file() else None


def _of_a_run(ckpt: str, name: str) -> Path:
    """The file that was typed; for the folder of a run, its checkpoint of that name."""
    path = Path(ckpt).expanduser()
    inside = path / "checkpoints" / f"{name}.ckpt"
    return inside if os.path.isfile(inside) else path


def checkpoint_file(ckpt: str | None, directory: Path, root: str | Path = "runs") -> Path | None:
    """The file that `ckpt` names, or None; of `last`, that of the run's own directory before any below the root.

    Raises CheckpointError where there is none.
    """
    if ckpt is None:
        return None
    own = stopped(directory)
    if ckpt == "last" and own is not None:
        return own
    path = newest_checkpoint(root) if ckpt == "last" else _of_a_run(ckpt, "last")
    if not path.is_file():
        raise CheckpointError(f"ckpt={ckpt}: no such file; give a checkpoint that a run wrote, or last")
    return path.resolve()


def run_name(overrides: str, words: Sequence[str] | None = None) -> str:
    """What differs, as a folder's name: `model=gru,aug.shifts=-5..5`.

    overrides: what differs from the defaults. In a sweep only the keys that take several values count.
    words: the command line, this process's own if None; that of a launcher's worker process is another.
    """
    words = sys.argv[1:] if words is None else words
    last, swept = last_values(words), swept_keys(words) + _searched_keys()
    for key in PATH_KEYS:  # a path may itself hold what looks like another key
        if key in last and key not in swept:
            overrides = overrides.replace(f"{key}={last[key]}", "").strip(",")
    parts = [part.partition("=") for part in re.split(r",(?=[^,=]+=)", overrides)]
    chosen = [part for part in parts if part[0] in swept] or [part for part in parts if part[0] not in PATH_KEYS]
    # of a key that was set twice, the last value counts
    often = {key for key, _, _ in chosen if [part[0] for part in chosen].count(key) > 1}
    chosen = [part for part in chosen if part[0] not in often or part[2] == last.get(part[0])]
    name = ""
    for key, equals, value in chosen:
        value = _place(value, _rivals(words, key)) if key in PATH_KEYS else _short(value)
        tidy = re.sub(r"[^\w=.+-]+", "_", f"{key}{equals}{value}").strip("_")
        if len(name) + len(tidy) > _LONGEST_NAME:
            if swept:  # another job may differ in what has no room
                name = f"{name},{_digest(chosen)}".strip(",")
            break
        name = f"{name},{tidy}".strip(",")
    return name or "default"


def _digest(parts: Sequence[tuple[str, str, str]]) -> str:
    whole = ",".join(map("".join, parts)).encode("utf-8", "surrogateescape")
    return blake2b(whole, digest_size=4).hexdigest()


def _place(path: str, others: Sequence[str]) -> str:
    """The last name of a path; all of it where another of those that a sweep takes has the same."""
    bare, names = path.strip("'\""), [Path(other.strip("'\"")).name for other in others]
    return bare if names.count(Path(bare).name) > 1 else Path(bare).name


def _rivals(words: Sequence[str], key: str) -> list[str]:
    """The paths that a command line gives a key; none for ckpt, whose music goes into the run of each."""
    return [] if key == "ckpt" else split_paths(last_values(words).get(key, ""))


def _short(value: str) -> str:
    if re.fullmatch(r"-?\d+\.\d{5,}(e-?\d+)?", value):
        return f"{float(value):.4g}"
    return re.sub(r"^\[(-?\d+), ?(-?\d+)\]$", r"\1..\2", value).strip("[]")


def _searched_keys() -> list[str]:
    """The keys that a sweeper such as Optuna's varies, or that the YAML file of an experiment gives several values."""
    config: Any = HydraConfig.instance().cfg
    params = OmegaConf.select(config, "hydra.sweeper.params") if config is not None else None
    return swept_keys([f"{key}={value}" for key, value in (params or {}).items()])


def swept_keys(words: Sequence[str]) -> list[str]:
    """The keys that a command line gives several values, as `model=lstm,gru` does."""
    overrides = [word for word in words if "=" in word and not word.startswith("-")]
    try:
        parsed = OverridesParser.create().parse_overrides(overrides)
    except OverrideParseException:  # not this program's command line
        return []
    return [override.get_key_element().lstrip("+~") for override in parsed if override.is_sweep_override()]


def remove_if_bare(directory: Path, job: str) -> None:
    """Remove the folder of a run that was refused, where it holds Hydra's records and its log and nothing else."""
    if not {path.name for path in directory.iterdir()} <= {".hydra", f"{job}.log"}:
        return
    for name in ("config.yaml", "hydra.yaml", "overrides.yaml"):
        (directory / ".hydra" / name).unlink(missing_ok=True)
    (directory / f"{job}.log").unlink(missing_ok=True)
    for folder in (directory / ".hydra", directory):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def run_dir(
    root: str, ckpt: str | None, overrides: str, kind: str | None = None, words: Sequence[str] | None = None
) -> str:
    """A new folder for a run, named by its time and what differs; or that of the run whose last.ckpt is resumed.

    kind: a word that stands before what differs, for commands other than train. words: as run_name.
    """
    ckpt = None if ckpt is None else str(ckpt)
    if ckpt == "last" and list(Path(root).glob("**/checkpoints/last.ckpt")):
        return str(newest_checkpoint(root).parents[1])
    last = _of_a_run(ckpt, "last") if ckpt else None
    if last is not None and last.name == "last.ckpt" and last.parent.name == "checkpoints" and last.is_file():
        return str(last.parents[1])
    name = run_name(overrides, words)
    if kind is not None:
        name = kind if name == "default" else f"{kind}_{name}"
    return os.path.join(root, f"{datetime.now():%Y-%m-%d_%H-%M-%S-%f}_{name}")


def generated_dir(root: str, ckpt: str | None, overrides: str, words: Sequence[str] | None = None) -> str:
    """A new folder for generated music: in `generated` of the checkpoint's run, else below the root.

    words: as run_name.
    """
    try:
        run = None if ckpt is None else trained_checkpoint(ckpt, root).parent
    except CheckpointError:  # the command says so itself, in a folder that it removes again
        run = None
    if run is None or run.name != "checkpoints":
        return run_dir(root, None, overrides, "generate", words)
    name, now = run_name(overrides, words), f"{datetime.now():%Y-%m-%d_%H-%M-%S-%f}"
    return str(run.parent / "generated" / (now if name == "default" else f"{now}_{name}"))


def generated_subdir(
    root: str, ckpt: str | None, number: int, overrides: str, words: Sequence[str] | None = None
) -> str:
    """Where a job of a sweep puts its music: where a single run does, in the checkpoint's own run.

    Below the sweep's folder where the checkpoint lies in no run, or the command line names that folder.
    words: as run_name.
    """
    folder = generated_dir(root, ckpt, overrides, words)
    named = any(word.startswith("hydra.sweep.dir=") for word in (sys.argv[1:] if words is None else words))
    return f"{number}_{run_name(overrides, words)}" if named or not os.path.isabs(folder) else folder


def shown(path: Path) -> str:
    """A path as a person would type it: relative where it lies below the working directory."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def this_command(*without: str) -> str:
    """The command line of this run, without its ckpt, to show how to go on with it; of a sweep, that of this job.

    without: further keys that are left out.
    """
    job = HydraConfig.get()
    words = list(job.overrides.task) if job.mode == RunMode.MULTIRUN else sys.argv[1:]
    kept = [as_typed(word) for word in words if word.partition("=")[0] not in ("ckpt", *without)]
    return shlex.join([program("python"), "-m", f"midiaug.{job.job.name}", *kept])


def compare_command(directory: Path) -> str:
    """What to type to compare the runs in a folder."""
    return f"{program('python')} -m midiaug.compare {shlex.quote(f'runs={shown(directory)}')}"


def program(name: str) -> str:
    """What to type for a program of this environment: its name where the shell finds this one, else its path."""
    here = Path(sys.executable).parent / name
    found = shutil.which(name)
    return shown(here) if here.is_file() and (found is None or Path(found).parent != here.parent) else name
