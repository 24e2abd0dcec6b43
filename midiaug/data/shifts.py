"""Which semitones a window is shifted by, and the draw for each epoch.

A draw depends on (seed, epoch) alone, so any number of workers or ranks sees the same one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import gcd
from typing import Self

import numpy as np
from numpy.typing import NDArray

from midiaug.data.transpose import MAX_SHIFT
from midiaug.errors import ConfigError


@dataclass(frozen=True)
class Shifts:
    """A set of shifts in semitones, ascending. Make one with `of`, `between` or `parse`."""

    values: tuple[int, ...]

    def __post_init__(self) -> None:
        shown = list(self.values)
        if not shown:
            raise ConfigError("aug.shifts=[]: no shift to draw from; [0] stands for no transposition")
        if any(isinstance(value, bool) or not isinstance(value, (int, np.integer)) for value in shown):
            raise ConfigError(f"aug.shifts={shown}: a shift is a whole number of semitones")
        if min(shown) < -MAX_SHIFT or max(shown) > MAX_SHIFT:
            raise ConfigError(
                f"aug.shifts={shown}: a shift beyond {MAX_SHIFT} semitones keeps no piece in range; "
                f"use numbers from {-MAX_SHIFT} to {MAX_SHIFT}"
            )
        if len(set(shown)) < len(shown):
            raise ConfigError(f"aug.shifts={shown}: a shift is named twice; name each once")
        object.__setattr__(self, "values", tuple(sorted(int(value) for value in shown)))

    @classmethod
    def of(cls, *semitones: int) -> Self:
        """Exactly these shifts."""
        return cls(tuple(semitones))

    @classmethod
    def between(cls, low: int, high: int) -> Self:
        """Every shift from low to high, both included. Raises ConfigError where low is above high."""
        if low > high:
            raise ConfigError(f"aug.shifts=[{low}, {high}]: the range runs backwards; write [{high}, {low}]")
        if min(low, high) < -MAX_SHIFT or max(low, high) > MAX_SHIFT:
            return cls((low, high))  # refused there, with the numbers as they were written
        return cls(tuple(range(low, high + 1)))

    @classmethod
    def parse(cls, numbers: Sequence[int]) -> Self:
        """The shifts as a setting gives them: two numbers are a range, any other count is taken as it stands."""
        wrong = [value for value in numbers if isinstance(value, bool) or not isinstance(value, int)]
        if wrong:
            raise ConfigError(f"aug.shifts={list(numbers)}: {wrong[0]!r} is not a whole number of semitones")
        return cls.between(*numbers) if len(numbers) == 2 else cls.of(*numbers)

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[int]:
        return iter(self.values)

    def __str__(self) -> str:
        return "[" + ", ".join(f"{value:+d}" if value else "0" for value in self.values) + "]"

    @property
    def in_short(self) -> str:
        """What they are called in a table: `-5 to +5` where none between is missing, else all of them."""
        first, last = self.values[0], self.values[-1]
        whole = len(self.values) > 2 and last - first == len(self.values) - 1
        return f"{first:+d} to {last:+d}".replace("+0", "0") if whole else str(self)

    @property
    def moves(self) -> bool:
        """Whether any shift but 0 is among them."""
        return self.values != (0,)


def room_of(span: tuple[int, int], pitches: tuple[int, int]) -> tuple[int, int]:
    """The lowest and the highest shift that keep all of a piece's notes within the pitches that can be written.

    span: the piece's lowest and highest pitch. pitches: as written_range returns them.
    """
    return pitches[0] - span[0], pitches[1] - span[1]


@dataclass(frozen=True)
class Choices:
    """The shifts that each window may take: `values[first : first + count]` of one ascending array.

    values: (shifts,) integers. first, count: (windows,) integers, count at least 1.
    """

    values: NDArray[np.integer]
    first: NDArray[np.integer]
    count: NDArray[np.integer]

    @classmethod
    def within(cls, shifts: Shifts, lowest: NDArray[np.integer], highest: NDArray[np.integer]) -> Self:
        """The shifts that lie between the lowest and the highest that keep each note; 0 where none does.

        lowest, highest: (n,) semitones, for a piece each; lowest is at most 0, highest at least 0.
        """
        values = np.array(shifts.values, np.int8)
        first = np.searchsorted(values, lowest)
        count = np.searchsorted(values, highest, side="right") - first
        # where nothing fits, the piece stays in its key: one more value, 0, behind the others
        first = np.where(count > 0, first, len(values))
        return cls(np.append(values, np.int8(0)), first.astype(np.int8), np.maximum(count, 1).astype(np.int8))

    def reaching(self, semitones: int) -> "Choices":
        """Those of at most so many semitones up or down; 0 where none is."""
        values = self.values[:-1]
        low, high = np.searchsorted(values, -semitones), np.searchsorted(values, semitones, side="right")
        own = self.first == len(values)  # already without a choice
        first = np.where(own, len(values), np.maximum(self.first, low))
        count = np.where(own, 1, np.minimum(self.first + self.count, high) - first)
        first = np.where(count > 0, first, len(values))
        return Choices(self.values, first.astype(np.int8), np.maximum(count, 1).astype(np.int8))

    def __getitem__(self, rows: NDArray[np.integer]) -> "Choices":
        return Choices(self.values, self.first[rows], self.count[rows])

    def __len__(self) -> int:
        return len(self.first)


def draw_random(choices: Choices, seed: int, epoch: int) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """A permutation of the windows, and for each a shift drawn evenly from its choices.

    Returns (windows,) indices and (windows,) semitones in that order, of the narrowest integers that hold them.
    """
    generator = np.random.default_rng([seed, epoch])
    order: NDArray[np.integer] = np.arange(len(choices), dtype=np.int32 if len(choices) < 1 << 31 else np.int64)
    generator.shuffle(order)
    pick = (generator.random(len(order)) * choices.count[order]).astype(np.int64)
    return order, choices.values[choices.first[order] + pick]


def draw_balanced(
    choices: Choices, shifts: int, seed: int, epoch: int
) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """A part of the materialized corpus: over `shifts` epochs each window comes once in each of its choices.

    A window with fewer choices than `shifts` is absent from the epochs that are left; the absences are
    spread so that epochs differ by at most one window. Epochs 0 to shifts - 1 are the first round, and so on.
    Returns indices and semitones, as draw_random does.
    """
    turn, slot = divmod(epoch, shifts)
    generator = np.random.default_rng([seed, turn, shifts, 0x62616C])  # one state for all epochs of the round
    absent = shifts - choices.count.astype(np.int64)
    ranked = generator.permutation(len(choices))
    begin = np.empty(len(choices), np.int64)
    begin[ranked] = np.cumsum(absent[ranked]) - absent[ranked]
    place = (slot - begin) % shifts  # absences first, then the window's own sequence of shifts
    units = {k: np.array([a for a in range(1, k + 1) if gcd(a, k) == 1], np.int64) for k in range(1, shifts + 1)}
    lots = generator.random((2, len(choices)))
    step, start = np.ones(len(choices), np.int64), (lots[0] * choices.count).astype(np.int64)
    for count in np.unique(choices.count):
        rows = choices.count == count
        step[rows] = units[int(count)][(lots[1][rows] * len(units[int(count)])).astype(np.int64)]
    present = np.flatnonzero(place >= absent)
    order = present[np.random.default_rng([seed, epoch]).permutation(len(present))]
    pick = (start[order] + step[order] * (place[order] - absent[order])) % choices.count[order]
    return order, choices.values[choices.first[order] + pick]
