"""The training and the validation loss without augmentation and with it, side by side on one scale."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from midiaug.comparison.charts import scale
from midiaug.comparison.gained import Gain
from midiaug.comparison.markup import card, quiet
from midiaug.comparison.mean_curves import MeanCurves
from midiaug.comparison.svg import drawn, label, styled
from midiaug.files import write_whole
from midiaug.plots import GAP, TRAIN, VAL
from midiaug.printable import short

_PALE = {"facecolor": "white", "alpha": 0.75, "linewidth": 0}  # where the gap is small, the words lie on the curves


def part(gains: Sequence[Gain]) -> list[str]:
    """The part of the page: a picture for each gain whose losses over the training are known."""
    shown = [before_after(gain) for gain in gains if gain.both_curves]
    said = (
        "Both losses over the training, means over the runs, on one scale: left without augmentation, right with it. "
        "Dashed: the lowest validation loss without. The figures are means of each run's best validation."
    )
    return [*(card("", chart) for chart in shown), quiet(said)] if shown else []


def best_of(gains: Sequence[Gain]) -> Gain | None:
    """The gain whose validation loss fell most, of those whose losses over the training are known.

    As a part of the loss without augmentation, since losses of different tokenizers and music do not compare.
    """
    known = [gain for gain in gains if gain.both_curves]
    return min(known, key=_share, default=None)


def _share(gain: Gain) -> float:
    before = gain.before["val"]
    return gain.change.nats / before if gain.change and before else 0.0


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
    if gain.both_curves is None:
        raise ValueError("the losses of both sides have to be known")
    still, moved = gain.both_curves
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    losses: list[float] = []
    kept: list[float] = []
    sides = ((left, "without augmentation", still, gain.before), (right, gain.level, moved, gain.after))
    for axes, title, curves, figures in sides:
        _panel(axes, curves, figures)
        axes.set_title(label(title, 60))
        axes.axhline(min(still.val), color=VAL, linewidth=0.8, linestyle="--", alpha=0.7)
        for side in (curves.train, curves.val):
            losses += side
            kept += side[int(np.argmin(side)) :]  # from its lowest on, where a curve may turn up
    left.set_ylim(*scale(losses, kept))
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
        axes.text(*place, words, ha="right" if late else "left", va="center", fontweight="bold", bbox=_PALE)
    axes.grid(axis="y", alpha=0.25)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda amount, _: short(amount)))
    axes.set_xlabel(curves.unit if curves.unit == "tokens" else f"{curves.unit}s")
