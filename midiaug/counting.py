"""A count model: how surprising each token is after the few before it, by n-grams with back-off.

It is trained in one pass and has no settings to tune, so that it can judge how hard pieces are that no run has seen.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

ORDER = 7
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class _Level:
    """The n-grams of one length, each a number: its place among `keys`.

    keys: (grams,) the number of the context, times the size of the vocabulary, plus the token; sorted. count: (grams,)
    how often each came. total, kinds: (contexts,) how many tokens came after each context, and how many different ones.
    """

    keys: Integers
    count: Integers
    total: Integers
    kinds: Integers


class CountModel:
    """Interpolated n-grams with the weights of Witten and Bell (1991, IEEE Trans. Information Theory 37): a context
    after which many different tokens came leaves more to the shorter one. Below all stands an even distribution.
    """

    def __init__(self, vocabulary: int, levels: list[_Level]) -> None:
        self._vocabulary, self._levels = vocabulary, levels

    @classmethod
    def of(cls, tokens: Integers, offsets: Integers, vocabulary: int, order: int = ORDER) -> Self:
        """Count the n-grams of up to `order` tokens, none across two sequences.

        tokens: (tokens,) ids below `vocabulary`. offsets: (sequences + 1,): sequence i is
        tokens[offsets[i]:offsets[i + 1]]. A sequence's first token is context alone.
        """
        first = _firsts(tokens, offsets)
        levels: list[_Level] = []
        context, contexts = np.zeros(len(tokens), np.int64), 1
        for _ in range(order):
            inside = context >= 0
            if not inside.any():  # no sequence is longer
                break
            keys, gram = np.unique(context[inside] * vocabulary + tokens[inside], return_inverse=True)
            count = np.bincount(gram[~first[inside]], minlength=len(keys))
            of_context = keys // vocabulary
            total = np.bincount(of_context, count, contexts).astype(np.int64)
            levels.append(_Level(keys, count, total, np.bincount(of_context, count > 0, contexts).astype(np.int64)))
            context[inside], contexts = gram, len(keys)
            context = _next(context, first)
        return cls(vocabulary, levels)

    def nats(self, tokens: Integers, offsets: Integers) -> NDArray[np.float64]:
        """(tokens,) what each token costs after those before it in its sequence; 0 for a sequence's first.

        tokens, offsets: as `of` has them. Over the vocabulary, the probabilities of a token add up to 1.
        """
        first = _firsts(tokens, offsets)
        likely = np.full(len(tokens), 1 / self._vocabulary)
        context = np.zeros(len(tokens), np.int64)
        for level in self._levels:
            inside = np.flatnonzero(context >= 0)
            before = context[inside]
            keys = before * self._vocabulary + tokens[inside]
            place = np.minimum(np.searchsorted(level.keys, keys), len(level.keys) - 1)
            found = level.keys[place] == keys
            total, kinds = level.total[before], level.kinds[before]
            seen = np.where(found, level.count[place], 0) + kinds * likely[inside]
            likely[inside] = np.where(total > 0, seen / np.maximum(1, total + kinds), likely[inside])
            context[inside] = np.where(found, place, -1)
            context = _next(context, first)
        nats: NDArray[np.float64] = np.where(first, 0.0, -np.log(likely))
        return nats


def _firsts(tokens: Integers, offsets: Integers) -> NDArray[np.bool_]:
    first = np.zeros(len(tokens), bool)
    first[offsets[:-1][np.diff(offsets) > 0]] = True
    return first


def _next(gram: Integers, first: NDArray[np.bool_]) -> Integers:
    """(tokens,) the n-gram that ends before each token, its context; -1 where its sequence has not begun by then."""
    context = np.full(len(gram), -1)
    context[1:] = gram[:-1]
    context[first] = -1
    return context
