"""The figures of generated music that lie beside the runs, in their generate.json."""

from typing import Any

from midiaug.comparison.groups import Described
from midiaug.comparison.numbers import number
from midiaug.metrics import OF_PAIRS

VARIETY = {
    "pitch_class_entropy": "pitch classes, bits",
    "distinct_pitches": "different pitches",
    "pitch_range": "range, semitones",
    "distinct_ngrams": "no repeat",
    OF_PAIRS: "shared",
    "groove_consistency": "rhythm alike",
    "scale_consistency": "in one scale",
}
COPYING = {"share_of_12grams": "copied", "longest_notes": "longest copied"}
IN_KEY = "stays in key"
_DIGITS = {"distinct_pitches": 1, "pitch_range": 1}


def variety_rows(one: Described) -> list[list[str]]:
    """Two rows for each time that `generate` was run on the run: its music, and the validation pieces.

    Each has the run and the folder, or what is held against it, whose music it is, how many pieces, the figures of
    VARIETY and COPYING, and how much stays in the key of the piece that was continued; empty where one is missing, and
    with (n/N) where only n of the N pieces count for it.
    """
    rows = []
    for name, content in one.run.generated.items():
        variety, against = content.get("variety"), content.get("against")
        draw = f", {one.draw}" if one.draw else ""
        labels = {
            "generated": f"{one.label}{draw}\n{one.run.name}/generated/{name}",
            "validation": against if isinstance(against, str) else "",
        }
        for whose in ("generated", "validation"):
            figures = variety.get(whose) if isinstance(variety, dict) else None
            if isinstance(figures, dict) and figures:
                cells = [*_cells(figures), *_copied(content.get("copying"), whose), _in_key(content, whose)]
                pieces = _count(figures)
                rows.append([labels[whose], whose, f"{pieces:,}" if pieces else "", *cells])
    return rows


def _cells(figures: dict[str, Any]) -> list[str]:
    pieces = _count(figures)
    return [_cell(figures.get(name), _DIGITS.get(name, 3), _whole(name, pieces)) for name in VARIETY]


def _cell(figure: Any, digits: int, whole: int) -> str:
    count = figure.get("n") if isinstance(figure, dict) else None
    fewer = f"({count:,}/{whole:,})" if isinstance(count, int) and count < whole else ""
    return f"{number(mean_of(figure), digits)} {fewer}".strip()


def _whole(name: str, pieces: int) -> int:
    """For how many a figure counts where none is too short: the self-similarity is one of each two pieces."""
    return pieces * (pieces - 1) // 2 if name == OF_PAIRS else pieces


def _copied(copying: Any, whose: str) -> list[str]:
    figures = copying.get(whose) if isinstance(copying, dict) else None
    share, longest = (figures.get(name) if isinstance(figures, dict) else None for name in COPYING)
    known = isinstance(share, int | float) and not isinstance(share, bool)
    return [f"{100 * share:.1f} %" if known else "", number(longest, 0)]  # type: ignore[operator]


def in_scale(content: dict[str, Any]) -> dict[str, Any]:
    """The shares of notes in the scale of the bars that were given, `generated` and `real`; empty without prompts."""
    report = content.get("prompts")
    shares = report.get("in_scale") if isinstance(report, dict) else None
    return shares if isinstance(shares, dict) else {}


def _in_key(content: dict[str, Any], whose: str) -> str:
    share = mean_of(in_scale(content).get("real" if whose == "validation" else whose))
    return "" if share is None else f"{share:.0%}"


def mean_of(figure: Any) -> float | None:
    """The mean of one figure as generate.json has it: an object with `mean`, or a bare number."""
    value = figure.get("mean") if isinstance(figure, dict) else figure
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _count(figures: dict[str, Any]) -> int:
    """How many pieces, 0 where that is not known."""
    whole = [figure.get("n") for name, figure in figures.items() if isinstance(figure, dict) and name != OF_PAIRS]
    counts = [count for count in whole if isinstance(count, int)]
    return max(counts, default=0)
