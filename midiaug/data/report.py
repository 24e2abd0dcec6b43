"""What the screen says of the music before training: what was read, what was left out, how it was split."""

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from midiaug.data.columns import columns_of
from midiaug.data.corpus import Quarantined
from midiaug.data.plan import Plan
from midiaug.data.shifts import Choices, Shifts
from midiaug.data.split import Split
from midiaug.data.store import TokenStore
from midiaug.data.transpose import MusicTokenizer, written_range
from midiaug.data.windows import Windows
from midiaug.printable import printable

log = logging.getLogger("midiaug")
_SHOWN = 3
_COUNTED = 1 << 20  # tokens at once


def say(label: str, text: str) -> None:
    """Log one line of the report, its label in a column of its own."""
    log.info("%-12s%s", label, printable(text))


def report_pieces(read: int, left_out: Sequence[Quarantined]) -> None:
    """How many pieces could be read, and the first reasons for those that could not."""
    say("pieces", f"{read:,} read, {len(left_out):,} left out")
    for entry in left_out[:_SHOWN]:
        say("", f"{entry.file}: {entry.reason}")
    if len(left_out) > _SHOWN:
        say("", f"and {len(left_out) - _SHOWN:,} more, each with its reason in quarantine.json")


def report_split(split: Split, used: NDArray[np.bool_], twin_share: float) -> None:
    """How many different tunes there are, and how the pieces were divided; a warning where look-alikes chain.

    used: (pieces,) those that are written as tokens, or as files.
    """
    sizes = np.bincount(split.group)
    pieces = len(split.names)
    alike = int(sizes[sizes > 1].sum())
    say("tunes", f"{len(sizes):,} different ones in the {pieces:,} pieces, whatever their key")
    if alike:
        say(
            "",
            f"{alike:,} pieces share their tune with another; at most {sizes.max():,} share one; all on one side",
        )
    if sizes.max() > max(2, pieces / 10):
        log.warning(
            "one group of look-alikes holds %s of %s pieces, more than a tenth: where they are different tunes, "
            "data.twin_share=%s asks for more in common",
            f"{sizes.max():,}",
            f"{pieces:,}",
            round(min(0.9, twin_share + 0.2), 2),
        )
    val = int((split.validation & used).sum())
    train = int((~split.validation & used).sum())
    which = f", {split.fold}" if split.fold else ""
    say("split", f"{train:,} pieces to train on, {val:,} to validate on{which}")


def report_unwritable(store: TokenStore, tokenizer: MusicTokenizer) -> None:
    """How many notes the tokenizer has no token for; nothing where it has one for each."""
    lost = np.asarray(store.unwritable)
    if lost.any():
        low, high = written_range(tokenizer)
        log.warning(
            "%s notes of %s pieces were left out: the tokenizer writes pitches from %s to %s only",
            f"{int(lost.sum()):,}",
            f"{int((lost > 0).sum()):,}",
            low,
            high,
        )


def report_velocity(store: TokenStore, tokenizer: MusicTokenizer) -> None:
    """What tokens for velocities cost where all notes have the same one, from which nothing can be learned."""
    if tokenizer.is_trained:
        return
    velocities = [number for name, number in tokenizer.vocab.items() if name.startswith("Velocity_")]
    tokens = store.tokens.data[: store.tokens.offsets[-1]]
    counts = np.zeros(len(velocities), np.int64)
    for first in range(0, len(tokens), _COUNTED):
        counts += np.bincount(tokens[first : first + _COUNTED], minlength=len(tokenizer))[velocities]
        if np.count_nonzero(counts) > 1:  # as soon as there are two: most music has many
            return
    if counts.any():
        columns = columns_of(tokenizer)  # of several, one goes
        share = counts.sum() / len(tokens) if columns == 1 else 1 / columns
        say("velocity", f"all notes share one: +tokenizer.params.use_velocities=false saves {share:.0%} of the tokens")


def report_windows(train: Windows, validation: Windows, asked: int) -> None:
    """How many windows there are, and how long. asked: data.window, which may be no multiple of a time step's ids."""
    size, columns = train.size, train.columns
    steps = f", {size // columns} time steps of {columns}" if columns > 1 else ""
    fitted = f", the most that data.window={asked} holds" if size < asked else ""
    say("windows", f"{len(train):,} to train on, {len(validation):,} to validate on, of {size} tokens{steps}{fitted}")


def report_shifts(shifts: Shifts, plan: Plan, out_of_range: str, store: TokenStore, pieces: NDArray[np.bool_]) -> None:
    """Which shifts are drawn, and for how many of the training pieces some of them take notes out of range."""
    drawn = f"drawn {'evenly over the epochs' if plan.draw == 'balanced' else 'at random'}"
    say("shifts", f"{shifts} semitones, {drawn if shifts.moves else 'so nothing is transposed'}")
    if shifts.moves and plan.original:
        say("", f"besides, {plan.original:.0%} of the samples stay in their own key")
    if shifts.moves and plan.anneal is not None:
        first, last = plan.anneal
        say("", f"narrowing after epoch {first + 1}, and none from epoch {last + 1} on")
    if plan.starts == "random":
        say("", "tunes are cut into windows anew in each epoch")
    lowest, highest = store.lowest[pieces], store.highest[pieces]
    short = int((Choices.within(shifts, lowest, highest).count < len(shifts)).sum())
    homeless = int(
        ((np.array(shifts.values) < lowest[:, None]) | (np.array(shifts.values) > highest[:, None])).all(1).sum()
    )
    if short and out_of_range == "limit":
        say("", f"{short:,} pieces take fewer of them, so that each keeps all of its notes")
        if homeless:
            say("", f"{homeless:,} of those have room for none and stay in their own key")
    elif short:
        say("", f"{short:,} pieces lose the notes that leave the tokenizer's range")
    if plan.alterations:
        say("altered", f"{plan.alterations}, drawn for each sample")
