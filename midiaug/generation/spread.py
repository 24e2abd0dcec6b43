"""Whether a figure of generated music differs from that of real music by more than real pieces differ themselves."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import bdtrc

FEWEST = 8  # of fewer pieces, what lies outside their 95 % is as good as unknown
_BOUNDS = (0.025, 0.975)
_OUTSIDE = 1 - (_BOUNDS[1] - _BOUNDS[0])
_CHANCE = 0.05  # real pieces are called below, above or outside this often at most
_ROUNDING = 1e-9


def against_spread(
    generated: Sequence[float | None], real: Sequence[float | None], *, pieces: int | None = None
) -> dict[str, Any] | None:
    """Where a set of generated pieces lies against the values between which 95 % of the real pieces lie.

    generated, real: the figure of each piece, None where one has none. pieces: of how many the figures are pairs.
    Returns low and high, the bounds; inside, how many of the n generated pieces lie within; verdict, which is within
    where no more lie outside than of real pieces, 5 % each, would in 19 of 20 sets of as many (binomial); else below or
    above, where more of those outside lie, or outside, where as many lie on each side. One piece far off so decides
    nothing, and many cannot hide in a mean. Pairs of pieces do not vary one by one: their share counts, as if there
    were as many of them as pieces. None where no generated piece has the figure, or fewer than 8 real ones.
    """
    new, known = (np.array([value for value in values if value is not None], float) for values in (generated, real))
    if len(new) == 0 or len(known) < FEWEST:
        return None
    low, high = (float(bound) for bound in np.quantile(known, _BOUNDS))
    below, above = int((new < low - _ROUNDING).sum()), int((new > high + _ROUNDING).sum())
    verdict = "within" if _as_chance(below + above, len(new), pieces) else _side(below, above)
    inside = len(new) - below - above
    return {"low": low, "high": high, "verdict": verdict, "inside": inside, "n": len(new)}


def _as_chance(outside: int, n: int, pieces: int | None) -> bool:
    """Whether so many of n lie outside by chance alone, were they real pieces."""
    if pieces is not None and pieces < n:
        outside, n = round(outside * pieces / n), pieces
    return outside == 0 or float(bdtrc(outside - 1, n, _OUTSIDE)) > _CHANCE + _ROUNDING


def _side(below: int, above: int) -> str:
    return "below" if below > above else "above" if above > below else "outside"
