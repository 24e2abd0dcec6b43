"""The usual ways do what their users expect of them: the right tokens, and the right files."""

import numpy as np
import pytest
import torch
from measuring import prepared, settings
from miditok import REMI, CPWord, TokenizerConfig
from music import tune, write
from symusic import Score
from torch.utils.data import DataLoader

from midiaug.data.columns import flattened
from midiaug.errors import BenchmarkError
from midiaug.measuring import rivals
from midiaug.measuring.rivals import (
    FromScores,
    Padded,
    StoredWindows,
    bytes_below,
    copies_on_disk,
    pretokenized,
    write_midi,
)


@pytest.fixture
def data(folder_of_tunes, cache):
    return prepared(settings(folder_of_tunes, cache))


def is_part(part: list[int], whole: list[int]) -> bool:
    return any(whole[at : at + len(part)] == part for at in range(len(whole) - len(part) + 1))


@pytest.mark.parametrize("shift", [-3, 0, 5])
def test_a_window_is_cut_from_the_shifted_and_tokenized_file(tmp_path, shift):
    path = write(tune(7, chords=True, drums=True), tmp_path / "a tune.mid")
    sample = FromScores([path], REMI(), [shift], 40)[0].tolist()
    moved = Score(path)
    for track in moved.tracks:
        if not track.is_drum:
            track.shift_pitch(shift, inplace=True)
    assert len(sample) == 40
    assert any(is_part(sample, sequence.ids) for sequence in REMI()(moved))


def test_windows_begin_anywhere_and_keys_are_drawn(tmp_path):
    path = write(tune(8), tmp_path / "tune.mid")
    dataset = FromScores([path], REMI(), [0, 2], 16)
    torch.manual_seed(0)
    assert len({tuple(dataset[0].tolist()) for _ in range(30)}) > 10


def test_a_piece_without_room_stays_in_its_key(tmp_path):
    path = write(tune(9, low=105), tmp_path / "high.mid")
    tokenizer = REMI(TokenizerConfig(pitch_range=(0, 127)))
    sample = FromScores([path], tokenizer, [24], 10_000)[0].tolist()
    assert sample == tokenizer(Score(path))[0].ids


def test_sequences_are_padded_into_a_batch():
    batch = Padded(4, 0)([torch.tensor([5, 6]), torch.tensor([1, 2, 3, 4]), torch.tensor([], dtype=torch.int64)])
    assert batch["input_ids"].tolist() == [[5, 6, 0, 0], [1, 2, 3, 4], [0, 0, 0, 0]]
    assert batch["labels"].tolist() == [[5, 6, -100, -100], [1, 2, 3, 4], [-100] * 4]
    assert batch["attention_mask"].tolist() == [[1, 1, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]]
    assert {tensor.dtype for tensor in batch.values()} == {torch.int64}


def test_the_stock_loader_reads_what_midiaug_reads_without_a_shift(data):
    dataset = StoredWindows(data)
    assert len(dataset) == len(data.train)
    rows = np.arange(len(dataset))
    ours, theirs = data.train[rows, np.zeros_like(rows)], dataset.__getitems__(rows.tolist())
    assert set(ours) == set(theirs)
    for name in ours:
        assert torch.equal(ours[name], theirs[name]), name
    assert dataset.lengths.sum() == ours["attention_mask"].sum()
    assert torch.equal(dataset[3]["input_ids"], ours["input_ids"][3])


def test_the_pieces_are_written_and_those_to_train_on_returned(data, tmp_path):
    files = write_midi(data, tmp_path)
    assert len(list(tmp_path.glob("*.mid"))) == len(data.corpus)
    assert len(files) == int((~data.split.validation).sum())
    first = int(np.flatnonzero(~data.split.validation)[0])
    assert files[0].read_bytes() == data.corpus.midi[first].tobytes()


def test_miditoks_dataset_keeps_the_head_of_each_sequence(data, tmp_path):
    files = write_midi(data, tmp_path)
    dataset = pretokenized(files, data.tokenizer, 48)
    bos = data.tokenizer.vocab["BOS_None"]
    whole = [[bos, *sequence.ids] for path in files for sequence in data.tokenizer(Score(path))]
    # it sets two tokens aside for the ends, and writes no end where it cuts
    assert [sample.tolist() for sample in dataset.samples] == [ids[:47] for ids in whole]


def test_every_file_is_copied_in_every_key(data, tmp_path, capsys):
    midi, out = tmp_path / "midi", tmp_path / "out"
    midi.mkdir()
    files = write_midi(data, midi)
    copies_on_disk(midi, out, [-2, 0, 3], 1)
    stem = files[0].stem
    assert {path.name for path in out.glob(f"{stem}*")} == {f"{stem}{end}.mid" for end in ("", "#p-2", "#p3")}
    notes = [Score(out / f"{stem}{end}.mid").tracks[0].notes.numpy()["pitch"] for end in ("", "#p3")]
    assert (notes[1] - notes[0] == 3).all()
    assert "".join(capsys.readouterr()) == ""


def test_the_size_of_a_folder_is_that_of_all_its_files(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "one").write_bytes(b"12345")
    (tmp_path / "a" / "b" / "two").write_bytes(b"123")
    assert bytes_below(tmp_path) == 8


def test_a_stock_loader_takes_whole_batches_from_it(data):
    loader = DataLoader(StoredWindows(data), batch_size=16, shuffle=True, collate_fn=lambda batch: batch)
    assert next(iter(loader))["input_ids"].shape == (16, 48)


def failing(*_: object, **__: object) -> None:
    raise KeyError("Velocity_3")


class Failing(REMI):
    """A tokenizer that fails on everything."""

    __call__ = failing


def test_a_file_that_the_tokenizer_fails_on_gives_nothing(tmp_path):
    path = write(tune(1), tmp_path / "tune.mid")
    assert FromScores([path], Failing(), [2], 16)[0].tolist() == []


def test_miditoks_dataset_is_not_measured_where_time_steps_have_several_ids(tmp_path):
    with pytest.raises(BenchmarkError, match="it is not measured with CPWord, whose time steps have several ids"):
        pretokenized([tmp_path], flattened(CPWord()), 16)


def test_what_miditok_fails_on_is_said_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(rivals, "augment_dataset", failing)
    with pytest.raises(
        BenchmarkError, match=r"fails on this music \(KeyError: 'Velocity_3'\); leave augment_dataset out"
    ):
        copies_on_disk(tmp_path, tmp_path / "out", [1], 1)
    monkeypatch.setattr(rivals, "DatasetMIDI", failing)
    with pytest.raises(BenchmarkError, match=r"it fails on this music \(KeyError"):
        pretokenized([tmp_path], REMI(), 16)
