"""The beginning that a model is given: the first bars of a MIDI or ABC file, or of a validation piece."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from symusic.core import ScoreTick

from midiaug.data.merging import Merger
from midiaug.data.pieces import Limits, parse, read_midi_bytes
from midiaug.data.report import say
from midiaug.data.sources import folder
from midiaug.data.spelling import word_starts
from midiaug.data.transpose import transpose, without_unwritable
from midiaug.errors import ConfigError, CorpusError, PitchOutOfRange, QuarantinedFile, one_line
from midiaug.generation.cursor import Cursor
from midiaug.generation.grammar import Grammar

_LIMITS = Limits()


@dataclass(frozen=True)
class Prompt:
    """A beginning. name: of its file or piece. whole: all of the piece. score: its first bars, in its own ticks.

    track: the track that is continued; None where all are, as one stream. ids: what the model reads.
    bars: how many there are. beats: how long they last, in quarter notes. lost: notes that cannot be written.
    signature: the row of its time signature where its tokens name none. uncounted: a time signature that the tokenizer
    cannot write, such as 3/4: bars are then counted in 4/4; None without.
    """

    name: str
    whole: ScoreTick
    score: ScoreTick
    track: int | None
    ids: list[int]
    bars: int
    beats: float
    lost: int
    signature: int | None
    uncounted: str | None = None


def read_prompt(file: str, tune: int | None = None, shift: int = 0) -> ScoreTick:
    """The music of a MIDI or ABC file. tune: which of several tunes, counted from 1; None takes the first, and says so.

    shift: by how many semitones it is moved up. Raises ConfigError where there is no such file or tune, no music in it,
    or no room for the shift.
    """
    path = Path(file).expanduser()
    if not path.is_file():
        what = "that is a folder; give a file in it" if path.is_dir() else "no such file; give a MIDI or ABC file"
        raise ConfigError(f"prompt={file}: {what}")
    try:
        tunes = folder(path)
        if tune is not None and not 1 <= tune <= len(tunes):
            numbers = "only a tune 1" if len(tunes) == 1 else f"tunes 1 to {len(tunes):,}"
            raise ConfigError(f"tune={tune}: {file} has {numbers}; give one of them")
        if len(tunes) > 1:
            others = "" if tune is not None else "; tune=N takes another"
            say("tune", f"{tune or 1:,} of the {len(tunes):,} in {path.name}{others}")
        return transpose(parse(read_midi_bytes(tunes[(tune or 1) - 1]), _LIMITS), shift)
    except CorpusError as error:
        raise ConfigError(f"prompt={file}: no MIDI or ABC file; give one that ends in .mid or .abc") from error
    except QuarantinedFile as error:
        raise ConfigError(f"prompt={file}: {error}; give another file") from error
    except PitchOutOfRange as error:
        raise ConfigError(f"shift={shift}: {file}: {error}; give a smaller one") from error


def bar_line(score: ScoreTick, bars: int) -> int:
    """The tick at which that many bars are over, by the time signatures (4/4 where there are none).

    A change of meter ends a bar early, as for Meter.
    """
    quarter = int(score.ticks_per_quarter)
    signs = {0: (4, 4)} | {
        int(sign.time): (int(sign.numerator), int(sign.denominator))
        for sign in sorted(score.time_signatures, key=lambda sign: int(sign.time))
    }
    starts = sorted(signs)
    for start, after in zip(starts, [*starts[1:], None], strict=True):
        count, unit = signs[start]
        ticks = max(1, 4 * quarter * max(1, count) // max(1, unit))
        inside = bars if after is None else -(-(after - start) // ticks)
        if bars <= inside:
            return start + bars * ticks if after is None else min(start + bars * ticks, after)
        bars -= inside
    raise AssertionError("the last time signature has no end")


def between(score: ScoreTick, begin: int, end: int) -> ScoreTick:
    """The notes that begin from one tick to before another, ended there at the latest; the first tick becomes 0."""
    part = score.copy()
    for track in part.tracks:
        notes = [note for note in track.notes if begin <= note.time < end]
        for note in notes:
            note.duration = min(note.duration, end - note.time)
        track.notes = type(track.notes)(notes)
        for kind in ("controls", "pitch_bends", "pedals"):
            setattr(track, kind, _within(getattr(track, kind), begin, end))
    for kind in ("tempos", "time_signatures", "key_signatures"):
        events = sorted(getattr(part, kind), key=lambda event: int(event.time))
        holding = [event for event in events if event.time <= begin][-1:]
        for event in holding:
            event.time = begin
        setattr(part, kind, type(getattr(part, kind))([*holding, *(e for e in events if begin < e.time < end)]))
    part.markers = _within(part.markers, begin, end)
    return part.shift_time(-begin) if begin else part


def _within(events: Any, begin: int, end: int) -> Any:
    return type(events)([event for event in events if begin <= event.time < end])


def make_prompt(name: str, whole: ScoreTick, bars: int, grammar: Grammar) -> Prompt:
    """The first bars of a piece as a prompt.

    Raises ConfigError where the bars have no note that the model's tokenizer can write.
    """
    end = bar_line(whole, bars)
    score, lost = without_unwritable(between(whole, 0, end), grammar.tokenizer)
    played = pitched_tracks(score)
    if not played:
        why = f"{lost} notes there are outside the tokenizer's range" if lost else "no pitched note there"
        raise ConfigError(f"prompt={name}: nothing to go on from in its first {bars} bars ({why}); give more bars")
    track = None if grammar.one_stream else played[0]
    shown = score if track is None else _only(score, track)
    signature = None if grammar.has_bars or grammar.names_signatures else _signature_of(whole, grammar)
    beats = end / whole.ticks_per_quarter
    ids = _with_bars(_sequence_of(grammar.tokenizer, shown, name), beats, signature, grammar)
    return Prompt(name, whole, score, track, ids, bars, beats, lost, signature, _uncounted(score, grammar))


def pitched_tracks(score: ScoreTick) -> list[int]:
    """The numbers of the tracks that have notes with a pitch; the first is the one that a prompt continues."""
    return [number for number, track in enumerate(score.tracks) if len(track.notes) and not track.is_drum]


def _uncounted(score: ScoreTick, grammar: Grammar) -> str | None:
    other = [sign for sign in score.time_signatures if sign.numerator != sign.denominator]  # of another length than 4/4
    names = [f"{sign.numerator}/{sign.denominator}" for sign in other]
    return next((name for name in names if name not in grammar.signatures), None)


def _signature_of(score: ScoreTick, grammar: Grammar) -> int | None:
    """The row of the first time signature, None where there is none or it is an odd one."""
    names = [f"{sign.numerator}/{sign.denominator}" for sign in score.time_signatures][:1]
    return next((row for row, known in enumerate(grammar.signatures) if known in names), None)


def _only(score: ScoreTick, track: int) -> ScoreTick:
    part = score.copy()
    part.tracks = type(score.tracks)([score.tracks[track].copy()])
    return part


def _sequence_of(tokenizer: Any, score: ScoreTick, name: str) -> Any:
    """MidiTok's TokSequence of a score, before any merging."""
    try:
        sequences = tokenizer.encode(score, encode_ids=False)
    except Exception as error:  # MidiTok fails on odd music with errors of every kind
        raise ConfigError(f"prompt={name}: the checkpoint's tokenizer fails on it ({one_line(error)})") from error
    return sequences[0] if isinstance(sequences, list) else sequences


def _with_bars(sequence: Any, beats: float, signature: int | None, grammar: Grammar) -> list[int]:
    """The ids with what leads on to the bar behind the prompt, merged where the tokenizer merges."""
    tokenizer, plain = grammar.tokenizer, grammar.base
    base = [int(number) for number in sequence.ids]
    written = len(base)
    cursor, target = Cursor(plain, 1, signature), round(beats * int(tokenizer.time_division))
    for token in base:
        cursor.advance(torch.tensor([token]))
    while (more := _onward(cursor, target, plain)) is not None:
        base.append(more)
        cursor.advance(torch.tensor([more]))
    if not tokenizer.is_trained:
        return base
    split = tokenizer.config.encode_ids_split
    bar = tokenizer.vocab.get("Bar_None")
    opened = [place for place in range(written, len(base)) if base[place] == bar and split != "no"]
    starts = np.concatenate([word_starts(sequence, split), np.array(opened, np.int64)])
    (merged,) = Merger(tokenizer).inside([np.array(base)], [starts])
    return [int(number) for number in merged]


def _onward(cursor: Cursor, target: int, plain: Grammar) -> int | None:
    """The next token on the way to the tick at which the prompt is over; None where it is reached, or none leads on."""
    vocabulary = dict(plain.tokenizer.vocab)
    bar, _, beat = plain.signature_table[cursor.signature[0]].tolist()
    if plain.has_bars:
        signature = f"TimeSig_{list(plain.signatures)[int(cursor.signature)]}"
        if int(cursor.before) == plain.bar_type and signature in vocabulary:
            return int(vocabulary[signature])
        return int(vocabulary["Bar_None"]) if int(cursor.bar_start) + bar <= target else None
    may, left = cursor.allowed()[0], target - int(cursor.time)
    ticks = {
        row: int(plain.ticks[beat, row, 0]) for row, names in enumerate(plain.parts) if names[0][:9] == "TimeShift"
    }
    fitting = [row for row, length in ticks.items() if 0 < length <= left and may[row]]
    return max(fitting, key=lambda row: ticks[row], default=None)
