"""compare.html: one file that opens anywhere, without scripts and without anything from elsewhere.

Whatever comes from a file is escaped where it is put in.
"""

from collections.abc import Sequence
from html import escape
from typing import Any

from midiaug import __version__
from midiaug.comparison import before_after, charts, front
from midiaug.comparison.gained import Gain
from midiaug.comparison.groups import Described, Group, spread_over
from midiaug.comparison.markup import card, chart_row, document, quiet, table
from midiaug.comparison.numbers import number, spread
from midiaug.comparison.progress import tracked
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
from midiaug.comparison.variety import COPYING, IN_KEY, VARIETY, variety_rows
from midiaug.comparison.yardstick import sentence
from midiaug.keys import TONICS
from midiaug.printable import printable


def page(
    described: Sequence[Described],
    groups: Sequence[Group],
    gains: Sequence[Gain],
    music: dict[str, Any] | None,
    remarks: Sequence[str],
) -> str:
    """The whole page as text."""
    title = f"Comparison of {len(described)} {'run' if len(described) == 1 else 'runs'}" if described else "Music"
    if not described and music:
        title = f"Music: {printable(music['title'])}"
    parts = [f"<h1>{escape(title)}</h1>"]
    if remarks:
        items = "".join(f"<li>{escape(printable(remark))}</li>" for remark in remarks)
        parts.append(f'<ul class="remarks">{items}</ul>')
    parts += [*_gain_part(gains), *_run_part(described, groups), *_curve_part(described), *_variety_part(described)]
    if music:
        parts += [f"<h2>Music: {escape(printable(music['title']))}</h2>"] if described else []
        parts += _music_part(music)
    parts.append(
        f'<p class="quiet">midiaug {escape(__version__)}. All figures are in compare.json beside this page.</p>'
    )
    return document(title, parts)


def _gain_part(gains: Sequence[Gain]) -> list[str]:
    if not gains:
        return []
    kinds = {"helped": "helped", "did not help": "nothelped"}
    parts = ["<h2>What augmentation gained</h2>"]
    parts += [f'<p class="gain {kinds.get(gain.verdict, "")}">{escape(printable(gain.sentence))}</p>' for gain in gains]
    parts += before_after.part(gains)
    heads = ["against none", "verdict", "change, paired by tune", "95 % interval", "better", "tunes"]
    heads += ["val before", "val after", "gap before", "gap after", "closed", "runs"]
    rows = []
    for gain in gains:
        change = gain.change
        whole = change is not None and change.low is not None and change.high is not None
        rows.append(
            [
                f"{gain.model}, {gain.level}",
                gain.verdict,
                number(change.nats, sign=True) if change else "",
                f"{change.low:+.3f} to {change.high:+.3f}" if change and whole else "",
                f"{gain.better} of {len(gain.by_seed)} seeds" if change else "",
                f"{change.tunes:,}" if change else "",
                *(number(value) for value in (gain.before["val"], gain.after["val"])),
                *(number(value, sign=True) for value in (gain.before["gap"], gain.after["gap"])),
                "" if gain.percent is None else f"{number(gain.closed, sign=True)} ({gain.percent:.0f} %)",
                f"{gain.runs} : {gain.baselines}",
            ]
        )
    if any(gain.change for gain in gains):
        parts.append(chart_row([card("Change of the validation loss", charts.changes(gains))]))
    parts.append(table(heads, rows))
    parts.append(
        quiet(
            "Nats a token; below 0 is better. The change, paired by tune, sets each tune against itself with "
            "the same seed and weighs it by its tokens, so it need not be val after less val before, which are means "
            "of whole runs. Look-alikes count as one tune. The interval holds for other tunes and, with two seeds or "
            "more, for other seeds. Nothing closed: the gap before is no larger than chance makes it. "
            "Green: helped; red: did not help; grey: cannot tell, as the interval holds 0 or the seeds disagree."
        )
    )
    return parts + _crossing_part(gains)


def _crossing_part(gains: Sequence[Gain]) -> list[str]:
    curves = [(gain, gain.crossing) for gain in gains if gain.crossing]
    if not curves:
        return []
    heads = ["validation curves against none", "change at the end of both", "which is at", ""]
    rows = []
    for gain, both in curves:
        words = f"at equal {both.measure} {both.words}"
        rows.append([f"{gain.model}, {gain.level}", number(both.difference, sign=True), both.updates, words])
    return [table(heads, rows), quiet("The change above is between the best epochs of each; means over the seeds.")]


def _run_part(described: Sequence[Described], groups: Sequence[Group]) -> list[str]:
    if not described:
        return []
    parts = ["<h2>Runs</h2>", _run_table(described)]
    parts.append(
        quiet(
            "Losses in nats a token at the best epoch: how surprised the model is by the next token. "
            "Gap: val less train. Key spread: the loss in the hardest of twelve keys less that in the easiest. "
            + sentence(described)
        )
    )
    keys = keys_rows(described)
    if keys:
        parts += ["<h2>Predictions in twelve keys</h2>", table(KEYS_HEADS, keys), quiet(KEYS_WORDS)]
    if any(len(group.members) > 1 for group in groups):
        names = ("val", "gap", "train", "nats_per_note", "key_spread", "over_keys")
        heads = [
            f"mean ± standard deviation over {spread_over(groups)}",
            "runs",
            "val",
            "gap",
            "train",
            "val, nats a note",
            "key spread",
            "mean of 12 keys",
        ]
        parts.append(
            table(heads, ([g.label, str(len(g.members)), *(spread(g.figures()[n]) for n in names)] for g in groups))
        )
    if len({group.members[0].level for group in groups if group.members[0].level}) > 1:
        parts.append("<h2>Against the level of transposition</h2>")
        drawn = [("loss/gap", "gap"), ("loss/val", "validation loss")]
        parts.append(chart_row(card("", charts.by_level(groups, key, title)) for key, title in drawn))
        parts.append(
            quiet(
                "A dot is a run, the line goes through the means over the seeds. A lower validation loss is better; "
                "a smaller gap alone is not."
            )
        )
    return parts + front.part(groups)


def _run_table(described: Sequence[Described]) -> str:
    judged = bool(sentence(described))
    heads = ["run", "val", "gap", "train", "seed", "best at", *(["gap, corrected (95 % interval)"] if judged else [])]
    heads += ["val, nats a note", "key spread", "mean of 12 keys", "time", "tokens/s"]
    rows = []
    for one in described:
        train, val, gap, *others = run_cells(one.run, judged, interval=True)
        label = printable(one.label) + ("" if one.run.finished else " (not finished)")
        name = label if printable(one.run.name) == label else f"{label}\n{printable(one.run.name)}"
        seed = "" if one.seed is None else str(one.seed)
        rows.append([name, *(val, gap, train), seed, best_at(one.run, " of "), *others])
    return table(heads, rows)


def _curve_part(described: Sequence[Described]) -> list[str]:
    if not described:
        return []
    cards = []
    span = charts.loss_range([one.run for one in described if one.run.own])
    key_span = charts.key_range([one.losses_by_key for one in described])
    for one in tracked(described, "drawing curves"):
        content = [charts.curves(one.run, span if one.run.own else None)]
        if one.losses_by_key:
            content.append(charts.by_key(one.losses_by_key, key_span))
        cards.append(card(f"{one.label}, {one.draw}" if one.draw else one.label, *content))
    return [
        "<h2>Curves</h2>",
        quiet(
            "All runs of midiaug are on one scale, and so are their losses in twelve keys. A triangle over the upper "
            "edge is a loss above it; the figure at the row's end is the highest. The dotted line marks the best epoch."
        ),
        chart_row(cards),
    ]


def _variety_part(described: Sequence[Described]) -> list[str]:
    rows = [row for one in described for row in variety_rows(one)]
    if not rows:
        return []
    heads = ["run", "of", "pieces", *VARIETY.values(), *COPYING.values(), IN_KEY]
    parts = ["<h2>Generated music</h2>", table(heads, rows)]
    parts.append(
        quiet(
            "Means over the pieces, from generate.json; (4/8): only 4 of 8 are long enough for it. "
            "Generated music is like the collection where its figures are near those of the validation pieces. "
            "No repeat: the share of passages of 13 notes that occur once. "
            "Shared: of the passages of two pieces, those in both. Copied: passages that training pieces have, in any "
            "key; longest copied: in notes. Stays in key: notes in the scale of the bars that were given. A model that "
            "writes one track at a time is held against tracks."
        )
    )
    return parts


def _music_part(music: dict[str, Any]) -> list[str]:
    figures, parts = music["statistics"], []
    parts.append(table([], music_rows(music), "facts"))
    shapes = {"tokens": "tokens_a_piece", "notes": "notes_a_piece", "quarter notes": "quarter_notes_a_piece"}
    cards = [
        card("Pitches", charts.pitch_bars([("notes", figures["pitches"])])),
        card("Keys, estimated", charts.key_bars(figures["keys"])),
    ]
    cards += [
        card(f"Length in {unit}", charts.lengths(figures[key], unit))
        for unit, key in shapes.items()
        if figures[key]["counts"]
    ]
    parts.append(chart_row(cards))
    parts += ["<h2>Original and transposed</h2>", table(AUGMENTED_HEADS, augmented_rows(music))]
    parts.append(
        quiet(
            "The training pieces. Samples: different pairs of a sample and a shift, which an epoch draws from. "
            "Predicted: tokens that all samples together predict; those of none are the predicted tokens an epoch. "
            "Tokens a pitch: how often a pitch comes in an epoch, the median of those that come at all. "
            "Fewer: pieces that cannot take all shifts."
        )
    )
    sets = music["augmented"]
    shown = [sets[0], sets[-1]] if len(sets) > 1 else sets
    named = [(part["level"] if part["shifts"] != [0] else "original", part) for part in shown]
    parts.append(
        chart_row(
            [
                card(
                    "Notes of each pitch in an epoch",
                    charts.pitch_bars([(name, part["pitches"]) for name, part in named]),
                ),
                card(
                    "Pitch classes, by notes",
                    charts.class_bars([(name, part["pitch_classes"]) for name, part in named], TONICS, "notes"),
                ),
                card(
                    "Tonics of the keys",
                    charts.class_bars([(name, part["tonics"]) for name, part in named], TONICS, "pieces"),
                ),
            ]
        )
    )
    return parts
