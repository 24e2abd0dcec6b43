"""Pictures of a run: the losses over the epochs with the gap between them, and the loss in each key."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from midiaug.files import write_whole

TRAIN, VAL, GAP = "#3b6fb6", "#d1622b", "#6b6b6b"


def plot_gap(rows: Sequence[dict[str, Any]], best: dict[str, Any], title: str, path: Path, unit: str = "epoch") -> None:
    """Draw `loss/train`, `loss/val` and `loss/gap` of each row by its epoch or step, with the best marked, as a PNG."""
    figure = Figure(figsize=(8, 5.5), layout="constrained")
    FigureCanvasAgg(figure)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    at = [row[unit] for row in rows]
    train, val, gap = ([row[f"loss/{side}"] for row in rows] for side in ("train", "val", "gap"))
    upper.fill_between(at, train, val, color=GAP, alpha=0.12, linewidth=0)
    upper.plot(at, train, "o-", color=TRAIN, markersize=4, label="training pieces, not transposed")
    label = f"validation pieces, lowest {best['loss/val']:.3f} in {unit} {best[unit]:,}"
    upper.plot(at, val, "o-", color=VAL, markersize=4, label=label)
    for axes in (upper, lower):
        axes.axvline(best[unit], color=GAP, linewidth=0.8, linestyle=":")
    low, high = upper.get_ylim()
    upper.set_ylim(min(low, (low + high) / 2 - 0.05), max(high, (low + high) / 2 + 0.05))  # a flat curve looks flat
    upper.set_ylabel("loss, nats a token")
    upper.set_title(title, loc="left", fontsize=11, parse_math=False)
    upper.legend(frameon=False)
    lower.axhline(0, color="black", linewidth=0.6)
    lower.plot(at, gap, "o-", color=GAP, markersize=4)
    lower.set_ylabel("gap")
    lower.set_xlabel(unit)
    lower.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    for axes in (upper, lower):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", alpha=0.25)
    write_whole(path, lambda temporary: figure.savefig(temporary, dpi=120))


def plot_keys(losses: dict[int, float], told: dict[int, float], trained: Sequence[int], title: str, path: Path) -> None:
    """Draw the validation loss of the music moved by each number of semitones, as a PNG.

    losses: nats a token by semitones. told: those of a model that is told of the shift, empty for any other.
    trained: the shifts that training drew from, drawn darker.
    """
    figure = Figure(figsize=(6.5, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    shifts = sorted(losses)
    values = [losses[shift] for shift in shifts]
    seen = [shift in trained for shift in shifts]
    axes.plot(shifts, values, color=VAL, linewidth=0.8, alpha=0.5)
    for known, label in ((True, "shifts that training drew"), (False, "others")):
        heights = [value for value, is_seen in zip(values, seen, strict=True) if is_seen == known]
        places = [shift for shift, is_seen in zip(shifts, seen, strict=True) if is_seen == known]
        if places:
            axes.plot(places, heights, "o", color=VAL, markerfacecolor=VAL if known else "white", label=label)
    if told:
        heights = [told[shift] for shift in shifts]
        axes.plot(shifts, heights, "s--", color=TRAIN, linewidth=0.8, markersize=4, label="told of the shift")
    low, high = min(values), max(values)
    lowest = min(low, *told.values()) if told else low
    room = max(0.02, 0.4 * (high - low))  # a model that knows all keys alike looks like it
    axes.set_ylim(lowest - room, high + 2 * room)
    axes.grid(axis="y", alpha=0.25)
    axes.set_xticks(shifts, [f"{shift:+d}" if shift else "0" for shift in shifts])
    axes.set_xlabel("semitones that the validation pieces were moved by")
    axes.set_ylabel("loss, nats a token")
    axes.set_title(f"{title}\nhardest key less easiest: {high - low:.3f}", loc="left", fontsize=10, parse_math=False)
    axes.legend(frameon=False, fontsize=8, ncols=3, loc="upper right")
    axes.spines[["top", "right"]].set_visible(False)
    write_whole(path, lambda temporary: figure.savefig(temporary, dpi=120))
