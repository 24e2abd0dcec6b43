"""The picture of a preview: a row for each piece, a piano roll for each shift, the keys named."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from symusic.core import ScoreTick

from midiaug.data.transpose import transpose
from midiaug.files import write_whole
from midiaug.inspection.bars import some_of
from midiaug.inspection.checks import Checked, CheckPlan, kept_by
from midiaug.inspection.choice import Chosen
from midiaug.keys import key_of, pitch_class_weights
from midiaug.printable import printable
from midiaug.rolls import Roll, draw_roll

MOST_ROWS = 6
_MOST_COLUMNS = 7
_BEATS = 16.0
_TINT = "#fff6dc"
_EMPTY = "#f4f4f4"
_LONGEST = 90
_PAD = 2


@dataclass(frozen=True)
class _Row:
    name: str
    score: ScoreTick
    shifted: dict[int, ScoreTick]
    away: dict[int, str]
    lost: dict[int, int]


def key_name(score: ScoreTick) -> str:
    """The key that a score seems to be in, in words."""
    key = key_of(pitch_class_weights(score))
    return str(key) if key is not None else "no clear key"


def plot_preview(pieces: Sequence[Chosen], checked: Sequence[Checked], plan: CheckPlan, title: str, path: Path) -> None:
    """Draw the first pieces, each in its own key and in the shifts, as a PNG; in grey behind, the original."""
    shown = some_of(sorted({*plan.shifts, 0}), _MOST_COLUMNS)
    rows = [
        _row(piece, result, plan, shown) for piece, result in zip(pieces[:MOST_ROWS], checked[:MOST_ROWS], strict=True)
    ]
    figure = Figure(figsize=(max(8.0, 2.7 * len(shown) + 0.4), 2.5 * len(rows) + 0.8), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(_cut(title, 150), x=0.01, ha="left", fontsize=12, parse_math=False)
    parts = figure.subfigures(len(rows), 1, squeeze=False)[:, 0]
    for number, (part, row) in enumerate(zip(parts, rows, strict=True)):
        _draw(part, row, shown, number == len(rows) - 1)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a name in another script: boxes do
        write_whole(path, lambda temporary: figure.savefig(temporary, dpi=110))


def _row(piece: Chosen, result: Checked, plan: CheckPlan, shown: list[int]) -> _Row:
    shifted = {}
    for shift in shown:
        if shift in result.files and shift:
            kept = kept_by(piece.score, shift, plan.tokenizer)[0] if plan.drop else piece.score
            shifted[shift] = transpose(kept, shift)
    nothing = {shift: "loses all of its notes" for shift in result.lost if shift not in result.files}
    return _Row(piece.name, piece.score, shifted, result.away | nothing, result.lost)


def _draw(part: SubFigure, row: _Row, shown: list[int], lowest: bool) -> None:
    part.suptitle(_cut(row.name), x=0.01, ha="left", fontsize=10, fontweight="bold", parse_math=False)
    grid = part.subplots(1, len(shown), squeeze=False, sharey=True)[0]
    low, high = _range([row.score, *row.shifted.values()])
    beats = min(_BEATS, max(1.0, float(row.score.end()) / row.score.ticks_per_quarter))
    for axes, shift in zip(grid, shown, strict=True):
        if shift in row.away:
            _empty(axes, shift, row.away[shift])
            continue
        score = row.shifted.get(shift, row.score)
        sign = f"{shift:+d}" if shift else "as written"
        lost = f" ({row.lost[shift]} notes lost)" if row.lost.get(shift) else ""
        roll = Roll(
            f"{sign}: {key_name(score)}{lost}",
            score,
            tint=None if shift else _TINT,
            behind=row.score if shift else None,
        )
        draw_roll(axes, roll, low, high, beats)
        if lowest:
            axes.set_xlabel("quarter notes", fontsize=8)


def _empty(axes: Axes, shift: int, reason: str) -> None:
    axes.set_facecolor(_EMPTY)
    axes.set_title(f"{shift:+d}", loc="left", fontsize=9)
    text = "left out:\n" + reason.replace(" notes ", " notes\n").replace(" note ", " note\n")
    axes.text(0.5, 0.5, text, ha="center", va="center", fontsize=8, color="#666666", transform=axes.transAxes)
    axes.set_xticks([])
    axes.tick_params(left=False)
    axes.spines[:].set_visible(False)


def _range(scores: Sequence[ScoreTick]) -> tuple[int, int]:
    pitches = []
    for score in scores:
        for track in score.tracks:
            notes = track.notes.numpy()
            seen = notes["pitch"][notes["time"] < _BEATS * score.ticks_per_quarter]
            pitches += [int(seen.min()), int(seen.max())] if len(seen) else []
    low, high = (min(pitches), max(pitches)) if pitches else (60, 72)
    missing = max(0, 16 - (high - low))
    return max(0, low - _PAD - missing // 2), min(127, high + _PAD + missing // 2)


def _cut(name: str, most: int = _LONGEST) -> str:
    plain = printable(name)
    return plain if len(plain) <= most else f"{plain[:40]} ... {plain[-(most - 45) :]}"
