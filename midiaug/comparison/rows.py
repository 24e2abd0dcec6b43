"""What the screen and the page both show of a comparison, row by row and cell by cell."""

from collections.abc import Sequence
from typing import Any

from midiaug.comparison.groups import FIGURES, NONE, Described, mean_and_sd
from midiaug.comparison.numbers import duration, number, speed
from midiaug.comparison.runs import Run
from midiaug.keys import pitch_name
from midiaug.printable import printable

_SHOWN_KEYS = 6
KEYS_HEADS = ["run", "seed", "own key", "mean of 12", "averaged", "equivariance"]
KEYS_WORDS = (
    "Nats a token, on the validation pieces that fit into twelve keys. Mean of 12: of the losses in twelve keys. "
    "Averaged: the loss in the own key of the mean of all twelve predictions, which takes asking the model twelve "
    "times. Equivariance: how far the predictions in the other keys are from that in the own key, 0 where all keys are "
    "alike. Told: a model of model.condition=true that is told of each shift."
)
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


def run_cells(run: Run, corrected: bool, interval: bool = False) -> list[str]:
    """A run's figures, as the screen and the page show them: losses at the best epoch, by key, time, speed.

    corrected: whether the corrected gap is among them, behind the gap; interval: with its 95 % interval.
    """
    best = run.best
    return [
        number(best["loss/train"]),
        number(best["loss/val"]),
        number(best["loss/gap"], sign=True),
        *([number(run.corrected, sign=True) + (_within(run) if interval else "")] if corrected else []),
        number(best.get("nats_per_note/val")),
        number(run.summary.get("key_spread")),
        number(FIGURES["over_keys"](run)),
        duration(run.seconds),
        speed(run.tokens_per_second),
    ]


def _within(run: Run) -> str:
    """The 95 % interval of the corrected gap in brackets; nothing where it is not known."""
    stick = run.yardstick
    if stick is None or run.corrected is None:
        return ""
    low, high = (run.corrected + stick.nats - end for end in (stick.high, stick.low))
    return f" ({low:+.3f} to {high:+.3f})"


def best_at(run: Run, between: str) -> str:
    """The best epoch and the last, with a word between them; the steps where a run was validated by these."""
    unit = run.unit
    best, last = (f"{row[unit]:,.0f}" for row in (run.best, run.rows[-1]))
    return f"{'step ' if unit == 'step' else ''}{best}{between}{last}"


def keys_rows(described: Sequence[Described]) -> list[list[str]]:
    """How alike a run's predictions are in twelve keys, as KEYS_HEADS has it; none of a run that did not measure it."""
    rows = []
    for one in described:
        seed = "" if one.seed is None else str(one.seed)
        told = {} if one.shifts == NONE else one.run.summary.get("told") or {}  # of no shift there is nothing to tell
        for label, found in ((one.label, one.run.summary), (f"{one.label}, told", told)):
            if found.get("equivariance") is not None:
                losses = found.get("loss_by_key") or {}
                means = [mean_and_sd([*losses.values()])["mean"], found.get("loss_averaged_over_keys")]
                values = [losses.get("0"), *means, found["equivariance"]]
                rows.append([label, seed, *(number(value) for value in values)])
    return rows


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
