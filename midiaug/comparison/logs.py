"""Reads the curves of training programs other than midiaug from their TensorBoard logs."""

import logging
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # type: ignore[import-untyped]
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader  # type: ignore[import-untyped]
from tensorboard.util.tensor_util import make_ndarray  # type: ignore[import-untyped]

from midiaug.comparison.finding import EVENTS, TRAINING, VALIDATION, side_of, words_of
from midiaug.errors import ComparisonError, one_line

_LOSS = {"loss", "nll", "ce", "xent", "entropy"}
_SHOWN_TAGS = 4
Points = list[tuple[int, float]]  # step and value


def read_curves(folder: Path, parts: list[Path]) -> tuple[list[dict[str, Any]], float | None, str]:
    """A row for each time that the program validated, how many seconds it ran, and which tags were taken.

    folder: the run's. parts: those that hold its event files. The training loss of a row is the mean of what was logged
    since the row before. Raises ComparisonError where there is no validation loss.
    """
    logging.getLogger("tensorboard").setLevel(logging.ERROR)  # it tells of each file that it has read to its end
    points: dict[str, Points] = {}
    for part in parts:
        prefix = "" if part == folder else f"{part.name}/"
        for tag, values in _scalars(part).items():
            points[prefix + tag] = values
    val, train = _chosen(points, "val"), _chosen(points, "train")
    if val is None:
        tags = ", ".join(sorted(points)[:_SHOWN_TAGS]) or "none"
        raise ComparisonError(f"no tag of its TensorBoard log is a validation loss, such as val/loss; it has {tags}")
    taken = f"val from {val}, " + (f"train from {train}" if train else "no training loss")
    return _rows(points[val], points[train] if train else []), seconds_of(parts), taken


def seconds_of(folders: Iterable[Path]) -> float | None:
    """How long the writers of the event files ran in all; pauses between a run and its resume do not count."""
    total = 0.0
    for folder in folders:
        for path in sorted(folder.glob(f"{EVENTS}*")):
            times: list[float] = []
            # a file that is cut short, or no event file at all; TensorBoard has no one error for it
            with suppress(Exception):
                times.extend(event.wall_time for event in EventFileLoader(str(path)).Load())
            times = [time for time in times if np.isfinite(time)]
            total += max(times) - min(times) if times else 0.0
    return total or None


def _scalars(folder: Path) -> dict[str, Points]:
    try:
        events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
        events.Reload()
        found = {tag: [(e.step, float(e.value)) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
        for tag in events.Tags()["tensors"]:  # as TensorFlow 2 writes its scalars
            values = [(e.step, make_ndarray(e.tensor_proto)) for e in events.Tensors(tag)]
            if values and all(value.shape == () and value.dtype.kind == "f" for _, value in values):
                found[tag] = [(step, float(value)) for step, value in values]
    except Exception as error:  # as above
        raise ComparisonError(f"its TensorBoard log cannot be read ({one_line(error)})") from error
    return found


def _chosen(points: dict[str, Points], side: str) -> str | None:
    """The tag that is most plainly the loss of this side: whole epochs before steps, and the fewest words."""
    words = {tag: words_of(tag) for tag in points if points[tag]}
    fitting = [tag for tag in words if side_of(tag) == side and set(words[tag]) & _LOSS]
    names = VALIDATION if side == "val" else TRAINING
    other = {"epoch", "step"} | _LOSS | names
    return min(
        fitting,
        key=lambda tag: (len(set(words[tag]) - other), "step" in words[tag], "test" in words[tag], len(tag)),
        default=None,
    )


def _rows(val: Points, train: Points) -> list[dict[str, Any]]:
    steps, losses = np.array([step for step, _ in train]), np.array([value for _, value in train])
    rows, before = [], -np.inf
    for epoch, (step, value) in enumerate(sorted(dict(val).items()), 1):
        since = losses[(steps > before) & (steps <= step)] if len(steps) else losses
        mean = float(since.mean()) if len(since) else None
        gap = None if mean is None else value - mean
        losses_of_row = {"loss/train": mean, "loss/val": value, "loss/gap": gap}
        finite = {key: loss if loss is not None and np.isfinite(loss) else None for key, loss in losses_of_row.items()}
        rows.append({"epoch": epoch, "step": step, **finite})
        before = step
    return rows
