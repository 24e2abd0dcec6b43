"""By how much a loss changed from some runs to others, tune by tune and seed by seed, and how sure that is."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from midiaug.comparison.groups import Described
from midiaug.comparison.runs import Run

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Change:
    """By how many nats a token a loss changed, over so many tunes and seeds.

    low, high: the 95 % interval, over other tunes and other seeds; None for one tune. With one seed it is over tunes
    alone.
    """

    nats: float
    low: float | None
    high: float | None
    tunes: int
    seeds: int


@dataclass(frozen=True)
class SeedChange:
    """The change with one seed, in nats a token, on the validation pieces that `split` stands for.

    seed: None where both sides have no seed in common, and their means are compared. folds: the change in each fold
    that was validated on, which together make the seed's; empty where the split is no fold.
    """

    seed: int | None
    split: str
    nats: float
    tunes: int
    better: bool
    folds: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Pair:
    """Runs of one seed that were judged by the same validation pieces, without augmentation and with."""

    seed: int | None
    split: str
    before: list[Run]
    after: list[Run]

    @property
    def fold(self) -> int | None:
        """The fold that both sides were validated on."""
        return self.before[0].fold

    @property
    def runs(self) -> list[Run]:
        """Those of both sides."""
        return self.before + self.after


def pairs_of(before: Iterable[Described], after: Iterable[Described]) -> list[Pair]:
    """The runs of both sides by validation pieces and seed; what has no like on the other side is in none.

    Where the sides have no seed in common for the same pieces, all their runs on these make one pair.
    """
    by_split: dict[str, tuple[list[Described], list[Described]]] = defaultdict(lambda: ([], []))
    for side, runs in enumerate((before, after)):
        for one in runs:
            if one.run.split_key is not None and one.run.pieces:
                by_split[one.run.split_key][side].append(one)
    pairs: list[Pair] = []
    for split, sides in by_split.items():
        if not all(sides):
            continue
        seeds = [{one.seed for one in side if one.seed is not None} for side in sides]
        shared: list[int | None] = [*sorted(seeds[0] & seeds[1])]
        for seed in shared or [None]:
            still, moved = ([one.run for one in side if seed is None or one.seed == seed] for side in sides)
            pairs.append(Pair(seed, split, still, moved))
    return sorted(pairs, key=lambda pair: (pair.seed is None, pair.seed or 0, pair.fold or 0, pair.split))


def change_of(pairs: Sequence[Pair]) -> tuple[Change, list[SeedChange]] | None:
    """How the validation loss changed on the pieces that both sides of a pair have, in all and with each seed.

    Look-alikes count as one tune, in all pairs together; a seed's folds are put together. None without a piece in
    common.
    """
    rows = []
    for pair in pairs:
        common = _common(pair.runs)
        moved = {name: _mean_nats(pair.after, name) - _mean_nats(pair.before, name) for name in common}
        rows.append(_summed(pair.before[0], moved))
    kept = [(pair, row) for pair, row in zip(pairs, rows, strict=True) if row]
    if not kept:
        return None
    nats, tokens = _table([pair.before[0] for pair, _ in kept], [row for _, row in kept])
    together: dict[tuple[int | None, str], list[int]] = defaultdict(list)
    for number, (pair, _) in enumerate(kept):
        together[pair.seed, pair.split if pair.fold is None else ""].append(number)
    by_seed = [_of_seed([kept[row][0] for row in rows], nats[rows], tokens[rows]) for rows in together.values()]
    change = estimated(nats, tokens)
    return replace(change, seeds=len(together)), by_seed


def _of_seed(pairs: Sequence[Pair], nats: Matrix, tokens: Matrix) -> SeedChange:
    """The change over one pair, or over several folds of one seed. nats, tokens: (pairs, tunes)."""
    alone = (nats.sum(1) / tokens.sum(1)).tolist()
    folds = {pair.fold: change for pair, change in zip(pairs, alone, strict=True) if pair.fold is not None}
    split = f"{len(folds)} folds" if folds else pairs[0].split
    change, tunes = float(nats.sum() / tokens.sum()), int((tokens.sum(0) > 0).sum())
    return SeedChange(pairs[0].seed, split, change, tunes, change < 0, folds)


def gap_noise(runs: Sequence[Run], gaps: Sequence[float | None]) -> float | None:
    """How far from 0 the mean gap of some runs may lie by chance, in nats a token (95 %); None where it is not known.

    The gap is a difference of two means over as many windows, each of other pieces: its variance over tunes is taken
    as twice that of the validation loss. gaps: of each run; their spread over the seeds comes on top.
    """
    by_split: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        if run.split_key is not None and run.pieces:
            by_split[run.split_key].append(run)
    kept = [(alike, common) for alike in by_split.values() if (common := _common(alike))]
    if not kept:
        return None
    rows = [_summed(alike[0], {name: _mean_nats(alike, name) for name in common}) for alike, common in kept]
    nats, tokens = _table([alike[0] for alike, _ in kept], rows)
    variance, freedom = over_tunes(nats, tokens)
    known = [gap for gap in gaps if gap is not None]
    if freedom < 1 or not known:
        return None
    spread = float(np.var(known, ddof=1)) / len(known) if len(known) > 1 else 0.0
    return half_interval(2 * variance, freedom, spread, len(known) - 1)


def estimated(nats: Matrix, tokens: Matrix) -> Change:
    """The change over all pairs, each taken as a seed, with an interval that holds for other tunes and other seeds.

    nats, tokens: (pairs, tunes), 0 where a pair lacks a tune. The variance over tunes is that of a ratio of sums
    (Cochran 1977, "Sampling Techniques", section 6.4), with a tune's pairs kept together. What the pairs differ by
    beyond what their tunes explain is the variance over seeds, by the method of moments (DerSimonian and Laird 1986,
    Controlled Clinical Trials 7); the degrees of freedom of both are joined as Satterthwaite (1946) does.
    """
    size = tokens.sum(1)
    weight, alone = size / size.sum(), nats.sum(1) / size
    mean, tunes = float(weight @ alone), int((tokens.sum(0) > 0).sum())
    variance, freedom = over_tunes(nats, tokens)
    if freedom < 1:
        return Change(mean, None, None, tunes, len(nats))
    between = 0.0
    if len(nats) > 1:
        apart = np.eye(len(nats)) - weight  # of each pair's change from the mean
        explained = np.einsum("ps,st,pt->p", apart, _covariance(nats, tokens), apart)
        left = float(weight @ ((alone - mean) ** 2 - explained)) / (1 - float((weight**2).sum()))
        between = max(0.0, left) * float((weight**2).sum())
    half = half_interval(variance, freedom, between, len(nats) - 1)
    return Change(mean, mean - half, mean + half, tunes, len(nats))


def half_interval(first: float, first_freedom: int, second: float, second_freedom: int) -> float:
    """Half of a 95 % interval where two variances add up, each known with so many degrees of freedom."""
    total = first + second
    if total <= 0:
        return 0.0
    inverse = (first / total) ** 2 / first_freedom + ((second / total) ** 2 / second_freedom if second else 0.0)
    return float(student.ppf(0.975, 1 / inverse)) * float(total**0.5)


def over_tunes(nats: Matrix, tokens: Matrix) -> tuple[float, int]:
    """The variance over tunes of the change over all pairs, and its degrees of freedom."""
    weight = tokens.sum(1) / tokens.sum()
    there = tokens > 0
    freedom = min(int(there.any(0).sum()) - 1, int((there.sum(1) - 1).sum()))
    return float(weight @ _covariance(nats, tokens) @ weight), freedom


def _covariance(nats: Matrix, tokens: Matrix) -> Matrix:
    """(pairs, pairs) how the changes of the pairs vary together with the tunes that they have in common."""
    size, tunes = tokens.sum(1, keepdims=True), (tokens > 0).sum(1)
    left = (nats - nats.sum(1, keepdims=True) / size * tokens) / size
    factor = np.sqrt(tunes / np.maximum(1, tunes - 1))
    covariance: Matrix = (left @ left.T) * np.outer(factor, factor)
    return covariance


def _common(runs: Sequence[Run]) -> list[str]:
    """The pieces that all runs have, with as many tokens; none where they learned other merges, so other tokens."""
    if len({run.merges_key for run in runs}) > 1:
        return []
    first = runs[0].pieces
    return [
        name
        for name, piece in first.items()
        if all(name in run.pieces and run.pieces[name].tokens == piece.tokens for run in runs)
    ]


def _mean_nats(runs: Sequence[Run], name: str) -> float:
    return fmean(run.pieces[name].nats for run in runs)


Row = dict[str, tuple[float, int]]  # nats and tokens by piece


def _summed(run: Run, nats: dict[str, float]) -> Row:
    return {name: (value, run.pieces[name].tokens) for name, value in nats.items()}


def _table(runs: Sequence[Run], rows: Sequence[Row]) -> tuple[Matrix, Matrix]:
    """(rows, tunes) nats, and tokens; run: one of each row, which knows the look-alikes."""
    tune = _tunes(runs)
    place = {name: number for number, name in enumerate(sorted(set(tune.values())))}
    nats, tokens = (np.zeros((len(rows), len(place))) for _ in range(2))
    for number, row in enumerate(rows):
        for name, (cost, count) in row.items():
            nats[number, place[tune[name]]] += cost
            tokens[number, place[tune[name]]] += count
    return nats, tokens


def _tunes(runs: Sequence[Run]) -> dict[str, str]:
    """The tune of each validation piece, called by one of its pieces.

    Pieces are one tune where a run has them in one group, or where they have the same name in two. The numbers of
    groups say nothing between runs of other pieces, as where each seed chose its own with data.limit.
    """
    above: dict[str, str] = {}

    def top(node: str) -> str:
        while above.setdefault(node, node) != node:
            above[node] = node = above[above[node]]
        return node

    for run in runs:
        for name, piece in run.pieces.items():
            above[top(f"group {run.music_key or run.split_key} {piece.group}")] = top(f"piece {name}")
    return {name: top(f"piece {name}") for run in runs for name in run.pieces}
