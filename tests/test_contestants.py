"""Each contestant delivers the tokens that it should, and they are counted as the training loop gets them."""

from itertools import islice

import numpy as np
import pytest
import torch
from measuring import prepared, settings

from midiaug import run
from midiaug.errors import BenchmarkError
from midiaug.measuring import contestants
from midiaug.measuring.contestants import (
    BASE,
    DATASET_MIDI,
    EMPTY,
    MEMCPY,
    MIDI,
    STOCK,
    TOKENS,
    TOKENS_PLAIN,
    TOKENS_SHIFT,
    WHAT,
    Contestant,
    line_up,
    tokens_in,
    training_tokens,
)
from midiaug.measuring.rivals import write_midi


@pytest.fixture
def lined_up(folder_of_tunes, cache, tmp_path):
    """Makes the line-up of a benchmark with some more words, and its data."""
    made = []

    def make(*more: str):
        chosen = settings(folder_of_tunes, cache, *more)
        data = prepared(chosen)
        midi = tmp_path / "midi"
        midi.mkdir()
        made.append(line_up(chosen, data, write_midi(data, midi)))
        return made[-1], data

    yield make
    for line in made:
        line.close()


def test_all_take_part_and_each_says_what_it_is(lined_up):
    line, _ = lined_up()
    assert list(line.contestants) == [BASE, MIDI, DATASET_MIDI, STOCK, TOKENS, TOKENS_PLAIN, EMPTY, MEMCPY]
    assert set(WHAT) - {TOKENS_SHIFT} == set(line.contestants)
    assert line.left_out == {}


def test_what_altering_costs_is_seen_beside_shifting_alone(lined_up):
    line, _ = lined_up("aug.velocity=[-2,2]", "aug.duration=[-1,1]")
    assert list(line.contestants) == [
        BASE,
        MIDI,
        DATASET_MIDI,
        STOCK,
        TOKENS,
        TOKENS_SHIFT,
        TOKENS_PLAIN,
        EMPTY,
        MEMCPY,
    ]

    ids = {
        name: torch.cat([batch["input_ids"].flatten() for batch in line.contestants[name].epoch(0)])
        for name in (TOKENS, TOKENS_SHIFT)
    }
    changed = ids[TOKENS] != ids[TOKENS_SHIFT]
    assert 0 < changed.float().mean() < 0.5, "velocities and durations alone"
    assert line.left_out == {}


@pytest.mark.parametrize("draw", ["random", "balanced"])
def test_what_is_counted_is_what_the_masks_say_over_whole_epochs(lined_up, draw):
    line, _ = lined_up(f"aug.draw={draw}", "aug.shifts=[-2,0,2]")
    for name in (BASE, MIDI, DATASET_MIDI, STOCK, TOKENS, TOKENS_PLAIN):
        contestant = line.contestants[name]
        counted = delivered = 0.0
        for number in range(3):
            for batch in contestant.epoch(number):
                counted += contestant.count(batch)
                delivered += tokens_in(batch)
        assert counted == pytest.approx(delivered, rel=1e-9), name
        assert counted > 0


def test_the_loaders_of_all_windows_deliver_the_same_number_of_tokens(lined_up):
    line, data = lined_up()
    totals = {
        name: sum(tokens_in(batch) for batch in line.contestants[name].epoch(0))
        for name in (MIDI, STOCK, TOKENS, TOKENS_PLAIN)
    }
    # each window but a sequence's first begins with a token that was delivered before
    sequences = len(np.unique(data.train.windows.sequence))
    assert set(totals.values()) == {training_tokens(data) + len(data.train) - sequences}


def test_what_is_not_transposed_is_not_and_the_two_routes_agree(lined_up):
    line, _ = lined_up()
    ours, stock = (
        sorted(row.tolist() for batch in line.contestants[name].epoch(0) for row in batch["input_ids"])
        for name in (TOKENS_PLAIN, STOCK)
    )
    assert ours == stock
    for mine, same in zip(*(line.contestants[name].epoch(4) for name in (TOKENS, MIDI)), strict=True):
        assert torch.equal(mine["input_ids"], same["input_ids"])
        break


def test_the_share_that_miditok_reads_is_said(lined_up):
    line, data = lined_up()
    read = sum(tokens_in(batch) for batch in line.contestants[DATASET_MIDI].epoch(0))
    assert line.contestants[DATASET_MIDI].share == read / training_tokens(data) < 1
    assert f"reads {read / training_tokens(data):.1%} of the training tokens" in line.contestants[DATASET_MIDI].note


def test_the_empty_loader_and_the_copies_hand_out_one_batch_again_and_again(lined_up):
    line, _ = lined_up()
    for name in (EMPTY, MEMCPY):
        contestant = line.contestants[name]
        batches = list(islice(contestant.epoch(0), 3))
        assert len({batch["input_ids"].data_ptr() for batch in batches}) == 1
        assert contestant.count(batches[0]) == tokens_in(batches[0])


def test_a_trained_tokenizer_is_lined_up_too_and_both_routes_hand_out_the_same(lined_up, trained, monkeypatch):
    monkeypatch.setattr(run, "make_tokenizer", lambda *_: trained)
    line, _ = lined_up()
    assert line.left_out == {}
    mine, same = (next(iter(line.contestants[name].epoch(2)))["input_ids"] for name in (TOKENS, MIDI))
    assert torch.equal(mine, same)
    assert next(iter(line.contestants[STOCK].epoch(0)))["input_ids"].max() < len(trained)


def test_workers_are_taken_where_they_are_asked_for(lined_up):
    line, _ = lined_up("data.num_workers=1")
    for name in (BASE, DATASET_MIDI, STOCK, EMPTY, TOKENS):
        loader = line.contestants[name].epoch(0)
        assert loader.num_workers == 1
        assert tokens_in(next(iter(loader))) > 0


def test_a_speed_is_the_tokens_over_the_time_and_each_call_takes_a_new_epoch(monkeypatch):
    clock = iter(range(1000))  # a second passes between any two looks at it
    monkeypatch.setattr(contestants.time, "perf_counter", lambda: float(next(clock)))
    epochs = []

    def epoch(number):
        epochs.append(number)
        yield from [{"input_ids": torch.zeros(2, 3)}] * 2

    contestant = Contestant(epoch, lambda batch: 10.0)
    # looks: 0 at the begin, 1 and 2 behind the batches, 3 behind the epoch, 4 and, as it is time, 5
    assert contestant.tokens_per_second(4) == 30.0 / 5
    assert epochs == [0, 1]
    contestant.tokens_per_second(1)
    assert epochs == [0, 1, 2]


def test_an_epoch_without_a_batch_ends_nothing():
    epochs = iter([[], [{"input_ids": torch.zeros(2, 3)}] * 10_000])
    contestant = Contestant(lambda _: next(epochs), lambda batch: 10.0)
    assert contestant.tokens_per_second(1e-9) >= 0
    assert contestant.tokens_per_second(1e-9) > 0


def test_a_dataset_that_fails_is_left_out_with_its_reason(lined_up, monkeypatch):
    def failing(*_: object) -> None:
        raise BenchmarkError("it fails on this music (KeyError: 'x')")

    monkeypatch.setattr(contestants, "pretokenized", failing)
    line, _ = lined_up()
    assert line.left_out == {DATASET_MIDI: "it fails on this music (KeyError: 'x')"}
    assert DATASET_MIDI not in line.contestants
