"""Reads the files of a run's folder. What is not as a run writes it is taken as unknown, and named in a remark."""

import csv
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from omegaconf import DictConfig, ListConfig, OmegaConf

from midiaug.data.shifts import Shifts
from midiaug.errors import ComparisonError, ConfigError, one_line

Row = dict[str, Any]
Object = dict[str, Any]
_LOSSES = ("loss/train", "loss/val", "loss/gap")
_GROUPS = ("data", "aug", "tokenizer", "model")  # of the configuration; every run has them
_SEEDS = 1 << 32
_OF_KEYS = ("key_spread", "equivariance", "loss_averaged_over_keys")  # none without room for twelve keys
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C reads a run's settings ten times as fast


@dataclass(frozen=True)
class PieceLoss:
    """What a validation piece cost in nats, over so many tokens; group: its look-alikes have the same."""

    group: str
    nats: float
    tokens: int


def as_number(value: object) -> float | None:
    """A finite number, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # a whole number with hundreds of digits
        return None


def read_object(path: Path, remarks: list[str]) -> Object:
    """The object that a JSON file holds, None where it has a number that is none; empty where there is none."""
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
        if isinstance(content, dict):
            return {key: _finite(value) for key, value in content.items()}
        reason = "it holds no object"
    except (ValueError, OSError, RecursionError) as error:
        reason = one_line(error)
    remarks.append(f"{path.name} cannot be read ({reason})")
    return {}


def read_summary(path: Path, remarks: list[str]) -> Object:
    """What summary.json holds, without what is not as `train` writes it."""
    content, kept = read_object(path, remarks), {}
    odd = []
    for key, checked in _SUMMARY.items():
        if key in content:
            value = checked(content[key])
            if value is None and not (key in (*_OF_KEYS, "told") and content[key] is None):
                odd.append(key)
            kept[key] = value
    if odd:
        remarks.append(f"summary.json: {', '.join(odd)}: not as train writes it; taken as not known")
    elif content and not kept:
        remarks.append("summary.json: it holds nothing that train writes")
    return {key: value for key, value in kept.items() if value is not None}


def read_sides(path: Path, remarks: list[str]) -> dict[str, str]:
    """The side of each piece that split.json names; empty where one of them has none."""
    before = len(remarks)
    pieces = read_object(path, remarks).get("pieces")
    if isinstance(pieces, dict) and pieces:
        sides = {name: entry.get("side") if isinstance(entry, dict) else None for name, entry in pieces.items()}
        if all(side in ("train", "val") for side in sides.values()):
            return {name: str(side) for name, side in sides.items()}
    if path.is_file() and len(remarks) == before:
        remarks.append("split.json: not as train writes it; the pieces and their sides are taken as not known")
    return {}


def read_config(folder: Path, summary: Object, remarks: list[str]) -> Object:
    """The configuration of a run, without what is not as a run writes it; empty where it is not known.

    summary: a finished run's, which tells of its settings. Those of .hydra/config.yaml stand in where it does not:
    Hydra writes that file anew where a run of other settings is refused in the same folder.
    """
    if "settings" in summary:
        return _config(summary["settings"], "summary.json's settings", remarks)
    path = folder / ".hydra" / "config.yaml"
    if not path.is_file():
        remarks.append("it has no .hydra/config.yaml, so that only some of its settings are known")
        return {}
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _LOADER)  # noqa: S506  # a safe one
    except (yaml.YAMLError, OSError, ValueError, RecursionError) as error:
        remarks.append(f".hydra/config.yaml cannot be read ({one_line(error)}); its settings are not known")
        return {}
    return _config(content, ".hydra/config.yaml", remarks)


def _config(content: Any, where: str, remarks: list[str]) -> Object:
    lacks = [key for key in _GROUPS if not isinstance(content, dict) or not isinstance(content.get(key), dict)]
    if not isinstance(content, dict) or lacks:
        remarks.append(f"{where}: no {lacks[0]} as a run writes it; its settings are not known")
        return {}
    odd = []
    for (group, key), fits in _CONFIG.items():
        node = content[group] if group else content
        if key in node and not fits(node[key]):
            odd.append(f"{group}.{key}".strip("."))
            del node[key]
    if odd:
        remarks.append(f"{where}: {', '.join(odd)}: not as a run writes it; taken as not known")
    return {str(key): value for key, value in content.items()}


def read_noted(folder: Path, name: str) -> DictConfig | ListConfig | None:
    """What Hydra noted beside a run, such as overrides.yaml; None where it did not, as in a folder that is no run."""
    try:
        return OmegaConf.load(folder / ".hydra" / name)
    except (OSError, ValueError, yaml.YAMLError):
        return None


def read_metrics(path: Path) -> list[Row]:
    """A row for each epoch. Raises ComparisonError where the file cannot be read or lacks the losses."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows: list[Row] = [
                {key: as_number(float(value)) for key, value in row.items()} for row in csv.DictReader(file)
            ]
        for row in rows:
            row["epoch"] = int(row["epoch"])
            _ = [row[name] for name in _LOSSES]
    except (ValueError, TypeError, KeyError, csv.Error) as error:
        raise ComparisonError(f"metrics.csv cannot be read ({_of_table(error)})") from error
    return rows


def rows_of(summary: Object) -> list[Row]:
    """The one row that summary.json tells of. Raises ComparisonError where it lacks the losses."""
    losses = {f"loss/{side}": (summary.get("loss") or {}).get(side) for side in ("train", "val", "gap")}
    if None in losses.values() or "best_epoch" not in summary:
        raise ComparisonError("it has no metrics.csv, and summary.json lacks the losses")
    notes = {f"nats_per_note/{side}": value for side, value in (summary.get("nats_per_note") or {}).items()}
    return [{"epoch": summary["best_epoch"], **losses, **notes}]


def read_pieces(path: Path, remarks: list[str]) -> dict[str, PieceLoss]:
    """The loss of each validation piece; empty where one of them is no number."""
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            rows = list(csv.DictReader(file))
        pieces = {row["piece"]: PieceLoss(row["group"], float(row["nats"]), int(row["tokens"])) for row in rows}
        for name, piece in pieces.items():
            if piece.group is None or piece.tokens < 1 or as_number(piece.nats) is None:
                raise ValueError(f"the loss of {name} is no number of nats over a number of tokens")
    except (ValueError, TypeError, KeyError, csv.Error) as error:
        remarks.append(f"val_pieces.csv cannot be read ({_of_table(error)})")
        return {}
    return pieces


def _of_table(error: Exception) -> str:
    """What is wrong with a table, which Python says of one value alone."""
    if isinstance(error, KeyError):
        return f"it has no column {error.args[0]}"
    if isinstance(error, TypeError):
        return "a line has too many or too few values, or an epoch without a number"
    return one_line(error)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(inside) for key, inside in value.items()}
    if isinstance(value, list):
        return [_finite(inside) for inside in value]
    return as_number(value) if isinstance(value, float) else value


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _SEEDS else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _shifts(value: object) -> list[int] | None:
    try:
        return list(Shifts.of(*value).values) if isinstance(value, list) else None
    except (ConfigError, TypeError):
        return None


def _numbers(value: object) -> dict[str, float] | None:
    """An object that holds numbers alone."""
    fits = isinstance(value, dict) and all(as_number(inside) is not None for inside in value.values())
    return value if fits else None  # type: ignore[return-value]


def _sizes(value: object) -> dict[str, float | bool] | None:
    """An object that holds numbers and truth values alone."""
    fits = isinstance(value, dict) and all(isinstance(v, bool) or as_number(v) is not None for v in value.values())
    return value if fits else None  # type: ignore[return-value]


def _by_shift(value: object) -> dict[str, float] | None:
    numbers = _numbers(value)
    try:
        return None if numbers is None else {str(int(shift)): float(loss) for shift, loss in numbers.items()}
    except ValueError:
        return None


def _of_keys(value: object) -> Object | None:
    """The figures in twelve keys of a model that is told of the shift."""
    losses = _by_shift(value.get("loss_by_key")) if isinstance(value, dict) else None
    if not isinstance(value, dict) or losses is None:
        return None
    return {"loss_by_key": losses} | {name: as_number(value.get(name)) for name in _OF_KEYS}


_SUMMARY: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("cell", "tokenizer", "source", "started_in"), _text),
    **dict.fromkeys(("seed", "epochs", "best_epoch"), _whole),
    **dict.fromkeys(("loss", "nats_per_note"), _numbers),
    "model": _sizes,
    **dict.fromkeys((*_OF_KEYS, "tokens_per_second"), as_number),
    "shifts": _shifts,
    "loss_by_key": _by_shift,
    "told": _of_keys,
    "settings": lambda value: value if isinstance(value, dict) else None,
}
_CONFIG: dict[tuple[str, str], Callable[[Any], bool]] = {
    **dict.fromkeys((("data", "path"), ("data", "cache_dir")), lambda value: value is None or isinstance(value, str)),
    **dict.fromkeys((("data", "source"), ("data", "collection"), ("model", "cell")), lambda v: isinstance(v, str)),
    **dict.fromkeys((("aug", "draw"), ("aug", "out_of_range")), lambda value: isinstance(value, str)),
    **dict.fromkeys((("data", "fold"), ("data", "folds")), lambda value: value is None or _whole(value) is not None),
    **dict.fromkeys((("model", "layers"), ("model", "hidden"), ("", "seed")), lambda value: _whole(value) is not None),
    ("aug", "shifts"): lambda value: _shifts(value) is not None,
    ("", "trainer"): lambda value: value is None or isinstance(value, dict),
}
