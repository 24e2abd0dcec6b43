"""What augmentation gained: each model against the same model without transposition, tune by tune."""

import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import t as student

from midiaug.comparison.groups import FIGURES, NONE, Described, Group, differences
from midiaug.comparison.runs import Run

_LEAST_GAP = 0.0005  # nats a token, the last digit that is shown: a smaller gap cannot be closed by so many percent


@dataclass(frozen=True)
class Change:
    """By how many nats a token a loss changed, over so many tunes. low, high: its 95 % interval, None for one tune."""

    nats: float
    low: float | None
    high: float | None
    tunes: int


@dataclass(frozen=True)
class Gain:
    """Runs with augmentation against runs without. before, after: means over the seeds of `train`, `val`, `gap`,
    `key_spread` and `over_keys`, the loss over all twelve keys.

    change: of the validation loss, on the pieces that both were judged by; None where there are none in common.
    by_seed: that change for each split of the pieces. unfinished: whether the loss with augmentation still fell in
    the last epoch of all its runs. verdict: helped, did not help, or not known.
    """

    model: str
    level: str
    runs: int
    baselines: int
    before: dict[str, float | None]
    after: dict[str, float | None]
    change: Change | None
    by_seed: list[float]
    unfinished: bool
    verdict: str
    sentence: str

    @property
    def closed(self) -> float | None:
        """By how many nats a token the gap is smaller."""
        before, after = self.before["gap"], self.after["gap"]
        return None if before is None or after is None else before - after

    @property
    def percent(self) -> float | None:
        """What part of the gap that is; None where there was no gap to close."""
        before = self.before["gap"]
        return None if self.closed is None or before is None or before < _LEAST_GAP else 100 * self.closed / before


def gains_of(groups: list[Group]) -> tuple[list[Gain], list[str]]:
    """A gain for each group with augmentation that has a group without, and a remark for each that has none."""
    gains: list[Gain] = []
    remarks: list[str] = []
    plain = [group for group in groups if group.members[0].shifts == NONE]
    for group in groups:
        first = group.members[0]
        if first.shifts in (None, NONE):
            continue
        same = [other for other in plain if other.members[0].settings == first.settings]
        if same:
            gains.append(_gain(group, same[0]))
        else:
            remarks.append(f"{group.label}: no finished run with aug=none of the same model{_nearest(first, plain)}")
    return gains, remarks


def paired_change(before: Iterable[Run], after: Iterable[Run]) -> tuple[Change, list[float]] | None:
    """How the loss changed on the validation pieces that runs have in common; the means over runs are compared.

    Only runs that were judged by the same pieces are compared. Look-alikes count as one tune, in all splits
    together. The interval is that of a ratio of sums over tunes, nats and tokens, with Student's t (Cochran 1977,
    "Sampling Techniques", section 6.4). Returns the change, and that of each split alone; None without a pair.
    """
    by_split: dict[str | None, tuple[list[Run], list[Run]]] = defaultdict(lambda: ([], []))
    for side, runs in enumerate((before, after)):
        for run in runs:
            by_split[run.split_key][side].append(run)
    nats: dict[str, float] = defaultdict(float)
    tokens: dict[str, int] = defaultdict(int)
    alone: list[float] = []
    for key, (plain, moved) in by_split.items():
        if key is None or not plain or not moved:
            continue
        pieces = _common(plain + moved)
        if not pieces:
            continue
        sums = {name: _mean_nats(moved, name) - _mean_nats(plain, name) for name in pieces}
        for name, group in pieces.items():
            nats[group] += sums[name]
            tokens[group] += plain[0].pieces[name].tokens
        alone.append(sum(sums.values()) / max(1, sum(plain[0].pieces[name].tokens for name in pieces)))
    return (_ratio(np.array(list(nats.values())), np.array(list(tokens.values()))), alone) if nats else None


def _common(runs: list[Run]) -> dict[str, str]:
    """The pieces that all runs have, with as many tokens, and the group of each."""
    first = runs[0].pieces
    return {
        name: piece.group
        for name, piece in first.items()
        if all(name in run.pieces and run.pieces[name].tokens == piece.tokens for run in runs)
    }


def _mean_nats(runs: list[Run], name: str) -> float:
    return statistics.fmean(run.pieces[name].nats for run in runs)


def _ratio(nats: Any, tokens: Any) -> Change:
    ratio, tunes = float(nats.sum() / tokens.sum()), len(nats)
    if tunes < 2:
        return Change(ratio, None, None, tunes)
    scatter = float(((nats - ratio * tokens) ** 2).sum()) * tunes / (tunes - 1)
    half = float(student.ppf(0.975, tunes - 1)) * scatter**0.5 / float(tokens.sum())
    return Change(ratio, ratio - half, ratio + half, tunes)


def _gain(group: Group, plain: Group) -> Gain:
    moved, still = [one.run for one in group.members], [one.run for one in plain.members]
    shared = {run.split_key for run in moved} & {run.split_key for run in still} - {None}
    if shared:  # figures of other pieces would only add their difference
        moved = [run for run in moved if run.split_key in shared]
        still = [run for run in still if run.split_key in shared]
    paired = paired_change(still, moved)
    change, by_seed = paired if paired else (None, [])
    before, after = _means(still), _means(moved)
    verdict = _verdict(change, by_seed)
    unfinished = all(len(run.rows) > 1 and run.best["epoch"] == run.rows[-1]["epoch"] for run in moved)
    first = group.members[0]
    draft = Gain(
        first.of_model, first.level, len(moved), len(still), before, after, change, by_seed, unfinished, verdict, ""
    )
    return Gain(**{**vars(draft), "sentence": _sentence(draft)})


def _means(runs: list[Run]) -> dict[str, float | None]:
    """Means over the splits of the means over their runs, so that each split weighs alike on both sides."""
    by_split: dict[str | None, list[Run]] = defaultdict(list)
    for run in runs:
        by_split[run.split_key].append(run)
    means: dict[str, float | None] = {}
    for name in ("train", "val", "gap", "key_spread", "over_keys"):
        parts = [[FIGURES[name](run) for run in part] for part in by_split.values()]
        there = all(value is not None for part in parts for value in part)
        means[name] = statistics.fmean(_mean(part) for part in parts) if there else None
    return means


def _mean(values: list[float | None]) -> float:
    return statistics.fmean(value for value in values if value is not None)


def _verdict(change: Change | None, by_seed: list[float]) -> str:
    if change is None or change.low is None or change.high is None:
        return "not known"
    if change.high < 0 and all(value < 0 for value in by_seed):
        return "helped"
    return "did not help"


def _sentence(gain: Gain) -> str:
    name = f"{gain.model}: {gain.level} against none"
    count = f"({_runs(gain.runs)} against {gain.baselines})"
    return f"{name} {count} {_judgement(gain)} {_of_gap(gain)}{_of_keys(gain)}{_advice(gain)}"


def _of_keys(gain: Gain) -> str:
    before, after = gain.before["key_spread"], gain.after["key_spread"]
    if before is None or after is None:
        return ""
    how = "more alike" if after < before else "less alike"
    text = f" The keys became {how}: the hardest cost {before:.3f} more than the easiest, and now {after:.3f}."
    mean = gain.before["over_keys"], gain.after["over_keys"]
    if mean[0] is None or mean[1] is None:
        return text
    return f"{text} Over all twelve keys the loss went from {mean[0]:.3f} to {mean[1]:.3f}."


def _advice(gain: Gain) -> str:
    if gain.verdict == "helped" or not gain.unfinished:
        return ""
    return " With augmentation the loss still fell in the last epoch: train both for longer before you judge."


def _judgement(gain: Gain) -> str:
    change, less_gap = gain.change, gain.closed is not None and gain.closed > 0
    if change is None:
        return "cannot be judged: no validation pieces in common, or no val_pieces.csv."
    if change.low is None or change.high is None:
        return f"cannot be judged: one tune tells too little (validation loss {change.nats:+.3f} nats a token)."
    figure = f"{abs(change.nats):.3f} nats a token (95 % interval {change.low:+.3f} to {change.high:+.3f}"
    figure += f", {change.tunes:,} tunes)"
    if gain.verdict == "helped":
        return f"helped: the validation loss fell by {figure}."
    if change.low > 0:
        why = "; a smaller gap alone is no gain: the model learned the training pieces less well" if less_gap else ""
        return f"did not help: the validation loss rose by {figure}{why}."
    if change.high < 0:
        return f"did not help reliably: the validation loss fell by {figure}, but rose for some of the seeds."
    return f"did not help: the validation loss {'fell' if change.nats < 0 else 'rose'} by {figure}: " + (
        f"no difference that these {change.tunes:,} tunes can show."
    )


def _of_gap(gain: Gain) -> str:
    before, after, closed = gain.before["gap"], gain.after["gap"], gain.closed
    if before is None or after is None or closed is None:
        return "The gap is not known."
    moved = f"The gap went from {before:+.3f} to {after:+.3f} nats a token"
    if gain.percent is None:
        return f"{moved}; without augmentation there was none to close."
    if closed < 0:
        return f"{moved}: it grew by {-closed:.3f}, {-gain.percent:.0f} %."
    return f"{moved}: {closed:.3f} closed, {gain.percent:.0f} % of it."


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


def _nearest(one: Described, plain: list[Group]) -> str:
    """By what the most similar model without augmentation differs."""
    lists = [differences(one.settings, group.members[0].settings) for group in plain]
    if not lists:
        return "; train one to see what augmentation gains"
    nearest = min(lists, key=len)
    shown = [text for text in nearest if not text.startswith("music ")] or ["the pieces"]
    return f"; the nearest differs by {', '.join(shown[:3])}" + (" and more" if len(shown) > 3 else "")
