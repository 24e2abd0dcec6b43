"""Finds the folders of runs below what was asked for: midiaug's own, and TensorBoard logs of other programs."""

import glob
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

EVENTS = "events.out.tfevents."
TRAINING = frozenset({"train", "training", "trn"})
VALIDATION = frozenset({"val", "valid", "validation", "eval", "evaluation", "dev", "test"})
_OWN = ("metrics.csv", "summary.json")
_BELOW_A_RUN = {"checkpoints", "generated", ".hydra", ".submitit", "__pycache__", ".git"}


@dataclass
class Found:
    """Folders of runs, each once, in the order of their paths.

    own: those that midiaug wrote. logs: those of other programs, each with the folders that hold its event files.
    remarks: what was asked for and is no run, each in one sentence.
    """

    own: list[Path] = field(default_factory=list)
    logs: dict[Path, list[Path]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def find_runs(paths: list[str]) -> Found:
    """The runs in these folders and in all folders below them; a path may be a pattern with * and **."""
    found = Found()
    seen: set[Path] = set()
    for path in paths:
        try:
            matches = _matches(path)
        except OSError as error:
            found.remarks.append(f"{path}: {error.strerror}; it was left out")
            continue
        if not matches:
            found.remarks.append(f"{path}: there is no such folder; it was left out")
        for folder in matches:
            _look_below(folder, path, found, seen)
    found.own.sort(key=_natural)
    found.logs = {folder: sorted(found.logs[folder]) for folder in sorted(found.logs, key=_natural)}
    return found


def words_of(name: str) -> list[str]:
    """The words of a tag or a folder's name: `val/loss_epoch` and `ValLossEpoch` have the same three."""
    apart = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    return [word for word in re.split(r"[^A-Za-z0-9]+", apart.lower()) if word]


def side_of(name: str) -> str | None:
    """Which side of the split a tag or a folder's name speaks of: train, val, or neither."""
    words = set(words_of(name))
    if words & VALIDATION:
        return "val"
    return "train" if words & TRAINING else None


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sorts 10_ behind 9_."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", str(path))]


def _matches(path: str) -> list[Path]:
    whole = Path(path).expanduser()
    if whole.exists():  # raises where that may not be known
        return [whole]
    return [Path(match) for match in sorted(glob.glob(str(whole), recursive=True))] if glob.has_magic(path) else []


def _look_below(start: Path, asked: str, found: Found, seen: set[Path]) -> None:
    start = start if start.is_dir() else start.parent  # a run's file stands for the run
    before = len(found.own) + len(found.logs)
    denied: list[OSError] = []
    twice = 0
    for name, folders, files in os.walk(start, onerror=denied.append, followlinks=True):
        folder, resolved = Path(name), Path(name).resolve()
        events = any(file.startswith(EVENTS) for file in files)
        own = any(file in _OWN for file in files)
        if (own or events) and resolved in seen:
            twice += 1
        if resolved in seen:
            folders.clear()
            continue
        seen.add(resolved)
        if own:
            found.own.append(folder)
            folders.clear()  # what lies below a run belongs to it
        elif ".hydra" in folders and "train.log" in files:
            found.remarks.append(f"{folder}: it has no finished epoch yet; it was left out")
            folders.clear()
        elif events:
            _add_log(folder, found)
        folders[:] = sorted(set(folders) - _BELOW_A_RUN)
    for error in denied:
        found.remarks.append(f"{error.filename}: {error.strerror}; it was left out")
    if twice:
        found.remarks.append(f"{asked}: {_many(twice)} given twice; each counts once")
    elif before == len(found.own) + len(found.logs) and not denied and not _says_why(start, found):
        found.remarks.append(f"{asked}: no run in this folder or below it; it was left out")


def _says_why(start: Path, found: Found) -> bool:
    return any(remark.startswith(str(start)) for remark in found.remarks)


def _many(count: int) -> str:
    return "a run was" if count == 1 else f"{count} runs were"


def _add_log(folder: Path, found: Found) -> None:
    """Folders named `train` and `validation`, as Keras makes them, are two parts of the run above them."""
    part = side_of(folder.name) is not None and len(words_of(folder.name)) <= 2
    run = folder.parent if part and _has_sibling(folder) else folder
    found.logs.setdefault(run, []).append(folder)


def _has_sibling(folder: Path) -> bool:
    """Whether the folder above holds events of the other side too, or of the run itself."""
    mine = side_of(folder.name)
    others = [other for other in folder.parent.iterdir() if other.is_dir() and side_of(other.name) not in (None, mine)]
    return any(any(other.glob(f"{EVENTS}*")) for other in [*others, folder.parent])
