"""What all charts of the page have in common: their looks, and that each is text inside the page."""

import re
import textwrap
from contextlib import AbstractContextManager
from html import escape
from io import StringIO
from typing import Any, Literal

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from midiaug.printable import printable

_STYLE: Any = {
    "svg.fonttype": "none",  # text stays text: smaller, and it can be searched
    "svg.hashsalt": "midiaug",
    "text.parse_math": False,  # a name may hold dollars
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 8,
}


def drawn(figure: Figure, words: str) -> str:
    """The figure as an SVG element. words: what it shows, for who cannot see it."""
    FigureCanvasSVG(figure)
    text = StringIO()
    figure.savefig(text, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    svg = text.getvalue()[text.getvalue().index("<svg") :]
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(printable(words))}"', 1)


def styled() -> AbstractContextManager[None]:
    """The looks of all charts, for as long as one is drawn."""
    return matplotlib.rc_context(_STYLE)


def label(name: str, width: int = 28) -> str:
    """A name on at most two lines, so that it leaves room for what it names."""
    return "\n".join(textwrap.wrap(printable(name), width, max_lines=2, placeholder=" …"))


def legend(axes: Axes, place: Literal["upper right", "best"] = "upper right", columns: int = 1) -> None:
    """What the lines mean, within the axes."""
    axes.legend(loc=place, ncols=columns).set_in_layout(False)


def chart(width: float, height: float) -> tuple[Figure, Axes]:
    """Empty axes with a light grid. width, height: in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.grid(axis="y", alpha=0.25)
    axes.set_axisbelow(True)
    return figure, axes
