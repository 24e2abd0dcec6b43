"""A difference counts where it is more than the validation pieces differ among themselves."""

import numpy as np
import pytest

from midiaug.generation.spread import against_spread

REAL = np.random.default_rng(0).normal(2.5, 0.25, 400).tolist()


@pytest.mark.parametrize(("mean", "verdict"), [(1.9, "below"), (2.1, "within"), (2.9, "within"), (3.1, "above")])
def test_the_mean_lies_within_or_outside_of_what_95_percent_of_the_pieces_have(mean, verdict):
    found = against_spread([mean - 0.05, mean + 0.05, None], REAL)
    assert found["verdict"] == verdict
    assert (found["low"], found["high"]) == (pytest.approx(2.5 - 1.96 * 0.25, abs=0.06), pytest.approx(2.99, abs=0.06))
    assert sum(found["low"] <= value <= found["high"] for value in REAL) == 380
    assert (found["inside"], found["n"]) == (2 if verdict == "within" else 0, 2)


def test_how_many_lie_within_is_counted_though_their_mean_does():
    found = against_spread([0.0, 2.5, 5.0], REAL)
    assert (found["verdict"], found["inside"], found["n"]) == ("within", 1, 3)


def test_of_a_median_one_piece_far_off_changes_nothing():
    values = [2.5, 2.5, 60.0]
    assert against_spread(values, REAL)["verdict"] == "above"
    assert against_spread(values, REAL, middle=True)["verdict"] == "within"


def test_pieces_that_are_all_alike_leave_no_room_but_for_rounding():
    assert against_spread([1 - 1e-12], [1.0] * 20)["verdict"] == "within"
    assert against_spread([0.99], [1.0] * 20)["verdict"] == "below"


def test_nothing_is_said_of_no_figure_or_of_few_real_ones():
    assert against_spread([None], REAL) is None
    assert against_spread([], REAL) is None
    assert against_spread([2.5], [*REAL[:7], None]) is None
    assert against_spread([2.5], REAL[:8]) is not None
