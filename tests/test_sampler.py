"""Batches decided by (seed, epoch) alone: for any workers, ranks, blocks, and from any point on."""

import json
import multiprocessing
import os
import random
import signal
import subprocess
from collections import Counter
from functools import cache as remembered
from itertools import islice

import music
import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis.strategies import integers, sampled_from
from miditok import REMI
from torch.utils.data import DataLoader

from midiaug.data.alterations import Alterations, stepped_tables
from midiaug.data.corpus import read_corpus
from midiaug.data.dataset import TransposedDataset
from midiaug.data.pieces import Limits
from midiaug.data.plan import Plan
from midiaug.data.routes import TokenRoute
from midiaug.data.sampler import BatchSampler, FixedSampler, TransposingLoader, TransposingSampler
from midiaug.data.shifts import Shifts
from midiaug.data.sources import folder
from midiaug.data.store import build_store
from midiaug.data.transpose import TokenTransposer
from midiaug.data.windows import Windows
from midiaug.errors import ConfigError

SIZE = 12
FIVE = Shifts.between(-2, 2)


@pytest.fixture(scope="module")
def dataset_of(tmp_path_factory):
    """A function from (windows, shifts) to a dataset of so many windows of nine tunes, or of all.

    Three of the tunes are so low, and three so high, that they have no room for some shifts.
    """
    root = tmp_path_factory.mktemp("sampler")
    for number, low in enumerate((21, 22, 60, 90, 91, 60, 22, 90, 60)):
        music.write(music.tune(number, bars=12, low=low), root / f"{number}.mid")
    corpus = read_corpus(folder(root), Limits(), root / "cache", processes=1)
    store = build_store(corpus, REMI(), Limits(), root / "cache", processes=1)
    route = TokenRoute(store, TokenTransposer(REMI()), stepped_tables(REMI(), Alterations((-2, 2), (-1, 1))))
    everything = Windows.of(store, np.arange(len(store.tokens)), SIZE)
    mixed = np.random.default_rng(0).permutation(len(everything))

    @remembered
    def make(count, shifts=FIVE, may_move=True, tell_shifts=False):
        assert count is None or count <= len(mixed)
        room = np.asarray(store.lowest) * may_move, np.asarray(store.highest) * may_move
        rows = np.arange(len(everything)) if count is None else np.sort(mixed[:count])
        windows = Windows(everything.sequence[rows], everything.start[rows], everything.length[rows], SIZE)
        return TransposedDataset(windows, store.piece[windows.sequence], room, shifts, route, 0, tell_shifts)

    return make


def loader_of(dataset, workers=0, **options):
    return TransposingLoader(dataset, TransposingSampler(dataset, **options), workers)


def ids(batches):
    return [batch["input_ids"].tolist() for batch in batches]


def epoch_of(loader, epoch):
    loader.sampler.set_epoch(epoch)
    return ids(loader)


def dealt(sampler):
    """The (window, shift) pairs of a sampler's epoch, a list for each batch."""
    size, batches = sampler.batch_size, []
    for rows, semitones in sampler:
        pairs = list(zip(rows.tolist(), semitones.tolist(), strict=True))
        whole = sampler.block > 1 and len(pairs) % size == 0
        batches += [pairs[at : at + size] for at in range(0, len(pairs), size)] if whole else [pairs]
    return batches


def flat(batches):
    return [pair for batch in batches for pair in batch]


# Workers


@pytest.mark.filterwarnings("ignore:This DataLoader will create 4 worker processes")  # on a machine of fewer cores
@pytest.mark.parametrize("block", [1, 3])
def test_any_number_of_workers_gives_the_same_batches(dataset_of, block):
    options = {"batch_size": 16, "seed": 3, "block": block}
    dataset = dataset_of(150)
    alone = [epoch_of(loader_of(dataset, **options), epoch) for epoch in (0, 1)]
    assert sum(map(len, alone[0])) == 150
    for workers in (1, 4):
        loader = loader_of(dataset, workers, **options)
        assert [epoch_of(loader, epoch) for epoch in (0, 1)] == alone


def test_the_batches_are_those_of_the_dataset(dataset_of):
    dataset = dataset_of(50)
    sampler = TransposingSampler(dataset, 8, seed=1)
    wanted = [[dataset[pair]["input_ids"].tolist() for pair in batch] for batch in dealt(sampler)]
    assert ids(loader_of(dataset, batch_size=8, seed=1)) == wanted


def test_a_stock_dataloader_takes_the_sampler(dataset_of):
    dataset = dataset_of(50)
    sampler = TransposingSampler(dataset, 8, seed=1)
    stock = DataLoader(dataset, batch_size=None, sampler=sampler)
    assert ids(stock) == ids(loader_of(dataset, batch_size=8, seed=1))
    assert len(stock) == len(ids(stock)) == 7


@pytest.mark.parametrize("block", [2, 4, 100])
@pytest.mark.parametrize("draw", ["random", "balanced"])
def test_reading_blocks_of_batches_changes_no_batch(dataset_of, block, draw):
    for windows in (1, 31, 32, 97):
        dataset = dataset_of(windows)
        one = loader_of(dataset, batch_size=8, seed=2, plan=Plan(draw))
        many = loader_of(dataset, batch_size=8, seed=2, plan=Plan(draw), block=block)
        for epoch in range(5):
            assert epoch_of(many, epoch) == epoch_of(one, epoch)


def test_the_loader_has_as_many_batches_as_it_says(dataset_of):
    for windows, batches in ((1, 1), (7, 1), (8, 1), (9, 2), (64, 8), (65, 9)):
        for block in (1, 3):
            loader = loader_of(dataset_of(windows), batch_size=8, block=block)
            assert len(loader.sampler) == len(list(loader)) == batches


# Ranks


@pytest.mark.parametrize("block", [1, 2, 5])
@pytest.mark.parametrize("windows", [16, 17, 33, 50])
def test_a_loader_hands_out_the_batches_of_its_rank(dataset_of, windows, block):
    dataset = dataset_of(windows)
    for rank in (0, 1):
        options = {"batch_size": 8, "rank": rank, "world_size": 2}
        wanted = [
            [dataset[pair]["input_ids"].tolist() for pair in batch]
            for batch in dealt(TransposingSampler(dataset, **options))
        ]
        assert ids(loader_of(dataset, **options, block=block)) == wanted


@given(
    windows=integers(3, 170),
    batch_size=integers(1, 40),
    world=integers(1, 3),
    block=integers(1, 4),
    epoch=integers(0, 50),
)
@settings(deadline=None, max_examples=150)
def test_ranks_together_give_each_window_exactly_once_in_as_many_batches(
    dataset_of, windows, batch_size, world, block, epoch
):
    dataset = dataset_of(windows)
    ranks = []
    for rank in range(world):
        sampler = TransposingSampler(dataset, batch_size, 5, Plan(), rank, world, block)
        sampler.set_epoch(epoch)
        ranks.append(dealt(sampler))
        assert len(sampler) == len(ranks[-1])
    assert len({len(batches) for batches in ranks}) == 1
    assert sorted(row for batches in ranks for row, _ in flat(batches)) == list(range(windows))
    sizes = [len(batch) for batches in ranks for batch in batches]
    assert 1 <= min(sizes) <= max(sizes) <= batch_size + 1


@given(windows=integers(3, 170), batch_size=integers(1, 40), world=integers(2, 3))
@settings(deadline=None, max_examples=60)
def test_ranks_take_turns_in_the_order_of_one(dataset_of, windows, batch_size, world):
    dataset = dataset_of(windows)
    one = flat(dealt(TransposingSampler(dataset, batch_size, 5)))
    ranks = [dealt(TransposingSampler(dataset, batch_size, 5, Plan(), rank, world)) for rank in range(world)]
    rounds = zip(*ranks, strict=True)
    assert [pair for batches in rounds for pair in flat(batches)] == one


@pytest.mark.parametrize("windows", [1, 2])
def test_fewer_windows_than_ranks_leave_no_rank_without_a_batch(dataset_of, windows):
    dataset = dataset_of(windows)
    ranks = [dealt(TransposingSampler(dataset, 4, 5, Plan(), rank, 3)) for rank in range(3)]
    assert [len(batches) for batches in ranks] == [1, 1, 1]
    assert all(batch for batches in ranks for batch in batches)
    assert {row for batches in ranks for row, _ in flat(batches)} == set(range(windows))


@given(windows=integers(3, 100), batch_size=integers(1, 20), world=integers(1, 3), shift=integers(-1, 0))
@settings(deadline=None, max_examples=60)
def test_fixed_windows_come_in_their_order_once_and_alike(dataset_of, windows, batch_size, world, shift):
    rows = np.random.default_rng(windows).permutation(150)[:windows]
    samplers = [FixedSampler(dataset_of(150), rows, batch_size, shift, rank, world) for rank in range(world)]
    rounds = zip(*(dealt(sampler) for sampler in samplers), strict=True)
    assert [pair for batches in rounds for pair in flat(batches)] == [(row, shift) for row in rows]


def test_the_windows_of_a_batch_can_be_asked_for(dataset_of):
    rows = np.arange(149, 60, -1)
    for rank in (0, 1):
        sampler = FixedSampler(dataset_of(150), rows, 8, 0, rank, 2, 3)
        assert [sampler.batch(number).tolist() for number in range(len(sampler))] == [
            [row for row, _ in batch] for batch in dealt(sampler)
        ]


# Epochs


def test_the_same_seed_and_epoch_give_the_same_batches_and_others_give_others(dataset_of):
    dataset = dataset_of(100)

    def batches(seed, epoch):
        return epoch_of(loader_of(dataset, batch_size=16, seed=seed), epoch)

    assert batches(1, 3) == batches(1, 3)
    different = [batches(1, 3), batches(1, 4), batches(2, 3), batches(1, 0)]
    assert all(one != other for place, one in enumerate(different) for other in different[:place])


def test_a_batch_depends_on_no_global_generator_and_moves_none(dataset_of):
    loader = loader_of(dataset_of(60), batch_size=16, seed=1)
    first = epoch_of(loader, 2)
    torch.manual_seed(123)
    random.seed(123)
    np.random.seed(123)  # noqa: NPY002
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    for workers in (0, 2):
        assert epoch_of(loader_of(dataset_of(60), workers, batch_size=16, seed=1), 2) == first
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1]
    assert np.random.get_state()[1].tolist() == states[2]  # noqa: NPY002


@pytest.mark.parametrize("world", [1, 2, 3])
def test_a_balanced_round_gives_each_window_once_in_each_shift_it_has_room_for(dataset_of, world):
    dataset = dataset_of(170, Shifts.of(-12, -4, 0, 4, 7, 12))
    counts = dataset.choices.count
    assert len(set(counts.tolist())) > 2  # uneven: some windows have fewer shifts than others
    seen, sizes, batches = Counter(), [], []
    for epoch in range(6, 12):
        samplers = [TransposingSampler(dataset, 16, 5, Plan("balanced"), rank, world) for rank in range(world)]
        for sampler in samplers:
            sampler.set_epoch(epoch)
        ranks = [dealt(sampler) for sampler in samplers]
        pairs = [pair for each in ranks for pair in flat(each)]
        seen.update(pairs)
        sizes.append(len(pairs))
        batches.append({len(each) for each in ranks} | {len(sampler) for sampler in samplers})
    room = dataset._room
    expected = [
        (row, shift)
        for row, piece in enumerate(dataset.pieces)
        for shift in dataset.shifts
        if room[0][piece] <= shift <= room[1][piece]
    ]
    assert seen == Counter(expected)
    assert max(sizes) - min(sizes) <= 1
    assert all(numbers == batches[0] for numbers in batches)
    assert len(batches[0]) == 1


@pytest.mark.parametrize("block", [1, 4])
@pytest.mark.parametrize("world", [1, 2])
@pytest.mark.parametrize("windows", [1, 2, 3])
def test_no_balanced_batch_is_empty_where_windows_are_fewer_than_shifts(dataset_of, windows, world, block):
    dataset = dataset_of(windows, may_move=False)  # each is absent from four epochs of five
    sizes, seen = [], set()
    for epoch in range(5):
        for rank in range(world):
            options = {"batch_size": 4, "plan": Plan("balanced"), "rank": rank, "world_size": world, "block": block}
            batches = epoch_of(loader_of(dataset, **options), epoch)
            sizes += [len(batch) for batch in batches]
            seen.update(tuple(window) for batch in batches for window in batch)
    assert min(sizes) >= 1
    assert len(seen) == windows


# Going on


@given(
    at=integers(0, 14),
    workers=sampled_from([(0, 0), (0, 2), (2, 0)]),
    block=sampled_from([(1, 1), (4, 4), (1, 3), (5, 2)]),
    plan=sampled_from(
        [
            *(Plan(), Plan("balanced"), Plan(original=0.4, anneal=(3, 6), starts="random")),
            *(Plan(velocity=(-2, 2), duration=(-1, 1)), Plan(velocity=(-1, 1), starts="random")),
        ]
    ),
)
@settings(deadline=None, max_examples=40, phases=[Phase.explicit, Phase.generate])  # shrinking would start many workers
def test_a_resumed_loader_goes_on_with_the_very_next_batch(dataset_of, at, workers, block, plan):
    options = {"batch_size": 12, "seed": 8, "plan": plan}
    dataset = dataset_of(160)
    whole = [epoch_of(loader_of(dataset, **options), epoch) for epoch in (4, 5)]
    before = loader_of(dataset, workers[0], **options, block=block[0])
    before.sampler.set_epoch(4)
    assert ids(islice(before, at)) == whole[0][:at]
    state = json.loads(json.dumps(before.state_dict()))  # as a checkpoint keeps it

    after = loader_of(dataset, workers[1], **options, block=block[1])
    after.load_state_dict(state)
    assert after.state_dict() == state
    after.sampler.set_epoch(4)  # what Lightning calls before the first batch
    assert ids(after) == whole[0][at:]
    assert epoch_of(after, 5) == whole[1]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("block", [1, 3])
def test_batches_tell_the_shifts_that_were_drawn_whoever_reads_them(dataset_of, workers, block):
    plan = Plan(original=0.3, starts="random")
    told = dataset_of(150, tell_shifts=True)
    loader = loader_of(told, workers, batch_size=16, seed=3, plan=plan, block=block)
    rows, semitones, tokens = TransposingSampler(told, 16, 3, plan).order()
    batches = list(loader)
    assert torch.cat([batch["shifts"] for batch in batches]).tolist() == semitones.tolist()
    read = told[rows, semitones, tokens]
    assert torch.equal(torch.cat([batch["input_ids"] for batch in batches]), read["input_ids"])
    plain = loader_of(dataset_of(150), workers, batch_size=16, seed=3, plan=plan, block=block)
    assert all("shifts" not in batch for batch in plain)
    loader.close()
    plain.close()


def test_moved_cuts_give_other_windows_in_each_epoch_and_the_same_tokens(dataset_of):
    whole = dataset_of(None)
    loader = loader_of(whole, batch_size=16, plan=Plan(original=1.0, starts="random"))
    epochs = []
    for epoch in range(2):
        loader.sampler.set_epoch(epoch)
        batches = list(loader)
        targets = torch.cat([batch["labels"][:, 1:].flatten() for batch in batches])
        epochs.append((torch.cat([batch["input_ids"] for batch in batches]), targets[targets >= 0].bincount()))
    assert epochs[0][1].tolist() == epochs[1][1].tolist(), "each token is predicted once, wherever the cuts are"
    assert sorted(epochs[0][0].tolist()) != sorted(epochs[1][0].tolist())


def test_a_resumed_loader_can_be_stopped_and_resumed_again(dataset_of):
    dataset, options = dataset_of(160), {"batch_size": 12, "seed": 8, "block": 3}
    whole = epoch_of(loader_of(dataset, **options), 0)
    got, state = [], {"epoch": 0, "batch": 0}
    for many in (2, 3, 1, 100):
        loader = loader_of(dataset, **options)
        loader.load_state_dict(state)
        got += ids(islice(loader, many))
        state = loader.state_dict()
    assert state == {"epoch": 0, "batch": len(whole)}
    assert got == whole


def test_the_state_counts_what_was_handed_out_and_not_what_workers_read_ahead(dataset_of):
    loader = loader_of(dataset_of(160), 2, batch_size=12)
    batches = iter(loader)
    for number in range(1, 5):
        next(batches)
        assert loader.state_dict() == {"epoch": 0, "batch": number}


def test_another_epoch_begins_at_its_first_batch(dataset_of):
    dataset = dataset_of(60)
    loader = loader_of(dataset, batch_size=8, seed=1)
    loader.load_state_dict({"epoch": 2, "batch": 5})
    assert epoch_of(loader, 3) == epoch_of(loader_of(dataset, batch_size=8, seed=1), 3)
    assert loader.state_dict() == {"epoch": 3, "batch": 8}
    loader.sampler.set_epoch(4)
    assert loader.state_dict() == {"epoch": 4, "batch": 0}


@pytest.mark.parametrize("workers", [0, 2])
def test_an_epoch_that_was_left_early_begins_anew(dataset_of, workers):
    loader = loader_of(dataset_of(60), workers, batch_size=8, seed=1, block=3)
    whole = ids(loader)
    next(iter(loader))
    assert ids(loader) == whole


def test_ranks_resume_together(dataset_of):
    dataset = dataset_of(150)
    for rank in (0, 1):
        options = {"batch_size": 8, "rank": rank, "world_size": 2, "block": 2}
        whole = ids(loader_of(dataset, **options))
        resumed = loader_of(dataset, **options)
        resumed.load_state_dict({"epoch": 0, "batch": 3})
        assert ids(resumed) == whole[3:]


# Settings


def test_refused_settings_name_their_key(dataset_of):
    with pytest.raises(ConfigError, match=r"data\.batch_size=0: a batch holds at least one window"):
        TransposingSampler(dataset_of(10), 0)
    with pytest.raises(ConfigError, match=r"aug\.draw=even: use random or balanced"):
        TransposingSampler(dataset_of(10), 4, plan=Plan("even"))


def test_an_order_is_a_subclasss_to_give(dataset_of):
    sampler = BatchSampler(dataset_of(10), 4)
    with pytest.raises(NotImplementedError):
        sampler.order()
    with pytest.raises(NotImplementedError):
        sampler.samples()


def test_batches_that_are_kept_are_never_written_over(dataset_of):
    loader = loader_of(dataset_of(150), batch_size=16, block=3)
    seen = [{name: tensor.clone() for name, tensor in batch.items()} for batch in loader]
    kept = list(loader)
    for _ in loader:  # other batches come and go meanwhile
        pass
    for before, after in zip(seen, kept, strict=True):
        assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_worker_that_is_killed_while_all_are_told_to_end_is_no_failure(dataset_of):
    loader = loader_of(dataset_of(150), 2, batch_size=16, seed=3)
    next(iter(loader))
    one, other = multiprocessing.active_children()
    for process in (one, other):
        os.kill(process.pid, signal.SIGSTOP)  # so that it is waited for
    kill = subprocess.Popen(["sh", "-c", f"sleep 0.5; kill -KILL {one.pid}; kill -CONT {other.pid}"])  # noqa: S607
    loader.close()
    kill.wait()
    assert multiprocessing.active_children() == []
