"""What the arguments of MidiDataModule may be; each refusal names the key and says what to give."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from midiaug.data.alterations import LEVELS, MAX_STEPS, range_of
from midiaug.data.columns import columns_of, flattened, kind_of
from midiaug.data.published import PUBLISHED
from midiaug.data.transpose import MusicTokenizer
from midiaug.errors import ConfigError

SourceName = Literal["folder", "bundled", "parquet", "nottingham", "pop909", "maestro"]
SOURCES: tuple[str, ...] = get_args(SourceName)
Rule = tuple[Callable[[Any], bool], str]

VAL_SPLIT = 0.1  # where none is given

PLAIN = (
    *("path", "source", "collection", "column", "limit", "train_limit", "val_split", "twin_share"),
    *("max_bars", "max_tokens"),
    *("window", "batch_size", "num_workers", "route", "shifts", "draw", "out_of_range", "seed"),
    *("original", "anneal", "starts", "velocity", "duration", "tempo", "tell_shifts"),
)
_RANGE = (
    f"give two whole numbers of steps, the lower first, from -{MAX_STEPS} to {MAX_STEPS}, such as [-2,2], "
    f"or a level: {', '.join(LEVELS)}"
)


def _is_range(wanted: Any) -> bool:
    """Whether this is a lowest and a highest number of steps, a level's name, or nothing."""
    steps = range_of(wanted)
    if steps is None:
        return True
    whole = len(steps) == 2 and all(isinstance(step, int) and not isinstance(step, bool) for step in steps)
    return whole and -MAX_STEPS <= steps[0] <= steps[1] <= MAX_STEPS


RULES: dict[str, Rule] = {
    "data.source": (
        lambda name: name is None or name in SOURCES,
        f"use {', '.join(SOURCES[:-1])} or {SOURCES[-1]}",
    ),
    "data.limit": (lambda n: n is None or n >= 2, "give a number of pieces, 2 or more, or null for all"),
    "data.train_limit": (lambda n: n is None or n >= 1, "give a number of pieces, 1 or more, or null for all"),
    "data.val_split": (lambda share: 0 < share < 1, "give a share between 0 and 1, such as 0.1"),
    "data.folds": (lambda n: n is None or n >= 2, "give a number of folds, 2 or more, or null for one split"),
    "data.fold": (lambda n: n >= 0, "give one of the folds, counted from 0"),
    "data.twin_share": (lambda share: 0 < share <= 1, "give a share above 0, up to 1"),
    "data.window": (lambda n: 2 <= n <= 1 << 16, "give a number of tokens from 2 to 65536"),
    "data.batch_size": (lambda n: n >= 1, "a batch holds at least one window"),
    "data.num_workers": (
        lambda n: n == "auto" or (isinstance(n, int) and n >= 0),
        "use auto, or a number of processes, 0 or more",
    ),
    "data.route": (lambda name: name in ("auto", "tokens", "midi"), "use auto, tokens or midi"),
    "data.max_bars": (lambda n: n >= 1, "give a number of bars, 1 or more"),
    "data.max_tokens": (lambda n: n >= 1, "give a number of tokens, 1 or more"),
    "aug.draw": (lambda name: name in ("random", "balanced"), "use random or balanced"),
    "aug.original": (lambda share: 0 <= share <= 1, "give a share from 0 to 1"),
    "aug.anneal": (
        lambda epochs: epochs is None or (len(epochs) == 2 and 0 <= epochs[0] < epochs[1]),
        "give two epochs, the earlier first, such as [8,14]",
    ),
    "aug.starts": (lambda name: name in ("fixed", "random"), "use fixed or random"),
    "aug.velocity": (_is_range, _RANGE),
    "aug.duration": (_is_range, _RANGE),
    "aug.tempo": (_is_range, _RANGE),
    "aug.out_of_range": (lambda name: name in ("limit", "drop"), "use limit or drop"),
    "seed": (lambda n: n >= 0, "give a whole number, 0 or more"),
}


def check_arguments(arguments: Mapping[str, Any]) -> None:
    """Raise ConfigError for the first argument that cannot be used. arguments: by name, `window` for `data.window`;
    a command that lacks some is not asked for them.
    """
    named = {key: key.rpartition(".")[2] for key in RULES}
    for key, (fine, advice) in RULES.items():
        if named[key] not in arguments:
            continue
        value = arguments[named[key]]
        try:
            usable = fine(value)
        except TypeError:
            usable = False
        if not usable:
            raise ConfigError(f"{key}={value}: {advice}")
    if "folds" in arguments:
        _check_folds(arguments["folds"], arguments["fold"], arguments["val_split"], arguments["split"])


def _check_folds(folds: int | None, fold: int, val_split: float, split: object) -> None:
    if folds is None:
        if fold:
            raise ConfigError(f"data.fold={fold}: of how many? give data.folds too, such as data.folds=5")
        return
    if fold >= folds:
        raise ConfigError(f"data.fold={fold}: data.folds={folds} makes folds 0 to {folds - 1}; give one of these")
    if split is not None:
        raise ConfigError(f"data.folds={folds}: not with data.split, which says already who is validated on; give one")
    if val_split != VAL_SPLIT:
        raise ConfigError(
            f"data.val_split={val_split}: data.folds={folds} validates on 1 of {folds} parts; leave it out"
        )


def plain(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Those that a checkpoint keeps, as plain data: not the tokenizer and the split, which it holds apart."""
    kept = {key: value for key, value in arguments.items() if key in PLAIN}
    kept["path"] = None if kept["path"] is None else str(Path(kept["path"]).expanduser().absolute())
    for name in ("shifts", "anneal", "velocity", "duration", "tempo"):
        kept[name] = None if kept[name] is None else list(range_of(kept[name]))
    return kept


def usable(tokenizer: MusicTokenizer, merges: object = None) -> MusicTokenizer:
    """The tokenizer, as one of a single vocabulary.

    merges: what it is to be trained to, or None. Raises ConfigError where it is trained already, or cannot be.
    """
    if merges is not None and tokenizer.is_trained:
        raise ConfigError(
            "tokenizer.train: the tokenizer is trained already; leave tokenizer.train out, or give another"
        )
    flat = flattened(tokenizer)
    if merges is not None and columns_of(flat) > 1:
        raise ConfigError(
            f"tokenizer.train: {kind_of(flat)} has several vocabularies, and its tokens cannot be merged; leave "
            "tokenizer.train out, or use remi, tsd, midilike or structured"
        )
    return flat


def checked_source(source: str | None, path: object, column: str | None) -> str:
    """The source; where none is named, a folder if there is a path.

    Raises ConfigError where a source lacks its path, or is given a path or a column that it has not.
    """
    source = source or ("bundled" if path is None else "folder")
    if source in PUBLISHED and path is not None:
        raise ConfigError(
            f"data.path={path}: data={source} is downloaded; leave the path out, or use data=folder for your own files"
        )
    if source not in ("bundled", *PUBLISHED) and path is None:
        raise ConfigError(f"data={source}: data.path is missing; give the folder of your files")
    if source != "parquet" and column is not None:
        raise ConfigError(f"data.column={column}: only data=parquet has columns")
    return source
