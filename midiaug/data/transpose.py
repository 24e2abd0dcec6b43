"""Transpose a score; transpose tokens by table.

Pitch is all that moves: notes of pitched tracks, key signatures, and the tokens that name either.
"""

import json
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from symusic.core import ScoreTick

from midiaug.errors import ConfigError, PitchOutOfRange, RouteError

MAX_SHIFT = 24
_HIGHEST = 127  # the highest pitch that MIDI has
ANY_PITCH = (0, _HIGHEST)
OUT_OF_RANGE = -1
_PITCHED = ("Pitch", "NoteOn", "NoteOff")
DRUMS = ("PitchDrum", "DrumOn", "DrumOff")
_NOTE = ("Pitch", "PitchDrum", "NoteOn", "DrumOn", "PitchIntervalTime", "PitchIntervalChord")


class MusicTokenizer(Protocol):
    """What midiaug needs of a MidiTok tokenizer; MidiTok's documentation says what each is."""

    config: Any
    velocities: Any
    durations: Any
    tempos: Any

    @property
    def vocab(self) -> Any: ...  # noqa: D102
    @property
    def is_trained(self) -> bool: ...  # noqa: D102
    @property
    def is_multi_voc(self) -> bool: ...  # noqa: D102
    @property
    def vocab_model(self) -> dict[str, int] | None: ...  # noqa: D102
    @property
    def pad_token_id(self) -> int: ...  # noqa: D102
    def __call__(self, score: Any) -> Any: ...  # noqa: D102
    def preprocess_score(self, score: Any) -> Any: ...  # noqa: D102
    def encode(self, score: Any, *, no_preprocess_score: bool = False) -> Any: ...  # noqa: D102
    def __len__(self) -> int: ...
    def to_dict(self) -> dict[str, Any]: ...  # noqa: D102


def default_tokenizer() -> MusicTokenizer:
    """MidiTok's REMI with its own settings."""
    from miditok import REMI  # takes two seconds to import

    tokenizer: MusicTokenizer = REMI()
    return tokenizer


def transpose(score: ScoreTick, semitones: int) -> ScoreTick:
    """A new score, shifted by semitones (positive is up); drums, timing and velocity as they were.

    Key signatures move along. Raises PitchOutOfRange where a note would leave MIDI's 0 to 127.
    """
    shifted = score.copy()
    if semitones == 0:
        return shifted
    for number, track in enumerate(shifted.tracks):
        if track.is_drum or not len(track.notes):
            continue
        try:
            if abs(semitones) > _HIGHEST:  # symusic takes no such number
                raise ValueError(f"{semitones} semitones")
            track.shift_pitch(semitones, inplace=True)
        except ValueError as error:
            pitches = track.notes.numpy()["pitch"]
            raise PitchOutOfRange(
                f"track {number} has pitches {pitches.min()} to {pitches.max()}: "
                f"a shift of {semitones:+d} takes notes out of MIDI's 0 to 127"
            ) from error
    for sign in shifted.key_signatures:
        sign.key = shifted_key(sign.key, semitones)
    return shifted


def shifted_key(key: int, semitones: int) -> int:
    """A key signature in sharps (flats are negative), transposed: -5 to 6; unchanged by whole octaves."""
    return key if semitones % 12 == 0 else (key + 7 * semitones + 5) % 12 - 5


def written_range(tokenizer: MusicTokenizer, drums: bool = False) -> tuple[int, int]:
    """The lowest and the highest pitch, both included, that the tokenizer has tokens for.

    Read off its vocabulary: whether the upper end of `pitch_range` has a token differs between versions of MidiTok.
    """
    vocabulary = base_vocabulary(tokenizer)
    kinds = DRUMS if drums and _names_drums(tokenizer, vocabulary) else _PITCHED
    pitches = [int(value) for name in vocabulary for kind, _, value in [name.partition("_")] if kind in kinds]
    if not pitches:
        low, high = tokenizer.config.drums_pitch_range if drums else tokenizer.config.pitch_range
        return int(low), int(high) - 1
    return min(pitches), max(pitches)


def base_vocabulary(tokenizer: MusicTokenizer) -> dict[str, int]:
    """Token names to ids before any merging; of several vocabularies, `columns.flattened` makes one first."""
    return dict(tokenizer.vocab)


def _names_drums(tokenizer: MusicTokenizer, vocabulary: dict[str, int]) -> bool:
    # MuMIDI names them whatever its settings say
    return bool(tokenizer.config.use_pitchdrum_tokens) or any(name.startswith("PitchDrum_") for name in vocabulary)


def without_unwritable(score: ScoreTick, tokenizer: MusicTokenizer) -> tuple[ScoreTick, int]:
    """The score without the notes that the tokenizer has no token for, and how many those were."""
    return within(score, written_range(tokenizer), written_range(tokenizer, drums=True))


def within(score: ScoreTick, pitched: tuple[int, int], drums: tuple[int, int]) -> tuple[ScoreTick, int]:
    """The score without the notes outside these pitches, both ends included, and how many those were."""
    lost = 0
    kept = score
    for number, track in enumerate(score.tracks):
        low, high = drums if track.is_drum else pitched
        pitches = track.notes.numpy()["pitch"]
        inside = (pitches >= low) & (pitches <= high)
        if not inside.all():
            kept = score.copy() if kept is score else kept
            lost += int((~inside).sum())
            notes = [note for note, keep in zip(track.notes, inside, strict=True) if keep]
            kept.tracks[number].notes = type(track.notes)(notes)
    return kept, lost


def pitch_span(score: ScoreTick) -> tuple[int, int] | None:
    """The lowest and the highest pitch of the pitched tracks, or None without any."""
    pitches = [track.notes.numpy()["pitch"] for track in score.tracks if not track.is_drum and len(track.notes)]
    return (int(min(p.min() for p in pitches)), int(max(p.max() for p in pitches))) if pitches else None


class TokenTransposer:
    """Transposes token ids by table look-up, for one tokenizer's untrained vocabulary.

    A tokenizer that writes drums with the pitch tokens (`use_pitchdrum_tokens=False`) needs them marked
    before: `mark_drums` gives them alias ids from `vocab_size` on, which the table maps back, unshifted.

    Raises RouteError for a trained tokenizer, and for one of several vocabularies that is not `columns.flattened`.
    """

    def __init__(self, tokenizer: MusicTokenizer) -> None:
        if tokenizer.is_trained:
            raise RouteError("a trained tokenizer merges pitches with other tokens, which no table can shift")
        if tokenizer.is_multi_voc:
            raise RouteError(
                "a tokenizer of several vocabularies has no table; use midiaug.data.columns.flattened(tokenizer)"
            )
        vocabulary = base_vocabulary(tokenizer)
        self.vocab_size = max(vocabulary.values()) + 1
        self._names = np.full(self.vocab_size, "", object)
        for name, number in vocabulary.items():
            self._names[number] = name
        self._ids = vocabulary
        pitched = [i for i, name in enumerate(self._names) if name.partition("_")[0] in _PITCHED]
        self.drum_aliases = np.array([] if _names_drums(tokenizer, vocabulary) else pitched, np.int64)
        self.ids_in_store = self.vocab_size + len(self.drum_aliases)

    @cached_property
    def table(self) -> NDArray[np.int64]:
        """(2 * MAX_SHIFT + 1, ids_in_store) int64: the id of each token shifted by row - MAX_SHIFT semitones.

        OUT_OF_RANGE stands where the vocabulary has no such token.
        """
        rows = 2 * MAX_SHIFT + 1
        table = np.empty((rows, self.ids_in_store), np.int64)
        table[:, : self.vocab_size] = np.arange(self.vocab_size)
        table[:, self.vocab_size :] = self.drum_aliases
        for number, name in enumerate(self._names):
            if name.partition("_")[0] in (*_PITCHED, "Chord", "KeySig"):
                table[:, number] = [
                    self._ids.get(_shifted_name(name, row - MAX_SHIFT), OUT_OF_RANGE) for row in range(rows)
                ]
        return table

    def __call__(self, ids: ArrayLike, semitones: ArrayLike) -> NDArray[np.int64]:
        """Transpose token ids.

        ids: (..., window) token ids of the untrained vocabulary, drums as aliases where they need one.
        semitones: broadcasts against ids.shape[:-1]; positive is up.
        Returns ids.shape int64, equal to tokenizing the shifted score.
        Raises PitchOutOfRange where a note would leave the tokenizer's pitches, and ConfigError for an id
        that is no token, such as a label of -100, and for a shift that is no whole number or is beyond 24.
        """
        tokens, shift = _whole_numbers(ids, "ids"), _whole_numbers(semitones, "semitones")
        if tokens.size and not (tokens.min() >= 0 and tokens.max() < self.ids_in_store):
            wrong = tokens.min() if tokens.min() < 0 else tokens.max()
            raise ConfigError(f"id {wrong} is no token: use numbers from 0 to {self.ids_in_store - 1}")
        if shift.size and (shift.min() < -MAX_SHIFT or shift.max() > MAX_SHIFT):
            widest = shift.flat[np.abs(shift).argmax()]
            raise ConfigError(f"a shift of {widest} semitones: use numbers from {-MAX_SHIFT} to {MAX_SHIFT}")
        shifted = self.table[shift[..., None] + MAX_SHIFT if tokens.ndim else shift + MAX_SHIFT, tokens]
        if shifted.size and shifted.min() == OUT_OF_RANGE:
            where = tuple(int(i) for i in np.argwhere(shifted == OUT_OF_RANGE)[0])
            by = int(np.broadcast_to(shift[..., None] if tokens.ndim else shift, tokens.shape)[where])
            raise PitchOutOfRange(
                f"token {self._names[tokens[where]]} at {where}: a shift of {by:+d} leaves the tokenizer's pitches"
            )
        return shifted

    def mark_drums(self, ids: NDArray[np.int64], drums: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Replace the tokens of drum notes by their aliases. ids, drums: (n,) -> (n,) int64."""
        marked = ids.copy()
        marked[drums] = self.vocab_size + np.searchsorted(self.drum_aliases, ids[drums])
        return marked

    def name_of(self, number: int) -> str:
        """The name of a token id, such as Pitch_60."""
        return str(self._names[number])


def _whole_numbers(values: ArrayLike, name: str) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise ConfigError(f"{name} are of type {array.dtype}: use whole numbers")
    return array.astype(np.int64, copy=False)


def settings_of(tokenizer: MusicTokenizer) -> dict[str, Any]:
    """The tokenizer's class and settings, as plain data that JSON can hold."""
    plain: dict[str, Any] = json.loads(json.dumps(tokenizer.to_dict(), default=str))
    return plain


def notes_per_token(tokenizer: MusicTokenizer) -> NDArray[np.int64]:
    """(vocabulary,) int64: how many notes each token begins; a merged token begins those of its parts."""
    counts = np.zeros(len(tokenizer), np.int64)
    if tokenizer.is_trained:
        parts_of = getattr(tokenizer, "_vocab_learned_bytes_to_tokens", {})
        for symbol, number in (tokenizer.vocab_model or {}).items():
            parts = parts_of.get(symbol, [])
            counts[number] = sum(name.partition("_")[0] in _NOTE for name in parts)
    else:
        for name, number in base_vocabulary(tokenizer).items():
            counts[number] = name.partition("_")[0] in _NOTE
    return counts


def _shifted_name(name: str, semitones: int) -> str:
    from miditok.constants import PITCH_CLASSES

    kind, _, value = name.partition("_")
    if kind in _PITCHED:
        return f"{kind}_{int(value) + semitones}"
    if kind == "KeySig":
        key, colon, mode = value.partition(":")
        return f"{kind}_{shifted_key(int(key), semitones)}{colon}{mode}"
    root, colon, quality = value.partition(":")
    if not colon:  # a chord token without its root says only the quality
        return name
    return f"{kind}_{PITCH_CLASSES[(PITCH_CLASSES.index(root) + semitones) % 12]}:{quality}"
