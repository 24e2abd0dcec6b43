"""Check one piece in each shift, write its MIDI files, and say what came of it; for a process of its own."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from symusic.core import ScoreTick

from midiaug.data.pieces import Limits, parse
from midiaug.data.proof import tokenize
from midiaug.data.transpose import (
    ANY_PITCH,
    MusicTokenizer,
    TokenTransposer,
    transpose,
    within,
    without_unwritable,
    written_range,
)
from midiaug.errors import one_line
from midiaug.inspection.choice import Chosen
from midiaug.inspection.decoding import Decoder, table_difference, tokens_of
from midiaug.inspection.scores import Difference, difference_of
from midiaug.inspection.written import file_difference, write_midi
from midiaug.keys import pitch_name
from midiaug.offline.names import copy_name


@dataclass(frozen=True)
class Plan:
    """What to check, and where files go. by_table: whether training shifts tokens by table. drop: aug.out_of_range."""

    directory: Path
    tokenizer: MusicTokenizer
    limits: Limits
    shifts: tuple[int, ...]
    by_table: bool
    drop: bool


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
    lost: by shift, the notes that `drop` leaves out. cases: by check, how often it passed.
    unwritable: notes without a token, left out of everything here. seconds, bytes, notes: of all files together.
    """

    piece: str
    files: dict[int, str] = field(default_factory=dict)
    away: dict[int, str] = field(default_factory=dict)
    lost: dict[int, int] = field(default_factory=dict)
    cases: dict[str, int] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    unwritable: int = 0
    seconds: float = 0.0
    bytes: int = 0
    notes: int = 0
    faithful: bool | None = None


def check_pieces(items: list[tuple[Chosen, str]], plan: Plan) -> list[Checked]:
    """Check these pieces; with each comes the stem of its files."""
    return [_check(piece, stem, plan) for piece, stem in items]


def reason_of(piece: Chosen, score: ScoreTick, shift: int, tokenizer: MusicTokenizer) -> str | None:
    """Why `limit` takes a shift away from a piece, in words; None where it keeps each note."""
    if piece.lowest <= shift <= piece.highest or shift == 0:
        return None
    low, high = written_range(tokenizer)
    columns = [track.notes.numpy()["pitch"] for track in score.tracks if not track.is_drum]
    pitches = np.concatenate(columns).astype(np.int64)
    above = shift > piece.highest
    count = int((pitches + shift > high).sum() if above else (pitches + shift < low).sum())
    side = f"above {pitch_name(high)}" if above else f"below {pitch_name(low)}"
    return f"takes {count:,} {'note' if count == 1 else 'notes'} {side}"


def kept_by(score: ScoreTick, shift: int, tokenizer: MusicTokenizer) -> tuple[ScoreTick, int]:
    """The score without the notes that the shift takes out of the tokenizer's range, and how many those are."""
    low, high = written_range(tokenizer)
    return within(score, (low - shift, high - shift), ANY_PITCH)


def _check(piece: Chosen, stem: str, plan: Plan) -> Checked:
    score, unwritable = without_unwritable(parse(piece.midi, plan.limits), plan.tokenizer)
    result = Checked(piece.name, unwritable=unwritable)
    decoder, tokens, transposer = None, None, None
    if plan.by_table:
        transposer = TokenTransposer(plan.tokenizer)
        tokens = tokens_of(piece, score, plan.tokenizer, transposer)
        decoder = Decoder(tokens, score, plan.tokenizer, transposer)
        result.faithful = decoder.faithful
    for shift in plan.shifts:
        reason = reason_of(piece, score, shift, plan.tokenizer)
        if reason is not None and not plan.drop:
            result.away[shift] = reason
            continue
        original, lost = kept_by(score, shift, plan.tokenizer) if plan.drop else (score, 0)
        if lost:
            result.lost[shift] = lost
        began = time.perf_counter()
        shifted = transpose(original, shift)
        file = copy_name(stem, shift)
        result.bytes += write_midi(shifted, plan.directory / file)
        tokenize(plan.tokenizer, shifted)
        result.seconds += time.perf_counter() - began
        result.notes += shifted.note_num()
        result.files[shift] = file
        _note(result, shift, "score", difference_of(original, shifted, shift))
        _note(result, shift, "file", file_difference(shifted, plan.directory / file))
        if not lost and transposer is not None and tokens is not None and decoder is not None:
            table = partial(table_difference, tokens, shifted, shift, plan.tokenizer, transposer)
            _note(result, shift, "table", _tried(table))
            _note(result, shift, "decode", _tried(partial(decoder.difference, shift)))
    return result


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
