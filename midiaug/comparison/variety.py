"""The figures of generated music that lie beside the runs, in their generate.json."""

from typing import Any

from midiaug.comparison.groups import Described
from midiaug.comparison.numbers import number

VARIETY = {
    "pitch_class_entropy": "pitch classes, bits",
    "distinct_pitches": "different pitches",
    "pitch_range": "range, semitones",
    "distinct_ngrams": "no repeat",
    "self_similarity": "shared",
    "groove_consistency": "rhythm alike",
    "scale_consistency": "in one scale",
}
COPYING = {"share_of_12grams": "copied", "longest_notes": "longest copied"}
_OF_PAIRS = "self_similarity"
_DIGITS = {"distinct_pitches": 1, "pitch_range": 1}


def variety_rows(one: Described) -> list[list[str]]:
    """Two rows for each time that `generate` was run on the run: its music, and the validation pieces.

    Each has the run, whose music it is, how many pieces, and the figures of VARIETY and COPYING; empty where one is
    missing.
    """
    rows = []
    for name, content in one.run.generated.items():
        variety = content.get("variety")
        for whose in ("generated", "validation"):
            figures = variety.get(whose) if isinstance(variety, dict) else None
            if isinstance(figures, dict) and figures:
                cells = [*_cells(figures), *_copied(content.get("copying"), whose)]
                label = f"{one.label}\n{name}" if whose == "generated" else ""
                rows.append([label, whose, _count(figures), *cells])
    return rows


def _cells(figures: dict[str, Any]) -> list[str]:
    return [number(mean_of(figures.get(name)), _DIGITS.get(name, 3)) for name in VARIETY]


def _copied(copying: Any, whose: str) -> list[str]:
    figures = copying.get(whose) if isinstance(copying, dict) else None
    share, longest = (figures.get(name) if isinstance(figures, dict) else None for name in COPYING)
    known = isinstance(share, int | float) and not isinstance(share, bool)
    return [f"{100 * share:.1f} %" if known else "", number(longest, 0)]  # type: ignore[operator]


def mean_of(figure: Any) -> float | None:
    """The mean of one figure as generate.json has it: an object with `mean`, or a bare number."""
    value = figure.get("mean") if isinstance(figure, dict) else figure
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _count(figures: dict[str, Any]) -> str:
    """How many pieces; the self-similarity counts pairs of them."""
    whole = [figure.get("n") for name, figure in figures.items() if isinstance(figure, dict) and name != _OF_PAIRS]
    counts = [count for count in whole if isinstance(count, int)]
    return f"{max(counts):,}" if counts else ""
