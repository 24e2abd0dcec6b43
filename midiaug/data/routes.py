"""The two routes from a window and a shift to token ids: by table from the store, or from the score each time.

Both give the same ids; which one runs is chosen once, by proof, and said with its reason.
"""

from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from symusic.core import ScoreTick

from midiaug.data.alterations import Alterations, Steps
from midiaug.data.columns import ends_of
from midiaug.data.corpus import Corpus
from midiaug.data.pieces import Limits, parse
from midiaug.data.proof import tokenize
from midiaug.data.shifts import Shifts
from midiaug.data.store import TokenStore
from midiaug.data.transpose import (
    MAX_SHIFT,
    MusicTokenizer,
    TokenTransposer,
    transpose,
    without_unwritable,
)
from midiaug.data.windows import Windows
from midiaug.errors import ConfigError, RouteError

_SHIFTS = 2 * MAX_SHIFT + 1
RouteName = Literal["auto", "tokens", "midi"]
OutOfRange = Literal["limit", "drop"]


class Route(Protocol):
    """Reads windows, each shifted by its own number of semitones."""

    def read(
        self,
        windows: Windows,
        rows: NDArray[np.integer],
        semitones: NDArray[np.integer],
        altered: NDArray[np.integer] | None = None,
    ) -> tuple[NDArray[Any], NDArray[np.integer]]:
        """rows, semitones, altered: (n,) -> ids and lengths.

        altered: which of the combinations of alterations each window takes; None where none is altered.
        ids: (n, size) of a signed integer type, anything behind each window's end. lengths: (n,) tokens.
        """
        ...


class TokenRoute:
    """Gathers windows from the store and shifts them by table, all at once.

    All is done in the narrowest type that holds the ids: a quarter of the memory that int64 would move.
    """

    def __init__(
        self, store: TokenStore, transposer: TokenTransposer, altering: NDArray[np.int64] | None = None
    ) -> None:
        """altering: (combinations, vocabulary) the tables of all that may be altered, where anything is."""
        self._data = store.tokens.data
        self._type = np.dtype(np.int16 if transposer.ids_in_store <= 1 << 15 else np.int32)
        self._table = transposer.table.astype(self._type).ravel()
        self._row = transposer.table.shape[1]
        self._altering = altering
        self._aliased = len(transposer.drum_aliases) > 0
        self._pitches = _contiguous_pitches(transposer.table)

    @cached_property
    def _all_tables(self) -> NDArray[Any]:
        """(combinations * shifts * ids,) what each combination of alterations makes of each shifted id."""
        if self._altering is None:
            raise ConfigError("altered: this dataset was made without alterations; give aug.velocity or the like")
        return self._altering.astype(self._type)[:, self._table].ravel()

    def read(
        self,
        windows: Windows,
        rows: NDArray[np.integer],
        semitones: NDArray[np.integer],
        altered: NDArray[np.integer] | None = None,
    ) -> tuple[NDArray[Any], NDArray[np.integer]]:
        """As Route.read, all windows in one gather."""
        stored = np.lib.stride_tricks.sliding_window_view(self._data, windows.size)[windows.start[rows]]
        ids = stored.view(self._type) if stored.itemsize == self._type.itemsize else stored.astype(self._type)
        if altered is not None:
            places = ids.astype(np.int64)
            places += ((altered.astype(np.int64) * _SHIFTS + semitones + MAX_SHIFT) * self._row)[:, None]
            return np.take(self._all_tables, places, mode="clip"), windows.length[rows]
        if not (self._aliased or semitones.any()):
            return ids, windows.length[rows]
        if self._pitches is None:
            places = ids.astype(np.int64)
            places += ((semitones.astype(np.int64) + MAX_SHIFT) * self._row)[:, None]
            # every index is inside the table: clip only spares the check
            return np.take(self._table, places, mode="clip"), windows.length[rows]
        # a comparison does what the table does: as unsigned numbers, ids below the first pitch wrap round and are large
        first, count = self._pitches
        unsigned = np.dtype(f"u{self._type.itemsize}").type
        pitched = (ids - self._type.type(first)).view(unsigned) < unsigned(count)
        ids += np.multiply(pitched, semitones.astype(self._type)[:, None], dtype=self._type)
        return ids, windows.length[rows]


class MidiRoute:
    """Shifts the score and tokenizes it for every window: any tokenizer, and the reference of the table.

    A trained tokenizer may write a shifted piece with more tokens; what lies beyond the last window is not read.
    """

    def __init__(
        self,
        corpus: Corpus,
        store: TokenStore,
        tokenizer: MusicTokenizer,
        limits: Limits,
        out_of_range: OutOfRange,
        alterations: Alterations | None = None,
    ) -> None:
        self._corpus, self._store, self._tokenizer = corpus, store, tokenizer
        self._limits, self._out_of_range, self._ends = limits, out_of_range, ends_of(tokenizer)
        self._alterations = alterations or Alterations()
        self._last: tuple[tuple[int, int, Steps | None] | None, dict[int, NDArray[np.int64]]] = (None, {})

    def read(
        self,
        windows: Windows,
        rows: NDArray[np.integer],
        semitones: NDArray[np.integer],
        altered: NDArray[np.integer] | None = None,
    ) -> tuple[NDArray[Any], NDArray[np.integer]]:
        """As Route.read, one window after another."""
        ids = np.zeros((len(rows), windows.size), np.int64)
        lengths = np.zeros(len(rows), np.int64)
        combinations = self._alterations.combinations
        for place, (row, shift) in enumerate(zip(rows, semitones, strict=True)):
            sequence = int(windows.sequence[row])
            steps = None if altered is None else combinations[int(altered[place])]
            tokens = self.sequence(sequence, int(shift), steps)
            # merged tokens: the shifted sequence may be shorter or longer
            (begin,), (taken,) = windows.within(np.array([row]), self._store.tokens.offsets, np.array([len(tokens)]))
            ids[place, :taken] = tokens[begin : begin + taken]
            lengths[place] = taken
        return ids, lengths

    def sequence(self, row: int, shift: int, steps: Steps | None = None) -> NDArray[np.int64]:
        """The whole sequence of a row of the store, its score shifted and altered first: (tokens,) int64."""
        piece, track = int(self._store.piece[row]), int(self._store.track[row])
        if (piece, shift, steps) != self._last[0]:  # windows of one piece often follow each other
            self._last = (piece, shift, steps), self._tokens_by_track(piece, shift, steps)
        ids = self._last[1].get(track)
        if ids is None:
            return np.zeros(0, np.int64)
        begin, end = self._ends
        return np.concatenate([np.asarray(part, np.int64) for part in (begin, ids, end)])

    def _tokens_by_track(self, piece: int, shift: int, steps: Steps | None) -> dict[int, NDArray[np.int64]]:
        """What each track of the shifted piece is written as, by its place in the unshifted; none if it lost all."""
        data = self._corpus.midi[piece].tobytes()
        score, _ = without_unwritable(parse(data, self._limits), self._tokenizer)
        before = _tracks_with_tokens(score, self._tokenizer)
        if shift and self._out_of_range == "drop":
            # out of MIDI's range first, so that the shift cannot fail; then out of the tokenizer's
            score, _ = without_unwritable(transpose(_fitting(score, shift), shift), self._tokenizer)
        elif shift:
            score = transpose(score, shift)
        ids = tokenize(self._tokenizer, score, steps)
        after = _tracks_with_tokens(score, self._tokenizer)
        if after == before:
            return dict(enumerate(ids))
        # tracks that lost every note are gone from what comes back
        return {before.index(track): ids[place] for place, track in enumerate(after)}


def choose_route(
    requested: RouteName,
    store: TokenStore,
    shifts: Shifts,
    pieces: NDArray[np.bool_],
    out_of_range: OutOfRange,
    altering: str | None = None,
) -> tuple[Literal["tokens", "midi"], str]:
    """The route that gives the right ids, and why in words.

    pieces: (pieces,) those that are used. altering: where both routes differ once the music is altered, in words.
    Raises RouteError where `tokens` is asked for and cannot be right.
    """
    if requested not in ("auto", "tokens", "midi"):
        raise ConfigError(f"data.route={requested}: use auto, tokens or midi")
    if requested == "midi":
        return "midi", "as data.route asks"
    proof = store.proof
    losing = int(((store.lowest > min(shifts)) | (store.highest < max(shifts)))[pieces].sum())
    if proof.difference is not None:
        problem = f"the table does not give what the shifted score gives: {proof.difference}"
    elif altering is not None:
        problem = f"the table does not give what the altered score gives: {altering}"
    elif out_of_range == "drop" and losing:
        problem = f"aug.out_of_range=drop takes notes away from {losing:,} pieces, which no table can"
    else:
        agreed = f"both routes gave identical ids in {proof.cases:,} cases of {proof.pieces:,} pieces"
        return "tokens", agreed if proof.cases else "no piece has room to be shifted"
    if requested == "tokens":
        raise RouteError(f"data.route=tokens: {problem}; use data.route=auto or data.route=midi")
    return "midi", problem


def _tracks_with_tokens(score: ScoreTick, tokenizer: MusicTokenizer) -> list[int]:
    """The tracks that MidiTok writes, in its order: those with anything that it uses; 0 where it writes all as one."""
    from miditok.utils import is_track_empty

    config = tokenizer.config
    if getattr(tokenizer, "one_token_stream", False) or config.one_token_stream_for_programs:
        return [0]
    used = {
        "check_pedals": config.use_sustain_pedals,
        "check_pitch_bend": config.use_pitch_bends,
        "check_controls": getattr(config, "use_control_changes", False),
    }
    return [
        number
        for number, track in enumerate(score.tracks)
        if not is_track_empty(track, **used)
        and not (config.use_programs and (-1 if track.is_drum else track.program) not in config.programs)
    ]


def _fitting(score: ScoreTick, shift: int) -> ScoreTick:
    kept = score.copy()
    for track in kept.tracks:
        if not track.is_drum:
            track.notes = type(track.notes)([note for note in track.notes if 0 <= note.pitch + shift <= 127])
    return kept


def _contiguous_pitches(table: NDArray[np.int64]) -> tuple[int, int] | None:
    """The first id and the number of ids that a shift moves, where they are one run and move by the shift itself.

    A comparison then does what the table does, and faster.
    """
    moving = np.flatnonzero((table != np.arange(table.shape[1])).any(axis=0))
    if not len(moving) or len(moving) != moving[-1] - moving[0] + 1:
        return None
    shift = np.arange(-MAX_SHIFT, MAX_SHIFT + 1)[:, None]
    inside = table[:, moving]
    exact = (inside == moving + shift) | (inside < 0)
    return (int(moving[0]), len(moving)) if exact.all() else None
