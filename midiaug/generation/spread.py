"""Whether a figure of generated music differs from that of real music by more than real pieces differ themselves."""

from collections.abc import Sequence
from typing import Any

import numpy as np

_FEWEST = 8  # of fewer pieces, what lies outside their 95 % is as good as unknown
_BOUNDS = (0.025, 0.975)
_ROUNDING = 1e-9


def against_spread(
    generated: Sequence[float | None], real: Sequence[float | None], *, middle: bool = False
) -> dict[str, Any] | None:
    """Where a set of generated pieces lies against the values between which 95 % of the real pieces lie.

    generated, real: the figure of each piece, None where one has none. middle: the median stands for the generated
    pieces, and not their mean.
    Returns low and high, the bounds; verdict, which is below, within or above; inside, how many of the n generated
    pieces lie within. None where no generated piece has the figure, or fewer than 8 real ones.
    """
    new, known = (np.array([value for value in values if value is not None], float) for values in (generated, real))
    if len(new) == 0 or len(known) < _FEWEST:
        return None
    low, high = (float(bound) for bound in np.quantile(known, _BOUNDS))
    typical = float(np.median(new) if middle else new.mean())
    verdict = "below" if typical < low - _ROUNDING else "above" if typical > high + _ROUNDING else "within"
    inside = int(((new >= low - _ROUNDING) & (new <= high + _ROUNDING)).sum())
    return {"low": low, "high": high, "verdict": verdict, "inside": inside, "n": len(new)}
