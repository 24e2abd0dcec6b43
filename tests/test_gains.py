"""What augmentation gained is judged on the same tunes, and a smaller gap alone is no gain."""

from itertools import product

import numpy as np
import pytest
from comparing import write_run
from scipy.stats import ttest_1samp

from midiaug.comparison.finding import find_runs
from midiaug.comparison.gains import gains_of
from midiaug.comparison.groups import describe, grouped
from midiaug.comparison.runs import read_runs

PIECES = {f"tune {number}.mid": 1.0 + 0.1 * number for number in range(12)}


def gains(path):
    return gains_of(grouped(describe(read_runs(find_runs([str(path)]))[0])))


def changed(by, scatter=0.01):
    """The pieces, each with its loss changed by so much, and a little to and fro."""
    return {name: loss + by + scatter * (-1) ** number for number, (name, loss) in enumerate(PIECES.items())}


def mean(pieces):
    return float(np.mean(list(pieces.values())))


def pair(path, after, gap=(0.5, 0.1), seed=0, names=str):
    """A run without augmentation and one with, judged by the same pieces."""
    for level, pieces, width in (("none", PIECES, gap[0]), ("moderate", after, gap[1])):
        val = mean(pieces)
        renamed = {names(name): loss for name, loss in pieces.items()}
        losses = [(val + 1 + seed, val + 1.1), (val - width, val), (val - width, val + 0.1)]
        training = {spelled.format(name) for name in pieces for spelled in ("{}", "0{}", "1{}")} - set(renamed)
        write_run(path / f"{level}{seed}", losses, f"aug={level}", f"seed={seed}", pieces=renamed, training=training)


def test_a_lower_loss_helped_and_the_figures_are_those_of_a_paired_test(tmp_path):
    after = changed(-0.2, scatter=0.05)
    pair(tmp_path, after)
    ((gain,), remarks) = gains(tmp_path)
    assert remarks == []
    assert gain.verdict == "helped"
    # all pieces are as long, so that the ratio of sums is the mean of the differences
    reference = ttest_1samp([after[name] - PIECES[name] for name in PIECES], 0).confidence_interval()
    assert gain.change.nats == pytest.approx(-0.2)
    assert (gain.change.low, gain.change.high) == pytest.approx((reference.low, reference.high))
    assert (gain.before["gap"], gain.after["gap"], gain.percent) == pytest.approx((0.5, 0.1, 80))
    assert "helped: the validation loss fell by 0.200 nats a token (95 % interval -0.2" in gain.sentence
    assert "The gap went from +0.500 to +0.100 nats a token: 0.400 closed, 80 % of it." in gain.sentence
    assert "12 tunes" in gain.sentence


def test_a_smaller_gap_with_a_higher_loss_did_not_help(tmp_path):
    pair(tmp_path, changed(0.3))
    ((gain,), _) = gains(tmp_path)
    assert gain.verdict == "did not help"
    assert "did not help: the validation loss rose by 0.300 nats a token" in gain.sentence
    assert "a smaller gap alone is no gain" in gain.sentence


def test_a_difference_that_the_tunes_cannot_show_is_left_open(tmp_path):
    pair(tmp_path, changed(-0.01, scatter=0.5))
    ((gain,), _) = gains(tmp_path)
    assert gain.verdict == "cannot tell"
    assert "no difference that these 12 tunes can show" in gain.sentence


def test_seeds_are_averaged_and_must_agree(tmp_path):
    pair(tmp_path, changed(-0.4), seed=0, names="0{}".format)
    pair(tmp_path, changed(0.1), seed=1, names="1{}".format)
    ((gain,), _) = gains(tmp_path)
    assert (gain.runs, gain.baselines) == (2, 2)
    assert [(one.seed, one.better) for one in gain.by_seed] == [(0, True), (1, False)]
    assert [one.nats for one in gain.by_seed] == pytest.approx([-0.4, 0.1])
    assert len({one.split for one in gain.by_seed}) == 2
    assert gain.change.nats == pytest.approx(-0.15)
    assert gain.verdict == "cannot tell"


def test_with_one_split_each_seed_is_paired_with_its_own_and_one_that_got_worse_is_no_help(tmp_path):
    for seed, by in ((0, -0.4), (1, -0.4), (2, 0.02)):
        pair(tmp_path, changed(by), seed=seed)
    ((gain,), _) = gains(tmp_path)
    assert [(one.seed, one.better) for one in gain.by_seed] == [(0, True), (1, True), (2, False)]
    assert [one.nats for one in gain.by_seed] == pytest.approx([-0.4, -0.4, 0.02])
    assert gain.change.low < 0 < gain.change.high  # as three seeds that are so far apart leave it open
    assert gain.change.seeds == 3
    assert gain.verdict == "cannot tell"
    assert "in 2 of 3 seeds" in gain.sentence
    assert "seed 2 worse (+0.020)" in gain.sentence
    assert "over these 12 tunes and 3 seeds" in gain.sentence


def test_seeds_that_agree_are_said_to(tmp_path):
    for seed, by in ((0, -0.20), (1, -0.21), (2, -0.19)):
        pair(tmp_path, changed(by, scatter=0.05), seed=seed)
    ((gain,), _) = gains(tmp_path)
    assert gain.verdict == "helped"
    assert "in each of the 3 seeds" in gain.sentence


def test_folds_are_paired_with_their_own_and_make_one_change_a_seed(tmp_path):
    by = {0: -0.20, 1: 0.05, 2: -0.30}
    names = [f"{fold}{name}" for fold in by for name in PIECES]
    for seed, fold, level in product((0, 1), by, ("none", "moderate")):
        pieces = {f"{fold}{name}": loss for name, loss in changed(by[fold] * (level == "moderate"), 0).items()}
        words = (f"aug={level}", f"seed={seed}", "data.folds=3", f"data.fold={fold}")
        losses = [(1 + seed + fold / 10, mean(pieces))]
        training, first = set(names) - set(pieces), fold * len(PIECES)
        folder = tmp_path / f"{level}{seed}{fold}"
        write_run(folder, losses, *words, pieces=pieces, training=training, first_group=first)
    ((gain,), remarks) = gains(tmp_path)
    assert (gain.model, gain.runs, gain.baselines, remarks) == ("LSTM 2 x 256", 6, 6, [])
    assert [(one.seed, one.split, one.better) for one in gain.by_seed] == [(0, "3 folds", True), (1, "3 folds", True)]
    assert gain.by_seed[1].folds == pytest.approx(by)
    assert gain.change.nats == pytest.approx(-0.15)
    assert gain.change.tunes == 3 * len(PIECES)
    assert "over these 36 tunes in 3 folds and 2 seeds), in each of the 2 seeds and in 4 of 6 runs" in gain.sentence


def test_a_seed_without_its_like_is_left_out_and_named(tmp_path):
    pair(tmp_path, changed(-0.2), seed=0)
    write_run(tmp_path / "more", [(1.0, 2.0), (0.5, 9.0)], "aug=moderate", "seed=5", pieces=changed(0.9))
    sides = (tmp_path / "none0" / "split.json").read_text()
    (tmp_path / "more" / "split.json").write_text(sides)
    ((gain,), (remark,)) = gains(tmp_path)
    assert (gain.runs, gain.baselines, gain.change.nats) == (1, 1, pytest.approx(-0.2))
    assert remark.startswith("more: not counted in what augmentation gained")


def test_where_each_seed_draws_its_own_pieces_different_tunes_are_not_one(tmp_path):
    for seed, start in ((0, "a"), (1, "b")):
        for level, by in (("none", 0.0), ("moderate", -0.2)):
            pieces = {f"{start}{number}.mid": loss for number, loss in enumerate(changed(by).values())}
            words = (f"aug={level}", f"seed={seed}", "data.limit=13")
            training = [f"{start} training.mid"]
            write_run(tmp_path / f"{level}{seed}", [(1 + seed, mean(pieces))], *words, pieces=pieces, training=training)
    ((gain,), _) = gains(tmp_path)
    assert gain.change.tunes == 2 * len(PIECES)
    assert "over these 24 tunes" in gain.sentence


def test_a_gap_within_its_own_noise_is_none_to_close(tmp_path):
    pair(tmp_path, changed(-0.2), gap=(0.1, 0.05))  # twelve tunes from 1.0 to 2.1 leave 0.3 open
    ((gain,), _) = gains(tmp_path)
    assert gain.percent is None
    assert "without augmentation there was none to close" in gain.sentence
    assert "%" not in gain.sentence.replace("95 %", "")


def test_look_alikes_count_as_one_tune_in_all_splits(tmp_path):
    pair(tmp_path, changed(-0.2), seed=0)
    pair(tmp_path, changed(-0.2), seed=1, names="1{}".format)  # other pieces, in the same groups
    ((gain,), _) = gains(tmp_path)
    assert len(gain.by_seed) == 2
    assert gain.change.tunes == len(PIECES)


def test_runs_that_were_judged_by_other_pieces_cannot_be_judged(tmp_path):
    write_run(tmp_path / "none", [(1.0, 1.5)], "aug=none", pieces={"a": 1.5}, training=["b"])
    write_run(tmp_path / "moved", [(1.0, 1.4)], "aug=moderate", pieces={"b": 1.4}, training=["a"])
    ((gain,), _) = gains(tmp_path)
    assert (gain.verdict, gain.change) == ("not known", None)
    assert "cannot be judged: no validation pieces in common" in gain.sentence


def test_one_tune_tells_too_little(tmp_path):
    write_run(tmp_path / "none", [(1.0, 1.5)], "aug=none", pieces={"a": 1.5})
    write_run(tmp_path / "moved", [(1.0, 1.4)], "aug=moderate", pieces={"a": 1.4})
    ((gain,), _) = gains(tmp_path)
    assert (gain.verdict, gain.change.low) == ("not known", None)


def test_without_a_gap_there_is_none_to_close(tmp_path):
    pair(tmp_path, changed(-0.2), gap=(-0.1, -0.2))
    ((gain,), _) = gains(tmp_path)
    assert gain.percent is None
    assert "without augmentation there was none to close" in gain.sentence


def test_where_the_loss_still_fell_in_the_last_epoch_longer_training_is_advised(tmp_path):
    for level, val in (("none", PIECES), ("moderate", changed(0.3))):
        losses = [(mean(val), mean(val) + 1), (mean(val) - 0.1, mean(val))]
        write_run(tmp_path / level, losses, f"aug={level}", pieces=val)
    ((gain,), _) = gains(tmp_path)
    assert "train both for longer before you judge" in gain.sentence


def test_without_a_run_of_the_same_model_the_nearest_is_named(tmp_path):
    write_run(tmp_path / "none", [(1.0, 1.5)], "aug=none", "model.dropout=0.1")
    write_run(tmp_path / "moved", [(1.0, 1.4)], "aug=moderate", "model.dropout=0.5")
    (none, (remark,)) = gains(tmp_path)
    assert none == []
    assert "no finished run with aug=none of the same model" in remark
    assert remark.endswith("the nearest differs by model.dropout (0.5 against 0.1)")
    (_, (alone,)) = gains(tmp_path / "moved")
    assert alone.endswith("; train one to see what augmentation gains")


def test_what_other_keys_gained_is_said_where_the_runs_know_it(tmp_path):
    for level, worst in (("none", 2.0), ("moderate", 1.0)):
        by_key = {str(shift): worst if shift else 1.0 for shift in range(-6, 6)}
        figures = {"loss_by_key": by_key, "key_spread": worst - 1}
        write_run(tmp_path / level, [(0.5, 1.5 + worst / 10)], f"aug={level}", summary=figures)
    ((gain,), _) = gains(tmp_path)
    assert "The keys became more alike: the hardest cost 1.000 more than the easiest, and now 0.000." in gain.sentence
    assert "Over all twelve keys the loss went from 1.917 to 1.000." in gain.sentence
