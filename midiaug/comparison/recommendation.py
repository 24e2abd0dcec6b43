"""Which level of transposition to take, from runs of several levels: figures, and what they come to in sentences."""

import shlex
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from midiaug.comparison.gained import Gain
from midiaug.comparison.gains import gains_of
from midiaug.comparison.groups import NONE, Described, Figure, Group, aug_of, besides, grouped, known_levels, starts_of
from midiaug.comparison.pairs import Change, change_of, pairs_of
from midiaug.printable import many

_ELSEWHERE = {"condition": "model", "equivariance": "optim"}  # the group of a key that is not below `aug`


@dataclass(frozen=True)
class Level:
    """A level as its runs have it. name: as it is typed, such as `aug=moderate`; change: against none, tune by tune.

    figures: mean and spread over the seeds of `val`, `gap`, `key_spread` and `over_keys`, in nats a token. over_keys:
    the mean over all twelve keys less that of none, with the same seeds; 0 for none itself, None without a seed in
    common. unfinished: whether the
    loss of each run was lowest at its end. verdict: see Gain; of none itself, empty.
    """

    name: str
    shifts: tuple[int, ...]
    seeds: list[int | None]
    figures: dict[str, Figure]
    change: Change | None
    verdict: str
    over_keys: float | None
    unfinished: bool


@dataclass(frozen=True)
class Recommendation:
    """What to take for one model, each level by its name; None where that cannot be judged.

    own_keys: where only the keys of the music count. any_key: where every key counts. alike: levels that helped too,
    and that own_keys cannot be told from.
    """

    model: str
    levels: list[Level]
    own_keys: str | None
    any_key: str | None
    alike: list[str]

    @property
    def sentence(self) -> str:
        """The recommendation with its evidence, in words."""
        return " ".join(part for part in (_own(self), _any(self), _luck(self), _seeds(self), _longer(self)) if part)


def recommendations(described: Sequence[Described]) -> tuple[list[Recommendation], list[str]]:
    """One for each model, and a remark for each run that has no like on the other side."""
    groups = [group for group in grouped(list(described)) if group.members[0].shifts is not None]
    gains, remarks = gains_of(groups)
    plain = Counter(group.members[0].of_model for group in groups if group.members[0].shifts == NONE)
    by_model: dict[str, list[Group]] = {}
    for group in groups:
        model, cut = group.members[0].of_model, starts_of(group)
        # where none has its windows cut in several ways, each way is a comparison of its own
        by_model.setdefault(f"{model}, starts {cut}" if cut and plain[model] > 1 else model, []).append(group)
    of_level = {(gain.model, gain.level): gain for gain in gains}
    return [_recommended(model, mine, of_level) for model, mine in sorted(by_model.items())], remarks


def _recommended(model: str, groups: list[Group], gains: dict[tuple[str, str], Gain]) -> Recommendation:
    groups = sorted(groups, key=lambda group: (len(group.members[0].shifts or ()), group.members[0].shifts or ()))
    levels = [_level(group, gains.get((group.members[0].of_model, group.members[0].level))) for group in groups]
    plain = next((level.name for level in levels if level.shifts == NONE), None)
    helped = [level for level in levels if level.verdict == "helped"]
    best = min(helped, key=lambda level: _nats(level.change)) if helped else None
    known = [level for level in levels if level.over_keys is not None]
    lowest = min(known, key=lambda level: level.over_keys or 0.0) if plain and len(known) > 1 else None
    judged = any(level.change is not None and level.change.low is not None for level in levels)
    alike = []
    if best:
        members = {level.name: group.members for level, group in zip(levels, groups, strict=True)}
        others = [level.name for level in helped if level is not best]
        alike = [name for name in others if not _apart(members[best.name], members[name])]
    own = best.name if best else plain if judged else None
    return Recommendation(model, levels, own, lowest.name if lowest else None, alike)


def _level(group: Group, gain: Gain | None) -> Level:
    first, figures = group.members[0], group.figures()
    plain = first.shifts == NONE
    over = None
    if plain:
        over = None if figures["over_keys"]["mean"] is None else 0.0
    elif gain is not None and gain.by_seed:  # else the means are of other seeds
        before, after = gain.before["over_keys"], gain.after["over_keys"]
        over = None if before is None or after is None else after - before
    return Level(
        name=_typed(first),
        shifts=first.shifts or (),
        seeds=sorted((one.seed for one in group.members), key=lambda seed: (seed is None, seed or 0)),
        figures={name: figures[name] for name in ("val", "gap", "over_keys", "key_spread")},
        change=gain.change if gain else None,
        verdict=gain.verdict if gain else "" if plain else "not known",
        over_keys=over,
        unfinished=all(member.run.still_fell for member in group.members),
    )


def _typed(one: Described) -> str:
    """The words that make this augmentation on the command line."""
    shifts = one.shifts or ()
    level = known_levels().get(shifts)
    words = [f"aug={level}" if level else f"aug.shifts={_on_a_command_line(shifts)}"]
    for key, value in besides(aug_of(one.run)).items():
        words.append(f"{_ELSEWHERE.get(key, 'aug')}.{key}={_on_a_command_line(value)}")
    return shlex.join(words)


def _on_a_command_line(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{','.join(map(str, value))}]"
    return "true" if value is True else f"{value:g}" if isinstance(value, float) else str(value)


def _apart(one: Sequence[Described], other: Sequence[Described]) -> bool:
    """Whether the interval of the difference of two levels, tune by tune, leaves out zero."""
    found = change_of(pairs_of(one, other))
    return found is not None and found[0].low is not None and found[0].low > 0


def _nats(change: Change | None) -> float:
    return change.nats if change else 0.0


def _interval(change: Change) -> str:
    over = f"{change.tunes:,} tunes and {many(change.seeds, 'seed')}"
    return f"95 % interval {change.low:+.3f} to {change.high:+.3f}, over {over}"


def _named(one: Recommendation, fits: Callable[[Level], bool]) -> list[Level]:
    return [level for level in one.levels if fits(level)]


def _own(one: Recommendation) -> str:
    if not _named(one, lambda level: level.shifts == NONE):
        return "nothing recommended: no finished run with aug=none, and without one nothing can be said to help."
    if one.own_keys is None:
        return "nothing recommended: no level can be judged against aug=none on the same tunes."
    (own,) = _named(one, lambda level: level.name == one.own_keys)
    if own.change is not None:
        alike = f" It cannot be told from {', '.join(one.alike)}." if one.alike else ""
        by = f"{own.change.nats:+.3f} nats a token in own keys ({_interval(own.change)})"
        return f"recommended: {own.name}: {by}.{alike}"
    near = min(_named(one, lambda level: level.change is not None), key=lambda level: _nats(level.change))
    assert near.change is not None  # noqa: S101  # of those that have one
    ends = f" ({_interval(near.change)})" if near.change.low is not None else ""
    return (
        f"recommended: {own.name}, if only own keys count: no level is surely better, in its 95 % interval and with "
        f"each seed. The nearest is {near.name}: {near.change.nats:+.3f} nats a token{ends}."
    )


def _any(one: Recommendation) -> str:
    if one.any_key is None:
        return ""
    (level,) = _named(one, lambda level: level.name == one.any_key)
    against = "" if level.shifts == NONE else f", {level.over_keys:+.3f} against aug=none"
    others = _named(one, lambda other: other is not level and other.over_keys is not None)
    near = min(others, key=lambda other: other.over_keys or 0.0)
    spread = max(each.figures["over_keys"]["sd"] or 0.0 for each in (level, near))
    lead = (near.over_keys or 0.0) - (level.over_keys or 0.0)
    close = f" The seeds of {near.name} or of it spread by more than its lead of {lead:.3f}." if lead < spread else ""
    return (
        f"For music in any key: {level.name}, with the lowest mean over all twelve keys, "
        f"{level.figures['over_keys']['mean']:.3f}{against}.{close}"
    )


def _luck(one: Recommendation) -> str:
    count = len(_named(one, lambda level: level.change is not None))
    if count < 2 or not _named(one, lambda level: level.name == one.own_keys and level.change is not None):
        return ""
    return f"It is the best of {count} levels on the same tunes, so a part of its lead may be luck."


def _seeds(one: Recommendation) -> str:
    single = _named(one, lambda level: level.change is not None and level.change.seeds < 2)
    if not single:
        return ""
    every = len(single) == len(_named(one, lambda level: level.change is not None))
    which = "all of it rests" if every else f"{', '.join(level.name for level in single)}: it rests"
    return f"From one seed alone: {which} on one training each, and another seed may say otherwise; train more seeds."


def _longer(one: Recommendation) -> str:
    still = _named(one, lambda level: level.unfinished)
    if not still:
        return ""
    names = "all levels" if len(still) == len(one.levels) else ", ".join(level.name for level in still)
    return (
        f"The loss of {names} still fell at the end: longer trainings (a larger trainer.max_steps, and another "
        "hydra.sweep.dir) may say otherwise."
    )
