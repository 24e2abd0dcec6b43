"""What an epoch draws besides the shifts: originals kept, shifts that narrow, cuts that move; from (seed, epoch)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import integers

from midiaug.data.plan import Plan
from midiaug.data.shifts import Choices, Shifts, draw_random
from midiaug.data.windows import Windows
from midiaug.errors import ConfigError

WINDOWS = 6000


def choices_of(shifts=None, lowest=-24, highest=24):
    room = np.full(WINDOWS, lowest), np.full(WINDOWS, highest)
    return Choices.within(shifts or Shifts.between(-5, 5), *room)


def test_a_plain_plan_is_the_random_draw():
    for drawn, expected in zip(Plan().shifts(choices_of(), 11, 3, 2), draw_random(choices_of(), 3, 2), strict=True):
        assert drawn.tolist() == expected.tolist()


@pytest.mark.parametrize("share", [0.25, 1 / 3, 0.9])
def test_the_share_of_originals_is_kept_besides_what_the_draw_leaves_there(share):
    order, semitones = Plan(original=share).shifts(choices_of(), 11, 0, 1)
    expected = share + (1 - share) / 11
    assert abs((semitones == 0).mean() - expected) < 5 * (expected / WINDOWS) ** 0.5
    plain, drawn = Plan().shifts(choices_of(), 11, 0, 1)
    assert order.tolist() == plain.tolist(), "the same order with and without"
    moved = semitones != 0
    assert (semitones[moved] == drawn[moved]).all(), "and the same shifts where no original is kept"


def test_all_or_none_of_the_samples_may_stay_in_their_own_key():
    assert not Plan(original=1.0).shifts(choices_of(), 11, 0, 1)[1].any()
    drawn = Plan(original=0.5).shifts(choices_of(Shifts.of(-3, 4)), 2, 0, 1)[1]
    assert set(drawn.tolist()) == {-3, 0, 4}, "the original key need not be among the shifts"


def test_shifts_narrow_from_one_epoch_to_the_other():
    plan = Plan(anneal=(2, 7))
    widest = [int(np.abs(plan.shifts(choices_of(), 11, 0, epoch)[1]).max()) for epoch in range(9)]
    assert widest == [5, 5, 5, 4, 3, 2, 1, 0, 0]


@given(epoch=integers(0, 12), low=integers(-24, 0), high=integers(0, 24))
def test_narrowed_shifts_are_those_of_the_room_within_reach(epoch, low, high):
    shifts = Shifts.of(-7, -4, -2, 3, 6)
    reach = int(7 * min(1, max(0, 10 - epoch) / 8))
    allowed = [shift for shift in shifts if low <= shift <= high and abs(shift) <= reach]
    semitones = Plan(anneal=(2, 10)).shifts(choices_of(shifts, low, high), 5, 1, epoch)[1]
    assert set(semitones.tolist()) == set(allowed or [0])


def test_narrowed_shifts_are_drawn_evenly():
    semitones = Plan(anneal=(0, 5)).shifts(choices_of(), 11, 0, 2)[1]  # three semitones up and down
    counts = np.unique(semitones, return_counts=True)
    assert counts[0].tolist() == [-3, -2, -1, 0, 1, 2, 3]
    assert np.abs(counts[1] / WINDOWS - 1 / 7).max() < 5 * (1 / 7 / WINDOWS) ** 0.5


def windows():
    """Of 100 sequences of three windows each, the last of them 1 to 10 tokens short."""
    sequence = np.repeat(np.arange(100), 3)
    slack = 1 + np.arange(100) % 10
    length = np.where(np.arange(300) % 3 == 2, 20 - np.repeat(slack, 3), 20)
    return Windows(sequence, 100 * sequence + 19 * (np.arange(300) % 3), length, 20)


def test_cuts_move_in_each_epoch_alike_for_all_windows_of_a_sequence():
    plan, cut = Plan(starts="random"), windows()
    rows = np.random.default_rng(0).permutation(300)
    slides = [plan.slides(cut, rows, 4, epoch) for epoch in range(40)]
    for drawn in slides:
        by_row = np.empty(300, int)
        by_row[rows] = drawn
        assert (by_row.reshape(100, 3) == by_row.reshape(100, 3)[:, :1]).all()
        assert (by_row >= 0).all()
        assert (by_row <= np.repeat(cut.slack, 3)).all()
    assert slides[0].tolist() != slides[1].tolist()
    assert slides[0].tolist() == plan.slides(cut, rows, 4, 0).tolist()
    assert slides[0].tolist() != plan.slides(cut, rows, 5, 0).tolist()
    seen = np.stack(slides)[:, np.argsort(rows)].reshape(40, 100, 3)[:, :, 0]
    assert (seen.max(0) == cut.slack).mean() > 0.9
    assert (seen.min(0) == 0).mean() > 0.9


def test_cuts_move_by_whole_time_steps_to_all_that_there_are():
    plain = windows()
    cut = Windows(plain.sequence, 6 * plain.start, 6 * plain.length, 6 * plain.size, 6)
    slides = np.stack([Plan(starts="random").slides(cut, np.arange(300), 4, epoch) for epoch in range(40)])
    assert (slides % 6 == 0).all()
    assert (slides.max(0).reshape(100, 3)[:, 0] == cut.slack).mean() > 0.9
    assert (slides.min(0) == 0).mean() > 0.9


def test_fixed_cuts_stay():
    assert Plan().slides(windows(), np.arange(300), 0, 0) is None


def test_a_balanced_draw_gives_each_shift_its_turn_and_nothing_else():
    with pytest.raises(ConfigError, match=r"aug\.original: not with aug\.draw=balanced"):
        Plan("balanced", original=0.1)
    with pytest.raises(ConfigError, match=r"aug\.anneal: not with aug\.draw=balanced"):
        Plan("balanced", anneal=(1, 2))
    assert Plan("balanced", starts="random").starts == "random"


def test_every_combination_of_alterations_is_drawn_as_often_and_anew_in_each_epoch():
    plan = Plan(velocity=(-2, 2), tempo=(0, 1))
    drawn = plan.altered(20_000, 3, 1)
    counts = np.bincount(drawn)
    assert len(counts) == len(plan.alterations.combinations) == 10
    assert np.abs(counts / 20_000 - 0.1).max() < 5 * (0.09 / 20_000) ** 0.5
    assert drawn.tolist() == plan.altered(20_000, 3, 1).tolist()
    assert drawn.tolist() != plan.altered(20_000, 3, 2).tolist()
    assert drawn.tolist() != plan.altered(20_000, 4, 1).tolist()


def test_alterations_leave_the_draw_of_shifts_as_it_is():
    assert Plan().altered(10, 0, 0) is None
    plain, altered = (plan.shifts(choices_of(), 11, 3, 2) for plan in (Plan(), Plan(duration=(-1, 1))))
    for one, other in zip(plain, altered, strict=True):
        assert one.tolist() == other.tolist()


def test_a_levels_name_is_kept_as_its_range():
    assert Plan(velocity="moderate", tempo=[0, 1]) == Plan(velocity=(-2, 2), tempo=(0, 1))
    with pytest.raises(ConfigError, match=r"^aug\.velocity=lively: give two whole numbers .* or a level: conservative"):
        Plan(velocity="lively")


def test_too_many_combinations_are_refused_before_anything_is_read():
    with pytest.raises(ConfigError, match="narrow one"):
        Plan(velocity=(-8, 8), duration=(-8, 8), tempo=(-8, 8))
