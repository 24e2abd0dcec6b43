"""Where windows lie: every token is predicted once, also where the cuts move."""

import music
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.strategies import data as drawn
from hypothesis.strategies import integers, lists
from miditok import REMI, CPWord, MuMIDI, Octuple

from midiaug.data.columns import flattened
from midiaug.data.corpus import read_corpus
from midiaug.data.pieces import Limits
from midiaug.data.sources import folder
from midiaug.data.store import build_store
from midiaug.data.store_writer import MAX_WINDOW
from midiaug.data.windows import Windows, whole_steps
from midiaug.errors import ConfigError


def made(root, tokenizer):
    """Five tunes of one to nine bars, one of them with an accompaniment and drums."""
    for number, bars in enumerate((1, 3, 9, 2)):
        music.write(music.tune(number, bars=bars), root / f"{number}.mid")
    music.corpus(root / "d", 1, seed=4, bars=3, chords=True, drums=True)
    corpus = read_corpus(folder(root), Limits(), root / "cache", processes=1)
    return build_store(corpus, tokenizer, Limits(), root / "cache", processes=1)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return made(tmp_path_factory.mktemp("windows"), REMI())


@pytest.fixture(scope="module", params=[CPWord, Octuple, MuMIDI])
def columns_store(request, tmp_path_factory):
    """The same of a tokenizer whose time steps have several ids."""
    return made(tmp_path_factory.mktemp("windows"), flattened(request.param()))


def times_predicted(store, windows):
    """(tokens,) how often each token of the store is predicted: a model reads all but a window's last."""
    predicted = np.zeros(store.tokens.offsets[-1], int)
    for start, length in zip(windows.start, windows.length, strict=True):
        assert 2 <= length <= windows.size
        predicted[start + 1 : start + length] += 1
    return predicted


def all_but_firsts(store):
    expected = np.ones(store.tokens.offsets[-1], int)
    expected[store.tokens.offsets[:-1]] = 0
    return expected


@given(size=integers(2, 300))
@settings(deadline=None, max_examples=40)
def test_every_token_but_a_sequences_first_is_predicted_exactly_once(store, size):
    windows = Windows.of(store, np.arange(len(store.tokens)), size)
    assert (times_predicted(store, windows) == all_but_firsts(store)).all()


@given(size=integers(2, 300), choose=drawn())
@settings(deadline=None, max_examples=60)
def test_however_far_the_cuts_move_every_token_is_still_predicted_exactly_once(store, size, choose):
    windows = Windows.of(store, np.arange(len(store.tokens)), size)
    slides = np.array([choose.draw(integers(0, int(slack))) for slack in windows.slack])
    rows = np.arange(len(windows))
    moved = windows.slid(rows, slides[windows.place])
    assert (times_predicted(store, moved) == all_but_firsts(store)).all()
    offsets = store.tokens.offsets
    assert (moved.start >= offsets[moved.sequence]).all()
    assert (moved.start + moved.length <= offsets[moved.sequence + 1]).all()
    assert moved.size == size


def test_cuts_that_do_not_move_leave_all_windows_as_they_are(store):
    windows = Windows.of(store, np.arange(len(store.tokens)), 30)
    rows = np.array([3, 0, 3, 7])
    same = windows.slid(rows, np.zeros(4, int))
    assert same.start.tolist() == windows.start[rows].tolist()
    assert same.length.tolist() == windows.length[rows].tolist()


def test_the_cuts_of_a_long_tune_really_move(store):
    windows = Windows.of(store, np.arange(len(store.tokens)), 30)
    slides = windows.slack[windows.place]
    moved = windows.slid(np.arange(len(windows)), slides)
    inner = (windows.start > np.asarray(store.tokens.offsets)[windows.sequence]) & (slides > 0)
    assert inner.sum() > 5
    assert (moved.start[inner] == windows.start[inner] - slides[inner]).all()


def test_windows_lie_inside_their_sequence_and_all_but_its_last_are_full(store):
    chosen = np.array([4, 0, 2])
    windows = Windows.of(store, chosen, 20)
    assert list(dict.fromkeys(windows.sequence.tolist())) == chosen.tolist()
    for place, sequence in enumerate(chosen):
        of_it = windows.sequence == sequence
        assert (windows.place[of_it] == place).all()
        starts, lengths = windows.start[of_it], windows.length[of_it]
        assert starts[0] == store.tokens.offsets[sequence]
        assert starts[-1] + lengths[-1] == store.tokens.offsets[sequence + 1]
        assert (lengths[:-1] == 20).all()
        assert windows.slack[place] == 20 - lengths[-1]
    assert len(windows) == len(windows.start) > 6


@given(rows=lists(integers(0, 5), max_size=4))
def test_no_window_or_any_can_be_asked_for(store, rows):
    windows = Windows.of(store, np.arange(len(store.tokens)), 30)
    assert len(windows.slid(np.array(rows, int), np.zeros(len(rows), int))) == len(rows)


@pytest.mark.parametrize("size", [1, 0, -5, MAX_WINDOW + 1])
def test_a_window_that_cannot_be_is_refused(store, size):
    with pytest.raises(ConfigError, match=rf"data\.window={size}: give a number of tokens from 2 to 65,536"):
        Windows.of(store, np.arange(2), size)


# Time steps of several ids


def steps_predicted(store, windows):
    """(time steps,) how often each of the store is predicted: all but the first of each window are."""
    columns = store.columns
    for numbers in (windows.start, windows.length):
        assert (np.asarray(numbers) % columns == 0).all()
    predicted = np.zeros(store.tokens.offsets[-1] // columns, int)
    for start, length, count in zip(windows.start, windows.length, windows.predicted, strict=True):
        assert 2 * columns <= length <= windows.size
        assert count == length - columns
        predicted[start // columns + 1 : (start + length) // columns] += 1
    return predicted


@given(size=integers(12, 300), choose=drawn())
@settings(deadline=None, max_examples=30)
def test_windows_hold_whole_time_steps_and_each_but_a_sequences_first_is_predicted_once(columns_store, size, choose):
    store, columns = columns_store, columns_store.columns
    assert columns > 1
    windows = Windows.of(store, np.arange(len(store.tokens)), size)
    assert windows.size == size - size % columns
    expected = np.ones(store.tokens.offsets[-1] // columns, int)
    expected[np.asarray(store.tokens.offsets[:-1]) // columns] = 0
    assert (steps_predicted(store, windows) == expected).all()
    slides = np.array([columns * choose.draw(integers(0, int(slack) // columns)) for slack in windows.slack])
    moved = windows.slid(np.arange(len(windows)), slides[windows.place])
    assert (steps_predicted(store, moved) == expected).all()


def test_a_window_is_as_many_whole_time_steps_as_fit_and_two_at_least():
    assert [whole_steps(size, 6) for size in (12, 17, 255, 256)] == [12, 12, 252, 252]
    assert whole_steps(2, 1) == 2
    with pytest.raises(ConfigError, match=r"data\.window=11: the tokenizer writes 6 ids .*; give 12 or more"):
        whole_steps(11, 6)


def test_a_shifted_piece_of_fewer_steps_is_read_from_one_of_them_on(columns_store):
    store, columns = columns_store, columns_store.columns
    windows = Windows.of(store, np.arange(len(store.tokens)), 4 * columns)
    rows = np.arange(len(windows))
    fewer = np.asarray(store.tokens.lengths())[windows.sequence] - 3 * columns
    begin, taken = windows.within(rows, np.asarray(store.tokens.offsets), np.maximum(fewer, 2 * columns))
    assert (begin % columns == 0).all()
    assert (taken >= 2 * columns).all()
