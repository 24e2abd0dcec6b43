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
    shown = [before_after(gain) for gain in gains if gain.curves_before and gain.curves_after]
    said = (
        "Both losses over the training, means over the runs, on one scale: left without augmentation, right with it. "
        "Dashed: the lowest validation loss without. The figures are means of each run's best validation."
    )
    return [*(card("", chart) for chart in shown), quiet(said)] if shown else []


def best_of(gains: Sequence[Gain]) -> Gain | None:
    """The gain whose validation loss fell most, of those whose losses over the training are known.

    As a part of the loss without augmentation, since losses of different tokenizers and music do not compare.
    """
    known = [gain for gain in gains if gain.curves_before and gain.curves_after]
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
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    left = panels[0]
    sides = (("without augmentation", gain.curves_before, gain.before), (gain.level, gain.curves_after, gain.after))
    losses: list[float] = []
    kept: list[float] = []
    for axes, (title, curves, figures) in zip(panels, sides, strict=True):
        axes.set_title(label(title, 60))
        if curves is None:
            raise ValueError("both sides' losses have to be known")
        _panel(axes, curves, figures)
        for side in (curves.train, curves.val):
            losses += side
            kept += side[int(np.argmin(side)) :]  # from its lowest on, where a curve may turn up
    lowest = min(gain.curves_before.val) if gain.curves_before else 0
    for axes in panels:
        axes.axhline(lowest, color=VAL, linewidth=0.8, linestyle="--", alpha=0.7)
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
