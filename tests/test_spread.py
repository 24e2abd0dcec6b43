"""A difference counts where it is more than the validation pieces differ among themselves."""

import numpy as np
import pytest

from midiaug.generation.spread import against_spread

REAL = np.random.default_rng(0).normal(2.5, 0.25, 400).tolist()


@pytest.mark.parametrize(("value", "verdict"), [(1.9, "below"), (2.1, "within"), (2.9, "within"), (3.1, "above")])
def test_the_pieces_lie_within_or_outside_of_what_95_percent_of_the_real_ones_have(value, verdict):
    found = against_spread([value - 0.05, value + 0.05, None], REAL)
    assert found["verdict"] == verdict
    assert (found["low"], found["high"]) == (pytest.approx(2.5 - 1.96 * 0.25, abs=0.06), pytest.approx(2.99, abs=0.06))
    assert sum(found["low"] <= value <= found["high"] for value in REAL) == 380
    assert (found["inside"], found["n"]) == (2 if verdict == "within" else 0, 2)


def test_one_piece_far_off_does_not_decide_where_the_others_lie():
    found = against_spread([2.5] * 5 + [-60.0], REAL)
    assert (found["verdict"], found["inside"], found["n"]) == ("within", 5, 6)


def test_many_outside_are_not_within_though_their_mean_and_median_are():
    assert against_spread([2.5] * 19 + [9.0] * 13, REAL)["verdict"] == "above"
    assert against_spread([2.5] * 19 + [9.0] * 6 + [-9.0] * 7, REAL)["verdict"] == "below"
    found = against_spread([0.0, 2.5, 5.0], REAL)
    assert (found["verdict"], found["inside"], found["n"]) == ("outside", 1, 3)


@pytest.mark.parametrize(("n", "most"), [(1, 0), (4, 1), (8, 2), (32, 4), (4096, 228)])
def test_as_many_may_lie_outside_as_chance_puts_there_of_real_pieces(n, most):
    for outside, verdict in ((most, "within"), (most + 1, "above")):
        if outside <= n:
            assert against_spread([9.0] * outside + [2.5] * (n - outside), REAL)["verdict"] == verdict


def test_real_pieces_are_within_at_least_19_times_of_20():
    drawn = np.random.default_rng(1).choice(REAL, (2000, 8))
    within = [against_spread(row.tolist(), REAL)["verdict"] == "within" for row in drawn]
    assert np.mean(within) >= 0.95


def test_of_pairs_there_are_no_more_than_pieces_to_judge_by():
    pairs = [9.0] * 7 + [2.5] * 21  # one of 8 pieces is alike to all others
    assert against_spread(pairs, REAL)["verdict"] == "above"
    found = against_spread(pairs, REAL, pieces=8)
    assert (found["verdict"], found["inside"], found["n"]) == ("within", 21, 28)


def test_pieces_that_are_all_alike_leave_no_room_but_for_rounding():
    assert against_spread([1 - 1e-12], [1.0] * 20)["verdict"] == "within"
    assert against_spread([0.99], [1.0] * 20)["verdict"] == "below"


def test_nothing_is_said_of_no_figure_or_of_few_real_ones():
    assert against_spread([None], REAL) is None
    assert against_spread([], REAL) is None
    assert against_spread([2.5], [*REAL[:7], None]) is None
    assert against_spread([2.5], REAL[:8]) is not None
