"""Altering by table is compared with altering the score on pieces of the corpus, before it is relied on."""

import music
import numpy as np
import pytest
from miditok import REMI, TSD, TokenizerConfig
from symusic import Tempo

from midiaug.data.alterations import Alterations
from midiaug.data.altering import altering_difference
from midiaug.data.corpus import read_corpus
from midiaug.data.pieces import Limits
from midiaug.data.sources import folder

ALL = Alterations((-2, 2), (-1, 1), (-3, 3))
ONCE = TokenizerConfig(use_tempos=True, delete_equal_successive_tempo_changes=True)


class PreparesAgain(REMI):
    """A tokenizer that prepares a score whatever it is told, and so takes away a tempo that became the one before."""

    def encode(self, score, *args, no_preprocess_score=False, **kwargs):
        return super().encode(score, *args, **kwargs)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    root = tmp_path_factory.mktemp("altering")
    for number in range(4):
        score = music.tune(number, bars=4, chords=number > 1, drums=number > 2)
        score.tempos.append(Tempo(1920, 250, ttype="tick"))
        score.tempos.append(Tempo(3840, 230, ttype="tick"))
        music.write(score, root / "tunes" / f"{number}.mid")
    return read_corpus(folder(root / "tunes"), Limits(), root / "cache", processes=1)


def difference(corpus, tokenizer, alterations=ALL):
    return altering_difference(corpus, tokenizer, Limits(), alterations, np.ones(len(corpus), bool), seed=0)


@pytest.mark.parametrize("kind", [REMI, TSD])
def test_none_differs_where_the_table_is_right(corpus, kind):
    assert difference(corpus, kind(ONCE)) is None


def test_a_tokenizer_that_writes_something_else_is_found_and_named(corpus):
    found = difference(corpus, PreparesAgain(ONCE))
    assert found is not None
    assert ".mid, altered by " in found
    assert "tempo" in found


def test_nothing_to_alter_is_not_compared(corpus):
    assert difference(corpus, PreparesAgain(ONCE), Alterations()) is None


def test_a_trained_tokenizer_is_not_altered_by_table(corpus, trained):
    assert "merged" in difference(corpus, trained)
