"""Two routes, one result: compare shifting tokens by table with shifting the score and tokenizing it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from symusic.core import ScoreTick

from midiaug.data.alterations import Steps, altered, stepped_ids
from midiaug.data.transpose import MusicTokenizer, TokenTransposer, transpose, written_range
from midiaug.errors import PitchOutOfRange

_SHIFTS = 4
_FARTHEST = 12


@dataclass(frozen=True)
class Proof:
    """What comparing the two routes on a sample of the corpus gave.

    cases: (piece, shift) pairs compared. difference: the first that differs, in words; None where all agree.
    """

    pieces: int
    cases: int
    difference: str | None


def tokenize(tokenizer: MusicTokenizer, score: ScoreTick, steps: Steps | None = None) -> list[NDArray[np.int64]]:
    """Tokenize a score into a list of (tokens,) int64 ids: one a track, or one in all for a one-stream tokenizer.

    steps: by which all of it is altered before.
    """
    if steps is None:
        sequences = tokenizer(score)
    else:
        sequences = tokenizer.encode(altered(score, tokenizer, steps), no_preprocess_score=True)
    sequences = sequences if isinstance(sequences, list) else [sequences]
    return [np.asarray(sequence.ids, np.int64) for sequence in sequences]


def mark_drums(
    ids: list[NDArray[np.int64]], score: ScoreTick, tokenizer: MusicTokenizer, transposer: TokenTransposer
) -> tuple[list[NDArray[np.int64]], str | None]:
    """Give drum notes that share the pitch tokens their alias ids.

    They are the tokens that change when the drums alone move.
    """
    pitches = [track.notes.numpy()["pitch"] for track in score.tracks if track.is_drum and len(track.notes)]
    if not len(transposer.drum_aliases) or not pitches:
        return ids, None
    low, high = written_range(tokenizer, drums=True)
    room = high - max(int(p.max()) for p in pitches), min(int(p.min()) for p in pitches) - low
    if max(room) < 1:
        return ids, "its drums fill all pitches that can be written, and so cannot be told from them"
    step = 1 if room[0] else -1
    moved = score.copy()
    for track in moved.tracks:
        if track.is_drum:
            track.shift_pitch(step, inplace=True)
    others = tokenize(tokenizer, moved)
    if [len(row) for row in others] != [len(row) for row in ids]:
        return ids, "its drums cannot be told from its pitches"
    return [transposer.mark_drums(row, row != other) for row, other in zip(ids, others, strict=True)], None


def prove_routes(
    ids: list[NDArray[np.int64]],
    score: ScoreTick,
    tokenizer: MusicTokenizer,
    transposer: TokenTransposer,
    shifts: list[int],
    steps: Steps | None = None,
) -> tuple[int, str | None]:
    """Compare the table with tokenizing the shifted score. Returns the cases compared and the first difference.

    steps: by which both are altered besides.
    """
    altering = None if steps is None else stepped_ids(tokenizer, steps)
    for cases, shift in enumerate(shifts):
        expected = tokenize(tokenizer, transpose(score, shift), steps)
        for track, (row, wanted) in enumerate(zip(ids, expected, strict=False)):
            try:
                got = transposer(row, shift) if altering is None else altering[transposer(row, shift)]
            except PitchOutOfRange as error:
                return cases, f"shift {shift:+d}, track {track}: {error}"
            if len(got) != len(wanted):
                return (
                    cases,
                    f"shift {shift:+d}, track {track}: {len(got)} tokens by table, {len(wanted)} from the score",
                )
            if (got != wanted).any():
                at = int(np.flatnonzero(got != wanted)[0])
                names = transposer.name_of(int(got[at])), transposer.name_of(int(wanted[at]))
                return (
                    cases,
                    f"shift {shift:+d}, track {track}, token {at}: {names[0]} by table, {names[1]} from the score",
                )
        if len(ids) != len(expected):
            return cases, f"shift {shift:+d}: {len(ids)} tracks by table, {len(expected)} from the score"
    return len(shifts), None


def proof_shifts(span: tuple[int, int], tokenizer: MusicTokenizer, seed: int) -> list[int]:
    """The widest shifts up and down that keep each note, and others between."""
    low, high = written_range(tokenizer)
    allowed = [shift for shift in range(max(-_FARTHEST, low - span[0]), min(_FARTHEST, high - span[1]) + 1) if shift]
    between = np.random.default_rng(seed).permutation(allowed[1:-1])[: _SHIFTS - 2].tolist()
    return sorted({*allowed[:1], *allowed[-1:], *between})
