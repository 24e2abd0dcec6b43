"""Which part of a source one machine of several prepares: a run of its entries, about equal in bytes to the others."""

from collections import Counter
from pathlib import Path

from midiaug.data.sources import Entry
from midiaug.errors import ConfigError


def check_shards(shards: int | None, shard: int | None, limit: int | None) -> None:
    """Raise ConfigError for a shard that is none of them, and for a limit, which is drawn from all entries."""
    if shards is None and shard is None:
        return
    if shards is None or not shards >= 1:
        raise ConfigError(f"data.shards={_word(shards)}: give the number of shards in all, 1 or more")
    every = f"'data.shard=range(0,{shards})'"
    if shard is None:
        raise ConfigError(
            f"data.shard=null: give one of the {shards} shards, from 0 to {shards - 1}; for all, --multirun {every}"
        )
    if not 0 <= shard < shards:
        raise ConfigError(
            f"data.shard={shard}: give one of the {shards} shards, from 0 to {shards - 1}, as in --multirun {every}"
        )
    if limit is not None:
        raise ConfigError(f"data.limit={limit}: not with shards, as it draws from all pieces; leave one of the two out")


def shard_of(entries: list[Entry], shards: int, shard: int) -> list[Entry]:
    """The entries of one shard: a run of them, in their order; each entry is in exactly one shard.

    The bytes of a file of several pieces count as divided evenly among them. Where there are fewer entries than
    shards, some shards are empty.
    """
    weights = _weights(entries)
    total, before, run = sum(weights), 0, []
    for entry, weight in zip(entries, weights, strict=True):
        if (2 * before + weight) * shards // (2 * total) == shard:  # the shard that its middle byte lies in
            run.append(entry)
        before += weight
    return run


def _weights(entries: list[Entry]) -> list[int]:
    pieces = Counter(entry.path for entry in entries)
    sizes = {path: max(1, _size(path) // count) for path, count in pieces.items()}
    return [sizes[entry.path] for entry in entries]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 1  # its reading names the reason


def _word(value: int | None) -> str:
    return "null" if value is None else str(value)
