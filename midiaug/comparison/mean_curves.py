"""The training and validation losses of several runs over as much training, and their mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from midiaug.comparison.contents import Row
from midiaug.comparison.runs import Run

Curve = NDArray[np.float64]
_UNITS = ("tokens", "step", "epoch")  # of metrics.csv; runs of other programs and older ones have no tokens


@dataclass(frozen=True)
class MeanCurves:
    """Means over the runs of both losses, in nats a token, at as much training.

    unit: what the training is counted in: tokens, step or epoch. at: these amounts, ascending.
    """

    unit: str
    at: list[float]
    train: list[float]
    val: list[float]


def mean_curves(runs: Sequence[Run]) -> MeanCurves | None:
    """The means over the stretch that all runs have; None where it has fewer than two validations, or a loss
    lacks or is beyond all numbers.
    """
    unit = unit_of(runs)
    if unit is None or any(row["loss/train"] is None for run in runs for row in _validations(run)):
        return None
    places = common(runs, unit)
    if len(places) < 2:
        return None
    with np.errstate(over="ignore"):
        train, val = (mean_curve(runs, unit, places, f"loss/{side}") for side in ("train", "val"))
    if not np.isfinite([train, val]).all():  # of losses so high that their sum is no number
        return None
    return MeanCurves(unit, places.tolist(), train.tolist(), val.tolist())


def unit_of(runs: Sequence[Run]) -> str | None:
    """What the training of all of them can be counted in: tokens before steps before epochs."""
    return next((unit for unit in _UNITS if runs and all(has(run, unit) for run in runs)), None)


def has(run: Run, name: str) -> bool:
    """Whether each validation of the run has this amount, and each more than the one before."""
    values = [row.get(name) for row in _validations(run)]
    there = [float(value) for value in values if value is not None]
    return len(there) == len(values) and all(one < other for one, other in pairwise(there))


def curve_at(run: Run, unit: str, name: str, places: Curve) -> Curve:
    """A figure of a run at these amounts of training, between validations by a straight line."""
    rows = _validations(run)
    values: Curve = np.interp(places, [float(row[unit]) for row in rows], [float(row[name]) for row in rows])
    return values


def mean_curve(runs: Sequence[Run], unit: str, places: Curve, name: str = "loss/val") -> Curve:
    """The mean over the runs of a figure at these amounts of training."""
    values: Curve = np.mean([curve_at(run, unit, name, places) for run in runs], 0)
    return values


def common(runs: Sequence[Run], unit: str) -> Curve:
    """Every amount at which a run was validated, within the stretch that all of them have."""
    lists = [[float(row[unit]) for row in _validations(run)] for run in runs]
    if not all(lists):
        return np.empty(0)
    low, high = max(amounts[0] for amounts in lists), min(amounts[-1] for amounts in lists)
    every: Curve = np.unique(np.concatenate(lists))
    within: Curve = every[(every >= low) & (every <= high)]
    return within


def _validations(run: Run) -> list[Row]:
    return [row for row in run.rows if row["loss/val"] is not None]
