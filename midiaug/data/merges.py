"""Training a tokenizer's merges: on the training pieces alone, in every shift that they are heard in.

Done once and kept in the cache; what is kept depends on nothing but the training pieces and the settings.
"""

import copy
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midiaug.data.cache import build_once, cache_key
from midiaug.data.corpus import Corpus
from midiaug.data.merging import BaseSequences, merge_in_this_thread
from midiaug.data.pieces import Limits, parse
from midiaug.data.shifts import Shifts
from midiaug.data.spelling import Spelling, in_words
from midiaug.data.store import TokenStore
from midiaug.data.transpose import MusicTokenizer, settings_of, transpose, without_unwritable
from midiaug.data.workers import in_processes
from midiaug.errors import ConfigError, one_line

MODELS = ("BPE", "Unigram", "WordPiece")
_FORMAT = 1
_MOST_TOKENS = 1 << 25  # to learn from, in all shifts together
_MERGES = 0x6D657267
_DAY_S = 86_400.0
_DIGITS, _STEP = 6, 1e-4


@dataclass(frozen=True)
class Merges:
    """What to train: a model of Hugging Face's `tokenizers`, and how many tokens it has in the end."""

    model: str
    vocab_size: int

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise ConfigError(f"tokenizer.train={self.model}: use BPE, Unigram or WordPiece, or null for no merging")
        if not isinstance(self.vocab_size, int):
            raise ConfigError(f"tokenizer.train={self.model}: tokenizer.vocab_size is missing; give it, such as 5000")

    @classmethod
    def of(cls, model: str | None, vocab_size: int | None) -> "Merges | None":
        """What the keys `tokenizer.train` and `tokenizer.vocab_size` ask for; None where neither is given."""
        if model is None and vocab_size is not None:
            raise ConfigError(f"tokenizer.vocab_size={vocab_size}: of what? give tokenizer.train too, such as BPE")
        return None if model is None else cls(model, vocab_size)  # type: ignore[arg-type]  # refused there


@dataclass(frozen=True)
class Lesson:
    """What there is to learn from: pieces of a corpus, rows, each in some shifts, at most so many tokens."""

    corpus: Path
    base: TokenStore
    untrained: MusicTokenizer
    limits: Limits
    pairs: list[tuple[int, int]]

    @classmethod
    def of(
        cls,
        corpus: Corpus,
        base: TokenStore,
        untrained: MusicTokenizer,
        limits: Limits,
        training: NDArray[np.bool_],
        shifts: Shifts,
        seed: int,
        most: int = _MOST_TOKENS,
    ) -> "Lesson":
        """Each training piece in each shift that it has room for; of more than `most` tokens, some drawn by the seed.

        training: (pieces,) which of the corpus. What other pieces there are changes nothing.
        """
        digests = np.asarray(corpus.digests)
        rows = np.flatnonzero(training & base.has_pieces)
        rows = rows[np.lexsort(digests[rows].T)]
        tokens = np.bincount(base.piece, base.tokens.lengths(), len(digests))
        pairs = [
            (int(row), shift)
            for row in rows
            for shift in shifts
            if base.lowest[row] <= shift <= base.highest[row] or not shift
        ]
        order = np.random.default_rng([seed, _MERGES]).permutation(len(pairs))
        total = np.cumsum([tokens[pairs[place][0]] for place in order])
        kept = order[: max(1, int(np.searchsorted(total, most, side="right")))]
        return cls(corpus.directory, base, untrained, limits, [pairs[place] for place in np.sort(kept)])

    def words(self) -> Iterator[list[str]]:
        """The words of each piece in each of its shifts: by table where that is proven, else from its score."""
        spelled, corpus = Spelling(self.untrained), Corpus(self.corpus)
        sequences = BaseSequences(self.base, self.untrained)
        for piece, shift in self.pairs:
            if self.base.proof.difference is None:
                ids, starts = sequences.shifted(self.base.sequences(piece), shift)
            else:
                score, _ = without_unwritable(parse(corpus.midi[piece].tobytes(), self.limits), self.untrained)
                ids, starts = in_words(self.untrained, transpose(score, shift))
            yield [word for one in zip(ids, starts, strict=True) for word in spelled(*one) if word]


def train_merges(lesson: Lesson, merges: Merges, cache_dir: Path) -> Any:
    """The trained tokenizer, or find it in the cache. The one that is given stays as it is.

    Raises ConfigError for a vocabulary that is no larger than the untrained one, or that the music does not fill.
    """
    untrained, least = lesson.untrained, len(lesson.untrained)
    if merges.vocab_size <= least:
        raise ConfigError(
            f"tokenizer.vocab_size={merges.vocab_size}: the tokenizer has {least:,} tokens before it merges any; give "
            "more"
        )
    digests = np.asarray(Corpus(lesson.corpus).digests)
    learned = [(digests[piece].tobytes().hex(), shift) for piece, shift in lesson.pairs]
    versions = [_FORMAT, version("miditok"), version("tokenizers"), version("symusic")]
    key = cache_key([versions, settings_of(untrained), merges.model, merges.vocab_size, learned])

    def build(directory: Path) -> None:
        (found,) = in_processes(
            _train, [(lesson, merges)], [1.0], _lost, label="training the tokenizer", seconds=_DAY_S
        )
        if "problem" in found:
            raise ConfigError(f"tokenizer.train={merges.model}: {found['problem']}")
        (directory / "tokenizer.json").write_text(json.dumps(found), encoding="utf-8")

    directory = build_once(cache_dir / "tokenizers" / key, build)
    return type(untrained)(params=directory / "tokenizer.json")  # type: ignore[call-arg]  # every class of MidiTok's


def _train(items: list[tuple[Lesson, Merges]]) -> list[dict[str, Any]]:
    """Train in a process of its own: what it says on the screen and the memory it takes are gone with it."""
    ((lesson, merges),) = items
    merge_in_this_thread()
    words = list(lesson.words())
    tokenizer: Any = copy.deepcopy(lesson.untrained)
    try:
        with _silence():  # MidiTok's training draws a bar, and empty lines, on the screen
            tokenizer.train(vocab_size=merges.vocab_size, model=merges.model, iterator=words)
    except Exception as error:  # of every kind
        return [{"problem": f"the training failed ({one_line(error)}); use another model, or a smaller vocab_size"}]
    settings = settings_of(tokenizer)
    if merges.model == "Unigram":
        settings["_model"] = json.dumps(in_order(json.loads(settings["_model"])))
    return [settings]


def in_order(content: dict[str, Any]) -> dict[str, Any]:
    """A Unigram model as it would be if its training were deterministic, which it is but for two things.

    The last digits of its scores depend on the order of its sums; and letters that it did not keep are added again at
    the lowest score, each a ten-thousandth above another, in any order. content: what `tokenizers` writes.
    """
    model = content["model"]
    special = {token["content"] for token in content["added_tokens"]}
    kept = [entry for entry in model["vocab"] if entry[0] in special]
    scores = {piece: round(score, _DIGITS) for piece, score in model["vocab"] if piece not in special}
    steps = {piece: (score - min(scores.values())) / _STEP for piece, score in scores.items() if len(piece) == 1}
    added = sorted(piece for piece, step in steps.items() if abs(step - round(step)) < 0.1)
    given = sorted((scores[piece] for piece in added), reverse=True)
    scores |= dict(zip(added, given, strict=True))
    ordered = sorted(scores.items(), key=lambda entry: (-entry[1], entry[0]))
    return content | {"model": model | {"vocab": [*kept, *map(list, ordered)]}}


@contextmanager
def _silence() -> Iterator[None]:
    """Send what this process writes to the screen, from whatever language, nowhere."""
    saved = [(number, os.dup(number)) for number in (1, 2)]
    with open(os.devnull, "w") as nowhere:
        try:
            for number, _ in saved:
                os.dup2(nowhere.fileno(), number)
            yield
        finally:
            for number, copied in saved:
                os.dup2(copied, number)
                os.close(copied)


def _lost(item: tuple[Lesson, Merges], reason: str) -> dict[str, Any]:
    return {"problem": f"the process that trained it {reason}; use another model, or a smaller vocab_size"}
