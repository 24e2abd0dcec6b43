"""Reads runs from their folders: figures, curves, settings, and the loss of each validation piece."""

import csv
import json
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

from midiaug.comparison.finding import Found
from midiaug.comparison.logs import read_curves, seconds_of
from midiaug.comparison.progress import tracked
from midiaug.errors import ComparisonError, one_line

Row = dict[str, Any]


@dataclass(frozen=True)
class PieceLoss:
    """What a validation piece cost in nats, over so many tokens; group: its look-alikes have the same."""

    group: str
    nats: float
    tokens: int


@dataclass
class Run:
    """A run as its folder tells it.

    rows: one for each validated epoch, with `epoch`, `loss/train`, `loss/val` and `loss/gap`; a figure may be None.
    best: the row with the lowest validation loss. config: the whole configuration, empty for other programs' runs.
    summary: the content of summary.json, empty where the run did not finish. sides: a side for each piece's name.
    pieces: by name, of the best epoch. seconds: it trained for. generated: its generate.json files, newest last.
    """

    path: Path
    rows: list[Row]
    best: Row
    own: bool = True
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    sides: dict[str, str] = field(default_factory=dict)
    pieces: dict[str, PieceLoss] = field(default_factory=dict)
    seconds: float | None = None
    generated: dict[str, dict[str, Any]] = field(default_factory=dict)
    name: str = ""

    @property
    def finished(self) -> bool:
        """Whether the run came to its end; of another program's run that cannot be known."""
        return not self.own or bool(self.summary)

    @cached_property
    def split_key(self) -> str | None:
        """Stands for the validation pieces; None where they are not known."""
        names = sorted(name for name, side in self.sides.items() if side == "val") or sorted(self.pieces)
        return _digest(names) if names else None

    @cached_property
    def music_key(self) -> str | None:
        """Stands for the names of all pieces; None where they are not known."""
        return _digest(sorted(self.sides)) if self.sides else None

    @property
    def tokens_per_second(self) -> float | None:
        """While training, the median over the epochs."""
        speeds = sorted(row["tokens_per_second"] for row in self.rows if row.get("tokens_per_second") is not None)
        return self.summary.get("tokens_per_second") or (speeds[len(speeds) // 2] if speeds else None)


def read_runs(found: Found) -> tuple[list[Run], list[str]]:
    """Every run that can be read, with a name of its own, and a remark for each that cannot."""
    runs: list[Run] = []
    remarks: list[str] = []
    content: dict[str, Path] = {}
    for path in tracked([*found.own, *found.logs], "reading runs"):
        try:
            run, said = _read_own(path) if path in found.own else _read_log(path, found.logs[path])
        except (ComparisonError, OSError) as error:
            reason = (error.strerror or one_line(error)) if isinstance(error, OSError) else str(error)
            remarks.append(f"{path}: {reason}; it was left out")
            continue
        remarks += [f"{path}: {remark}" for remark in said]
        key = _digest([repr(row) for row in run.rows])
        if key in content and run.own:
            remarks.append(f"{path}: the same run as {content[key]}, copied; it counts once")
            continue
        content[key] = path
        runs.append(run)
    _name(runs)
    return runs, remarks


def _name(runs: list[Run]) -> None:
    """As much of each path's end as tells it from the others."""
    for count in range(1, max((len(run.path.absolute().parts) for run in runs), default=1) + 1):
        names = {id(run): "/".join(run.path.absolute().parts[-count:]) for run in runs}
        often = Counter(names.values())
        for run in runs:
            if not run.name and often[names[id(run)]] == 1:
                run.name = names[id(run)]


def _read_log(path: Path, parts: list[Path]) -> tuple[Run, list[str]]:
    rows, seconds, taken = read_curves(path, parts)
    remark = f"a log of another program ({taken}); its training loss may be of transposed music and with dropout"
    return Run(path, rows, _best(rows), own=False, seconds=seconds), [remark]


def _read_own(path: Path) -> tuple[Run, list[str]]:
    remarks: list[str] = []
    summary = _json(path / "summary.json", remarks)
    rows = _metrics(path / "metrics.csv") if (path / "metrics.csv").is_file() else _rows_of(summary)
    best = _best([row for row in rows if row["epoch"] == summary.get("best_epoch")] or rows)
    run = Run(path, rows, best, config=_config(path, remarks), summary=summary, seconds=seconds_of([path]))
    pieces = _json(path / "split.json", remarks).get("pieces", {})
    run.sides = {name: entry["side"] for name, entry in pieces.items()}
    run.pieces = _pieces(path / "val_pieces.csv", remarks)
    for file in sorted(path.glob("generated/*/generate.json")):
        content = _json(file, remarks)
        if content:
            run.generated[file.parent.name] = content
    if not summary:
        remarks.append(
            "not finished; it is shown with its best epoch so far, but not counted in what augmentation gained"
        )
    return run, remarks


def _json(path: Path, remarks: list[str]) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
        if isinstance(content, dict):
            return content
        reason = "it holds no object"
    except (ValueError, OSError) as error:
        reason = one_line(error)
    remarks.append(f"{path.name} cannot be read ({reason})")
    return {}


def _config(path: Path, remarks: list[str]) -> dict[str, Any]:
    file = path / ".hydra" / "config.yaml"
    if not file.is_file():
        remarks.append("it has no .hydra/config.yaml, so that only some of its settings are known")
        return {}
    try:
        content = OmegaConf.to_container(OmegaConf.load(file), resolve=False)
    except (YAMLError, OmegaConfBaseException, OSError, UnicodeDecodeError) as error:
        remarks.append(f".hydra/config.yaml cannot be read ({one_line(error)})")
        return {}
    return {str(key): value for key, value in content.items()} if isinstance(content, dict) else {}


def _metrics(path: Path) -> list[Row]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows: list[Row] = [
                {key: _finite(float(value)) for key, value in row.items()} for row in csv.DictReader(file)
            ]
        for row in rows:
            row["epoch"] = int(row["epoch"])
            _ = row["loss/train"], row["loss/val"], row["loss/gap"]
    except (ValueError, TypeError, KeyError, csv.Error) as error:
        raise ComparisonError(f"metrics.csv cannot be read ({one_line(error)})") from error
    return rows


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _rows_of(summary: dict[str, Any]) -> list[Row]:
    """The one row that summary.json tells of."""
    try:
        losses = {f"loss/{side}": float(summary["loss"][side]) for side in ("train", "val", "gap")}
        notes = {f"nats_per_note/{side}": float(value) for side, value in summary["nats_per_note"].items()}
        return [{"epoch": int(summary["best_epoch"]), **losses, **notes}]
    except (KeyError, TypeError, ValueError) as error:
        raise ComparisonError("it has no metrics.csv, and summary.json lacks the losses") from error


def _best(rows: list[Row]) -> Row:
    finite = [row for row in rows if row["loss/val"] is not None]
    if not finite:
        raise ComparisonError("no epoch has a validation loss that is a number")
    return min(finite, key=lambda row: float(row["loss/val"]))


def _pieces(path: Path, remarks: list[str]) -> dict[str, PieceLoss]:
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            rows = list(csv.DictReader(file))
        return {row["piece"]: PieceLoss(row["group"], float(row["nats"]), int(row["tokens"])) for row in rows}
    except (ValueError, TypeError, KeyError, csv.Error) as error:
        remarks.append(f"val_pieces.csv cannot be read ({one_line(error)})")
        return {}


def _digest(names: Iterable[str]) -> str:
    return blake2b("\n".join(names).encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
