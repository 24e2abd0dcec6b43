"""Check one piece in each shift, write its MIDI files, and say what came of it; for a process of its own."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from symusic.core import ScoreTick

from midiaug.data.proof import tokenize
from midiaug.data.transpose import (
    ANY_PITCH,
    MusicTokenizer,
    TokenTransposer,
    pitch_span,
    transpose,
    within,
    written_range,
)
from midiaug.errors import one_line
from midiaug.inspection.bars import bars_shown
from midiaug.inspection.choice import Chosen
from midiaug.inspection.decoding import Decoder, Tokens, table_difference, tokens_of
from midiaug.inspection.scores import Difference, difference_of
from midiaug.inspection.written import file_difference, write_midi
from midiaug.keys import pitch_name
from midiaug.offline.names import copy_name
from midiaug.printable import many


@dataclass(frozen=True)
class CheckPlan:
    """What to check, and where files go.

    by_table: whether training shifts tokens by table; why: the reason where it does not. drop: aug.out_of_range.
    """

    directory: Path
    tokenizer: MusicTokenizer
    shifts: tuple[int, ...]
    by_table: bool
    drop: bool
    why: str = ""


@dataclass(frozen=True)
class Failure:
    """A check that failed. check: score, file, table or decode."""

    piece: str
    shift: int
    check: str
    difference: Difference

    def __str__(self) -> str:
        name = {
            "score": "the transposed score",
            "file": "the MIDI file, read again",
            "table": "the tokens shifted by table",
            "decode": "the shifted tokens, decoded",
            "process": "the check itself",
        }[self.check]
        return f"{self.piece}, shift {self.shift:+d}, {name}: {self.difference}"


@dataclass
class Checked:
    """What checking a piece gave.

    files: by shift, the MIDI file within the directory. away: by shift, why `limit` takes it away.
    lost: by shift, the notes that `drop` leaves out; all checks are of the others. cases: by check, how often it
    passed. seconds, notes: tokenizing so many notes took so long, in all shifts. lengths: tokens of each track in its
    own key, those that stand for its beginning and its end not counted. faithful: whether the tokenizer gives the
    piece its own notes back. bar: the tokens of the first full bar, as bars_shown returns them.
    """

    piece: str
    files: dict[int, str] = field(default_factory=dict)
    away: dict[int, str] = field(default_factory=dict)
    lost: dict[int, int] = field(default_factory=dict)
    cases: dict[str, int] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    seconds: float = 0.0
    notes: int = 0
    lengths: list[int] = field(default_factory=list)
    faithful: bool = True
    bar: dict[str, Any] | None = None


def check_pieces(items: list[tuple[Chosen, str]], plan: CheckPlan) -> list[Checked]:
    """Check these pieces; with each comes the stem of its files."""
    return [_checked(piece, stem, plan) for piece, stem in items]


def reason_of(piece: Chosen, shift: int, tokenizer: MusicTokenizer) -> str | None:
    """Why `limit` takes a shift away from a piece, in words; None where it keeps each note."""
    if piece.lowest <= shift <= piece.highest or shift == 0:
        return None
    low, high = written_range(tokenizer)
    columns = [track.notes.numpy()["pitch"] for track in piece.score.tracks if not track.is_drum]
    pitches = np.concatenate(columns).astype(np.int64)
    above = shift > piece.highest
    count = int((pitches + shift > high).sum() if above else (pitches + shift < low).sum())
    side = f"above {pitch_name(high)}" if above else f"below {pitch_name(low)}"
    return f"takes {many(count, 'note')} {side}"


def kept_by(score: ScoreTick, shift: int, tokenizer: MusicTokenizer) -> tuple[ScoreTick, int]:
    """The score without the notes that the shift takes out of the tokenizer's range, and how many those are."""
    low, high = written_range(tokenizer)
    return within(score, (low - shift, high - shift), ANY_PITCH)


def _checked(piece: Chosen, stem: str, plan: CheckPlan) -> Checked:
    try:
        return _check(piece, stem, plan)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # MidiTok's own failures are of every kind
        found = Difference("the tokenizer", "no failure", f"{type(error).__name__}: {one_line(error)}")
        return Checked(piece.name, failures=[Failure(piece.name, 0, "process", found)])


def _check(piece: Chosen, stem: str, plan: CheckPlan) -> Checked:
    result = Checked(piece.name)
    transposer = TokenTransposer(plan.tokenizer) if plan.by_table else None
    own = _tokenized(result, piece.score, plan)
    result.lengths = [len(row) for row in own if len(row)]
    tokens = tokens_of(piece, piece.score, own, plan.tokenizer, transposer)
    decoder = Decoder(tokens, piece.score, plan.tokenizer, transposer)
    result.faithful = decoder.faithful
    shown = {}
    for shift in plan.shifts:
        reason = reason_of(piece, shift, plan.tokenizer)
        if reason is not None and not plan.drop:
            result.away[shift] = reason
            continue
        kept, lost = kept_by(piece.score, shift, plan.tokenizer) if plan.drop else (piece.score, 0)
        if lost:
            result.lost[shift] = lost
        if lost and pitch_span(kept) is None:  # as materialize: no copy of drums alone
            continue
        shifted = transpose(kept, shift)
        file = result.files[shift] = copy_name(stem, shift)
        write_midi(shifted, plan.directory / file)
        _note(result, shift, "score", difference_of(kept, shifted, shift))
        _note(result, shift, "file", file_difference(kept, plan.directory / file, shift))
        ids = shown[shift] = _tokenized(result, shifted, plan) if shift else own
        of_kept = (tokens, decoder)
        if lost:  # the notes that stay are a piece of their own
            rest = Chosen(piece.name, "none", kept, piece.lowest, piece.highest, None, [])
            rows = tokens_of(rest, kept, _tokenized(result, kept, plan), plan.tokenizer, transposer)
            of_kept = (rows, Decoder(rows, kept, plan.tokenizer, transposer))
        _check_tokens(result, shift, shifted, ids, *of_kept, plan, transposer)
    result.bar = {"piece": piece.name} | bars_shown(piece.score, own, shown, plan.tokenizer)
    return result


def _check_tokens(
    result: Checked,
    shift: int,
    shifted: ScoreTick,
    ids: list[NDArray[np.int64]],
    tokens: Tokens,
    decoder: Decoder,
    plan: CheckPlan,
    transposer: TokenTransposer | None,
) -> None:
    """By table, the shifted ids and what they decode to; without one, what the ids of the score decode to."""
    if transposer is not None:
        table = partial(table_difference, tokens, ids, shifted, shift, plan.tokenizer, transposer)
        _note(result, shift, "table", _tried(table))
        _note(result, shift, "decode", _tried(partial(decoder.difference, shift)))
    elif decoder.faithful:
        _note(result, shift, "decode", _tried(partial(decoder.difference_of_ids, ids, shifted)))


def _tokenized(result: Checked, score: ScoreTick, plan: CheckPlan) -> list[NDArray[np.int64]]:
    began = time.perf_counter()
    ids = tokenize(plan.tokenizer, score)
    result.seconds += time.perf_counter() - began
    result.notes += score.note_num()
    return ids


def _note(result: Checked, shift: int, check: str, difference: Difference | None) -> None:
    if difference is None:
        result.cases[check] = result.cases.get(check, 0) + 1
    else:
        result.failures.append(Failure(result.piece, shift, check, difference))


def _tried(check: Callable[[], Difference | None]) -> Difference | None:
    try:
        return check()
    except Exception as error:  # MidiTok's own failures are of every kind
        return Difference("the tokenizer", "no failure", f"{type(error).__name__}: {one_line(error)}")
