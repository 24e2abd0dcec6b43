"""Pieces into token ids, one by one: what a process of its own does for the token store."""

from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from midiaug.data.flat import Ragged
from midiaug.data.pieces import Limits, parse
from midiaug.data.proof import mark_drums, proof_shifts, prove_routes, tokenize
from midiaug.data.spelling import in_words
from midiaug.data.transpose import MusicTokenizer, TokenTransposer, pitch_span, without_unwritable
from midiaug.errors import QuarantinedFile


@dataclass(frozen=True)
class Tokenized:
    """A piece as the tokenizer writes it.

    tracks: the places of its tracks in what the tokenizer returns. ids: (tokens,) int64 for each. words: where the
    words of each begin that a trained tokenizer merges within; none where nobody asked.
    span: its lowest and highest pitch. unwritable: notes without a token. cases, difference: what proving the routes
    on it gave; cases is -1 where it has no room to be shifted. sampled: whether the difference is one that is only
    looked for in pieces of a sample.
    """

    tracks: list[int]
    ids: list[NDArray[np.int64]]
    words: list[NDArray[np.int64]]
    span: tuple[int, int]
    unwritable: int
    cases: int
    difference: str | None
    sampled: bool


def tokenize_pieces(
    rows: list[int],
    directory: Path,
    tokenizer: MusicTokenizer,
    transposer: TokenTransposer | None,
    limits: Limits,
    sample: frozenset[int],
    words: bool = False,
) -> list[Tokenized | str]:
    """Tokenize these pieces, in a process of its own; the pieces of the sample also prove the two routes.

    words: whether to say where words begin.
    """
    midi = Ragged(directory, "midi", np.uint8)
    results: list[Tokenized | str] = []
    for row in rows:
        try:
            results.append(_tokenize_piece(midi[row].tobytes(), tokenizer, transposer, limits, row in sample, words))
        except QuarantinedFile as reason:
            results.append(str(reason))
    return results


def _tokenize_piece(
    data: bytes,
    tokenizer: MusicTokenizer,
    transposer: TokenTransposer | None,
    limits: Limits,
    prove: bool,
    words: bool,
) -> Tokenized:
    score, unwritable = without_unwritable(parse(data, limits), tokenizer)
    span = pitch_span(score)
    if span is None:
        raise QuarantinedFile("no note within the pitches that the tokenizer writes")
    try:
        ids, starts = in_words(tokenizer, score) if words else (tokenize(tokenizer, score), [])
    except QuarantinedFile:
        raise
    except Exception as error:  # MidiTok's own failures on odd music are of every kind, and cost this piece alone
        raise QuarantinedFile(f"the tokenizer failed on it ({type(error).__name__}: {error})") from error
    total = sum(len(row) for row in ids)
    if total > limits.max_tokens:
        raise QuarantinedFile(f"too long: {total:,} tokens, and data.max_tokens is {limits.max_tokens:,}")
    cases, difference, sampled = 0, None, False
    try:
        if transposer is not None:
            ids, difference = mark_drums(ids, score, tokenizer, transposer)
            if prove and difference is None:
                sampled = True
                shifts = proof_shifts(span, tokenizer, crc32(data))
                cases, difference = prove_routes(ids, score, tokenizer, transposer, shifts) if shifts else (-1, None)
    except Exception as error:  # again of every kind; the score as it is can be used, by the other route
        difference = f"the tokenizer fails on it when it is shifted ({type(error).__name__}: {error})"
    tracks = [number for number, row in enumerate(ids) if len(row)]
    if not tracks:
        raise QuarantinedFile("the tokenizer found no token in it")
    ids, starts = ([rows[number] for number in tracks if rows] for rows in (ids, starts))
    return Tokenized(tracks, ids, starts, span, unwritable, cases, difference, sampled)
