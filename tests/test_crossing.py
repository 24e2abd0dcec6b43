"""Where two validation curves cross for good, at equal tokens."""

from pathlib import Path

import pytest

from midiaug.comparison.crossing import crossing_of
from midiaug.comparison.pairs import Pair
from midiaug.comparison.runs import Run


def run(*losses, every=100, tokens=50, start=1):
    rows = [
        {"epoch": 1, "step": place * every, "tokens": place * every * tokens, "loss/val": loss}
        for place, loss in enumerate(losses, start)
    ]
    return Run(Path("a"), rows, rows[0])


def pair(before, after, seed=0):
    return Pair(seed, "a", [before], [after])


def test_the_last_fall_below_counts_and_lies_on_a_line_between_two_validations():
    still, moved = run(3.0, 2.0, 2.0, 2.0, 2.2), run(3.2, 1.9, 2.1, 1.9, 1.9)
    found = crossing_of([pair(still, moved)])
    assert found.at == pytest.approx(350 * 50)
    assert found.step == pytest.approx(350)
    assert (found.last, found.difference) == (500 * 50, pytest.approx(-0.3))
    assert found.words == "the curves cross for good at 18k tokens (step 350)"


def test_curves_that_are_above_throughout_never_cross():
    found = crossing_of([pair(run(3.0, 2.0, 2.0), run(3.1, 2.2, 2.1))])
    assert (found.at, found.difference, found.lead_lost) == (None, pytest.approx(0.1), False)
    assert found.words == "the curves never cross within 15k tokens"


def test_a_lead_that_was_lost_is_said_to_be():
    found = crossing_of([pair(run(3.0, 2.0, 2.0), run(2.9, 1.9, 2.1))])
    assert (found.at, found.difference, found.lead_lost) == (None, pytest.approx(0.1), True)
    assert found.words == "the curve with augmentation was below, and lost its lead before 15k tokens"


def test_a_curve_below_from_the_start_is_said_to_be():
    found = crossing_of([pair(run(3.0, 2.0), run(2.9, 1.9))])
    assert (found.at, found.from_start) == (5_000, True)
    assert (
        found.words == "the curve with augmentation lies below from the first validation on, at 5,000 tokens (step 100)"
    )


def test_the_mean_over_the_seeds_counts_and_each_seed_is_known():
    pairs = [
        pair(run(2.0, 2.0, 2.0), run(2.2, 2.0 - 0.2, 1.8), 0),
        pair(run(2.0, 2.0, 2.0), run(2.2, 2.2, 2.2), 1),
        pair(run(2.0, 2.0, 2.0), run(2.2, 2.0, 1.6), 2),
    ]
    found = crossing_of(pairs)
    assert found.by_seed == [(0, None, pytest.approx(150 * 50)), (1, None, None), (2, None, pytest.approx(200 * 50))]
    assert found.difference == pytest.approx((-0.2 + 0.2 - 0.4) / 3)
    assert found.at == pytest.approx(200 * 50)  # +0.2, 0.0, -0.133


def test_only_the_stretch_that_both_have_counts():
    found = crossing_of([pair(run(2.0, 2.0), run(2.2, 2.1, 1.0, 1.0))])
    assert (found.at, found.last) == (None, 200 * 50)
    assert found.difference == pytest.approx(0.1)


def test_curves_with_other_steps_are_compared_at_equal_tokens():
    found = crossing_of([pair(run(2.0, 2.0, 2.0, 2.0), run(2.2, 1.8, every=200, tokens=50))])
    assert found.at == pytest.approx(300 * 50)


@pytest.mark.parametrize(("lacks", "unit"), [((), "tokens"), (("tokens",), "step"), (("tokens", "step"), "epoch")])
def test_without_tokens_the_steps_count_and_without_steps_the_epochs(lacks, unit):
    runs = run(2.0, 2.0), run(2.2, 1.8)
    for one in runs:
        for place, row in enumerate(one.rows, 1):
            row["epoch"] = place
            for name in lacks:
                row[name] = None
    found = crossing_of([pair(*runs)])
    assert found.unit == unit
    assert found.measure == {"tokens": "tokens", "step": "steps", "epoch": "epochs"}[unit]
    assert found.at is not None


def test_a_validation_without_a_number_is_left_out_and_a_single_one_is_no_curve():
    still, moved = run(2.0, 2.0, 2.0), run(2.2, 1.0, 1.8)
    moved.rows[1]["loss/val"] = None
    assert crossing_of([pair(still, moved)]).at == pytest.approx(200 * 50)
    assert crossing_of([pair(run(2.0), run(1.0))]) is None
    assert crossing_of([]) is None
