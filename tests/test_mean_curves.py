"""The losses of several runs over as much training, and their mean."""

from pathlib import Path

import numpy as np
import pytest

from midiaug.comparison.mean_curves import mean_curves, unit_of
from midiaug.comparison.runs import Run


def run(*losses, every=100, start=1, **without):
    rows = [
        {"epoch": 1, "step": place * every, "tokens": place * every * 50, "loss/train": loss - 0.5, "loss/val": loss}
        for place, loss in enumerate(losses, start)
    ]
    return Run(Path("a"), [row | without for row in rows], rows[0])


def test_the_mean_is_taken_at_every_amount_that_a_run_was_validated_at_where_all_were():
    found = mean_curves([run(3.0, 2.0, 1.0, 0.5), run(2.0, 1.0, every=150)])
    assert found.unit == "tokens"
    assert found.at == [7_500, 10_000, 15_000]
    assert found.val == pytest.approx([np.mean([2.5, 2.0]), np.mean([2.0, 2 - 1 / 3]), np.mean([1.0, 1.0])])
    assert found.train == pytest.approx(np.array(found.val) - 0.5)


def test_what_all_runs_know_is_the_unit():
    assert unit_of([run(1.0, 2.0), run(1.0, 2.0, tokens=None)]) == "step"
    assert unit_of([run(1.0), run(1.0, tokens=None, step=None)]) == "epoch"
    assert unit_of([run(1.0, 2.0, tokens=None, step=None)]) is None  # two validations in the one epoch
    assert unit_of([]) is None


@pytest.mark.parametrize(
    "runs",
    [
        [],
        [run(1.0)],
        [run(1.0, 2.0), run(1.0, 2.0, start=3)],
        [run(1.0, 2.0, **{"loss/train": None})],
        [run(1.0, 2.0, **{"loss/val": None})],
    ],
    ids=["no run", "one validation", "nothing in common", "no training loss", "no validation loss"],
)
def test_without_a_stretch_in_common_there_is_no_mean(runs):
    assert mean_curves(runs) is None


def test_losses_whose_sum_is_beyond_all_numbers_have_no_mean():
    assert mean_curves([run(1.7e308, 2.0), run(1.7e308, 2.0)]) is None
