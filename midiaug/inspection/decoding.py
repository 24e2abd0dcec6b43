"""Check the token route on one piece: the table against the score, and tokens decoded back to notes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from symusic.core import ScoreTick

from midiaug.data.columns import ends_of
from midiaug.data.meter import Meter
from midiaug.data.proof import mark_drums
from midiaug.data.transpose import MusicTokenizer, TokenTransposer, transpose
from midiaug.errors import PitchOutOfRange, one_line
from midiaug.inspection.choice import Chosen
from midiaug.inspection.scores import Difference, difference_of, note_difference, sorted_notes


@dataclass(frozen=True)
class Tokens:
    """A piece as tokens. rows: (tokens,) ids for each of its tracks, without BOS and EOS, drums marked.

    tracks: the place of each row in what the tokenizer returns.
    """

    rows: list[NDArray[np.int64]]
    tracks: list[int]


def tokens_of(
    piece: Chosen,
    score: ScoreTick,
    written: list[NDArray[np.int64]],
    tokenizer: MusicTokenizer,
    transposer: TokenTransposer | None,
) -> Tokens:
    """What training reads of the piece: from the store, or, of a file outside the source, as the tokenizer writes it.

    written: (tokens,) ids of each track of the score in its own key. transposer: None where no table is used.
    """
    if piece.stored is None or transposer is None:
        ids = written if transposer is None else mark_drums(written, score, tokenizer, transposer)[0]
        tracks = [track for track, row in enumerate(ids) if len(row)]
        return Tokens([ids[track] for track in tracks], tracks)
    begin, end = (len(ids) for ids in ends_of(tokenizer))
    rows = [np.asarray(row, np.int64) for row in piece.stored]
    return Tokens([row[begin : len(row) - end] for row in rows], piece.tracks)


def table_difference(
    tokens: Tokens,
    expected: list[NDArray[np.int64]],
    shifted: ScoreTick,
    shift: int,
    tokenizer: MusicTokenizer,
    transposer: TokenTransposer,
) -> Difference | None:
    """The first token that the table gives and the transposed score does not.

    expected: (tokens,) ids of each track of the transposed score.
    """
    for track, row in zip(tokens.tracks, tokens.rows, strict=True):
        wanted = expected[track] if track < len(expected) else np.zeros(0, np.int64)
        try:
            got = transposer(row, shift)
        except PitchOutOfRange as error:
            return Difference("tokens by table", "a token for each note", str(error), track + 1)
        both = min(len(got), len(wanted))
        wrong = got[:both] != wanted[:both]
        if wrong.any():
            at = int(wrong.argmax())
            bar, beat = _place_in(row[:at], shifted, track, tokenizer, transposer)
            names = [transposer.name_of(int(ids[at])) for ids in (wanted, got)]
            return Difference(f"token {at} by table", names[0], names[1], track + 1, bar, beat)
        if len(got) != len(wanted):
            return Difference("number of tokens by table", str(len(wanted)), str(len(got)), track + 1)
    return None


class Decoder:
    """Turns the ids of one piece back into notes, and compares them with what they should be.

    faithful: whether the tokenizer gives the original's own notes back: those of overlapping notes, for instance,
    not every tokenizer can keep apart. Where it does not, ids shifted by table are compared with those of the
    original, and ids of the score with nothing.
    """

    def __init__(
        self, tokens: Tokens, score: ScoreTick, tokenizer: MusicTokenizer, transposer: TokenTransposer | None
    ) -> None:
        self._tokens, self._score, self._transposer = tokens, score, transposer
        written: Any = tokenizer  # all of MidiTok: what training needs of a tokenizer does not decode
        self._written = written
        kept: ScoreTick = self._written.preprocess_score(score)
        self._programs = _programs_of(kept)
        self._original: ScoreTick | None = None
        self._failure = ""
        try:
            self._original = self._decode(self._by_table(0), self._own_programs())
        except Exception as error:  # MidiTok's own failures are of every kind
            self._failure = f"{type(error).__name__}: {one_line(error)}"
        self.faithful = self._original is not None and _as_written_difference(kept, self._original) is None

    def difference(self, shift: int) -> Difference | None:
        """The first note of the ids shifted by table that is not that of the decoded original, or of the score."""
        if self._original is None:
            return Difference("the tokens of the original, decoded", "music", self._failure)
        try:
            decoded = self._decode(self._by_table(shift), self._own_programs())
        except PitchOutOfRange as error:
            return Difference("decoded tokens", "a token for each note", str(error))
        found = difference_of(self._original, decoded, shift)
        if found is None and self.faithful:
            found = _as_written_difference(self._written.preprocess_score(transpose(self._score, shift)), decoded)
        return found

    def difference_of_ids(self, ids: list[NDArray[np.int64]], shifted: ScoreTick) -> Difference | None:
        """The first note of the transposed score's ids that is not that of the transposed score.

        ids: (tokens,) of each track, as the tokenizer writes it.
        """
        kept: ScoreTick = self._written.preprocess_score(shifted)
        return _as_written_difference(kept, self._decode([row.tolist() for row in ids], _programs_of(kept)))

    def _own_programs(self) -> list[tuple[int, bool]]:
        return [self._programs[track] for track in self._tokens.tracks] if not self._written.one_token_stream else []

    def _by_table(self, shift: int) -> list[list[int]]:
        table = self._transposer
        return [(row if table is None else table(row, shift)).tolist() for row in self._tokens.rows]

    def _decode(self, ids: list[list[int]], programs: list[tuple[int, bool]]) -> ScoreTick:
        if self._written.one_token_stream:
            return self._written.decode(ids[0])  # type: ignore[no-any-return]
        return self._written.decode(ids, programs)  # type: ignore[no-any-return]


def _programs_of(score: ScoreTick) -> list[tuple[int, bool]]:
    return [(int(track.program), bool(track.is_drum)) for track in score.tracks]


def _as_written_difference(kept: ScoreTick, decoded: ScoreTick) -> Difference | None:
    """The first note that differs, tracks of one instrument taken together: a tokenizer may merge or reorder them."""
    scale = decoded.ticks_per_quarter / kept.ticks_per_quarter
    if scale != int(scale):
        kept, scale = kept.resample(decoded.ticks_per_quarter, 1), 1
    wanted, found = _by_instrument(kept, int(scale)), _by_instrument(decoded, 1)
    for instrument in sorted({*wanted, *found}):
        nothing = np.zeros((0, 4), np.int64)
        difference = note_difference(decoded, wanted.get(instrument, nothing), found.get(instrument, nothing), None)
        if difference is not None:
            return difference
    return None


def _by_instrument(score: ScoreTick, scale: int) -> dict[bool, NDArray[np.int64]]:
    notes: dict[bool, list[NDArray[np.int64]]] = {}
    for track in score.tracks:
        notes.setdefault(bool(track.is_drum), []).append(sorted_notes(track) * np.array([scale, scale, 1, 1]))
    tables = {drums: np.concatenate(parts) for drums, parts in notes.items()}
    return {drums: t[np.lexsort((t[:, 3], t[:, 1], t[:, 2], t[:, 0]))] for drums, t in tables.items() if len(t)}


def _place_in(
    before: NDArray[np.int64], score: ScoreTick, track: int, tokenizer: MusicTokenizer, transposer: TokenTransposer
) -> tuple[int | None, float | None]:
    """The place of the note that follows so many tokens, found by counting the notes among them."""
    kinds = [
        transposer.name_of(int(number)).partition("_")[0] for number in np.minimum(before, transposer.vocab_size - 1)
    ]
    number = sum(kind in ("Pitch", "PitchDrum", "NoteOn", "DrumOn") for kind in kinds)
    kept: Any = tokenizer
    tracks = kept.preprocess_score(score)
    parts = [sorted_notes(part) for place, part in enumerate(tracks.tracks) if kept.one_token_stream or place == track]
    times = np.sort(np.concatenate([part[:, 0] for part in parts])) if parts else np.zeros(0, np.int64)
    return Meter(tracks).place_of(int(times[number])) if number < len(times) else (None, None)
