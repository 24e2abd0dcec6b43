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
from midiaug.comparison.groups import FIGURES, Described, Group, spread_over
from midiaug.comparison.numbers import duration, number, speed, spread
from midiaug.comparison.recommendation import Recommendation
from midiaug.comparison.runs import Run
from midiaug.comparison.yardstick import sentence
from midiaug.keys import pitch_name
from midiaug.printable import printable
from midiaug.text_tables import WIDTH

_MOST_RUNS = 24
_SHOWN_KEYS = 6
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
    table = _table("Runs at their best epoch, loss in nats a token, lowest validation loss first", heads)
    for one in described[:_MOST_RUNS]:
        run, best = one.run, one.run.best
        lines = dict.fromkeys([one.label, run.name, *([] if run.finished else ["(not finished)"])])
        table.add_row(
            "\n".join(escape(printable(line)) for line in lines),
            "" if one.seed is None else str(one.seed),
            f"{best['epoch']}/{run.rows[-1]['epoch']}",
            *run_cells(run, bool(judged)),
        )
    table.caption = (
        "gap: val less train. a note: val in nats a note. keys: loss in the hardest of twelve keys less the easiest's. "
        "12 keys: the mean over them." + (f"\n{judged}" if judged else "")
    )
    return table


def run_cells(run: Run, corrected: bool) -> list[str]:
    """A run's figures, as the screen and the page show them: losses at the best epoch, by key, time, speed.

    corrected: whether the corrected gap is among them, behind the gap.
    """
    best = run.best
    return [
        number(best["loss/train"]),
        number(best["loss/val"]),
        number(best["loss/gap"], sign=True),
        *([number(run.corrected, sign=True)] if corrected else []),
        number(best.get("nats_per_note/val")),
        number(run.summary.get("key_spread")),
        number(FIGURES["over_keys"](run)),
        duration(run.seconds),
        speed(run.tokens_per_second),
    ]


KEYS_HEADS = ["run", "seed", "own key", "mean of 12", "averaged", "equivariance"]
KEYS_WORDS = (
    "Nats a token, on the validation pieces that fit into twelve keys. Mean of 12: of the losses in twelve keys. "
    "Averaged: the loss in the own key of the mean of all twelve predictions, which takes asking the model twelve "
    "times. Equivariance: how far the predictions in the other keys are from that in the own key, 0 where all keys are "
    "alike."
)


def keys_rows(described: Sequence[Described]) -> list[list[str]]:
    """How alike a run's predictions are in twelve keys, as KEYS_HEADS has it; none of a run that did not measure it."""
    rows = []
    for one in described:
        summary, means = one.run.summary, [FIGURES[name](one.run) for name in ("over_keys", "loss_averaged_over_keys")]
        if summary.get("equivariance") is not None:
            seed = "" if one.seed is None else str(one.seed)
            values = [one.losses_by_key.get("0"), *means, summary["equivariance"]]
            rows.append([one.label, seed, *(number(value) for value in values)])
    return rows


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
                    str(len(level.seeds)),
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


def music_rows(music: dict[str, Any]) -> list[tuple[str, str]]:
    """The figures of a corpus, each with its label."""
    figures = music["statistics"]
    pieces, vocabulary = figures["pieces"], figures["vocabulary"]
    lengths = figures["tokens_a_piece"]
    keys = sorted(figures["keys"].items(), key=lambda item: -item[1])
    there = [pitch for pitch, count in enumerate(figures["pitches"]) if count]
    drums = f", {figures['drum_notes']:,} of drums" if figures["drum_notes"] else ""
    entry = f"{figures['windows_per_entry']:,.1f} samples and {figures['tokens_per_entry']:,.0f} tokens on average"
    most = ", ".join(f"{name} {count:,}" for name, count in keys[:_SHOWN_KEYS])
    split = f", by {printable(music['split'])}" if music["split"] else ""
    return [
        ("pieces", f"{pieces['read']:,} ({pieces['train']:,} to train on, {pieces['val']:,} to validate on){split}"),
        ("left out", f"{pieces['left_out']:,}"),
        ("different tunes", f"{figures['tunes']:,}"),
        ("tracks", f"{figures['tracks']:,}, read as {figures['sequences']:,} sequences of tokens"),
        ("notes", f"{figures['notes']:,}{drums}"),
        ("tokens", f"{figures['tokens']:,} by {music['tokenizer']}"),
        ("tokens a piece", f"median {lengths['median']:,.0f}, {lengths['least']:,.0f} to {lengths['largest']:,.0f}"),
        ("samples to train on", f"{figures['windows']:,} of {music['window']:,} tokens"),
        ("predicted tokens an epoch", f"{music['augmented'][0]['tokens']:,}"),
        ("vocabulary", f"{vocabulary['entries']:,} entries, {vocabulary['used']:,} of them used in training"),
        ("an entry of it has", entry),
        ("pitches", f"{pitch_name(there[0])} to {pitch_name(there[-1])}" if there else "none"),
        ("keys, estimated", most + (", ..." if len(keys) > _SHOWN_KEYS else "")),
    ]


AUGMENTED_HEADS = [
    "shifts",
    "samples",
    "times",
    "predicted",
    "vocabulary used",
    "pitches used",
    "tokens a pitch",
    "fewer",
]


def augmented_rows(music: dict[str, Any]) -> list[list[str]]:
    """What each set of shifts makes of the training pieces, a row a set, as AUGMENTED_HEADS has it."""
    rows: list[list[str]] = []
    for part in music["augmented"]:
        words = part["vocabulary"]
        shown = (
            [
                f"{words['used']:,} of {words['entries']:,} ({100 * words['coverage']:.0f} %)",
                f"{words['pitch_entries_used']} of {words['pitch_entries']}",
                f"{words['median_of_used_pitch_entries']:,.0f}",
            ]
            if words
            else ["", "", ""]
        )
        label = f"{part['level']} ({len(part['shifts'])})"
        fewer = f"{part['pieces_with_fewer_shifts']:,}"
        rows.append([label, f"{part['samples']:,}", f"{part['times']:.2f}", f"{part['tokens']:,}", *shown, fewer])
    return rows


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
