"""Base ids as words of letters, which is what a trained tokenizer merges.

MidiTok writes each base id as a letter, and cuts a sequence into words at its bars or beats; nothing is merged across
words. Where they begin depends on time alone, so a transposed piece has the same.
"""

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray
from symusic.core import ScoreTick

from midiaug.data.transpose import MusicTokenizer
from midiaug.errors import ConfigError

# MidiTok gives a Unigram model each special token a second time under this ending
DOUBLED = "-unigram"


def untrained(tokenizer: MusicTokenizer) -> Any:
    """The tokenizer before its training: the same base ids, and nothing merged.

    Raises ConfigError for one that was saved by another version of MidiTok, with other base tokens.
    """
    if not tokenizer.is_trained:
        return tokenizer
    config = copy.deepcopy(tokenizer.config)
    config.special_tokens = [name for name in config.special_tokens if not name.endswith(DOUBLED)]
    base = type(tokenizer)(config)  # type: ignore[call-arg]  # every class of MidiTok takes one
    known = {name: number for name, number in tokenizer.vocab.items() if not name.endswith(DOUBLED)}
    if dict(base.vocab) != known:
        raise ConfigError(
            f"tokenizer.file: its {len(known):,} base tokens are not the {len(base.vocab):,} that this version of "
            "MidiTok writes with its settings; train it again with this version"
        )
    return base


def in_words(tokenizer: MusicTokenizer, score: ScoreTick) -> tuple[list[NDArray[np.int64]], list[NDArray[np.int64]]]:
    """Tokenize a score with an untrained tokenizer, as `tokenize` does, and say where words begin.

    Returns for each track (tokens,) ids and (words,) places in them, ascending; a word may be empty.
    """
    sequences = tokenizer(score)
    sequences = sequences if isinstance(sequences, list) else [sequences]
    split = tokenizer.config.encode_ids_split
    ids = [np.asarray(sequence.ids, np.int64) for sequence in sequences]
    return ids, [word_starts(sequence, split) for sequence in sequences]


def word_starts(sequence: Any, split: str) -> NDArray[np.int64]:
    """(words,) where the words of MidiTok's TokSequence begin. split: bar, beat or no, its `encode_ids_split`."""
    ticks = {"bar": sequence._ticks_bars, "beat": sequence._ticks_beats}.get(split, [])
    times = np.array([event.time for event in sequence.events], np.int64)
    # the first event at a tick or behind it, whatever comes after
    places = np.searchsorted(np.maximum.accumulate(times), ticks[1:]) if len(times) else np.zeros(0, np.int64)
    return np.concatenate([[0], places[places < len(times)]]).astype(np.int64)


class Spelling:
    """The letters of a tokenizer's base ids, the same before its training and after."""

    def __init__(self, tokenizer: Any) -> None:
        letters = {number: text for number, text in tokenizer._vocab_base_id_to_byte.items() if len(text) == 1}
        self._letters = np.zeros(max(letters) + 1, "<u4")
        self._letters[list(letters)] = [ord(text) for text in letters.values()]

    def __call__(self, ids: NDArray[np.integer], starts: NDArray[np.integer]) -> list[str]:
        """Base ids as words: (tokens,), and (words,) where they begin -> one text a word, a letter a token."""
        text = self._letters[ids].tobytes().decode("utf-32-le")
        ends = [*starts[1:].tolist(), len(text)]
        return [text[begin:end] for begin, end in zip(starts.tolist(), ends, strict=True)]
