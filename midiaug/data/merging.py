"""Trained tokenizers in two steps: base ids, which a table can shift, and what their merges make of these."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midiaug.data.columns import ends_of
from midiaug.data.spelling import Spelling
from midiaug.data.store import TokenStore
from midiaug.data.transpose import MusicTokenizer, TokenTransposer
from midiaug.errors import ConfigError

_SERIAL = "TOKENIZERS_PARALLELISM"


def merge_in_this_thread() -> None:
    """Keep the tokenizers library from starting threads; what the environment says already stands.

    Pieces are merged in processes of their own. These are forked, which its threads do not survive, and it would say so
    on the screen.
    """
    os.environ.setdefault(_SERIAL, "false")


class BaseSequences:
    """Sequences of a base store, in any shift. store: with words. tokenizer: what wrote it, untrained."""

    def __init__(self, store: TokenStore, tokenizer: MusicTokenizer) -> None:
        self.store = store
        self._transposer = TokenTransposer(tokenizer)
        self._begin, self._end = map(len, ends_of(tokenizer))

    def shifted(self, rows: Sequence[int], shift: int) -> tuple[list[NDArray[np.int64]], list[NDArray[np.int64]]]:
        """Rows of the store -> for each (tokens,) ids, without BOS and EOS, and (words,) where its words begin.

        Raises PitchOutOfRange for a shift that a piece has no room for.
        """
        if self.store.words is None:
            raise ConfigError("the store has no words; build it with words=True")
        stored = [self.store.tokens[row] for row in rows]
        ids = [self._transposer(row[self._begin : len(row) - self._end], shift) for row in stored]
        return ids, [np.asarray(self.store.words[row], np.int64) for row in rows]


class Merger:
    """What a trained tokenizer makes of base ids."""

    def __init__(self, tokenizer: Any) -> None:
        merge_in_this_thread()
        self._model, self._spelled = tokenizer._model, Spelling(tokenizer)
        self._ends = ends_of(tokenizer)
        self._parts = np.zeros(len(tokenizer), np.int64)
        for symbol, number in self._model.get_vocab().items():
            self._parts[number] = len(tokenizer._vocab_learned_bytes_to_tokens[symbol])

    def __call__(
        self, ids: Sequence[NDArray[np.integer]], starts: Sequence[NDArray[np.integer]]
    ) -> list[NDArray[np.int64]]:
        """As `inside`, with BOS and EOS, which are never merged, set around."""
        return [np.concatenate([self._ends[0], one, self._ends[1]], dtype=np.int64) for one in self.inside(ids, starts)]

    def inside(
        self, ids: Sequence[NDArray[np.integer]], starts: Sequence[NDArray[np.integer]]
    ) -> list[NDArray[np.int64]]:
        """Merge sequences: each (tokens,) base ids and (words,) where its words begin -> (merged tokens,) int64.

        Raises ConfigError where the model has no token for what is there, and would leave it out.
        """
        words = [self._spelled(*sequence) for sequence in zip(ids, starts, strict=True)]
        try:
            found = self._model.encode_batch_fast(words, is_pretokenized=True)
        except Exception as error:  # a Unigram model that lacks a base token fails, with an error of no kind of its own
            raise ConfigError(f"its tokens cannot be merged ({error})") from error
        merged = [np.array(sequence.ids, np.int64) for sequence in found]
        for one, base, of_words in zip(merged, ids, words, strict=True):
            if int(self._parts[one].sum()) != len(base):
                raise ConfigError(
                    f"a part of it has {max(map(len, of_words)):,} tokens, more than the tokenizer's model merges; "
                    "+tokenizer.params.encode_ids_split=beat makes shorter parts, and tokenizer.train=BPE merges any"
                )
        return merged


class Merging(BaseSequences):
    """Merges sequences of the base store, in any shift, as the trained tokenizer writes the shifted score."""

    def __init__(self, store: TokenStore, untrained: MusicTokenizer, tokenizer: MusicTokenizer) -> None:
        super().__init__(store, untrained)
        self.tokenizer, self._merger = tokenizer, Merger(tokenizer)

    def __call__(self, rows: Sequence[int], shift: int) -> list[NDArray[np.int64]]:
        """Rows of the base store -> (tokens,) int64 of each, shifted and merged, between BOS and EOS.

        Raises ConfigError for what cannot be merged, and PitchOutOfRange for a shift that a piece has no room for.
        """
        return self._merger(*self.shifted(rows, shift))
