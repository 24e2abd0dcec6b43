"""Tokenizers of several vocabularies, MidiTok's CPWord, Octuple and MuMIDI, read as tokenizers of one.

Such a tokenizer writes each time step as a row of ids, one from each vocabulary. Here a row is written id after id, the
ids of each column moved up by the sizes of the vocabularies before it, so that all columns share one flat vocabulary:
what holds of tokens, the table of shifts, the windows, the loss, then holds of these.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from symusic import Tempo
from symusic.core import ScoreTick

from midiaug.data.transpose import MusicTokenizer
from midiaug.errors import ConfigError, QuarantinedFile


@dataclass(frozen=True)
class FlatSequence:
    """A sequence as `FlatTokenizer` writes it. ids: (time steps * columns,) int64, whole rows."""

    ids: NDArray[np.int64]


class FlatTokenizer:
    """A tokenizer of several vocabularies as one of a single, flat vocabulary.

    original: MidiTok's. sizes: (columns,) of its vocabularies. offsets: (columns,) by how much a column's ids move up.
    vocab: names to flat ids; a name that an earlier column has too, such as PAD_None, has its column's number behind.
    MuMIDI leaves the last columns of some rows out: there they have their PAD.
    """

    is_trained, is_multi_voc = False, False
    vocab_model: dict[str, int] | None = None

    def __init__(self, original: Any) -> None:
        self.original = original
        self.sizes = np.array([len(vocabulary) for vocabulary in original.vocab], np.int64)
        self.offsets: NDArray[np.int64] = np.cumsum(self.sizes) - self.sizes
        self.vocab: dict[str, int] = {}
        for column, (vocabulary, offset) in enumerate(zip(original.vocab, self.offsets.tolist(), strict=True)):
            for name, number in vocabulary.items():
                self.vocab[f"{name}.{column}" if name in self.vocab else name] = offset + number
        self.config, self.one_token_stream = original.config, bool(original.one_token_stream)
        self.velocities, self.durations, self.tempos = original.velocities, original.durations, original.tempos

    def __len__(self) -> int:
        return int(self.sizes.sum())

    @property
    def columns(self) -> int:
        """How many ids a time step has."""
        return len(self.sizes)

    @property
    def pad_token_id(self) -> int:
        """What stands behind a window's end, in any column: the first column's PAD."""
        return int(self.original.pad_token_id)

    def to_dict(self) -> dict[str, Any]:
        """The settings of MidiTok's tokenizer, from which it can be made again."""
        settings: dict[str, Any] = self.original.to_dict()
        return settings

    def preprocess_score(self, score: ScoreTick) -> ScoreTick:
        """The score as MidiTok's tokenizer prepares it before writing."""
        prepared: Any = self.original.preprocess_score(score)
        if not len(prepared.tempos):  # MuMIDI fails without one
            prepared.tempos.append(Tempo(0, self.original.default_tempo, ttype="tick"))
        return prepared  # type: ignore[no-any-return]

    def __call__(self, score: ScoreTick) -> FlatSequence | list[FlatSequence]:
        """As `encode`."""
        return self.encode(score)

    def encode(self, score: ScoreTick, *, no_preprocess_score: bool = False) -> FlatSequence | list[FlatSequence]:
        """Tokenize a score: a sequence a track, or one in all where MidiTok writes one.

        Raises QuarantinedFile for a score of more bars than the tokenizer writes, which MidiTok would cut off, and for
        one that has what the tokenizer's vocabularies have not.
        """
        prepared = score if no_preprocess_score else self.preprocess_score(score)
        if not len(prepared.tracks):  # CPWord would write a bar all the same
            return FlatSequence(np.empty(0, np.int64)) if self.one_token_stream else []
        written = self._written(prepared)
        if isinstance(written, list):
            return [FlatSequence(self.flat(self._filled(sequence.ids))) for sequence in written]
        return FlatSequence(self.flat(self._filled(written.ids)))

    def decode(self, ids: Any, programs: list[tuple[int, bool]] | None = None) -> ScoreTick:
        """What `encode` wrote, or the flat ids in it, back into music.

        ids: a list of one a track, or, where MidiTok writes one sequence of all, that.
        """
        from miditok import TokSequence  # takes two seconds to import

        every = [np.asarray(getattr(one, "ids", one), np.int64) for one in ([ids] if self.one_token_stream else ids)]
        sequences = [TokSequence(ids=self.rows(one).tolist()) for one in every]
        music: ScoreTick = self.original.decode(sequences[0] if self.one_token_stream else sequences, programs)
        return music

    def flat(self, rows: Any) -> NDArray[np.int64]:
        """Rows as MidiTok writes them, (..., time steps, columns) -> (..., time steps * columns) flat ids."""
        table = np.asarray(rows, np.int64) + self.offsets
        return table.reshape(*table.shape[:-2], -1)

    def rows(self, ids: Any) -> Any:
        """Flat ids as rows, for a model with an embedding and an output a column.

        ids: (..., time steps * columns), an array or a tensor, such as a batch's `input_ids` or `labels`.
        Returns the same kind, (..., time steps, columns), each id as in its column's vocabulary: padding is every
        column's PAD, and labels of -100 stay. Raises ConfigError where these are no whole rows.
        """
        if ids.shape[-1] % self.columns:
            raise ConfigError(f"{ids.shape[-1]} ids are no whole time steps: give a multiple of {self.columns}")
        table = ids.reshape(*ids.shape[:-1], -1, self.columns)
        offsets, sizes = (
            of if isinstance(ids, np.ndarray) else ids.new_tensor(of.tolist()) for of in (self.offsets, self.sizes)
        )
        own = table - offsets * ((table >= 0) & (table != self.pad_token_id))
        if ((table >= 0) & ((own < 0) | (own >= sizes))).any():
            raise ConfigError("ids that are not of their columns: give whole time steps, each from its first id on")
        return own

    def _written(self, prepared: ScoreTick) -> Any:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", ".* cannot tokenize entirely", UserWarning)
            try:
                return self.original.encode(prepared, no_preprocess_score=True)
            except UserWarning as cut:
                raise QuarantinedFile(self._too_long()) from cut
            except KeyError as missing:
                name = str(missing.args[0])
                if name.startswith(("Bar_", "BarPosEnc_")):
                    raise QuarantinedFile(self._too_long()) from missing
                raise QuarantinedFile(f"{kind_of(self)}, as tokenizer.params has it, has no token {name}") from missing

    def _too_long(self) -> str:
        return (
            f"too long: tokenizer.params.max_bar_embedding is {self.config.additional_params['max_bar_embedding']} bars"
        )

    def _filled(self, rows: list[list[int]]) -> NDArray[np.int64]:
        """(time steps, columns) rows, the missing last columns of each filled with their PAD."""
        table = np.full((len(rows), self.columns), self.pad_token_id, np.int64)
        for number, row in enumerate(rows):
            table[number, : len(row)] = row
        return table


def flattened(tokenizer: MusicTokenizer) -> MusicTokenizer:
    """A tokenizer of one vocabulary: itself, or a FlatTokenizer around one of several."""
    return FlatTokenizer(tokenizer) if tokenizer.is_multi_voc else tokenizer


def columns_of(tokenizer: MusicTokenizer) -> int:
    """How many ids a time step has: 1 where the tokenizer has one vocabulary."""
    return tokenizer.columns if isinstance(tokenizer, FlatTokenizer) else 1


def kind_of(tokenizer: MusicTokenizer) -> str:
    """The name of its class in MidiTok."""
    return type(tokenizer.original if isinstance(tokenizer, FlatTokenizer) else tokenizer).__name__


def ends_of(tokenizer: MusicTokenizer) -> tuple[list[int], list[int]]:
    """The ids that stand for the beginning and for the end of a sequence, one a column; none where it has no such."""
    begin, end = (
        [number for name, number in tokenizer.vocab.items() if name.partition(".")[0] == special]
        for special in ("BOS_None", "EOS_None")
    )
    return begin, end
