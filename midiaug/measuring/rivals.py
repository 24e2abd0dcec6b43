"""The usual ways, which midiaug is measured against, written as their users write them.

A file read, shifted and tokenized for each sample; MidiTok's own dataset, tokenized beforehand; a stock DataLoader
that reads windows from a memory map; and MidiTok's transposed copies on disk.
"""

import contextlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from miditok.data_augmentation import augment_dataset
from miditok.pytorch_data import DatasetMIDI
from numpy.typing import NDArray
from symusic import Score
from torch import Tensor
from torch.utils.data import Dataset

from midiaug.data.columns import columns_of, kind_of
from midiaug.data.dataset import IGNORED, Batch
from midiaug.data.module import MidiDataModule
from midiaug.data.transpose import MusicTokenizer
from midiaug.errors import BenchmarkError


def write_midi(data: MidiDataModule, folder: Path) -> list[Path]:
    """Write all pieces as MIDI files, whatever they were read from; returns the files of those to train on."""
    for row in np.flatnonzero(data.store.has_pieces).tolist():
        _file_of(row, folder).write_bytes(data.corpus.midi[row].tobytes())
    return [_file_of(row, folder) for row in np.flatnonzero(~data.split.validation & data.store.has_pieces).tolist()]


def _file_of(row: int, folder: Path) -> Path:
    return folder / f"{row:06d}.mid"


class FromScores(Dataset[Tensor]):
    """File, shift, tokenizer, crop: sample i is a random window of file i in a random key, as (tokens,) int64.

    A file of several sequences gives one of them. A shift that takes a note out of MIDI's range is not applied, and a
    file that the tokenizer fails on gives nothing.
    """

    def __init__(self, files: Sequence[Path], tokenizer: MusicTokenizer, shifts: Sequence[int], window: int) -> None:
        self.files, self.tokenizer, self.shifts, self.window = files, tokenizer, list(shifts), window

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Tensor:
        ids = self._ids(self.files[index], self.shifts[_any(len(self.shifts))])
        begin = _any(max(1, len(ids) - self.window + 1))
        return torch.tensor(ids[begin : begin + self.window], dtype=torch.int64)

    def _ids(self, path: Path, shift: int) -> list[int]:
        score: Any = Score(path)
        try:
            for track in score.tracks if shift else ():
                if not track.is_drum:
                    track.shift_pitch(shift, inplace=True)
            written = self.tokenizer(score)
        except Exception:  # symusic refuses a note beyond 0 to 127; MidiTok's failures on odd music are of every kind
            return self._ids(path, 0) if shift else []
        sequences = [seq.ids for seq in (written if isinstance(written, list) else [written]) if len(seq.ids)]
        return sequences[_any(len(sequences))] if sequences else []


class Padded:
    """Collates sequences of any length up to the window into the three arrays of a batch."""

    def __init__(self, window: int, pad_id: int) -> None:
        self._window, self._pad_id = window, pad_id

    def __call__(self, sequences: Sequence[Tensor]) -> Batch:
        """sequences: (tokens,) int64 each -> input_ids, labels and attention_mask, each (batch, window) int64."""
        ids = torch.full((len(sequences), self._window), self._pad_id, dtype=torch.int64)
        labels = torch.full_like(ids, IGNORED)
        mask = torch.zeros_like(ids)
        for row, sequence in enumerate(sequences):
            ids[row, : len(sequence)] = labels[row, : len(sequence)] = sequence
            mask[row, : len(sequence)] = 1
        return {"input_ids": ids, "labels": labels, "attention_mask": mask}


class StoredWindows(Dataset[Batch]):
    """Windows of the training pieces from the memory map, in the keys they are in: what a stock DataLoader reads.

    A DataLoader that asks for a batch through `__getitems__` gets the three arrays at once; its collate function hands
    them on. lengths: (windows,) the tokens of each window.
    """

    def __init__(self, data: MidiDataModule) -> None:
        self._window, self._pad_id = data.window, data.tokenizer.pad_token_id
        self._tokens = data.store.tokens
        offsets = np.asarray(self._tokens.offsets)
        rows = np.flatnonzero(~data.split.validation[data.store.piece] & (np.diff(offsets) > 1))
        starts = [np.arange(offsets[row], offsets[row + 1] - 1, self._window - 1) for row in rows]
        ends = [np.minimum(of_row + self._window, offsets[row + 1]) for row, of_row in zip(rows, starts, strict=True)]
        self._start = np.concatenate(starts)
        self.lengths: NDArray[np.int64] = np.concatenate(ends) - self._start
        self._columns = np.arange(self._window)

    def __len__(self) -> int:
        return len(self._start)

    def __getitems__(self, indices: list[int]) -> Batch:
        """The windows of these numbers as one batch."""
        rows = np.array(indices, np.int64)
        windows = np.lib.stride_tricks.sliding_window_view(self._tokens.data, self._window)
        ids = windows[self._start[rows]].astype(np.int64)
        labels, mask = ids.copy(), np.ones_like(ids)
        short = np.flatnonzero(self.lengths[rows] < self._window)
        padded = self._columns >= self.lengths[rows][short, None]
        ids[short] = np.where(padded, self._pad_id, ids[short])
        labels[short] = np.where(padded, IGNORED, labels[short])
        mask[short] = ~padded
        arrays = {"input_ids": ids, "labels": labels, "attention_mask": mask}
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

    def __getitem__(self, index: int) -> Batch:
        return {name: array[0] for name, array in self.__getitems__([index]).items()}


def pretokenized(files: Sequence[Path], tokenizer: MusicTokenizer, window: int) -> DatasetMIDI:
    """MidiTok's own dataset, all files tokenized at once; it keeps the first `window` tokens of each sequence.

    Raises BenchmarkError where it fails.
    """
    if columns_of(tokenizer) > 1:
        raise BenchmarkError(f"it is not measured with {kind_of(tokenizer)}, whose time steps have several ids")
    ends = {name: tokenizer.vocab.get(f"{name.upper()}_None") for name in ("bos", "eos")}
    try:
        with silent():
            # in this process: from others, each sequence would come as an open file, of which there are not enough
            return DatasetMIDI(
                list(files),
                tokenizer,
                window,
                bos_token_id=ends["bos"],
                eos_token_id=ends["eos"],
                pre_tokenize=True,
                parallel_workers_size=1,
            )
    except Exception as error:  # of every kind, on odd music
        raise BenchmarkError(f"it fails on this music ({_of(error)})") from error


def copies_on_disk(folder: Path, out: Path, shifts: Sequence[int], processes: int) -> None:
    """MidiTok's offline way: every file of `folder` in every key, and as it is, in `out`.

    Raises BenchmarkError where it fails.
    """
    try:
        with silent():
            augment_dataset(
                folder,
                pitch_offsets=[shift for shift in shifts if shift],
                velocity_offsets=[],  # its default, None, raises
                duration_offsets=[],
                restrict_on_program_tessitura=False,  # else it leaves out keys that an instrument seldom plays in
                out_path=out,
                parallel_workers_size=processes,
            )
    except Exception as error:  # of every kind, on odd music
        reason = f"MidiTok's augment_dataset fails on this music ({_of(error)})"
        raise BenchmarkError(f"{reason}; leave augment_dataset out of parts") from error


def bytes_below(folder: Path) -> int:
    """The size of all files of a folder and those below it."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Keep other libraries' progress bars off the screen."""
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        yield


def _of(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _any(count: int) -> int:
    return int(torch.randint(count, ()))
