"""What the benchmark shows: tables on the screen, and a picture of bars on a log scale."""

from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from midiaug.files import write_whole
from midiaug.measuring.contestants import WHAT
from midiaug.printable import many

_OURS, _OTHERS = "#3b6fb6", "#9a9a9a"
_WIDTH = 112
Bar = tuple[str, float, str, bool]  # label, value, the value in words, whether it is midiaug's


def tables(report: dict[str, Any]) -> str:
    """Every part that was measured as a table, the loaders first."""
    console = Console(width=_WIDTH, force_terminal=False)
    with console.capture() as captured:
        if "loaders" in report:
            console.print(_loaders(report["loaders"]))
            for name, reason in report["loaders"]["left_out"].items():
                console.print(f"left out: {WHAT[name]}: {reason}", markup=False, highlight=False)
        if any(part in report for part in ("augment_dataset", "start", "build", "step")):
            console.print(_others(report))
    return captured.get().rstrip()


def _loaders(part: dict[str, Any]) -> Table:
    table = Table(header_style="bold")
    table.add_column("loader")
    for head in ("tokens/s", "times the first", "times stock"):
        table.add_column(head, justify="right")
    for row in part["rows"].values():
        name = f"{row['what']} ({row['note']})" if row["note"] else row["what"]
        table.add_row(name, three_figures(row["median"]), _times(row["times_base"]), _times(row["times_stock"]))
    return table


def _others(report: dict[str, Any]) -> Table:
    table = Table(header_style="bold")
    table.add_column("")
    for head in ("seconds", ""):
        table.add_column(head, justify="right")
    for label, value, words, _ in _durations(report):
        table.add_row(label, f"{value:.3f}", words)
    if "step" in report:
        share = report["step"]["waiting_share"]["median"]
        table.add_row(f"of a plain step, waiting for data (route {report['step']['route']})", "", f"{share:.2%}")
    return table


def _durations(report: dict[str, Any]) -> list[Bar]:
    """What is measured in seconds: label, seconds, a remark, whether it is midiaug's."""
    bars: list[Bar] = []
    if "augment_dataset" in report:
        part = report["augment_dataset"]
        copies, store = part["copies"], part["store"]
        label = f"MidiTok augment_dataset, {many(len(part['shifts']), 'key')}"
        bars.append((label, copies["median"], f"{_bytes(copies['bytes'])} on disk", False))
        bars.append(
            (
                "midiaug, from the same files to tokens",
                store["median"],
                f"store {_bytes(store['bytes'])}, cache {_bytes(part['cache_bytes'])}",
                True,
            )
        )
    if "start" in report:
        names = {
            "imports": "start: imports",
            "cold": "start: first batch, nothing cached",
            "cached": "start: first batch, all cached",
        }
        bars += [(label, report["start"][name]["median"], "", True) for name, label in names.items()]
    for count, figure in report.get("build", {}).items():
        bars.append((f"store built by {many(int(count), 'process')}", figure["median"], "", True))
    if "step" in report:
        part = report["step"]
        bars.append(("training step, plain loop", part["plain"]["median"], "", False))
        times = f"{part['times_plain']:.3f} times"
        bars.append(("training step through Lightning", part["lightning"]["median"], times, True))
    return bars


def plot_benchmark(report: dict[str, Any], path: Path) -> None:
    """Draw the report's figures as horizontal bars on log scales, one panel for tokens/s and one for seconds."""
    panels: list[tuple[str, list[Bar]]] = []
    if "loaders" in report:
        rows = report["loaders"]["rows"].items()
        speeds = [
            (
                row["what"],
                row["median"],
                three_figures(row["median"])
                + ("" if row["times_base"] == 1 else f", {_times(row['times_base'])} times"),
                _is_ours(name),
            )
            for name, row in rows
        ]
        panels.append(("tokens delivered a second, and times the first", speeds))
    durations = [
        (label, value, f"{value:.3g} s{', ' if words else ''}{words}", ours)
        for label, value, words, ours in _durations(report)
    ]
    if durations:
        panels.append(("seconds", durations))
    heights = [len(bars) for _, bars in panels]
    figure = Figure(figsize=(10, 1.4 + 0.42 * sum(heights) + 0.7 * (len(panels) - 1)), layout="constrained")
    FigureCanvasAgg(figure)
    corpus, machine = report["corpus"], report["machine"]
    drawn = figure.subplots(len(panels), 1, height_ratios=heights, squeeze=False)[:, 0]
    for axes, (title, bars) in zip(drawn, panels, strict=True):
        _bars(axes, title, bars)
    figure.suptitle(
        f"{corpus['source']}: {corpus['pieces']:,} pieces, {corpus['tokens']:,} tokens, windows of {corpus['window']}, "
        f"batches of {corpus['batch_size']}\n{machine['cpu']}, {machine['cores']} cores; medians; blue: midiaug",
        fontsize=10,
    )
    write_whole(path, lambda temporary: figure.savefig(temporary, dpi=120))


def _bars(axes: Any, title: str, bars: list[Bar]) -> None:
    values = [value for _, value, _, _ in bars]
    places = range(len(bars))
    axes.barh(places, values, color=[_OURS if ours else _OTHERS for *_, ours in bars], height=0.7)
    axes.set_xscale("log")
    low, high = min(values), max(values)
    axes.set_xlim(low / 3, high * (high * 3 / low) ** 0.6)  # room for the words behind the longest bar
    for place, (_, value, words, _) in zip(places, bars, strict=True):
        axes.text(value, place, f" {words}", va="center", fontsize=9)
    axes.set_yticks(places, [label for label, *_ in bars], fontsize=9)
    axes.invert_yaxis()
    axes.set_title(title, loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", alpha=0.25)
    axes.set_axisbelow(True)


def _is_ours(name: str) -> bool:
    return WHAT[name].startswith("midiaug")


def three_figures(number: float) -> str:
    """A number in three figures or so, with the word for its thousands: 352,600,000 is 353 million."""
    for size, word in ((1e9, " billion"), (1e6, " million"), (1e3, " thousand")):
        if number >= size:
            return f"{number / size:.3g}{word}" if number < 999.5 * size else f"{number / size:,.0f}{word}"
    return f"{number:.3g}"


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"


def _bytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count / 1e3:,.1f} kB"
