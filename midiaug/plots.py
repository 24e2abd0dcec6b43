"""Pictures of a run: the curves of training and validation loss, and the gap between them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from midiaug.files import write_whole

_TRAIN, _VAL, _GAP = "#3b6fb6", "#d1622b", "#6b6b6b"


def plot_gap(rows: Sequence[dict[str, Any]], best: dict[str, Any], title: str, path: Path) -> None:
    """Draw `loss/train`, `loss/val` and `loss/gap` of each epoch's row, with the best marked, as a PNG."""
    figure = Figure(figsize=(8, 5.5), layout="constrained")
    FigureCanvasAgg(figure)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    epochs = [row["epoch"] for row in rows]
    train, val, gap = ([row[f"loss/{side}"] for row in rows] for side in ("train", "val", "gap"))
    upper.fill_between(epochs, train, val, color=_GAP, alpha=0.12, linewidth=0)
    upper.plot(epochs, train, "o-", color=_TRAIN, markersize=4, label="training pieces, not transposed")
    label = f"validation pieces, lowest {best['loss/val']:.3f} in epoch {best['epoch']}"
    upper.plot(epochs, val, "o-", color=_VAL, markersize=4, label=label)
    for axes in (upper, lower):
        axes.axvline(best["epoch"], color=_GAP, linewidth=0.8, linestyle=":")
    low, high = upper.get_ylim()
    upper.set_ylim(min(low, (low + high) / 2 - 0.05), max(high, (low + high) / 2 + 0.05))  # a flat curve looks flat
    upper.set_ylabel("loss, nats a token")
    upper.set_title(title, loc="left", fontsize=11)
    upper.legend(frameon=False)
    lower.axhline(0, color="black", linewidth=0.6)
    lower.plot(epochs, gap, "o-", color=_GAP, markersize=4)
    lower.set_ylabel("gap")
    lower.set_xlabel("epoch")
    lower.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    for axes in (upper, lower):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", alpha=0.25)
    write_whole(path, lambda temporary: figure.savefig(temporary, dpi=120))
