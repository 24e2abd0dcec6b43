"""What augmentation gained in one comparison: its figures, and what they come to in a plain sentence."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from midiaug.comparison.crossing import Crossing
from midiaug.comparison.mean_curves import MeanCurves
from midiaug.comparison.pairs import Change, SeedChange
from midiaug.printable import many

_LEAST_GAP = 0.0005  # nats a token, the last digit that is shown: a smaller gap cannot be closed by so many percent
_NAMED_SEEDS = 6  # more are counted, not named


@dataclass(frozen=True)
class Gain:
    """Runs with augmentation against runs without. before, after: means over the seeds of `train`, `val`, `gap`,
    `key_spread` and `over_keys`, the loss over all twelve keys.

    change: of the validation loss, on the pieces that both were judged by; None where there are none in common.
    by_seed: that change with each seed. gap_noise: how large a gap without augmentation may be by chance, None where
    that is not known. unfinished: whether the loss with augmentation still fell in the last epoch of all its runs.
    crossing: both validation curves at equal tokens; None where they have no stretch in common. curves_before,
    curves_after: both losses over the training; None where they are not known.
    """

    model: str
    level: str
    runs: int
    baselines: int
    before: dict[str, float | None]
    after: dict[str, float | None]
    change: Change | None
    by_seed: list[SeedChange]
    gap_noise: float | None
    unfinished: bool
    crossing: Crossing | None = None
    curves_before: MeanCurves | None = None
    curves_after: MeanCurves | None = None

    @property
    def both_curves(self) -> tuple[MeanCurves, MeanCurves] | None:
        """Both losses without and with augmentation, where both are known."""
        return (self.curves_before, self.curves_after) if self.curves_before and self.curves_after else None

    @property
    def closed(self) -> float | None:
        """By how many nats a token the gap is smaller, whether or not there was one to close."""
        before, after = self.before["gap"], self.after["gap"]
        return None if before is None or after is None else before - after

    @property
    def percent(self) -> float | None:
        """What part of the gap that is; None where there was no gap beyond what chance makes."""
        before, noise = self.before["gap"], self.gap_noise
        if self.closed is None or before is None or noise is None or before < max(_LEAST_GAP, noise):
            return None
        return 100 * self.closed / before

    @property
    def better(self) -> int:
        """With how many seeds the validation loss fell."""
        return sum(one.better for one in self.by_seed)

    @property
    def verdict(self) -> str:
        """helped: the interval is below 0 and so is each seed; did not help: it is above 0; cannot tell: neither.

        not known: there is no interval.
        """
        change = self.change
        if change is None or change.low is None or change.high is None:
            return "not known"
        if change.low > 0:
            return "did not help"
        return "helped" if change.high < 0 and self.better == len(self.by_seed) else "cannot tell"

    @property
    def sentence(self) -> str:
        """What came of it, in words."""
        count = f"({many(self.runs, 'run')} against {self.baselines})"
        words = f"{self.model}: {self.level} against none {count}{_judgement(self)}"
        return f"{words}{_of_seeds(self.by_seed)} {_of_gap(self)}{_of_keys(self)}{_of_curves(self)}{_advice(self)}"


def _judgement(gain: Gain) -> str:
    change, less_gap = gain.change, gain.closed is not None and gain.closed > 0
    if change is None:
        return " cannot be judged: no validation pieces in common, or no val_pieces.csv."
    if change.low is None or change.high is None:
        return f" cannot be judged: one tune tells too little (validation loss {change.nats:+.3f} nats a token)."
    fell, seeds = change.nats < 0, len(gain.by_seed)
    folds = len({fold for one in gain.by_seed for fold in one.folds})
    over = f"these {change.tunes:,} tunes" + (f" in {folds} folds" if folds > 1 else "")
    over += f" and {seeds} seeds" if seeds > 1 else ""
    figure = f"{'fell' if fell else 'rose'} by {abs(change.nats):.3f} nats a token"
    figure += f" (95 % interval {change.low:+.3f} to {change.high:+.3f}, over {over})"
    alike = gain.better if fell else seeds - gain.better
    by_fold = [(moved < 0) == fell for one in gain.by_seed for moved in one.folds.values()]
    runs = "runs" if seeds > 1 else "folds"
    shares = [_share(alike, seeds, "seeds"), _share(sum(by_fold), len(by_fold), runs)]
    share = f", in {' and in '.join(filter(None, shares))}" if any(shares) else ""
    if gain.verdict == "helped":
        return f" helped: the validation loss {figure}{share}."
    if gain.verdict == "did not help":
        why = "; a smaller gap alone is no gain: the model learned the training pieces less well" if less_gap else ""
        return f" did not help: the validation loss {figure}{share}{why}."
    if change.high < 0:
        return f" cannot be told apart: the validation loss {figure}, but only in {alike} of {seeds} seeds."
    return f" cannot be told apart: the validation loss {figure}{share}: no difference that {over} can show."


def _share(alike: int, count: int, noun: str) -> str:
    """Nothing for a single one."""
    return "" if count < 2 else f"{f'each of the {count}' if alike == count else f'{alike} of {count}'} {noun}"


def _of_seeds(changes: Sequence[SeedChange]) -> str:
    if not 1 < len(changes) <= _NAMED_SEEDS:
        return ""
    often = Counter(one.seed for one in changes)
    named = []
    for one in changes:
        name = "other seeds" if one.seed is None else f"seed {one.seed}"
        name += f" on split {one.split[:4]}" if often[one.seed] > 1 else ""
        named.append(f"{name} {'better' if one.better else 'worse'} ({one.nats:+.3f})")
    text = ", ".join(named)
    return f" {text[0].upper()}{text[1:]}."


def _of_gap(gain: Gain) -> str:
    before, after, closed = gain.before["gap"], gain.after["gap"], gain.closed
    if before is None or after is None or closed is None:
        return "The gap is not known."
    moved = f"The gap went from {before:+.3f} to {after:+.3f} nats a token"
    if gain.percent is None:
        if before < _LEAST_GAP:
            return f"{moved}; without augmentation there was none to close."
        if gain.gap_noise is None:
            return f"{moved}; whether there was one to close cannot be told without val_pieces.csv of several tunes."
        return f"{moved}; without augmentation there was none to close: up to {gain.gap_noise:.3f} may be chance."
    if closed < 0:
        return f"{moved}: it grew by {-closed:.3f}, {-gain.percent:.0f} %."
    return f"{moved}: {closed:.3f} closed, {gain.percent:.0f} % of it."


def _of_keys(gain: Gain) -> str:
    before, after = gain.before["key_spread"], gain.after["key_spread"]
    if before is None or after is None:
        return ""
    how = "became more alike" if after < before else "became less alike" if after > before else "are as alike as before"
    text = f" The keys {how}: the hardest cost {before:.3f} more than the easiest, and now {after:.3f}."
    mean = gain.before["over_keys"], gain.after["over_keys"]
    if mean[0] is None or mean[1] is None:
        return text
    return f"{text} Over all twelve keys the loss went from {mean[0]:.3f} to {mean[1]:.3f}."


def _of_curves(gain: Gain) -> str:
    curves = gain.crossing
    if curves is None:
        return ""
    how = f"{abs(curves.difference):.3f} {'lower' if curves.difference < 0 else 'higher'}"
    return f" At equal {curves.measure} {curves.words}; at the end of both, {curves.updates}, the loss is {how}."


def _advice(gain: Gain) -> str:
    if gain.verdict == "helped" or not gain.unfinished:
        return ""
    return " With augmentation the loss still fell in the last epoch: train both for longer before you judge."
