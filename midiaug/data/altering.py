"""Whether altering tokens by table gives what altering the score does, on a sample of the corpus."""

import numpy as np
from numpy.typing import NDArray

from midiaug.data.alterations import Alterations
from midiaug.data.corpus import Corpus
from midiaug.data.pieces import Limits, parse
from midiaug.data.proof import mark_drums, proof_shifts, prove_routes, tokenize
from midiaug.data.transpose import MusicTokenizer, TokenTransposer, pitch_span, without_unwritable

_PIECES, _COMBINATIONS = 12, 4


def altering_difference(
    corpus: Corpus,
    tokenizer: MusicTokenizer,
    limits: Limits,
    alterations: Alterations,
    pieces: NDArray[np.bool_],
    seed: int,
) -> str | None:
    """The first difference in words; None where there is none, or nothing to alter.

    pieces: (pieces,) those that are used; some are drawn by the seed, each with some combinations and shifts.
    """
    if not alterations:
        return None
    if tokenizer.is_trained:
        return "merged tokens cannot be altered one by one"
    transposer, generator = TokenTransposer(tokenizer), np.random.default_rng(seed)
    for row in generator.permutation(np.flatnonzero(pieces))[:_PIECES].tolist():
        score, _ = without_unwritable(parse(corpus.midi[row].tobytes(), limits), tokenizer)
        ids, _ = mark_drums(tokenize(tokenizer, score), score, tokenizer, transposer)
        shifts = proof_shifts(pitch_span(score) or (0, 127), tokenizer, seed)[:2] or [0]
        drawn = generator.permutation(len(alterations.combinations))[:_COMBINATIONS]
        # the first and the last are those of the farthest steps, where values stay at their ends
        for number in {0, len(alterations.combinations) - 1, *drawn.tolist()}:
            steps = alterations.combinations[number]
            _, difference = prove_routes(ids, score, tokenizer, transposer, shifts, steps)
            if difference is not None:
                return f"{corpus.names[row]}, altered by {steps}, {difference}"
    return None
