"""Piano rolls: what a piece looks like, time to the right and pitch upwards, many on one page."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator
from symusic.core import ScoreTick, TrackTick

from midiaug.files import write_whole
from midiaug.keys import pitch_name

COLORS = ("#3b6fb6", "#d1622b", "#3d8c5f", "#8a5ea8", "#b08a2e", "#5b7c8d")  # a track each, in turn
DRUMS = "#9a9a9a"
_FAINT = "#d5d5d5"
_BLACK_KEYS = (1, 3, 6, 8, 10)
_PAD = 2  # semitones of room above and below the notes


@dataclass(frozen=True)
class Roll:
    """One piano roll. title: above it. caption: smaller, to its right. tint: a background color.

    marks: beats at which a line is drawn, such as where a prompt ends. behind: another score, drawn faintly behind.
    """

    title: str
    score: ScoreTick
    caption: str = ""
    marks: Sequence[float] = field(default=())
    tint: str | None = None
    behind: ScoreTick | None = None


def plot_rolls(rolls: Sequence[Roll], path: Path, *, columns: int = 3, title: str = "", beats: float = 32) -> None:
    """Draw the rolls in rows of `columns` as a PNG; all with the same scale of time and of pitch.

    beats: how much of each piece is shown, in quarter notes.
    """
    columns = max(1, min(columns, len(rolls)))
    rows = math.ceil(len(rolls) / columns)
    low, high = _range_of(rolls, beats)
    height = min(3.2, max(1.5, 0.055 * (high - low) + 0.7))
    figure = Figure(figsize=(4.4 * columns + 0.4, height * rows + 0.5), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    shown = min(beats, max(_beats_of(roll.score) for roll in rolls)) or 1
    for axes, roll in zip(grid.flat, rolls, strict=False):
        draw_roll(axes, roll, low, high, shown)
    for axes in grid.flat[len(rolls) :]:
        axes.set_visible(False)
    for axes in grid.flat[max(0, len(rolls) - columns) : len(rolls)]:  # the lowest of each column
        axes.tick_params(labelbottom=True)
        axes.set_xlabel("quarter notes", fontsize=8)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    write_whole(path, lambda temporary: figure.savefig(temporary, dpi=110))


def draw_roll(axes: Axes, roll: Roll, low: int, high: int, beats: float) -> None:
    """Draw one roll into the axes: pitches low to high, the first so many quarter notes."""
    for pitch in range(low, high + 1):
        if pitch % 12 in _BLACK_KEYS:
            axes.axhspan(pitch - 0.5, pitch + 0.5, color="black", alpha=0.05, linewidth=0)
    if roll.tint:
        axes.set_facecolor(roll.tint)
    for track in roll.behind.tracks if roll.behind is not None else ():
        if not track.is_drum:
            axes.add_collection(_bars(track, roll.score.ticks_per_quarter, beats, _FAINT))
    for number, track in enumerate(roll.score.tracks):
        if len(track.notes):
            color = DRUMS if track.is_drum else COLORS[number % len(COLORS)]
            axes.add_collection(_bars(track, roll.score.ticks_per_quarter, beats, color))
    for beat in roll.marks:
        axes.axvline(beat, color="black", linewidth=1, linestyle="--", alpha=0.7)
    axes.set_xlim(0, beats)
    axes.set_ylim(low - 0.5, high + 0.5)
    axes.yaxis.set_major_locator(MultipleLocator(12))
    axes.yaxis.set_major_formatter(FuncFormatter(pitch_name))
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.grid(axis="x", alpha=0.2)
    axes.tick_params(labelsize=7)
    # a dollar sign in a file's name begins no formula
    axes.set_title(roll.title, loc="left", fontsize=9, parse_math=False)
    axes.set_title(roll.caption, loc="right", fontsize=8, color="#666666", parse_math=False)
    axes.spines[["top", "right"]].set_visible(False)


def _bars(track: TrackTick, ticks_per_quarter: int, beats: float, color: str) -> PolyCollection:
    """A bar for each note that begins within the first so many quarter notes."""
    notes = track.notes.numpy()
    begin = notes["time"] / ticks_per_quarter
    end = begin + np.maximum(notes["duration"] / ticks_per_quarter, 0.06)
    seen = begin < beats
    corners = np.empty((int(seen.sum()), 4, 2))
    corners[:, :, 0] = np.stack([begin, begin, end - 0.03, end - 0.03], 1)[seen]
    corners[:, :, 1] = notes["pitch"][seen, None] + np.array([-0.42, 0.42, 0.42, -0.42])
    return PolyCollection(list(corners), facecolors=color, linewidths=0)


def _beats_of(score: ScoreTick) -> float:
    return float(score.end()) / max(1, score.ticks_per_quarter)


def _range_of(rolls: Sequence[Roll], beats: float) -> tuple[int, int]:
    """The pitches to show, at least an octave and a half."""
    pitches = [60]
    for roll in rolls:
        for track in roll.score.tracks:
            notes = track.notes.numpy()
            seen = notes["pitch"][notes["time"] < beats * roll.score.ticks_per_quarter]
            pitches += [int(seen.min()), int(seen.max())] if len(seen) else []
    pitches = pitches[1:] or pitches
    low, high = min(pitches) - _PAD, max(pitches) + _PAD
    missing = max(0, 18 - (high - low))
    return max(0, low - missing // 2), min(127, high + (missing + 1) // 2)
