"""Which losses of a comparison do not compare, and why."""

from collections import defaultdict

from midiaug.comparison.groups import Described
from midiaug.offline.names import is_copy
from midiaug.printable import many


def fairness(described: list[Described]) -> list[str]:
    """Why the losses of some runs do not compare, in a sentence each; empty where all do."""
    own = [one for one in described if one.run.own]
    remarks: list[str] = []

    def kinds(key: str) -> list[str]:
        return sorted({str(one.settings[key]) for one in own if one.settings.get(key) is not None})

    copies = [one for one in own if one.run.sides and all(is_copy(name) for name in one.run.sides)]
    if copies and len(copies) < len(own):
        remarks.append(
            f"{many(len(copies), 'run')} learned copies that materialize wrote, and validated on copies in all keys: "
            "they are not set against runs that transpose while they load"
        )
    if len(kinds("source")) > 1:
        remarks.append(f"these runs learned different music ({', '.join(kinds('source'))}): no loss compares across it")
    elif len(kinds("music")) > 1:
        remarks.append("the pieces of these runs are not all the same: their losses compare only roughly")
    keys = sorted({key for one in own for key in one.settings if key.startswith("tokenizer")})
    tokenizers = {key: kinds(key) for key in keys if len(kinds(key)) > 1}
    if tokenizers:
        named = ", ".join(tokenizers.get("tokenizer.name", sorted(tokenizers)))
        remarks.append(f"these runs have different tokenizers ({named}): compare nats a note, not nats a token")
    elif len({one.run.merges_key for one in own}) > 1:
        remarks.append(
            "these runs learned merges of their own, so their tokens differ: compare nats a note, or train all with "
            "tokenizer.file=FILE, the tokenizer.json of one"
        )
    splits = {one.run.split_key for one in own if one.run.fold is None}
    folds: dict[str, set[tuple[int | None, str | None]]] = defaultdict(set)
    for one in own:
        folds[one.label].add((one.seed, one.run.split_key))
    if any(one.run.fold is not None for one in own) and len({frozenset(each) for each in folds.values()}) > 1:
        remarks.append(
            "these runs were not all validated on the same folds: their means over the folds compare roughly"
        )
    elif len(splits) > 1 and not remarks:
        remarks.append(
            f"these runs were judged by {len(splits)} different sets of validation pieces, as each seed draws its own: "
            "compare groups of the same seeds, or train with data.split=FILE"
        )
    if len(own) < len(described):
        remarks.append("losses of other programs are shown as they logged them; they need not be nats a token")
    return remarks
