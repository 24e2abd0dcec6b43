"""What augmentation gained: each model against the same model without transposition."""

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean

from midiaug.comparison.crossing import crossing_of
from midiaug.comparison.gained import Gain
from midiaug.comparison.groups import FIGURES, NONE, Described, Group, differences, starts_of
from midiaug.comparison.mean_curves import mean_curves
from midiaug.comparison.pairs import change_of, gap_noise, pairs_of
from midiaug.comparison.runs import Run


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
            gain, more = _gain(group, min(same, key=lambda other: starts_of(other) != starts_of(group)))
            gains.append(gain)
            remarks += more
        else:
            remarks.append(f"{group.label}: no finished run with aug=none of the same model{_nearest(first, plain)}")
    return gains, list(dict.fromkeys(remarks))


def _gain(group: Group, plain: Group) -> tuple[Gain, list[str]]:
    """The gain, and a remark for each run that has no like on the other side, of the same pieces and seed."""
    pairs = pairs_of(plain.members, group.members)
    moved, still = [one.run for one in group.members], [one.run for one in plain.members]
    remarks: list[str] = []
    if pairs:  # figures of other pieces or seeds would only add their difference
        paired = {id(run) for pair in pairs for run in pair.runs}
        remarks = [
            f"{run.name}: not counted in what augmentation gained: no run on the other side has its seed and its "
            "validation pieces"
            for run in moved + still
            if id(run) not in paired
        ]
        moved, still = ([run for run in side if id(run) in paired] for side in (moved, still))
    change, by_seed = change_of(pairs) or (None, [])
    unfinished = all(run.still_fell for run in moved)
    noise = gap_noise(still, [FIGURES["gap"](run) for run in still])
    first, means = group.members[0], (_means(still), _means(moved))
    return Gain(
        *(first.of_model, first.level, len(moved), len(still), *means),
        *(change, by_seed, noise, unfinished, crossing_of(pairs)),
        curves_before=mean_curves(still),
        curves_after=mean_curves(moved),
    ), remarks


def _means(runs: Sequence[Run]) -> dict[str, float | None]:
    """Means over the splits of the means over their runs, so that each split weighs alike on both sides."""
    by_split: dict[str | None, list[Run]] = defaultdict(list)
    for run in runs:
        by_split[run.split_key].append(run)
    means: dict[str, float | None] = {}
    for name in ("train", "val", "gap", "key_spread", "over_keys"):
        parts = [[FIGURES[name](run) for run in part] for part in by_split.values()]
        there = all(value is not None for part in parts for value in part)
        means[name] = fmean(fmean(value for value in part if value is not None) for part in parts) if there else None
    return means


def _nearest(one: Described, plain: list[Group]) -> str:
    """By what the most similar model without augmentation differs."""
    lists = [differences(one.settings, group.members[0].settings) for group in plain]
    if not lists:
        return "; train one to see what augmentation gains"
    nearest = min(lists, key=len)
    shown = [text for text in nearest if not text.startswith("music ")] or ["the pieces"]
    return f"; the nearest differs by {', '.join(shown[:3])}" + (" and more" if len(shown) > 3 else "")
