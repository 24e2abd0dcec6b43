"""What may be varied beside the key: velocity, duration and tempo, in steps between the values that a tokenizer writes.

A step is to the next louder, longer or faster value; the softest, shortest and slowest ones, and those at the other
end, stay. Like a shift, an alteration is a table over token ids, and equals the same change made on the score.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from fractions import Fraction
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from symusic import Note
from symusic.core import ScoreTick

from midiaug.data.columns import kind_of
from midiaug.data.transpose import MusicTokenizer, base_vocabulary
from midiaug.errors import ConfigError

MAX_STEPS = 8
LEVELS = {"conservative": (-1, 1), "moderate": (-2, 2), "aggressive": (-4, 4)}
_MOST = 512  # each is a table of all shifts
_TOKENS = {"velocity": "Velocity", "duration": "Duration", "tempo": "Tempo"}
Range = tuple[int, ...]  # the lowest and the highest number of steps


def range_of(wanted: Any) -> Any:
    """The range of steps that a level's name stands for; anything else as it is."""
    return LEVELS.get(wanted, wanted) if isinstance(wanted, str) else wanted


@dataclass(frozen=True)
class Steps:
    """By how many of the tokenizer's values a piece gets louder, its notes longer and its tempo faster."""

    velocity: int = 0
    duration: int = 0
    tempo: int = 0

    def __str__(self) -> str:
        named = {"velocity": self.velocity, "duration": self.duration, "tempo": self.tempo}
        return ", ".join(f"{name} {steps:+d}" for name, steps in named.items() if steps) or "nothing"


@dataclass(frozen=True)
class Alterations:
    """From which numbers of steps each is drawn, both ends included; None leaves it as it is."""

    velocity: Range | None = None
    duration: Range | None = None
    tempo: Range | None = None

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) is not None for field in fields(self))

    @cached_property
    def combinations(self) -> list[Steps]:
        """All that can be drawn."""
        ranges = [getattr(self, field.name) or (0, 0) for field in fields(self)]
        found = [Steps(*steps) for steps in product(*(range(low, high + 1) for low, high in ranges))]
        if len(found) > _MOST:
            shown = ", ".join(f"aug.{name}={list(wanted)}" for name, wanted in self._named())
            raise ConfigError(f"{shown}: {len(found):,} combinations; narrow one, so that {_MOST} are not exceeded")
        return found

    def check(self, tokenizer: MusicTokenizer) -> None:
        """Raise ConfigError for what the tokenizer does not write, or cannot write apart from other things."""
        for name, wanted in self._named():
            problem = _problem(name, tokenizer)
            if problem:
                raise ConfigError(f"aug.{name}={list(wanted)}: {problem}")

    def __str__(self) -> str:
        words = {"velocity": "of loudness", "duration": "of length", "tempo": "of tempo"}
        return ", ".join(f"{low:+d} to {high:+d} steps {words[name]}" for name, (low, high) in self._named())

    def _named(self) -> Iterator[tuple[str, Range]]:
        for field in fields(self):
            if getattr(self, field.name) is not None:
                yield field.name, getattr(self, field.name)


def _problem(name: str, tokenizer: MusicTokenizer) -> str | None:
    kind, config = kind_of(tokenizer), tokenizer.config
    written = any(token.startswith(f"{_TOKENS[name]}_") for token in base_vocabulary(tokenizer))
    if name == "duration":
        if not written:
            return f"{kind} writes no durations, but where each note ends; use tokenizer=remi, tsd or structured"
        if config.use_rests:
            return "rests depend on where notes end; use tokenizer.params.use_rests=false"
        if config.use_sustain_pedals and config.sustain_pedal_duration:
            return "pedals have the same tokens of duration; use tokenizer.params.sustain_pedal_duration=false"
        return None
    needed = {"velocity": "use_velocities", "tempo": "use_tempos"}[name]
    return None if written else f"{kind} writes none with these settings; use +tokenizer.params.{needed}=true"


def stepped_ids(tokenizer: MusicTokenizer, steps: Steps) -> NDArray[np.int64]:
    """(vocabulary,) int64: what each token becomes; those of other kinds stay."""
    vocabulary = base_vocabulary(tokenizer)
    table = np.arange(max(vocabulary.values()) + 1)
    for field, kind in _TOKENS.items():
        named = sorted(
            (_value(name.partition("_")[2]), number)
            for name, number in vocabulary.items()
            if name.startswith(f"{kind}_")
        )
        ladder = np.array([number for _, number in named], np.int64)
        table[ladder] = ladder[_moved(np.arange(len(ladder)), getattr(steps, field), len(ladder))]
    return table


def stepped_tables(tokenizer: MusicTokenizer, alterations: Alterations) -> NDArray[np.int64] | None:
    """(combinations, vocabulary) int64: what each combination makes of each token; None where nothing is altered."""
    if not alterations:
        return None
    return np.stack([stepped_ids(tokenizer, steps) for steps in alterations.combinations])


def altered(score: ScoreTick, tokenizer: MusicTokenizer, steps: Steps) -> ScoreTick:
    """A new score as the tokenizer prepares it before writing, all of it altered alike; for `no_preprocess_score`."""
    prepared: ScoreTick = tokenizer.preprocess_score(score)
    sections = _sections(prepared, tokenizer)
    for track in (track for track in prepared.tracks if len(track.notes)):
        columns = track.notes.numpy()
        if steps.velocity:
            columns["velocity"] = _stepped(columns["velocity"], tokenizer.velocities, steps.velocity)
        if steps.duration:
            of_note = np.searchsorted(sections[:-1, 0], columns["time"], side="right")
            for number, ticks_per_beat in enumerate(sections[:, 1].tolist()):
                inside = of_note == number
                ladder = _ticks(tokenizer, ticks_per_beat)
                columns["duration"][inside] = _stepped(columns["duration"][inside], ladder, steps.duration)
        notes: Any = Note.from_numpy(**columns)
        track.notes = notes
    if steps.tempo:
        ladder = np.sort(tokenizer.tempos)
        for tempo in prepared.tempos:
            near = np.abs(ladder - tempo.tempo).argmin()
            tempo.tempo = float(ladder[_moved(near, steps.tempo, len(ladder))])
    return prepared


def _stepped(values: NDArray[Any], ladder: NDArray[Any], steps: int) -> NDArray[Any]:
    moved: NDArray[Any] = ladder[_moved(np.searchsorted(ladder, values), steps, len(ladder))]
    return moved.astype(values.dtype)


def _moved(places: Any, steps: int, size: int) -> Any:
    return np.clip(places + steps, 0, size - 1)


def _sections(prepared: ScoreTick, tokenizer: MusicTokenizer) -> NDArray[np.int64]:
    """(sections, 2) where each part of one beat ends, and the ticks of a beat in it."""
    from miditok.utils import get_score_ticks_per_beat

    if tokenizer.config.use_time_signatures and len(prepared.time_signatures):
        return np.asarray(get_score_ticks_per_beat(prepared), np.int64)
    return np.array([[prepared.end(), prepared.ticks_per_quarter]], np.int64)


def _ticks(tokenizer: MusicTokenizer, ticks_per_beat: int) -> NDArray[np.int64]:
    """The durations that the tokenizer writes, ascending, where a beat has so many ticks."""
    return np.unique([(beat * parts + part) * ticks_per_beat // parts for beat, part, parts in tokenizer.durations])


def _value(text: str) -> Fraction:
    """What a token's value stands for: a number, or beats, parts of a beat, and how many of those make one."""
    if text.count(".") == 2:
        beat, part, parts = (int(number) for number in text.split("."))
        return Fraction(beat * parts + part, parts)
    return Fraction(text)
