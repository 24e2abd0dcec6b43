"""What a setting means, and what the draws of all epochs together are."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.strategies import composite, integers, lists, tuples
from scipy.stats import chisquare

from midiaug.data.shifts import Choices, Shifts, draw_balanced, draw_random
from midiaug.errors import ConfigError

SEVEN = Shifts.of(-5, -3, -1, 0, 1, 3, 5)


@composite
def corpora(draw):
    """Shifts of any kind, and the room of up to 40 windows: some have room for all, some for none."""
    shifts = Shifts.of(*draw(lists(integers(-24, 24), min_size=1, max_size=9, unique=True)))
    room = draw(lists(tuples(integers(-26, 0), integers(0, 26)), min_size=1, max_size=40))
    lowest, highest = (np.array(ends) for ends in zip(*room, strict=True))
    return shifts, lowest, highest


def allowed(shifts, lowest, highest):
    """The reference: for each window, the shifts within its room, or none but 0."""
    return [
        [shift for shift in shifts if low <= shift <= high] or [0] for low, high in zip(lowest, highest, strict=True)
    ]


def choices_of(counts):
    """Windows that have room for the first so many of the shifts 0, 1, 2, and so on."""
    counts = np.array(counts)
    return Choices.within(Shifts.of(*range(max(counts))), np.zeros_like(counts), counts - 1)


# Settings


@pytest.mark.parametrize(
    ("numbers", "meant"),
    [
        ([-5, 5], [-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5]),
        ([3, 3], [3]),
        ([-2, -1], [-2, -1]),
        ([0], [0]),
        ([5, -5, 0], [-5, 0, 5]),
        ([-24, 0, 12, 24], [-24, 0, 12, 24]),
    ],
)
def test_two_numbers_are_a_range_and_any_other_count_stands_as_it_is(numbers, meant):
    assert list(Shifts.parse(numbers)) == meant


def test_two_shifts_of_ones_own_choice_are_not_a_range():
    assert list(Shifts.of(5, -5)) == [-5, 5]
    assert len(Shifts.of(5, -5)) == 2


@given(low=integers(-24, 24), width=integers(0, 48))
def test_between_holds_both_ends_and_all_within(low, width):
    high = min(24, low + width)
    assert list(Shifts.between(low, high)) == list(range(low, high + 1)) == list(Shifts.parse([low, high]))


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ([], r"aug\.shifts=\[\]: no shift to draw from; \[0\] stands for no transposition"),
        ([-50, 50], r"aug\.shifts=\[-50, 50\]: a shift beyond 24 semitones .* use numbers from -24 to 24"),
        ([25], r"aug\.shifts=\[25\]: a shift beyond 24 semitones"),
        ([0, 1, -25], r"aug\.shifts=\[0, 1, -25\]: a shift beyond 24 semitones"),
        ([1, 2, 1], r"aug\.shifts=\[1, 2, 1\]: a shift is named twice"),
        ([5, -5], r"aug\.shifts=\[5, -5\]: the range runs backwards; write \[-5, 5\]"),
        ([0.5], r"aug\.shifts=\[0\.5\]: 0\.5 is not a whole number of semitones"),
        ([0, 1.0, 2], r"aug\.shifts=\[0, 1\.0, 2\]: 1\.0 is not a whole number"),
        ([True, False, 3], r"aug\.shifts=\[True, False, 3\]: True is not a whole number"),
        (["up"], r"aug\.shifts=\['up'\]: 'up' is not a whole number"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_its_name(numbers, sentence):
    with pytest.raises(ConfigError, match=sentence):
        Shifts.parse(numbers)


@pytest.mark.parametrize(
    "make", [lambda: Shifts.of(), lambda: Shifts.of(1.5), lambda: Shifts.of(True, 2), lambda: Shifts.between(0, 10**9)]
)
def test_what_python_gives_is_refused_likewise(make):
    with pytest.raises(ConfigError, match=r"^aug\.shifts="):
        make()


def test_shifts_are_shown_with_their_signs():
    assert str(Shifts.of(5, 0, -3)) == "[-3, 0, +5]"


@pytest.mark.parametrize(("shifts", "moves"), [((0,), False), ((3,), True), ((0, 1), True)])
def test_only_zero_alone_moves_nothing(shifts, moves):
    assert Shifts.of(*shifts).moves == moves


def test_numpy_integers_are_integers():
    assert Shifts.of(*np.arange(-1, 2)) == Shifts.of(-1, 0, 1)


# What each window may take


@given(corpora())
def test_each_window_may_take_the_shifts_within_its_room_or_stays(corpus):
    choices = Choices.within(*corpus)
    got = [
        choices.values[first : first + count].tolist()
        for first, count in zip(choices.first, choices.count, strict=True)
    ]
    assert got == allowed(*corpus)


def test_a_part_of_the_windows_keeps_its_choices():
    choices = choices_of([1, 2, 3])[np.array([2, 2, 0])]
    assert len(choices) == 3
    assert choices.count.tolist() == [3, 3, 1]


# The random draw


@given(corpora(), integers(0, 1000), integers(0, 1000))
def test_a_random_epoch_holds_every_window_once_within_its_room(corpus, seed, epoch):
    order, semitones = draw_random(Choices.within(*corpus), seed, epoch)
    assert sorted(order) == list(range(len(corpus[1])))
    rooms = allowed(*corpus)
    assert all(shift in rooms[row] for row, shift in zip(order, semitones, strict=True))


@pytest.mark.parametrize("draw", [draw_random, lambda choices, seed, epoch: draw_balanced(choices, 7, seed, epoch)])
def test_a_draw_is_a_function_of_seed_and_epoch_alone(draw):
    choices = choices_of([7] * 50 + [3] * 50)
    first = draw(choices, 4, 9)
    np.random.seed(2)  # noqa: NPY002
    state = np.random.get_state()[1].tolist()  # noqa: NPY002
    again = draw(choices, 4, 9)
    assert np.random.get_state()[1].tolist() == state  # noqa: NPY002
    assert all((one == other).all() for one, other in zip(first, again, strict=True))
    for seed, epoch in ((4, 10), (5, 9)):
        order, semitones = draw(choices, seed, epoch)
        assert order.tolist() != first[0].tolist()
        assert semitones.tolist() != first[1].tolist()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_random_shifts_are_drawn_evenly(seed):
    counts = np.repeat([7, 4, 2], 4000)
    order, semitones = draw_random(choices_of(counts), seed, 0)
    by_window = semitones[np.argsort(order)]
    for count in (7, 4, 2):
        seen = np.bincount(by_window[counts == count], minlength=count)
        assert len(seen) == count
        assert chisquare(seen).pvalue > 0.001


def test_a_window_meets_all_its_shifts_over_the_epochs_evenly():
    choices = choices_of([5] * 20)
    seen = np.zeros((20, 5), int)
    for epoch in range(400):
        order, semitones = draw_random(choices, 3, epoch)
        seen[order, semitones] += 1
    assert chisquare(seen.sum(axis=0)).pvalue > 0.001
    assert min(chisquare(row).pvalue for row in seen) > 0.001 / 20


def test_the_order_of_a_random_epoch_tells_nothing_of_the_shifts():
    order, semitones = draw_random(choices_of([7] * 14_000), 0, 0)
    halves = np.array([np.bincount(part, minlength=7) for part in (semitones[:7000], semitones[7000:])])
    assert chisquare(halves.ravel()).pvalue > 0.001
    rows = np.array([np.bincount(semitones[part], minlength=7) for part in (order < 7000, order >= 7000)])
    assert chisquare(rows.ravel()).pvalue > 0.001


# The balanced draw


@given(corpora(), integers(0, 1000), integers(0, 5))
@settings(deadline=None)
def test_as_many_epochs_as_shifts_hold_each_window_once_in_each_of_its_shifts(corpus, seed, turn):
    shifts, choices = len(corpus[0]), Choices.within(*corpus)
    epochs = [draw_balanced(choices, shifts, seed, turn * shifts + slot) for slot in range(shifts)]
    seen = Counter(pair for order, semitones in epochs for pair in zip(order.tolist(), semitones.tolist(), strict=True))
    assert seen == Counter((row, shift) for row, room in enumerate(allowed(*corpus)) for shift in room)
    assert all(len(set(order.tolist())) == len(order) for order, _ in epochs)
    sizes = [len(order) for order, _ in epochs]
    assert max(sizes) - min(sizes) <= 1


def test_balanced_epochs_mix_the_shifts():
    choices = choices_of([7] * 7000)
    for epoch in range(3):
        _, semitones = draw_balanced(choices, 7, 0, epoch)
        assert chisquare(np.bincount(semitones, minlength=7)).pvalue > 0.001
        assert chisquare(np.bincount(semitones[:3500], minlength=7)).pvalue > 0.001


def test_a_balanced_round_differs_from_the_round_before():
    choices = choices_of([7] * 200)
    first, second = (
        [np.argsort(draw_balanced(choices, 7, 0, turn * 7 + slot)[0]) for slot in range(7)] for turn in (0, 1)
    )
    assert any((one != other).any() for one, other in zip(first, second, strict=True))
    shift_of = [
        np.array(semitones)[np.argsort(order)]
        for order, semitones in (draw_balanced(choices, 7, 0, epoch) for epoch in (0, 7))
    ]
    assert (shift_of[0] != shift_of[1]).mean() > 0.7


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((-5, -4, -3, -2), "-5 to -2"),
        ((-1, 0, 1), "-1 to +1"),
        ((0, 1, 2), "0 to +2"),
        ((-2, -1, 0), "-2 to 0"),
        ((10, 11, 12), "+10 to +12"),
        ((0,), "[0]"),
        ((-1, 0), "[-1, 0]"),
        ((-1, 0, 2), "[-1, 0, +2]"),
    ],
)
def test_consecutive_shifts_are_named_by_their_ends(values, words):
    assert Shifts(values).in_short == words
