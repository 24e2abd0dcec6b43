"""The charts of the page, each as SVG text that stands inside it; small enough that a phone shows them whole."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator
from matplotlib.transforms import offset_copy

from midiaug.comparison.gained import Gain
from midiaug.comparison.groups import Described, Group
from midiaug.comparison.runs import Run
from midiaug.comparison.svg import chart, drawn, label, legend, styled
from midiaug.keys import pitch_name
from midiaug.plots import GAP, TRAIN, VAL
from midiaug.rolls import COLORS

_GOOD, _BAD = "#2e7d4f", "#b3372f"
_SHOWN = 0.9  # a curve's first epochs may lie far above the rest: this share of all losses is within the scale
_STRETCH = 1.5  # and all of them where the scale need not be longer by more than this
_ROWS = {TRAIN: 4, VAL: 12}  # points above the axes, where the marks of losses beyond it stand


def loss_range(runs: Sequence[Run]) -> tuple[float, float] | None:
    """One scale for the curves of several runs: all their losses, or nine tenths and the best epoch of each."""
    losses = [
        row[key] for run in runs for row in run.rows for key in ("loss/train", "loss/val") if _is_number(row[key])
    ]
    best = [float(run.best[key]) for run in runs for key in ("loss/train", "loss/val") if _is_number(run.best[key])]
    return scale(losses, best) if losses else None


def scale(losses: Sequence[float], kept: Sequence[float]) -> tuple[float, float]:
    """From where to where an axis goes: over nine tenths of the losses and those that are kept, or over all of them
    where it need not be much longer for that.
    """
    low, high = min(losses), max(float(np.quantile(losses, _SHOWN)), *kept)
    if max(losses) <= low + _STRETCH * (high - low):
        high = max(losses)
    room = 0.06 * (high - low) or 0.05
    return low - room, high + room


def curves(run: Run, span: tuple[float, float] | None) -> str:
    """The training and the validation loss of a run over its epochs, with the best one marked.

    Over its steps where it was not validated at the end of each epoch.
    """
    with styled():
        figure, axes = chart(4.2, 2.5)
        unit = run.unit
        epochs = [row[unit] for row in run.rows]
        sides = [
            [row[key] if _is_number(row[key]) else np.nan for row in run.rows] for key in ("loss/train", "loss/val")
        ]
        axes.fill_between(epochs, sides[0], sides[1], color=GAP, alpha=0.13, linewidth=0)
        size = 3.5 if len(epochs) < 40 else 0
        for losses, color, side in zip(sides, (TRAIN, VAL), ("train", "val"), strict=True):
            if np.isfinite(losses).any():
                axes.plot(epochs, losses, "o-", color=color, markersize=size, linewidth=1.4, label=side)
        axes.axvline(run.best[unit], color=GAP, linewidth=0.8, linestyle=":")
        if span:
            axes.set_ylim(*span)
            for losses, color in zip(sides, (TRAIN, VAL), strict=True):
                _mark_above(axes, epochs, losses, color)
        axes.set_xlabel(unit)
        axes.set_ylabel("nats a token" if run.own else "loss, as logged")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
        legend(axes, columns=2)
        return drawn(figure, f"training and validation loss over the {unit}s of {run.name}")


def _mark_above(axes: Axes, epochs: Sequence[int], losses: Sequence[float], color: str) -> None:
    """A triangle over the upper edge for each loss that lies above it; the highest is named at the row's end.

    The two sides have a row each, so that no mark lies on another, nor on a curve.
    """
    top = axes.get_ylim()[1]
    above = {epoch: loss for epoch, loss in zip(epochs, losses, strict=True) if loss > top}
    if not above:
        return
    figure = cast(Figure, axes.figure)
    row = offset_copy(axes.get_xaxis_transform(), figure, y=_ROWS[color], units="points")
    size = min(5.0, 200 / len(epochs))  # the axes are about so many points wide
    style: dict[str, Any] = {"color": color, "markersize": size, "markeredgewidth": 0, "clip_on": False}
    axes.plot(list(above), [1.0] * len(above), "^", transform=row, scalex=False, scaley=False, **style)
    end = offset_copy(axes.transAxes, figure, y=_ROWS[color], units="points")
    axes.text(1, 1, f"{max(above.values()):.2f}", transform=end, fontsize=6, color=color, va="center")


def key_range(runs: Sequence[dict[str, float]]) -> tuple[float, float] | None:
    """One scale for the losses by key of several runs, so that keys that are more alike look it."""
    values = [loss for losses in runs for loss in losses.values()]
    if not values:
        return None
    room = max(0.02, 0.08 * (max(values) - min(values)))
    return min(values) - room, max(values) + room


def by_key(losses: dict[str, float], span: tuple[float, float] | None) -> str:
    """The validation loss with all pieces moved by each of the twelve shifts."""
    with styled():
        figure, axes = chart(4.2, 1.7)
        shifts = sorted(int(shift) for shift in losses)
        values = [float(losses[str(shift)]) for shift in shifts]
        axes.plot(shifts, values, "o-", color=VAL, markersize=4, linewidth=0.9)
        if span:
            axes.set_ylim(*span)
        axes.set_xticks(shifts, [f"{shift:+d}" if shift else "0" for shift in shifts])
        axes.set_xlabel("validation pieces moved by so many semitones")
        axes.set_ylabel("nats a token")
        return drawn(figure, "validation loss in each of twelve keys")


def by_level(groups: Sequence[Group], key: str, title: str) -> str:
    """A figure of every finished run against its level of transposition: a dot a run, a line through the means."""
    with styled():
        figure, axes = chart(4.2, 3.0)
        own = [group for group in groups if group.members[0].level and group.members[0].run.best.get(key) is not None]
        levels = sorted({_place(group.members[0]) for group in own})
        models = list(dict.fromkeys(group.members[0].of_model for group in own))
        for number, model in enumerate(models):
            color = COLORS[number % len(COLORS)]
            mine = sorted(
                (group for group in own if group.members[0].of_model == model), key=lambda g: _place(g.members[0])
            )
            places = [levels.index(_place(group.members[0])) for group in mine]
            values = [[float(one.run.best[key]) for one in group.members] for group in mine]
            axes.plot(places, [np.mean(part) for part in values], "-", color=color, linewidth=1.4, label=label(model))
            for place, part in zip(places, values, strict=True):
                axes.plot([place] * len(part), part, "o", color=color, markersize=5, alpha=0.7)
        axes.set_xticks(
            range(len(levels)), [label(name, 14) for _, _, name in levels], rotation=20 if len(levels) > 3 else 0
        )
        axes.set_xlim(-0.4, len(levels) - 0.6)
        axes.margins(y=0.12)
        if key == "loss/gap":
            axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
            axes.axhline(0, color="black", linewidth=0.6)
        axes.set_ylabel("nats a token")
        axes.set_title(title)
        legend(axes, "best")
        return drawn(figure, f"{title} against the level of transposition")


def _place(one: Described) -> tuple[int, tuple[int, ...], str]:
    return len(one.shifts or ()), one.shifts or (), one.level


def changes(gains: Sequence[Gain]) -> str:
    """By how much the validation loss changed in each comparison, with its interval: left of the line is better."""
    shown = [gain for gain in gains if gain.change is not None]
    with styled():
        figure, axes = chart(4.6, 1.0 + 0.42 * len(shown))
        for place, gain in enumerate(shown):
            change = gain.change
            if change is None:
                continue
            low, high = (change.nats if end is None else end for end in (change.low, change.high))
            color = _GOOD if gain.verdict == "helped" else _BAD if gain.verdict == "did not help" else GAP
            axes.plot([low, high], [place, place], "-", color=color, linewidth=2.5, solid_capstyle="butt")
            axes.plot([change.nats], [place], "o", color=color, markersize=6)
        axes.axvline(0, color="black", linewidth=0.8)
        axes.set_yticks(range(len(shown)), [label(f"{gain.model}, {gain.level}", 24) for gain in shown])
        axes.set_ylim(len(shown) - 0.4, -0.6)
        widest = max(abs(end) for end in axes.get_xlim())
        axes.set_xlim(-widest, widest)
        axes.set_xlabel("← better  |  nats a token  |  worse →")
        return drawn(figure, "change of the validation loss by augmentation, with 95 % intervals")


def pitch_bars(sets: Sequence[tuple[str, Sequence[float]]]) -> str:
    """Notes of each pitch, one set as bars, further ones as lines."""
    with styled():
        figure, axes = chart(4.2, 2.4)
        for number, (name, notes) in enumerate(sets):
            if number == 0:
                axes.bar(range(len(notes)), notes, color="#9db4d6", width=1.0, label=label(name))
            else:
                color = COLORS[number % len(COLORS)]
                axes.step(range(len(notes)), notes, where="mid", color=color, linewidth=1.2, label=label(name))
        there = np.flatnonzero(np.sum([notes for _, notes in sets], 0))
        axes.set_xlim(*((there[0] - 2, there[-1] + 2) if len(there) else (20, 109)))
        axes.xaxis.set_major_locator(MultipleLocator(12))
        axes.xaxis.set_major_formatter(FuncFormatter(pitch_name))
        axes.set_ylabel("notes")
        if len(sets) > 1:
            axes.set_ylim(top=axes.get_ylim()[1] * 1.25)
            legend(axes)
        return drawn(figure, "notes of each pitch")


def class_bars(sets: Sequence[tuple[str, Sequence[float]]], names: Sequence[str], unit: str) -> str:
    """Shares of the twelve pitch classes, or of keys by their tonic; sets stand side by side."""
    with styled():
        figure, axes = chart(4.2, 2.4)
        width = 0.84 / max(1, len(sets))
        for number, (name, counts) in enumerate(sets):
            shares = 100 * np.array(counts) / max(1e-9, float(np.sum(counts)))
            places = np.arange(len(names)) + (number - (len(sets) - 1) / 2) * width
            color = "#9db4d6" if number == 0 else COLORS[number % len(COLORS)]
            axes.bar(places, shares, width=width, color=color, label=label(name))
        axes.set_xticks(range(len(names)), names)
        axes.set_ylabel(f"% of the {unit}")
        if len(sets) > 1:
            axes.set_ylim(top=axes.get_ylim()[1] * 1.25)
            legend(axes, columns=2)
        return drawn(figure, f"shares of the {unit}")


def lengths(shape: dict[str, Any], unit: str) -> str:
    """How many pieces have which length."""
    with styled():
        figure, axes = chart(4.2, 2.2)
        edges, counts = np.array(shape["edges"]), shape["counts"]
        axes.bar(
            edges[:-1], counts, width=np.diff(edges), align="edge", color="#9db4d6", edgecolor="white", linewidth=0.4
        )
        axes.axvline(
            shape["median"],
            color=VAL,
            linewidth=1.2,
            linestyle="--",
            label=f"half have {shape['median']:,.0f} or more",
        )
        axes.set_xlabel(f"{unit} a piece; the last bar has all longer ones")
        axes.set_ylabel("pieces")
        legend(axes)
        return drawn(figure, f"{unit} a piece")


def key_bars(keys: dict[str, int]) -> str:
    """Pieces by their key, the most frequent first."""
    with styled():
        shown = sorted(keys.items(), key=lambda item: -item[1])[:12]
        figure, axes = chart(4.2, 0.7 + 0.2 * len(shown))
        axes.barh(range(len(shown)), [count for _, count in shown], color="#9db4d6")
        axes.set_yticks(range(len(shown)), [name for name, _ in shown])
        axes.invert_yaxis()
        axes.grid(visible=False)
        axes.set_xlabel("pieces")
        return drawn(figure, "pieces by their key")


def _is_number(value: Any) -> bool:
    return value is not None and bool(np.isfinite(value))
