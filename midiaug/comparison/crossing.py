"""Where the validation loss with augmentation falls below that without for good, at equal tokens."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from midiaug.comparison.mean_curves import Curve, common, curve_at, has, mean_curve, unit_of
from midiaug.comparison.pairs import Pair
from midiaug.printable import short


@dataclass(frozen=True)
class Crossing:
    """Two validation curves, the mean over the seeds of the difference of each pair.

    unit: what the amounts of training are counted in: tokens, step or epoch. at: where the difference falls below 0 for
    good, between two validations by a straight line; None where it never does. from_start: whether it is below 0 at
    each common validation, `at` being the first. lead_lost: whether it is below 0 at one and not at the last. step: the
    optimizer's at that place, None where it is not known. last: the last amount that all curves reach. difference: in
    nats a token, there. by_seed: the seed, the fold, if any, and `at` of each pair alone.
    """

    unit: str
    at: float | None
    from_start: bool
    lead_lost: bool
    step: float | None
    last: float
    difference: float
    by_seed: list[tuple[int | None, int | None, float | None]]

    @property
    def words(self) -> str:
        """Where the curves cross, in words."""
        if self.at is None:
            if self.lead_lost:
                return f"the curve with augmentation was below, and lost its lead before {self._amount(self.last)}"
            return f"the curves never cross within {self._amount(self.last)}"
        step = f" (step {self.step:,.0f})" if self.step is not None and self.unit == "tokens" else ""
        if self.from_start:
            return (
                f"the curve with augmentation lies below from the first validation on, at {self._amount(self.at)}{step}"
            )
        return f"the curves cross for good at {self._amount(self.at)}{step}"

    @property
    def measure(self) -> str:
        """What of the two trainings is equal."""
        return self.unit if self.unit == "tokens" else f"{self.unit}s"

    @property
    def updates(self) -> str:
        """The last amount that all curves reach, in words."""
        return self._amount(self.last)

    def _amount(self, value: float) -> str:
        return f"{short(value)} tokens" if self.unit == "tokens" else f"{self.unit} {value:,.0f}"


def crossing_of(pairs: Sequence[Pair]) -> Crossing | None:
    """Where the curves of these pairs cross; None where they have no common stretch of two validations or more."""
    runs = [run for pair in pairs for run in pair.runs]
    unit = unit_of(runs)
    if unit is None:
        return None
    places = common(runs, unit)
    if len(places) < 2:
        return None
    alone = [mean_curve(pair.after, unit, places) - mean_curve(pair.before, unit, places) for pair in pairs]
    difference = np.mean(alone, 0)
    at = _last_fall(places, difference)
    step = None
    if at is not None and all(has(run, "step") for run in runs):
        step = float(np.mean([curve_at(run, unit, "step", np.array([at]))[0] for run in runs]))
    return Crossing(
        unit=unit,
        at=at,
        from_start=bool((difference < 0).all()),
        lead_lost=bool((difference < 0).any() and difference[-1] >= 0),
        step=step,
        last=float(places[-1]),
        difference=float(difference[-1]),
        by_seed=[(pair.seed, pair.fold, _last_fall(places, part)) for pair, part in zip(pairs, alone, strict=True)],
    )


def _last_fall(places: Curve, difference: Curve) -> float | None:
    above = np.flatnonzero(difference >= 0)
    if not len(above):
        return float(places[0])
    last = int(above[-1])
    if last == len(places) - 1:
        return None
    high, low = difference[last], difference[last + 1]
    return float(places[last] + (places[last + 1] - places[last]) * high / (high - low))
