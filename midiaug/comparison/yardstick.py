"""By how much validation pieces are harder than those a run trained on, as a count model finds that saw neither.

A gap between the losses may be what a model learned by heart, or the draw of the pieces alone; this tells them apart.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midiaug.comparison.groups import Described
from midiaug.comparison.pairs import half_interval, over_tunes
from midiaug.comparison.progress import tracked
from midiaug.comparison.runs import Run, Yardstick
from midiaug.counting import CountModel
from midiaug.data.cache import cache_key, kept_arrays
from midiaug.data.digests import digest
from midiaug.data.folds import deal_folds
from midiaug.data.module import MidiDataModule
from midiaug.data.sides import windows_of
from midiaug.data.split import limited
from midiaug.data.store_writer import MAX_WINDOW
from midiaug.data.transpose import settings_of
from midiaug.data.windows import Windows, probe_rows
from midiaug.errors import ConfigError
from midiaug.settings import TokenizerSettings
from midiaug.tokenizers import TOKENIZER_FILE, make_tokenizer

_FORMAT = 1
_MOST_TOKENS = 1 << 22  # that are counted: more change little
_MOST_WINDOWS = 1 << 12
Pieces = NDArray[np.bool_]
Costs = NDArray[np.float64]


def measure(data: MidiDataModule, described: Sequence[Described]) -> None:
    """Give each run its yardstick that was trained on this music, split by its split.json; others keep None."""
    judge = _Judge(data)
    for one in tracked(described, "judging the pieces"):
        if one.run.finished and one.seed is not None:
            one.run.yardstick = judge.of_run(one.run, one.seed)


def tokenizer_of(run: Run, chosen: TokenizerSettings) -> Any:
    """The tokenizer of a run's settings, with the merges that the run learned or was given.

    Raises ConfigError for settings that make none.
    """
    saved = run.path / TOKENIZER_FILE
    if saved.is_file():
        return make_tokenizer("", {}, str(saved))
    return make_tokenizer(chosen.name, chosen.params, chosen.file)


def sentence(described: Sequence[Described]) -> str:
    """What the column of corrected gaps is; nothing where no run has a yardstick."""
    known = list(dict.fromkeys(one.run.yardstick for one in described if one.run.yardstick is not None))
    if not known:
        return ""
    first, nats = known[0], [one.nats for one in known]
    size = f"{abs(first.nats):.3f} nats a token {'easier' if first.nats < 0 else 'harder'}"
    words = f"{size} than those trained on (95 % interval {first.low:+.3f} to {first.high:+.3f}, above 0 is harder)"
    if len(known) > 1:
        ends = " to ".join(f"{abs(one):.3f} {'easier' if one < 0 else 'harder'}" for one in (min(nats), max(nats)))
        words = f"{ends} than those trained on, in nats a token, in these {len(known)} splits"
    return (
        f"A count model that saw neither finds the validation pieces {words}: so much of a gap is the draw of the "
        "pieces. Corrected: the gap less that."
    )


class _Judge:
    """Count models of one corpus, each piece in its own key."""

    def __init__(self, data: MidiDataModule) -> None:
        self._data, self._store = data, data.store
        self._names, self._group = data.corpus.names.all(), np.asarray(data.split.group)
        self._lengths = np.asarray(data.store.tokens.lengths())
        self._vocabulary = int(data.store.tokens.data.max(initial=0)) + 1

    def of_run(self, run: Run, seed: int) -> Yardstick | None:
        """None where the run's music is another, or too few tunes are left to learn from."""
        config = run.config.get("data", {})
        window, limit = config.get("window"), config.get("train_limit")
        odd = (
            type(window) is not int
            or not 2 * self._store.columns <= window <= MAX_WINDOW
            or not (limit is None or (type(limit) is int and limit > 0))
        )
        if odd or set(run.sides) != set(self._names) or not self._reads_alike(run):
            return None
        used = self._store.has_pieces
        held_out = np.array([run.sides[name] == "val" for name in self._names])
        validation, training = held_out & used, limited(~held_out & used, limit, seed)
        val, of_val = windows_of(self._store, validation, window, self._data.cache_dir)
        tokens = np.bincount(of_val, val.predicted, len(used))
        if {self._names[row]: int(tokens[row]) for row in np.flatnonzero(tokens)} != {
            name: piece.tokens for name, piece in run.pieces.items()
        }:
            return None
        masks = [digest(np.packbits(side).tobytes()).hex() for side in (validation, training)]
        key = cache_key([_FORMAT, self._store.key, *masks, digest(self._group.tobytes()).hex(), window, seed])

        def judged() -> dict[str, NDArray[np.float64]]:
            return {"figures": self._judged(validation, training, window, seed)}

        try:
            figures = kept_arrays(self._data.cache_dir / "yardsticks" / key, judged)["figures"]
        except ValueError:  # damaged, though as long as it was
            figures = judged()["figures"]
        if figures.shape not in ((0,), (4,)) or not np.isfinite(figures).all():
            figures = judged()["figures"]
        if not len(figures):
            return None
        nats, low, high, pieces = figures.tolist()
        return Yardstick(nats, low, high, int(pieces))

    def _reads_alike(self, run: Run) -> bool:
        """Whether the run's tokenizer is that of the music, token for token."""
        chosen = run.config.get("tokenizer", {})
        settings = TokenizerSettings(str(chosen.get("name")), chosen.get("params") or {}, chosen.get("file"))
        try:
            tokenizer = tokenizer_of(run, settings)
        except ConfigError:
            return False
        return settings_of(tokenizer) == settings_of(self._data.tokenizer)

    def _judged(self, validation: Pieces, training: Pieces, window: int, seed: int) -> NDArray[np.float64]:
        """(4,) the difference, the ends of its interval, and how many pieces were learned; empty if that cannot be."""
        store, cache_dir, group = self._store, self._data.cache_dir, self._group
        rest = ~validation & store.has_pieces & ~np.isin(group, group[training | validation])
        if np.isin(group[training], group[validation]).any():  # by a split.json that puts a tune on both sides
            return np.zeros(0)
        half = np.full(len(group), -1)
        if 2 * rest.sum() >= training.sum():  # pieces that no run saw are enough
            half[training] = 0
        elif len(np.unique(group[training])) < 2:
            return np.zeros(0)
        else:
            names = [self._names[row] for row in np.flatnonzero(training)]
            half[training] = deal_folds(names, group[training], 2, seed)
        val, of_val = windows_of(store, validation, window, cache_dir)
        train, of_train = windows_of(store, training, window, cache_dir)
        most = min(len(val), _MOST_WINDOWS)
        some, drawn = probe_rows(len(val), most, seed), probe_rows(len(train), most, seed)  # those of the gap
        sides: tuple[list[Costs], list[Costs]] = ([], [])
        for part in range(int(half.max()) + 1):
            model = self._learned(rest | (training & (half != part)), seed)
            mine = drawn[half[of_train[drawn]] == part]
            for side, windows, rows, pieces in ((0, val, some, of_val), (1, train, mine, of_train)):
                sides[side].append(self._costs(model, windows, rows, group[pieces[rows]]))
        learned = int((rest | (training & (half != 0))).sum())
        return _difference(np.sum(sides[0], axis=0), np.sum(sides[1], axis=0), learned)

    def _learned(self, pieces: Pieces, seed: int) -> CountModel:
        """A count model of these pieces, as many as are counted at most."""
        store = self._store
        drawn = np.random.default_rng([seed, 0x636F756E]).permutation(np.flatnonzero(pieces[store.piece]))
        lengths = self._lengths[drawn]
        most = max(1, int(np.searchsorted(np.cumsum(lengths), _MOST_TOKENS, side="right")))
        ids = _gathered(store.tokens.data, store.tokens.offsets[drawn[:most]], lengths[:most])
        return CountModel.of(ids, _offsets(lengths[:most]), self._vocabulary)

    def _costs(self, model: CountModel, windows: Windows, rows: NDArray[np.int64], tune: NDArray[np.integer]) -> Costs:
        """(2, groups) nats of the predicted tokens of some windows, and how many there are. tune: (rows,) groups."""
        start, length = windows.start[rows], windows.length[rows].astype(np.int64)
        offsets = _offsets(length)
        nats = model.nats(_gathered(self._store.tokens.data, start, length), offsets)
        nats[np.arange(len(nats)) - np.repeat(offsets[:-1], length) < windows.columns] = 0  # a first step is context
        owner, groups = np.repeat(tune, length), int(self._group.max()) + 1
        predicted = windows.predicted[rows].astype(np.float64)
        return np.stack([np.bincount(owner, nats, groups), np.bincount(tune, predicted, groups)])


def _difference(val: NDArray[np.float64], train: NDArray[np.float64], pieces: int) -> NDArray[np.float64]:
    """As `_Judge._judged`; val, train: (2, groups) nats and tokens."""
    means, spread = [], []
    for nats, tokens in (val, train):
        there = tokens > 0
        means.append(nats.sum() / tokens.sum())
        spread.append(over_tunes(nats[there][None], tokens[there][None]))
    if min(freedom for _, freedom in spread) < 1:
        return np.zeros(0)
    apart, half = means[0] - means[1], half_interval(*spread[0], *spread[1])
    return np.array([apart, apart - half, apart + half, pieces])


def _gathered(data: NDArray[Any], start: NDArray[np.integer], length: NDArray[np.int64]) -> NDArray[np.int64]:
    """Stretches of the data, one behind the other."""
    found: NDArray[np.int64] = data[np.repeat(start - _offsets(length)[:-1], length) + np.arange(length.sum())]
    return found.astype(np.int64)


def _offsets(length: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(length)])
