"""A level is recommended where it is surely better on the same tunes, and what weakens that is said."""

import pytest
from comparing import write_run

from midiaug.comparison.finding import find_runs
from midiaug.comparison.groups import describe
from midiaug.comparison.recommendation import recommendations
from midiaug.comparison.runs import read_runs

PIECES = {f"tune {number}.mid": 1.0 + 0.1 * number for number in range(12)}


def add(path, level, by=0.0, seeds=(0, 1), over=0.0, scatter=0.01, losses=((1.0, 1.5), (0.9, 1.7)), words=()):
    """Runs of a level whose pieces cost `by` more than none's, and `over` more in the other eleven keys."""
    for seed in seeds:
        pieces = {name: loss + by + scatter * (-1) ** number for number, (name, loss) in enumerate(PIECES.items())}
        by_key = {str(shift): 1.5 + by + (over if shift else 0.0) for shift in range(-6, 6)}
        more = {"loss_by_key": by_key, "key_spread": over}
        apart = seed / 1000 + len(path.name) / 10_000  # runs with the same curve count as one
        shifted = [(train + by + apart, val + by) for train, val in losses]
        given = (f"aug={level}", f"seed={seed}", *words)
        write_run(path / f"{level}{seed}{len(words)}", shifted, *given, pieces=pieces, summary=more)


def found(path):
    return recommendations(describe(read_runs(find_runs([str(path)]))[0]))[0]


def test_the_level_with_the_lowest_loss_of_those_that_helped_is_recommended_with_its_interval(tmp_path):
    add(tmp_path, "none", over=1.2)
    add(tmp_path, "moderate", by=-0.2, over=0.6)
    add(tmp_path, "keys12", by=-0.1, over=0.1)
    (one,) = found(tmp_path)
    assert [level.name for level in one.levels] == ["aug=none", "aug=moderate", "aug=keys12"]
    assert (one.own_keys, one.any_key, one.alike) == ("aug=moderate", "aug=keys12", [])
    assert one.sentence.startswith("recommended: aug=moderate: -0.200 nats a token in own keys (95 % interval -0.2")
    assert "over 12 tunes and 2 seeds)" in one.sentence
    mean = 1.4 + 0.1 * 11 / 12
    less = f"{mean:.3f}, {-0.1 - 1.1 * 11 / 12:+.3f} against aug=none"
    assert f"aug=keys12, with the lowest mean over all twelve keys, {less}" in one.sentence
    assert "It is the best of 2 levels on the same tunes" in one.sentence
    assert "one seed" not in one.sentence
    assert "still fell" not in one.sentence


@pytest.mark.parametrize(("by", "scatter"), [(0.3, 0.01), (-0.01, 0.5)])
def test_where_no_level_is_surely_better_it_is_none(tmp_path, by, scatter):
    add(tmp_path, "none", scatter=0.0)
    add(tmp_path, "moderate", by=by, scatter=scatter)
    (one,) = found(tmp_path)
    assert one.own_keys == "aug=none"
    assert "recommended: aug=none, if only own keys count" in one.sentence
    assert f"The nearest is aug=moderate: {by:+.3f} nats a token" in one.sentence
    assert "luck" not in one.sentence


def test_none_may_be_the_lowest_over_all_keys_too(tmp_path):
    add(tmp_path, "none")
    add(tmp_path, "moderate", by=0.1)
    (one,) = found(tmp_path)
    assert one.any_key == "aug=none"
    assert "For music in any key: aug=none, with the lowest mean over all twelve keys" in one.sentence


def test_levels_that_helped_as_much_are_named(tmp_path):
    add(tmp_path, "none")
    add(tmp_path, "moderate", by=-0.200, scatter=0.05)
    add(tmp_path, "keys12", by=-0.199, scatter=0.02)
    add(tmp_path, "extreme", by=-0.010, scatter=0.01)
    (one,) = found(tmp_path)
    assert (one.own_keys, one.alike) == ("aug=moderate", ["aug=keys12"])
    assert "It cannot be told from aug=keys12." in one.sentence


def test_from_one_seed_nothing_is_recommended_without_saying_so(tmp_path):
    add(tmp_path, "none")
    add(tmp_path, "moderate", by=-0.2, seeds=(1,))
    add(tmp_path, "keys12", by=-0.1)
    (one,) = found(tmp_path)
    assert one.own_keys == "aug=moderate"
    assert "From one seed alone: aug=moderate: it rests on one training each" in one.sentence
    (tmp_path / "alone").mkdir()
    for level, by in (("none", 0.0), ("moderate", -0.2)):
        add(tmp_path / "alone", level, by=by, seeds=(0,))
    assert "From one seed alone: all of it rests on one training each" in found(tmp_path / "alone")[0].sentence


def test_a_level_without_some_seeds_is_set_against_none_with_the_same_seeds(tmp_path):
    add(tmp_path, "none", over=0.5, seeds=(0,))
    add(tmp_path, "none", by=1.0, over=0.5, seeds=(1,))
    add(tmp_path, "moderate", by=0.9, over=0.5, seeds=(1,))
    (one,) = found(tmp_path)
    assert one.any_key == "aug=moderate", "though the mean of none over both seeds is lower"
    assert one.levels[1].over_keys == pytest.approx(-0.1)


def test_a_level_without_a_seed_in_common_with_none_is_not_the_lowest_over_all_keys(tmp_path):
    apart = {f"other {number}.mid": 0.9 for number in range(12)}  # another seed validates on other tunes
    for level, seed, by, mine, training in (
        ("none", 0, 0.0, PIECES, apart),
        ("moderate", 0, -0.1, PIECES, apart),
        ("keys12", 1, -0.5, apart, PIECES),
    ):
        more = {"loss_by_key": {str(shift): 2.0 + by for shift in range(-6, 6)}}
        pieces = {name: loss + by for name, loss in mine.items()}
        words = (f"aug={level}", f"seed={seed}")
        write_run(tmp_path / level, [(1.0, 1.5 + by)], *words, pieces=pieces, training=training, summary=more)
    (one,) = found(tmp_path)
    assert one.any_key == "aug=moderate"
    assert [level.over_keys for level in one.levels] == pytest.approx([0.0, -0.1, None])


def test_a_level_is_set_against_none_whose_windows_are_cut_alike(tmp_path):
    for cut, lower in (("fixed", 0.0), ("random", 0.3)):
        add(tmp_path, "none", by=-lower, words=(f"aug.starts={cut}",) * (1 + (lower > 0)))
        add(tmp_path, "moderate", by=-lower - 0.1, words=(f"aug.starts={cut}",) * (1 + (lower > 0)))
    fixed, random = found(tmp_path)
    assert (fixed.model, fixed.own_keys) == ("LSTM 2 x 256, starts fixed", "aug=moderate")
    assert (random.model, random.own_keys) == ("LSTM 2 x 256, starts random", "aug=moderate aug.starts=random")
    for one in (fixed, random):
        assert [level.over_keys for level in one.levels] == pytest.approx([0.0, -0.1])
        assert one.levels[1].change.nats == pytest.approx(-0.1)


def test_without_none_nothing_can_be_said_to_help(tmp_path):
    add(tmp_path, "moderate")
    (one,) = found(tmp_path)
    assert (one.own_keys, one.any_key) == (None, None)
    assert one.sentence.startswith("nothing recommended: no finished run with aug=none")


def test_none_alone_is_no_recommendation(tmp_path):
    add(tmp_path, "none")
    (one,) = found(tmp_path)
    assert (one.own_keys, one.any_key) == (None, None)
    assert one.sentence.startswith("nothing recommended: no level can be judged")


def test_levels_whose_loss_still_fell_are_named(tmp_path):
    add(tmp_path, "none")
    add(tmp_path, "moderate", losses=((1.0, 1.6), (0.9, 1.5)))
    assert "The loss of aug=moderate still fell at the end: longer trainings" in found(tmp_path)[0].sentence


def test_each_model_has_a_recommendation_of_its_own_and_shifts_without_a_name_are_written_out(tmp_path):
    for cell, by in (("lstm", -0.2), ("gru", 0.2)):
        add(tmp_path / cell, "none", words=(f"model={cell}",))
        add(tmp_path / cell, "moderate", by=by, words=(f"model={cell}", "aug.shifts=[-2,0,2]"))
    gru, lstm = found(tmp_path)
    assert (gru.model, gru.own_keys) == ("GRU 2 x 256", "aug=none")
    assert (lstm.model, lstm.own_keys) == ("LSTM 2 x 256", "'aug.shifts=[-2,0,2]'")


def test_a_level_is_named_by_the_words_that_make_it(tmp_path):
    add(tmp_path, "none")
    add(tmp_path, "moderate", by=-0.2, words=("aug.draw=balanced", "model.condition=true", "optim.equivariance=0.5"))
    assert found(tmp_path)[0].own_keys == "aug=moderate aug.draw=balanced model.condition=true optim.equivariance=0.5"


def test_folds_of_one_seed_are_one_seed(tmp_path):
    for fold in range(3):
        words = ("data.folds=3", f"data.fold={fold}")
        add(tmp_path / str(fold), "none", seeds=(0,), words=words)
        add(tmp_path / str(fold), "moderate", by=-0.2, seeds=(0,), words=words)
    (one,) = found(tmp_path)
    assert one.levels[1].change.seeds == 1
    assert "From one seed alone" in one.sentence
