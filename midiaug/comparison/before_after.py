"""The training and the validation loss without augmentation and with it, side by side on one scale."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from midiaug.comparison.gained import Gain
from midiaug.comparison.markup import card, chart_row, quiet
from midiaug.comparison.mean_curves import MeanCurves
from midiaug.comparison.svg import drawn, label, styled
from midiaug.files import write_whole
from midiaug.plots import GAP, TRAIN, VAL
from midiaug.printable import short

_SHOWN = 0.85  # the first losses lie far above the rest: this share of all is within the scale


def part(gains: Sequence[Gain]) -> list[str]:
    """The part of the page: a picture for each gain whose losses over the training are known."""
    shown = [before_after(gain) for gain in gains if gain.still and gain.moved]
    said = (
        "Both losses over the training, means over the runs, on one scale: left without augmentation, right with it. "
        "Dashed: the lowest validation loss without. The figures are means of each run's best validation."
    )
    return [chart_row(card("", chart) for chart in shown), quiet(said)] if shown else []


def best_of(gains: Sequence[Gain]) -> Gain | None:
    """The gain whose validation loss with augmentation is lowest, of those whose losses over the training are known."""
    known = [gain for gain in gains if gain.still and gain.moved and gain.after["val"] is not None]
    return min(known, key=lambda gain: float(gain.after["val"] or 0), default=None)


def before_after(gain: Gain) -> str:
    """The picture as SVG text. gain: one whose losses over the training are known."""
    with styled():
        return drawn(_figure(gain), f"losses without augmentation and with it: {gain.model}, {gain.level}")


def write_picture(path: Path, gain: Gain) -> None:
    """The picture as a PNG. gain: one whose losses over the training are known."""
    with styled():
        figure = _figure(gain)
        FigureCanvasAgg(figure)
        write_whole(path, lambda temporary: figure.savefig(temporary, dpi=150))


def _figure(gain: Gain) -> Figure:
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    sides = ((left, "without augmentation", gain.still, gain.before), (right, gain.level, gain.moved, gain.after))
    losses = [loss for curves in (gain.still, gain.moved) if curves for loss in (*curves.train, *curves.val)]
    low, high = min(losses), float(np.quantile(losses, _SHOWN))
    for axes, title, curves, figures in sides:
        if curves:
            _panel(axes, curves, figures)
        axes.set_title(label(title, 60))
    for axes in (left, right):
        if gain.still:
            axes.axhline(min(gain.still.val), color=VAL, linewidth=0.8, linestyle="--", alpha=0.7)
    left.set_ylim(low - 0.06 * (high - low), high + 0.12 * (high - low))
    left.set_ylabel("loss, nats a token")
    left.legend(loc="lower left")
    figure.suptitle(label(gain.model, 100), x=0.01, ha="left", fontsize=10)
    return figure


def _panel(axes: Axes, curves: MeanCurves, figures: dict[str, float | None]) -> None:
    """Both losses, with the gap at the lowest validation loss."""
    best = int(np.argmin(curves.val))
    axes.fill_between(curves.at, curves.train, curves.val, color=GAP, alpha=0.13, linewidth=0)
    axes.plot(curves.at, curves.train, "-", color=TRAIN, linewidth=1.6, label="training tunes")
    axes.plot(curves.at, curves.val, "-", color=VAL, linewidth=1.6, label="validation tunes")
    ends = ((curves.at[best], curves.train[best]), (curves.at[best], curves.val[best]))
    axes.annotate("", *ends, arrowprops={"arrowstyle": "<->", "color": "black", "linewidth": 0.9})
    if figures["gap"] is not None and figures["val"] is not None:
        words = f" validation {figures['val']:.3f} \n gap {figures['gap']:.3f} "
        late = curves.at[best] > np.mean(axes.get_xlim())
        place = (curves.at[best], (curves.train[best] + curves.val[best]) / 2)
        axes.text(*place, words, ha="right" if late else "left", va="center", fontweight="bold")
    axes.grid(axis="y", alpha=0.25)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda amount, _: short(amount)))
    axes.set_xlabel(curves.unit if curves.unit == "tokens" else f"{curves.unit}s")
