"""What the terminal shows of a comparison: tables that fit into a hundred columns, and sentences."""

from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from midiaug.comparison.gained import Gain
from midiaug.comparison.groups import Described, Group, spread_over
from midiaug.comparison.numbers import number, spread
from midiaug.comparison.recommendation import Recommendation
from midiaug.comparison.rows import (
    AUGMENTED_HEADS,
    KEYS_HEADS,
    KEYS_WORDS,
    augmented_rows,
    best_at,
    keys_rows,
    music_rows,
    run_cells,
)
from midiaug.comparison.yardstick import sentence
from midiaug.printable import printable
from midiaug.text_tables import WIDTH

_MOST_RUNS = 24
_ROOM = 28  # for what a run is called, where its words are as long
_COLORS = {"helped": "green", "did not help": "red", "cannot tell": "yellow", "not known": "yellow"}


def screen_text(
    described: Sequence[Described], groups: Sequence[Group], gains: Sequence[Gain], music: dict[str, Any] | None
) -> str:
    """Every table that there is something to put into, one below the other."""
    console = Console(width=WIDTH, force_terminal=False)
    with console.capture() as captured:
        if music:
            console.print(_music(music))
            console.print(_augmented(music))
        if described:
            console.print(_runs(described))
            if len(described) > _MOST_RUNS:
                console.print(f"and {len(described) - _MOST_RUNS} more with a higher loss; compare.html has them all")
        if keys_rows(described):
            console.print(_keys(described))
        if any(len(group.members) > 1 for group in groups):
            console.print(_groups(groups))
        if gains:
            console.print(_gains(gains))
            for gain in gains:
                console.print(Padding(Text(printable(gain.sentence)), (1, 0, 0, 0)))
    return captured.get().rstrip()


def _table(title: str, heads: Sequence[str], left: int = 1) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.caption_justify = "left"
    for place, head in enumerate(heads):
        table.add_column(head, justify="left" if place < left else "right", overflow="fold", no_wrap=place >= left)
    return table


def _runs(described: Sequence[Described]) -> Table:
    judged = sentence(described)
    heads = ["run", "seed", "epoch", "train", "val", "gap", *(["corrected"] if judged else [])]
    heads += ["a note", "keys", "12 keys", "time", "tok/s"]
    rows = []
    for one in described[:_MOST_RUNS]:
        run = one.run
        lines = dict.fromkeys([one.label, run.name, *([] if run.finished else ["(not finished)"])])
        row = [
            "\n".join(printable(line) for line in lines),
            "" if one.seed is None else str(one.seed),
            best_at(run, "/"),
            *run_cells(run, bool(judged)),
        ]
        rows.append(row)
    kept = _fitting(heads, rows)
    table = _table("Runs at their best epoch, loss in nats a token, lowest validation loss first", heads[:kept])
    for row in rows:
        table.add_row(*map(escape, row[:kept]))
    left_out = f" compare.html has {', '.join(heads[kept:])} too." if kept < len(heads) else ""
    table.caption = (
        "gap: val less train. a note: val in nats a note. keys: loss in the hardest of twelve keys less the easiest's. "
        f"12 keys: the mean over them.{left_out}" + (f"\n{judged}" if judged else "")
    )
    return table


def _fitting(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """How many columns leave the first one enough room for its words; the last three may be left out."""
    widths = [
        max(len(line) for cell in column for line in cell.split("\n")) + 2 for column in zip(heads, *rows, strict=True)
    ]
    for kept in range(len(heads), len(heads) - 3, -1):
        if WIDTH - sum(widths[1:kept]) >= min(widths[0], _ROOM):
            return kept
    return len(heads) - 3


def _keys(described: Sequence[Described]) -> Table:
    table = _table("Predictions in twelve keys", KEYS_HEADS)
    for label, *cells in keys_rows(described)[:_MOST_RUNS]:
        table.add_row(escape(printable(label)), *cells)
    table.caption = KEYS_WORDS
    return table


def _groups(groups: Sequence[Group]) -> Table:
    heads = [f"over {spread_over(groups)}, mean ± sd", "runs", "train", "val", "gap", "val a note", "keys"]
    table = _table("", heads)
    for group in groups:
        figures = group.figures()
        cells = [spread(figures[name]) for name in ("train", "val", "gap", "nats_per_note", "key_spread")]
        table.add_row(escape(printable(group.label)), str(len(group.members)), *cells)
    return table


def _gains(gains: Sequence[Gain]) -> Table:
    heads = ["augmentation against none", "gap before", "after", "closed", "val change", "95 % interval", ""]
    table = _table("What augmentation gained, in nats a token", heads)
    for gain in gains:
        change, closed = gain.change, number(gain.closed, sign=True)
        whole = change is not None and change.low is not None
        table.add_row(
            escape(printable(f"{gain.model}, {gain.level}")),
            number(gain.before["gap"], sign=True),
            number(gain.after["gap"], sign=True),
            "" if gain.percent is None else f"{closed} ({gain.percent:.0f} %)",
            number(change.nats, sign=True) if change else "",
            f"{number(change.low, sign=True)} to {number(change.high, sign=True)}" if change and whole else "",
            f"[{_COLORS[gain.verdict]}]{gain.verdict}[/]",
        )
    table.caption = "val change: paired by tune and weighed by tokens; the losses above are means of runs."
    return table


def recommendation_text(found: Sequence[Recommendation]) -> str:
    """What came of a sweep over levels: a table and the sentences for each model."""
    console = Console(width=WIDTH, force_terminal=False)
    heads = ["level", "seeds", "val, own keys", "gap", "12 keys", "spread", "change", "95 % interval", ""]
    with console.capture() as captured:
        for one in found:
            table = _table(f"{escape(printable(one.model))}: levels of transposition, loss in nats a token", heads)
            for level in one.levels:
                change, figures = level.change, level.figures
                whole = change is not None and change.low is not None
                table.add_row(
                    escape(printable(level.name.removeprefix("aug="))),
                    str(len(set(level.seeds))),
                    spread(figures["val"]),
                    number(figures["gap"]["mean"], sign=True),
                    number(figures["over_keys"]["mean"]),
                    number(figures["key_spread"]["mean"]),
                    number(change.nats, sign=True) if change else "",
                    f"{number(change.low, sign=True)} to {number(change.high, sign=True)}" if change and whole else "",
                    level.verdict,
                )
            table.caption = (
                "at the best step of each run, means over the seeds. 12 keys: val, mean over all keys; spread: the "
                "hardest less the easiest. change: of val against none, paired by tune."
            )
            console.print(table)
            console.print(Padding(Text(printable(one.sentence)), (1, 0, 1, 0)))
    return captured.get().rstrip()


def _music(music: dict[str, Any]) -> Table:
    table = _table(f"Music: {escape(printable(music['title']))}", ["", ""], left=2)
    for label, text in music_rows(music):
        table.add_row(label, escape(text))
    table.show_header = False
    return table


def _augmented(music: dict[str, Any]) -> Table:
    table = _table("The training pieces, original and transposed", AUGMENTED_HEADS)
    for row in augmented_rows(music):
        table.add_row(*(escape(cell) for cell in row))
    table.caption = (
        "samples: different pairs of a sample and a shift. predicted: tokens that all of them predict; none's are the "
        "predicted tokens an epoch. tokens a pitch: in an epoch, the median of the pitches used. fewer: pieces that "
        "cannot take all shifts."
    )
    return table
