"""What follows from the pieces and their tokens alone, worked out once and kept in the cache: the groups of
look-alikes, the sides that a seed draws, and where the windows of a side lie.
"""

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from midiaug.data.cache import cache_key, kept_arrays
from midiaug.data.corpus import Corpus
from midiaug.data.digests import digest
from midiaug.data.folds import deal_folds
from midiaug.data.split import VERSION, Fold, Split, draw_split, twin_groups
from midiaug.data.store import TokenStore
from midiaug.data.windows import Windows, whole_steps

_FORMAT = 1


def groups_of(corpus: Corpus, twin_share: float, cache_dir: Path) -> NDArray[np.int64]:
    """(pieces,) the group of look-alikes that each piece is in."""
    key = cache_key([_FORMAT, VERSION, corpus.key, twin_share])
    return kept_arrays(cache_dir / "groups" / key, lambda: {"group": twin_groups(corpus.ngrams, twin_share)})["group"]


def split_of(corpus: Corpus, twin_share: float, val_split: float, seed: int, cache_dir: Path) -> Split:
    """The split that the seed draws. Raises SplitError where there are fewer than two groups."""
    group = groups_of(corpus, twin_share, cache_dir)
    key = cache_key([_FORMAT, VERSION, corpus.key, twin_share, val_split, seed])

    def drawn() -> dict[str, NDArray[np.bool_]]:
        return {"validation": draw_split(corpus.names, np.asarray(group), val_split, seed).validation}

    validation = kept_arrays(cache_dir / "splits" / key, drawn)["validation"]
    return Split(corpus.names, group, validation, val_split, seed)


def fold_of(corpus: Corpus, twin_share: float, fold: Fold, seed: int, cache_dir: Path) -> Split:
    """The split that validates on one fold of those that the seed deals.

    Raises SplitError where there are fewer groups than folds.
    """
    group = groups_of(corpus, twin_share, cache_dir)
    key = cache_key([_FORMAT, VERSION, corpus.key, twin_share, "folds", fold.folds, seed])

    def dealt() -> dict[str, NDArray[np.int64]]:
        return {"fold": deal_folds(corpus.names, np.asarray(group), fold.folds, seed)}

    validation = np.asarray(kept_arrays(cache_dir / "splits" / key, dealt)["fold"]) == fold.fold
    return Split(corpus.names, group, validation, 1 / fold.folds, seed, fold)


def windows_of(
    store: TokenStore, pieces: NDArray[np.bool_], size: int, cache_dir: Path
) -> tuple[Windows, NDArray[np.integer]]:
    """The windows of some pieces, memory-mapped, and the (windows,) piece of each.

    pieces: (pieces,) which of the corpus. size: tokens a window; it holds whole time steps of these.
    """
    size = whole_steps(size, store.columns)
    key = cache_key([_FORMAT, store.key, digest(np.packbits(pieces).tobytes()).hex(), size])
    arrays = kept_arrays(cache_dir / "windows" / key, partial(_windows, store, pieces, size))
    return Windows(arrays["sequence"], arrays["start"], arrays["length"], size, store.columns), arrays["piece"]


def _windows(store: TokenStore, pieces: NDArray[np.bool_], size: int) -> dict[str, NDArray[np.integer]]:
    windows = Windows.of(store, np.flatnonzero(pieces[store.piece]), size)
    return {
        "sequence": windows.sequence.astype(np.int32),
        "start": windows.start,
        "length": windows.length.astype(np.int32),
        "piece": store.piece[windows.sequence].astype(np.int32),
    }
