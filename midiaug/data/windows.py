"""Where the windows of token sequences lie, and how their cuts move from epoch to epoch."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from midiaug.data.store import TokenStore
from midiaug.data.store_writer import MAX_WINDOW
from midiaug.errors import ConfigError


def probe_rows(windows: int, count: int, seed: int) -> NDArray[np.int64]:
    """So many of the windows, at most all, drawn by the seed: (rows,) in their order."""
    generator = np.random.default_rng([seed, 0x70726F62])
    return np.sort(generator.permutation(windows)[:count])


def whole_steps(size: int, columns: int) -> int:
    """The largest window of whole time steps, of so many ids each, that `size` tokens hold.

    Raises ConfigError where it has none of two steps.
    """
    if size < 2 * columns:
        raise ConfigError(
            f"data.window={size}: the tokenizer writes {columns} ids a time step, and a window has two steps at least; "
            f"give {2 * columns} or more"
        )
    return size - size % columns


@dataclass(frozen=True)
class Windows:
    """Where the windows of some sequences lie.

    Each but a sequence's first begins with the last time step of the one before, and its own first step is context
    alone, so every step but a sequence's first is predicted exactly once; with one vocabulary, a step is a token.
    sequence: (windows,) row in the store. start: (windows,) int64 offset in its data. length: (windows,) tokens, at
    most `size`. size: the window. columns: ids a time step.
    """

    sequence: NDArray[np.integer]
    start: NDArray[np.integer]
    length: NDArray[np.integer]
    size: int
    columns: int = 1

    @classmethod
    def of(cls, store: TokenStore, sequences: NDArray[np.int64], size: int) -> "Windows":
        """Cut the sequences into windows of `size` tokens, or as many whole time steps as these hold, the last of each
        as long as what is left.
        """
        if not 2 <= size <= MAX_WINDOW:
            raise ConfigError(f"data.window={size}: give a number of tokens from 2 to {MAX_WINDOW:,}")
        columns, size = store.columns, whole_steps(size, store.columns)
        stride, offsets = size - columns, np.asarray(store.tokens.offsets)
        lengths = offsets[sequences + 1] - offsets[sequences]
        sequences, lengths = sequences[lengths > columns], lengths[lengths > columns]
        counts = -(-(lengths - columns) // stride)
        sequence = np.repeat(sequences, counts)
        number = np.arange(len(sequence)) - np.repeat(np.cumsum(counts) - counts, counts)
        length = np.minimum(size, np.repeat(lengths, counts) - number * stride)
        return cls(sequence, offsets[sequence] + number * stride, length, size, columns)

    def __len__(self) -> int:
        return len(self.start)

    @property
    def predicted(self) -> NDArray[np.integer]:
        """(windows,) how many tokens of each are predicted: all but its first time step."""
        return self.length - self.columns

    @cached_property
    def _first(self) -> NDArray[np.bool_]:
        first: NDArray[np.bool_] = np.diff(self.sequence, prepend=-1) != 0
        return first

    @cached_property
    def place(self) -> NDArray[np.integer]:
        """(windows,) which of the sequences, counted from 0, each window is of."""
        return np.cumsum(self._first) - 1

    @cached_property
    def slack(self) -> NDArray[np.integer]:
        """(sequences,) by how many tokens a sequence's last window is shorter than the others."""
        return self.size - self.length[np.flatnonzero(np.append(self._first[1:], True))]

    def within(
        self, rows: NDArray[np.integer], offsets: NDArray[np.integer], totals: NDArray[np.integer]
    ) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
        """Where windows begin in sequences that are not as long as in the store, and how many tokens each takes.

        rows: (n,). offsets: of the store's sequences. totals: (n,) tokens of each window's sequence, as it is now. A
        window begins as many tokens from the start, or where it fits in; a sequence's last one takes what is left.
        """
        sequence, start, length = self.sequence[rows], self.start[rows], self.length[rows]
        begin, is_last = start - offsets[sequence], start + length == offsets[sequence + 1]
        place = np.where(begin >= totals - self.columns, np.maximum(0, totals - self.size), begin)
        return place, np.minimum(totals - place, np.where(is_last, self.size, length))

    def slid(self, rows: NDArray[np.integer], tokens: NDArray[np.integer]) -> "Windows":
        """Some windows, each begun so many tokens earlier, at most its sequence's slack; together they cover the same.

        rows, tokens: (n,) -> n windows; the tokens are whole time steps. A sequence's first window is shorter by as
        much, and its last one longer.
        """
        first, last = self._first[rows], np.append(self._first[1:], True)[rows]
        begin = self.start[rows]
        start = begin - np.where(first, 0, tokens)
        end = begin + np.where(last, self.length[rows], self.size - tokens)
        return Windows(self.sequence[rows], start, (end - start).astype(self.length.dtype), self.size, self.columns)
