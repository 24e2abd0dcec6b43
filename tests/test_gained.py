"""What a gain comes to is said in words that its figures bear out."""

import pytest

from midiaug.comparison.gained import Gain
from midiaug.comparison.pairs import Change, SeedChange

KNOWN = {"train": 1.0, "val": 1.5, "gap": 0.5, "key_spread": 0.4, "over_keys": None}


def gain(*changes, low=-0.2, high=-0.1, noise=0.1, **after):
    by_seed = [SeedChange(seed, "abcdef", value, 9, value < 0) for seed, value in enumerate(changes)]
    change = Change(sum(changes) / len(changes), low, high, 9, len(changes))
    return Gain("GRU 1 x 8", "moderate", 2, 2, KNOWN, KNOWN | after, change, by_seed, noise, unfinished=False)


@pytest.mark.parametrize(
    ("one", "verdict", "said"),
    [
        (gain(-0.1, -0.2), "helped", "helped: the validation loss fell by 0.150 nats a token (95 % interval -0.200 to"),
        (gain(-0.1, -0.2), "helped", "over these 9 tunes and 2 seeds), in each of the 2 seeds. Seed 0 better (-0.100)"),
        (gain(-0.1), "helped", "over these 9 tunes). The gap"),
        (gain(-0.3, 0.1), "cannot tell", "cannot be told apart: the validation loss fell by 0.100"),
        (gain(-0.3, 0.1), "cannot tell", "but only in 1 of 2 seeds. Seed 0 better (-0.300), seed 1 worse (+0.100)."),
        (gain(0.3, 0.1, low=0.1, high=0.3), "did not help", "rose by 0.200 nats a token"),
        (gain(0.3, 0.1, low=0.1, high=0.3), "did not help", "in each of the 2 seeds."),
        (
            gain(-0.3, 0.1, high=0.3),
            "cannot tell",
            "in 1 of 2 seeds: no difference that these 9 tunes and 2 seeds can",
        ),
        (gain(0.1, low=0.0, high=0.2), "cannot tell", "rose by 0.100 nats a token"),
        (gain(-0.1, low=None, high=None), "not known", "cannot be judged: one tune tells too little"),
    ],
)
def test_the_verdict_and_the_sentence_say_the_same(one, verdict, said):
    assert one.verdict == verdict
    assert said in one.sentence


@pytest.mark.parametrize("one", [gain(-0.3, 0.1), gain(-0.1, high=0.1), gain(0.1, low=-0.1, high=0.3)])
def test_what_cannot_be_told_is_not_said_to_be_no_help(one):
    assert "help" not in one.sentence


def test_more_seeds_than_fit_into_a_sentence_are_counted(tmp_path):
    text = gain(*[-0.1] * 7).sentence
    assert "in each of the 7 seeds" in text
    assert "seed 3" not in text


def test_a_seed_that_came_with_two_splits_names_them():
    one = gain(-0.1, -0.2)
    twice = [SeedChange(0, split, -0.1, 9, better=True) for split in ("abcdef", "123456")]
    text = Gain(**(vars(one) | {"by_seed": twice})).sentence
    assert "Seed 0 on split abcd better (-0.100), seed 0 on split 1234 better" in text


@pytest.mark.parametrize(
    ("noise", "gap", "percent", "said"),
    [
        (0.1, 0.1, 80, "0.400 closed, 80 % of it"),
        (0.1, 0.75, -50, "it grew by 0.250, 50 %"),
        (0.6, 0.1, None, "without augmentation there was none to close: up to 0.600 may be chance"),
        (None, 0.1, None, "whether there was one to close cannot be told"),
    ],
)
def test_a_part_of_the_gap_is_named_where_there_was_one(noise, gap, percent, said):
    one = gain(-0.1, noise=noise, gap=gap)
    assert one.percent == (None if percent is None else pytest.approx(percent))
    assert said in one.sentence


@pytest.mark.parametrize(
    ("spread", "said"), [(0.1, "more alike"), (0.9, "less alike"), (0.4, "are as alike as before")]
)
def test_keys_became_more_or_less_alike_or_stayed(spread, said):
    assert said in gain(-0.1, key_spread=spread).sentence
