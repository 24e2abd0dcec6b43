"""What each epoch draws: for every window its shift, and where the windows of a sequence begin.

All of it comes from (seed, epoch) alone, so any number of workers or ranks sees the same.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from midiaug.data.alterations import Alterations, range_of
from midiaug.data.arguments import check_arguments
from midiaug.data.shifts import Choices, draw_balanced, draw_random
from midiaug.data.windows import Windows
from midiaug.errors import ConfigError

Draw = Literal["random", "balanced"]
Starts = Literal["fixed", "random"]
# apart from the draw of shifts, which is the same with and without
_ORIGINALS, _SLIDES, _STEPS = 0x6F726967, 0x736C6964, 0x73746570


@dataclass(frozen=True)
class Plan:
    """How an epoch is drawn.

    draw: `random`, every window once in a shift drawn evenly from its choices; or `balanced`, over as many epochs as
    there are shifts once in each of its choices. original: the share of windows, besides, that are left in their
    own key. anneal: after the first of these epochs, counted from 0, the widest shift falls evenly, and from the
    second on nothing is shifted. starts: `random` moves the cuts between a sequence's windows as far as its last has
    room, anew in each epoch. velocity, duration, tempo: the steps by which each is altered besides, as Alterations has
    them; a level's name, such as `moderate`, is kept as its range.
    """

    draw: Draw = "random"
    original: float = 0.0
    anneal: tuple[int, ...] | None = None
    starts: Starts = "fixed"
    velocity: tuple[int, ...] | str | None = None
    duration: tuple[int, ...] | str | None = None
    tempo: tuple[int, ...] | str | None = None

    def __post_init__(self) -> None:
        check_arguments(vars(self))
        for name in ("anneal", "velocity", "duration", "tempo"):
            pair = range_of(getattr(self, name))
            object.__setattr__(self, name, None if pair is None else tuple(pair))  # as YAML and JSON have no tuples
        _ = self.alterations.combinations  # refused where there are too many
        if self.draw == "balanced" and (self.original or self.anneal is not None):
            key = "original" if self.original else "anneal"
            raise ConfigError(f"aug.{key}: not with aug.draw=balanced, which gives each shift its turn; use random")

    def shifts(
        self, choices: Choices, shifts: int, seed: int, epoch: int
    ) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
        """The epoch's windows in the order they come, and the semitones of each: (samples,) integers both.

        choices: what each window may take. shifts: how many there are in all.
        """
        if self.draw == "balanced":
            return draw_balanced(choices, shifts, seed, epoch)
        if self.anneal is not None:
            choices = choices.reaching(self._reach(choices, epoch, *self.anneal))
        order, semitones = draw_random(choices, seed, epoch)
        if self.original:
            kept = np.random.default_rng([seed, epoch, _ORIGINALS]).random(len(order)) < self.original
            semitones = np.where(kept, semitones.dtype.type(0), semitones)
        return order, semitones

    def _reach(self, choices: Choices, epoch: int, first: int, last: int) -> int:
        widest = int(np.abs(choices.values).max())
        return widest if epoch < first else int(widest * max(0, last - epoch) / (last - first))

    def slides(self, windows: Windows, rows: NDArray[np.integer], seed: int, epoch: int) -> NDArray[np.int64] | None:
        """(samples,) how many tokens earlier each of these windows begins in this epoch; None where all stay."""
        if self.starts == "fixed":
            return None
        lots = np.random.default_rng([seed, epoch, _SLIDES]).random(len(windows.slack))
        steps = (lots * (windows.slack // windows.columns + 1)).astype(np.int64)
        slides: NDArray[np.int64] = windows.columns * steps[windows.place[rows]]
        return slides

    @cached_property
    def alterations(self) -> Alterations:
        """What is varied beside the key."""
        return Alterations(*map(range_of, (self.velocity, self.duration, self.tempo)))

    def altered(self, samples: int, seed: int, epoch: int) -> NDArray[np.integer] | None:
        """(samples,) which of the combinations of alterations each sample takes; None where nothing is altered."""
        if not self.alterations:
            return None
        return np.random.default_rng([seed, epoch, _STEPS]).integers(len(self.alterations.combinations), size=samples)
