"""K folds: whole groups of look-alikes are dealt out once, and each fold is validated on in its turn.

Over the K runs every piece is validated on exactly once, by a model that met it in no key.
"""

import heapq
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from midiaug.data.split import tunes_by_name
from midiaug.errors import SplitError

_DEAL = 0x666F6C64  # apart from the draw of a single split


def deal_folds(names: Sequence[str], group: NDArray[np.int64], folds: int, seed: int) -> NDArray[np.int64]:
    """Deal whole groups into so many folds of about as many pieces. Returns (pieces,) the fold of each, from 0.

    The seed and the names alone decide, not the order of the pieces. The largest groups are dealt first, each into the
    fold with the fewest pieces, so that two folds differ by no more than one group. group: (pieces,) as in Split.
    Raises SplitError where there are fewer groups than folds.
    """
    tunes = tunes_by_name(names, group)
    if len(tunes) < folds:
        raise SplitError(
            f"data.folds={folds}: only {len(tunes):,} different tunes in {len(names):,} pieces; use fewer folds"
        )
    generator, sizes = np.random.default_rng([seed, _DEAL]), np.bincount(group)
    drawn = generator.permutation(tunes)
    drawn = drawn[np.argsort(-sizes[drawn], kind="stable")]
    heap = [(0, turn, number) for turn, number in enumerate(generator.permutation(folds).tolist())]
    fold_of = np.empty(len(sizes), np.int64)
    for tune in drawn.tolist():
        pieces, turn, number = heap[0]
        fold_of[tune] = number
        heapq.heapreplace(heap, (pieces + int(sizes[tune]), turn, number))
    dealt: NDArray[np.int64] = fold_of[group]
    return dealt
