"""Reads runs from their folders: figures, curves, settings, and the loss of each validation piece."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

from midiaug.comparison.contents import (
    PieceLoss,
    Row,
    read_config,
    read_metrics,
    read_object,
    read_pieces,
    read_sides,
    read_summary,
    rows_of,
)
from midiaug.comparison.finding import Found
from midiaug.comparison.logs import read_curves, seconds_of
from midiaug.comparison.progress import tracked
from midiaug.errors import ComparisonError, one_line
from midiaug.settings import validated_by
from midiaug.tokenizers import TOKENIZER_FILE


@dataclass(frozen=True)
class Yardstick:
    """By how many nats a token the validation pieces are harder than those trained on, as a count model finds that
    saw neither and learned so many other pieces; with its 95 % interval over tunes.
    """

    nats: float
    low: float
    high: float
    pieces: int


@dataclass
class Run:
    """A run as its folder tells it.

    rows: one for each validation, with `epoch`, `loss/train`, `loss/val` and `loss/gap`; a figure may be None.
    best: the row with the lowest validation loss. config: the whole configuration, empty where it is not known.
    summary: the content of summary.json, empty where the run did not finish. sides: a side for each piece's name.
    pieces: by name, of the best epoch. seconds: it trained for. generated: its generate.json files, newest last.
    yardstick: None where it is not known.
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
    yardstick: Yardstick | None = None

    @property
    def corrected(self) -> float | None:
        """The gap less what the yardstick finds between the pieces; None where one of them is not known."""
        gap = self.best.get("loss/gap")
        return None if gap is None or self.yardstick is None else float(gap) - self.yardstick.nats

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

    @cached_property
    def merges_key(self) -> str | None:
        """Stands for what a trained tokenizer learned; None for one that merges nothing."""
        try:
            return blake2b((self.path / TOKENIZER_FILE).read_bytes()).hexdigest()
        except OSError:
            return None

    @property
    def unit(self) -> str:
        """What its validations are counted by: `step` where they were not at the end of each epoch, else `epoch`."""
        often = len({row["epoch"] for row in self.rows}) < len(self.rows)
        trainer = self.config.get("trainer")
        by_steps = often or (isinstance(trainer, dict) and validated_by(trainer) == "step")
        return "step" if by_steps and all(row.get("step") is not None for row in self.rows) else "epoch"

    @property
    def still_fell(self) -> bool:
        """Whether the validation loss was lowest in the last of several validations."""
        return len(self.rows) > 1 and self.best == self.rows[-1]

    @property
    def fold(self) -> int | None:
        """Which of several folds it was validated on; None where its split is no fold."""
        data = self.config.get("data", {})
        return data.get("fold") if data.get("folds") else None

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
    summary = read_summary(path / "summary.json", remarks)
    rows = read_metrics(path / "metrics.csv") if (path / "metrics.csv").is_file() else rows_of(summary)
    best = _best([row for row in rows if row["epoch"] == summary.get("best_epoch")] or rows)
    config = read_config(path, summary, remarks)
    run = Run(path, rows, best, config=config, summary=summary, seconds=seconds_of([path]))
    run.sides = read_sides(path / "split.json", remarks)
    run.pieces = read_pieces(path / "val_pieces.csv", remarks)
    for file in sorted(path.glob("generated/*/generate.json")):
        content = read_object(file, remarks)
        if content:
            run.generated[file.parent.name] = content
    if not summary:
        remarks.append(
            "not finished; it is shown with its best epoch so far, but not counted in what augmentation gained"
        )
    return run, remarks


def _best(rows: list[Row]) -> Row:
    finite = [row for row in rows if row["loss/val"] is not None]
    if not finite:
        raise ComparisonError("no epoch has a validation loss that is a number")
    return min(finite, key=lambda row: float(row["loss/val"]))


def _digest(names: Iterable[str]) -> str:
    return blake2b("\n".join(names).encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
