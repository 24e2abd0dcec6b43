"""Over K folds every piece is validated on exactly once, and no group of look-alikes is cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from music import grouped

from midiaug.data.folds import deal_folds
from midiaug.errors import SplitError


@settings(deadline=None)
@given(sizes=st.lists(st.integers(1, 9), min_size=6, max_size=40), folds=st.integers(2, 6), seed=st.integers(0, 99))
def test_each_fold_holds_whole_groups_and_about_as_many_pieces(sizes, folds, seed):
    names, group = grouped(sizes)
    dealt = deal_folds(names, group, folds, seed)
    held = np.bincount(dealt, minlength=folds)
    assert len(held) == folds  # with every piece in one of them
    assert held.min() > 0
    assert held.max() - held.min() <= max(sizes)
    assert all(len(set(dealt[group == number])) == 1 for number in range(len(sizes)))


def test_single_pieces_are_dealt_to_the_piece():
    assert sorted(np.bincount(deal_folds(*grouped([1] * 103), 5, 0))) == [20, 20, 21, 21, 21]


def test_the_seed_decides_and_every_group_comes_into_every_fold():
    names, group = grouped([3, 1, 1, 1, 2, 1])
    dealt = np.stack([deal_folds(names, group, 3, seed) for seed in range(60)])
    assert (deal_folds(names, group, 3, 7) == dealt[7]).all()
    assert all(len(set(column)) == 3 for column in dealt.T)


def test_the_order_of_the_files_does_not_decide():
    names, group = grouped([1, 2, 1, 3, 1, 1, 2, 1])
    wanted = dict(zip(names, deal_folds(names, group, 3, 5).tolist(), strict=True))
    for seed in range(10):
        order = np.random.default_rng(seed).permutation(len(names))
        shuffled = [names[row] for row in order]
        renumbered = np.unique(-group[order], return_inverse=True)[1]
        dealt = deal_folds(shuffled, renumbered, 3, 5)
        assert dict(zip(shuffled, dealt.tolist(), strict=True)) == wanted


def test_more_folds_than_tunes_are_refused():
    with pytest.raises(SplitError, match=r"^data\.folds=4: only 3 different tunes in 9 pieces; use fewer folds"):
        deal_folds(*grouped([3, 3, 3]), 4, 0)
