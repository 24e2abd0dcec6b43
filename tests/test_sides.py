"""Groups, sides and windows are worked out once, and are those that the functions behind them give."""

import numpy as np
import pytest
from miditok import REMI

from midiaug.data import sides
from midiaug.data.corpus import read_corpus
from midiaug.data.folds import deal_folds
from midiaug.data.pieces import Limits
from midiaug.data.sides import fold_of, groups_of, split_of, windows_of
from midiaug.data.sources import folder
from midiaug.data.split import Fold, draw_split, twin_groups
from midiaug.data.store import build_store
from midiaug.data.windows import Windows


@pytest.fixture
def music(folder_of_tunes, cache):
    corpus = read_corpus(folder(folder_of_tunes), Limits(), cache, processes=1)
    return corpus, build_store(corpus, REMI(), Limits(), cache, processes=1)


@pytest.fixture
def forbidden(monkeypatch):
    """A function that forbids working anything out again."""

    def again(*_: object) -> None:
        raise AssertionError("it was worked out again")

    def forbid() -> None:
        for name in ("twin_groups", "draw_split", "deal_folds", "_windows"):
            monkeypatch.setattr(sides, name, again)

    return forbid


def test_the_split_is_that_of_the_draw_and_is_kept(music, cache, forbidden):
    corpus, _ = music
    group = twin_groups(corpus.ngrams, 0.5)
    wanted = {seed: draw_split(corpus.names, group, 0.25, seed).validation for seed in (0, 1)}
    assert (wanted[0] != wanted[1]).any()
    for _ in range(2):
        for seed, validation in wanted.items():
            split = split_of(corpus, 0.5, 0.25, seed, cache)
            assert (split.validation == validation).all()
            assert (split.group == group).all()
            assert list(split.names) == corpus.names.all()
        forbidden()


def test_folds_are_those_that_are_dealt_and_are_kept(music, cache, forbidden):
    corpus, _ = music
    dealt = deal_folds(corpus.names, twin_groups(corpus.ngrams, 0.5), 3, 4)
    for _ in range(2):
        for number in range(3):
            split = fold_of(corpus, 0.5, Fold(number, 3), 4, cache)
            assert (split.validation == (dealt == number)).all()
            assert (split.fold, split.val_split, split.seed) == (Fold(number, 3), 1 / 3, 4)
        forbidden()
    for folds, seed in ((4, 4), (3, 5)):
        with pytest.raises(AssertionError, match="worked out again"):
            fold_of(corpus, 0.5, Fold(0, folds), seed, cache)


@pytest.mark.parametrize("changed", [{"twin_share": 0.4}, {"val_split": 0.3}, {"seed": 9}])
def test_another_setting_is_another_split(music, cache, forbidden, changed):
    given = {"twin_share": 0.5, "val_split": 0.25, "seed": 0}
    split_of(music[0], **given, cache_dir=cache)
    groups_of(music[0], 0.5, cache)
    forbidden()
    with pytest.raises(AssertionError, match="worked out again"):
        split_of(music[0], **given | changed, cache_dir=cache)


def test_the_windows_of_a_side_are_those_of_its_sequences_and_are_kept(music, cache, forbidden):
    _, store = music
    pieces = np.arange(len(store.lowest)) % 3 == 0
    wanted = Windows.of(store, np.flatnonzero(pieces[store.piece]), 32)
    for _ in range(2):
        windows, piece = windows_of(store, pieces, 32, cache)
        for name in ("sequence", "start", "length"):
            assert (getattr(windows, name) == getattr(wanted, name)).all()
        assert (piece == store.piece[wanted.sequence]).all()
        forbidden()
    for other in (~pieces, pieces):
        with pytest.raises(AssertionError, match="worked out again"):
            windows_of(store, other, 32 if other is not pieces else 33, cache)
