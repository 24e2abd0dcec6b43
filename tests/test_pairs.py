"""A change is measured on the same tunes and seeds, and its interval holds for other tunes and other seeds."""

import numpy as np
import pytest
from comparing import write_run
from scipy.stats import ttest_1samp

from midiaug.comparison.finding import find_runs
from midiaug.comparison.groups import describe
from midiaug.comparison.pairs import change_of, estimated, gap_noise, pairs_of
from midiaug.comparison.runs import read_runs


def described(path):
    return describe(read_runs(find_runs([str(path)]))[0])


def coverage(seeds, own_split, tunes=25, trials=300):
    """How often the interval holds the true change, 0, where tunes and seeds vary."""
    rng, held = np.random.default_rng(0), 0
    for _ in range(trials):
        of_tune, of_seed = rng.normal(0, 0.08, (seeds, tunes)), rng.normal(0, 0.01 * (seeds > 1), (seeds, 1))
        of_tune = of_tune if own_split else np.tile(of_tune[0], (seeds, 1))
        length = np.tile(rng.integers(200, 1500, tunes).astype(float), (seeds, 1))
        nats = length * (of_tune + of_seed + rng.normal(0, 0.04, (seeds, tunes)))
        if own_split:  # no tune comes with two seeds
            block = np.kron(np.eye(seeds), np.ones((1, tunes)))
            nats, length = block * np.tile(nats, seeds), block * np.tile(length, seeds)
        change = estimated(nats, length)
        held += change.low <= 0 <= change.high
    return held / trials


@pytest.mark.parametrize("own_split", [False, True])
@pytest.mark.parametrize("seeds", [1, 3])
def test_an_interval_of_95_percent_holds_the_truth_about_as_often(seeds, own_split):
    assert coverage(seeds, own_split) == pytest.approx(0.95, abs=0.035)


def test_with_one_seed_and_tunes_of_one_length_it_is_the_interval_of_a_paired_test():
    changes = np.random.default_rng(1).normal(-0.1, 0.3, 20)
    change = estimated(100 * changes[None], np.full((1, 20), 100.0))
    reference = ttest_1samp(changes, 0).confidence_interval()
    assert (change.low, change.high) == pytest.approx((reference.low, reference.high))
    assert (change.tunes, change.seeds) == (20, 1)


def test_seeds_that_differ_by_more_than_their_tunes_explain_widen_it():
    tokens = np.full((3, 12), 100.0)
    scatter = 100 * np.random.default_rng(2).normal(0, 0.01, (1, 12))
    together, apart = (
        estimated(scatter + 100 * np.array(by)[:, None], tokens) for by in ((-0.1,) * 3, (-0.3, 0.0, 0.0))
    )
    assert together.nats == pytest.approx(apart.nats)
    assert together.high < 0 < apart.high
    seeds_alone = ttest_1samp([-0.3, 0.0, 0.0], 0).confidence_interval()
    assert apart.high == pytest.approx(seeds_alone.high, rel=0.05)


def test_one_tune_has_no_interval():
    change = estimated(np.array([[-3.0]]), np.array([[10.0]]))
    assert (change.nats, change.low, change.high) == (-0.3, None, None)


def test_runs_are_paired_by_pieces_and_seed_and_by_pieces_alone_where_no_seed_is_shared(tmp_path):
    for seed in (0, 1):
        write_run(tmp_path / f"none{seed}", [(1.0, 1.5 + seed)], "aug=none", f"seed={seed}")
    for seed in (1, 2):
        write_run(tmp_path / f"moved{seed}", [(1.0, 1.4 + seed)], "aug=moderate", f"seed={seed}")
    runs = described(tmp_path)
    still, moved = ([one for one in runs if one.level == level] for level in ("none", "moderate"))
    (pair,) = pairs_of(still, moved)
    assert (pair.seed, [run.name for run in pair.runs]) == (1, ["none1", "moved1"])
    (pair,) = pairs_of([one for one in still if one.seed == 0], moved)
    assert (pair.seed, sorted(run.name for run in pair.runs)) == (None, ["moved1", "moved2", "none0"])


def test_pieces_of_another_length_or_of_one_side_alone_do_not_count(tmp_path):
    write_run(tmp_path / "none", [(1.0, 1.5)], "aug=none", pieces={"a": 1.0, "b": 1.0, "c": 1.0})
    run = write_run(tmp_path / "moved", [(1.0, 1.4)], "aug=moderate", pieces={"a": 0.5, "b": 0.5, "c": 0.75})
    rows = (run / "val_pieces.csv").read_text().replace("b,1,0.5,50.0,100", "b,1,0.5,50.0,99")
    (run / "val_pieces.csv").write_text(rows)
    runs = described(tmp_path)
    pairs = pairs_of([one for one in runs if one.level == "none"], [one for one in runs if one.level == "moderate"])
    change, (alone,) = change_of(pairs)
    assert (change.tunes, change.nats, alone.nats) == (2, pytest.approx(-0.375), pytest.approx(-0.375))


def test_a_gap_may_be_as_large_by_chance_as_two_means_of_so_many_tunes_differ(tmp_path):
    write_run(tmp_path / "a", [(1.0, 1.5)], pieces={f"{number}": 1 + number / 10 for number in range(10)})
    (one,) = described(tmp_path)
    interval = ttest_1samp([1 + number / 10 for number in range(10)], 0).confidence_interval()
    assert gap_noise([one.run], [0.5]) == pytest.approx((interval.high - interval.low) / 2 * 2**0.5)
    assert gap_noise([one.run], [None]) is None
    one.run.pieces = {}
    assert gap_noise([one.run], [0.5]) is None
