"""Samples of the dataset, against the tokens of the score shifted by symusic."""

import music
import numpy as np
import pytest
import torch
from miditok import REMI
from torch.utils.data import DataLoader

from midiaug.data.corpus import read_corpus
from midiaug.data.dataset import IGNORED, TransposedDataset
from midiaug.data.pieces import Limits, parse
from midiaug.data.routes import MidiRoute, TokenRoute
from midiaug.data.shifts import Shifts
from midiaug.data.sources import folder
from midiaug.data.store import build_store
from midiaug.data.transpose import TokenTransposer
from midiaug.data.windows import Windows
from midiaug.errors import ConfigError, PitchOutOfRange

SIZE = 40
PAD = 0  # MidiTok's first special token
TOKENIZER = REMI()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The corpus and the store of six melodies, one of them so low that few shifts are left."""
    root = tmp_path_factory.mktemp("dataset")
    music.corpus(root / "a", 5, seed=700, bars=6)
    music.corpus(root / "b", 1, seed=705, bars=6, low=21)
    corpus = read_corpus(folder(root), Limits(), root / "cache", processes=1)
    return corpus, build_store(corpus, TOKENIZER, Limits(), root / "cache", processes=1)


@pytest.fixture(scope="module", params=["tokens", "midi"])
def route(request, made):
    corpus, store = made
    if request.param == "tokens":
        return TokenRoute(store, TokenTransposer(TOKENIZER))
    return MidiRoute(corpus, store, TOKENIZER, Limits(), "limit")


@pytest.fixture(scope="module")
def dataset(made, route):
    return dataset_of(made[1], route, Shifts.between(-3, 3))


def dataset_of(store, route, shifts, pad_id=PAD, tell_shifts=False):
    windows = Windows.of(store, np.arange(len(store.tokens)), SIZE)
    room = np.asarray(store.lowest), np.asarray(store.highest)
    return TransposedDataset(windows, store.piece[windows.sequence], room, shifts, route, pad_id, tell_shifts)


def expected_ids(made, dataset, row, shift):
    """The reference: the tokens of the window's piece shifted by symusic, cut where the window lies."""
    corpus, store = made
    sequence = dataset.windows.sequence[row]
    score = parse(corpus.midi[int(store.piece[sequence])].tobytes(), Limits())
    for track in score.tracks:
        track.shift_pitch(shift, inplace=True)
    whole = [TOKENIZER.vocab["BOS_None"], *TOKENIZER(score)[0].ids, TOKENIZER.vocab["EOS_None"]]
    number = (dataset.windows.start[row] - store.tokens.offsets[sequence]) // (SIZE - 1)
    return whole[number * (SIZE - 1) : number * (SIZE - 1) + SIZE]


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def rows_of(dataset):
    """The last window of the first sequence, which is shorter than the others; and the one before."""
    last = int(np.flatnonzero(dataset.windows.length < SIZE)[0])
    return last, last - 1


# One sample


@pytest.mark.parametrize("shift", [-3, 0, 2])
def test_a_sample_is_the_window_of_the_shifted_score(made, dataset, shift):
    for row in range(0, 12):
        wanted = expected_ids(made, dataset, row, shift)
        sample = dataset[row, shift]
        length = len(wanted)
        assert sample["input_ids"].tolist() == wanted + [PAD] * (SIZE - length)
        assert sample["labels"].tolist() == wanted + [IGNORED] * (SIZE - length)
        assert sample["attention_mask"].tolist() == [1] * length + [0] * (SIZE - length)


def test_a_shift_is_seen_in_the_pitches_and_nowhere_else(dataset):
    names = {number: token for token, number in TOKENIZER.vocab.items()}
    before = [names[i] for i in dataset[0, 0]["input_ids"].tolist()]
    after = [names[i] for i in dataset[0, 3]["input_ids"].tolist()]
    raised = [f"Pitch_{int(name[6:]) + 3}" if name.startswith("Pitch_") else name for name in before]
    assert after == raised != before


def test_padding_is_the_pad_token_and_never_a_label(made, route):
    dataset = dataset_of(made[1], route, Shifts.of(0), pad_id=3)
    short, full = rows_of(dataset)
    length = dataset.windows.length[short]
    assert 2 <= length < SIZE
    sample = dataset[short, 1]
    assert sample["input_ids"][length:].tolist() == [3] * (SIZE - length)
    assert sample["input_ids"][length - 1] == TOKENIZER.vocab["EOS_None"]
    assert sample["labels"][length:].tolist() == [-100] * (SIZE - length)
    assert torch.equal(sample["labels"][:length], sample["input_ids"][:length])
    assert sample["attention_mask"].tolist() == [1] * length + [0] * (SIZE - length)
    assert dataset[full, 1]["attention_mask"].all()
    assert torch.equal(dataset[full, 1]["labels"], dataset[full, 1]["input_ids"])


def test_a_sample_is_what_trainers_of_the_field_take(dataset):
    sample = dataset[0]
    assert list(sample) == ["input_ids", "labels", "attention_mask"]
    assert {tensor.dtype for tensor in sample.values()} == {torch.int64}
    assert {tensor.shape for tensor in sample.values()} == {torch.Size([SIZE])}
    assert sample["labels"].data_ptr() != sample["input_ids"].data_ptr()


def test_a_window_and_a_shift_give_the_same_whenever_they_are_read(dataset):
    torch.manual_seed(1)
    first = dataset[2, -2]
    state = torch.get_rng_state()
    first_again = dataset[2, -2]
    assert torch.equal(torch.get_rng_state(), state)
    assert same(first, first_again)
    first["input_ids"].zero_()  # what a caller does to a sample is the caller's alone
    assert same(dataset[2, -2], first_again)


def test_a_shift_is_drawn_from_torchs_generator(made, dataset):
    torch.manual_seed(5)
    drawn = [dataset[1] for _ in range(60)]
    torch.manual_seed(5)
    assert all(same(one, dataset[1]) for one in drawn)
    by_shift = {tuple(expected_ids(made, dataset, 1, shift)): shift for shift in range(-3, 4)}
    seen = [by_shift[tuple(sample["input_ids"].tolist())] for sample in drawn]
    assert set(seen) == set(range(-3, 4))


def test_only_shifts_within_the_room_of_the_piece_are_drawn(made, dataset):
    _, store = made
    low = int(np.argmax(store.lowest))
    assert -3 < store.lowest[low] <= 0
    row = int(np.flatnonzero(dataset.pieces == low)[0])
    allowed = {tuple(expected_ids(made, dataset, row, shift)) for shift in range(store.lowest[low], 4)}
    torch.manual_seed(0)
    assert {tuple(dataset[row]["input_ids"].tolist()) for _ in range(60)} == allowed


def test_a_shift_that_takes_notes_out_of_range_is_refused_with_the_room(made, dataset):
    _, store = made
    low = int(np.argmax(store.lowest))
    row = int(np.flatnonzero(dataset.pieces == low)[0])
    lowest = int(store.lowest[low])
    dataset[row, lowest]
    with pytest.raises(
        PitchOutOfRange,
        match=rf"window {row}: a shift of {lowest - 1} takes notes out.* room from [+-]{-lowest} to \+24",
    ):
        dataset[row, lowest - 1]
    with pytest.raises(PitchOutOfRange, match=r"a shift of \+25"):
        dataset[0, 25]
    with pytest.raises(PitchOutOfRange):
        dataset[np.array([0, row]), np.array([0, lowest - 1])]


@pytest.mark.parametrize("with_shift", [True, False])
def test_a_window_that_is_not_there_is_an_index_error(dataset, with_shift):
    for row in (len(dataset), -len(dataset) - 1, 10**6):
        with pytest.raises(IndexError):
            dataset[(row, 0) if with_shift else row]
    assert same(dataset[-1, 2], dataset[len(dataset) - 1, 2])


def test_a_shift_that_is_no_whole_number_is_refused(dataset):
    with pytest.raises(ConfigError, match=r"a shift of 2\.5: use whole numbers"):
        dataset[0, 2.5]


def test_an_index_error_says_how_many_windows_there_are(dataset):
    with pytest.raises(IndexError, match=rf"window {len(dataset)} of {len(dataset)}"):
        dataset[len(dataset), 0]


# Many samples


def test_arrays_of_windows_and_shifts_are_a_batch(dataset):
    rows, shifts = np.array([3, 0, 11, 3]), np.array([1, -3, 0, 2])
    batch = dataset[rows, shifts]
    assert {tensor.shape for tensor in batch.values()} == {torch.Size([4, SIZE])}
    for place, (row, shift) in enumerate(zip(rows, shifts, strict=True)):
        assert same({name: tensor[place] for name, tensor in batch.items()}, dataset[int(row), int(shift)])


def test_a_third_array_says_how_much_earlier_each_window_begins(made, dataset):
    store = made[1]
    rows = np.flatnonzero(dataset.windows.slack[dataset.windows.place] > 0)[:6]
    tokens = dataset.windows.slack[dataset.windows.place[rows]]
    batch = dataset[rows, np.full(len(rows), 2), tokens]
    moved = dataset.windows.slid(rows, tokens)
    assert (moved.start != dataset.windows.start[rows]).any()
    for place, (sequence, start, length) in enumerate(zip(moved.sequence, moved.start, moved.length, strict=True)):
        whole = TransposedDataset(
            Windows(np.array([sequence]), np.array([start]), np.array([length]), SIZE),
            store.piece[[sequence]],
            (np.asarray(store.lowest), np.asarray(store.highest)),
            Shifts.of(2),
            dataset._route,
            PAD,
        )[0, 2]
        assert same({name: tensor[place] for name, tensor in batch.items()}, whole)
    one = dataset[int(rows[0]), 2, int(tokens[0])]
    assert same(one, {name: tensor[0] for name, tensor in batch.items()})


def test_a_dataset_may_tell_the_shift_of_each_sample(made, route):
    store = made[1]
    plain = dataset_of(store, route, Shifts.between(-3, 3))
    told = dataset_of(store, route, Shifts.between(-3, 3), tell_shifts=True)
    batch = told[np.array([0, 3, 4]), np.array([2, 0, -1])]
    assert batch["shifts"].tolist() == [2, 0, -1]
    assert batch["shifts"].dtype == torch.int64
    assert told[3, -2]["shifts"].item() == -2
    assert [sample["shifts"].item() for sample in told.__getitems__([(0, 1), (3, -3)])] == [1, -3]
    assert set(plain[0, 1]) == {"input_ids", "labels", "attention_mask"}


def test_one_shift_for_many_windows_is_each_windows_shift(dataset):
    rows = np.array([0, 3, 4])
    assert same(dataset[rows, 2], dataset[rows, np.full(3, 2)])


def test_an_array_of_windows_draws_a_shift_for_each(made, dataset):
    by_shift = {tuple(expected_ids(made, dataset, 1, shift)): shift for shift in range(-3, 4)}
    torch.manual_seed(0)
    batch = dataset[np.full(40, 1)]
    assert len({by_shift[tuple(ids)] for ids in batch["input_ids"].tolist()}) > 3


def test_a_list_of_indices_is_a_list_of_samples(dataset):
    pairs = [(4, 2), (0, -1), (4, 0)]
    samples = dataset.__getitems__(pairs)
    assert len(samples) == 3
    assert all(same(sample, dataset[pair]) for sample, pair in zip(samples, pairs, strict=True))
    torch.manual_seed(9)
    drawn = dataset.__getitems__([5, 6, 5])
    torch.manual_seed(9)
    assert all(same(one, other) for one, other in zip(drawn, dataset.__getitems__([5, 6, 5]), strict=True))


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_stock_dataloader_shuffles_and_collates_it(made, dataset, num_workers):
    def epoch(seed):
        generator = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)
        loader = DataLoader(dataset, batch_size=4, shuffle=True, generator=generator, num_workers=num_workers)
        return list(loader)

    batches = epoch(3)
    assert sum(len(batch["input_ids"]) for batch in batches) == len(dataset)
    assert batches[0]["input_ids"].shape == (4, SIZE)
    assert {tensor.dtype for batch in batches for tensor in batch.values()} == {torch.int64}
    assert all(same(one, other) for one, other in zip(batches, epoch(3), strict=True))
    window_of = {
        tuple(expected_ids(made, dataset, row, shift)): row
        for row in range(len(dataset))
        for shift in range(-3, 4)
        if made[1].lowest[dataset.pieces[row]] <= shift
    }
    rows = [
        window_of[tuple(ids[mask.bool()].tolist())]
        for batch in batches
        for ids, mask in zip(batch["input_ids"], batch["attention_mask"], strict=True)
    ]
    assert sorted(rows) == list(range(len(dataset)))
    assert rows != sorted(rows)
