"""Merges are learned from the training side alone, in its shifts, once, and the same each time."""

import json

import music
import numpy as np
import pytest
from miditok import REMI, TSD

from midiaug.data.corpus import read_corpus
from midiaug.data.merges import MODELS, Lesson, Merges, in_order, train_merges
from midiaug.data.pieces import Limits, parse
from midiaug.data.shifts import Shifts
from midiaug.data.sources import folder
from midiaug.data.spelling import Spelling, in_words
from midiaug.data.store import build_store
from midiaug.data.transpose import settings_of, transpose
from midiaug.errors import ConfigError


def lesson_of(root, cache, training=6, tokenizer=None, shifts=(-2, 0, 2), seed=0, **more):
    """A lesson on the first tunes of a folder, the rest being for validation."""
    corpus = read_corpus(folder(root), Limits(), cache, processes=1)
    tokenizer = tokenizer or REMI()
    base = build_store(corpus, tokenizer, Limits(), cache, processes=1, words=True)
    names = corpus.names.all()
    chosen = np.array([name in sorted(names)[:training] for name in names])
    return Lesson.of(corpus, base, tokenizer, Limits(), chosen, Shifts(tuple(shifts)), seed, **more)


def merges_of(tokenizer):
    return json.loads(settings_of(tokenizer)["_model"])["model"]


@pytest.fixture(scope="module")
def two_folders(tmp_path_factory):
    """Two corpora that share their first six tunes, and not their last three, which are longer in one."""
    roots = [tmp_path_factory.mktemp(name) for name in ("one", "other")]
    for number, root in enumerate(roots):
        music.corpus(root, 6, seed=600, bars=8)
        for place in range(3):
            music.write(music.tune(700 + 50 * number + place, bars=8 + 8 * number), root / "z" / f"{place}.mid")
    return roots


@pytest.mark.parametrize("model", MODELS)
def test_the_merges_do_not_change_when_the_validation_pieces_do(model, two_folders, tmp_path):
    merges = Merges(model, 420)
    one, other = (
        train_merges(lesson_of(root, tmp_path / root.name), merges, tmp_path / root.name) for root in two_folders
    )
    assert one.is_trained
    assert len(one) == 420
    assert merges_of(one) == merges_of(other)
    with_more = train_merges(lesson_of(two_folders[1], tmp_path / "o", 9), merges, tmp_path / "o")
    assert merges_of(with_more) != merges_of(one), "of more training pieces others are learned"


def test_the_words_are_those_of_the_transposed_scores(two_folders, cache):
    for tokenizer in (REMI(), TSD()):
        lesson = lesson_of(two_folders[0], cache, 2, tokenizer)
        corpus = read_corpus(folder(two_folders[0]), Limits(), cache, processes=1)
        assert len(lesson.pairs) == 6
        assert {shift for _, shift in lesson.pairs} == {-2, 0, 2}
        for (piece, shift), words in zip(lesson.pairs, lesson.words(), strict=True):
            score = transpose(parse(corpus.midi[piece].tobytes(), Limits()), shift)
            spelled = [Spelling(tokenizer)(*one) for one in zip(*in_words(tokenizer, score), strict=True)]
            assert words == [word for sequence in spelled for word in sequence if word]


def test_a_tokenizer_that_no_table_shifts_learns_from_shifted_scores(two_folders, cache):
    lesson = lesson_of(two_folders[0], cache, 2)
    by_table = list(lesson.words())
    lesson.base.proof = lesson.base.proof.__class__(0, 0, "the table is wrong")
    assert list(lesson.words()) == by_table


def test_only_shifts_with_room_are_learned_from(tmp_path):
    music.write(music.tune(1, bars=8, low=85), tmp_path / "songs" / "high.mid")
    music.write(music.tune(2, bars=8), tmp_path / "songs" / "middle.mid")
    lesson = lesson_of(tmp_path / "songs", tmp_path / "cache", shifts=(-5, 0, 20))
    assert len(lesson.pairs) == 5
    assert sum(shift == 20 for _, shift in lesson.pairs) == 1


def test_of_a_large_corpus_a_part_is_learned_from_that_the_seed_draws(two_folders, cache):
    whole, part, again, other = (
        lesson_of(two_folders[0], cache, seed=seed, most=most).pairs
        for seed, most in ((0, 1 << 25), (0, 1500), (0, 1500), (1, 1500))
    )
    assert 0 < len(part) < len(whole) == 18
    assert set(part) < set(whole)
    assert part == again != other


def test_what_was_learned_is_kept_and_not_learned_again(two_folders, cache, monkeypatch):
    lesson, merges = lesson_of(two_folders[0], cache), Merges("BPE", 400)
    first = train_merges(lesson, merges, cache)
    monkeypatch.setattr("midiaug.data.merges._train", None)
    assert settings_of(train_merges(lesson, merges, cache)) == settings_of(first)
    assert not lesson.untrained.is_trained
    assert len(list((cache / "tokenizers").glob("*/tokenizer.json"))) == 1


@pytest.mark.parametrize(
    ("model", "size", "said"),
    [
        ("bpe", 500, r"tokenizer\.train=bpe: use BPE, Unigram or WordPiece"),
        ("BPE", None, r"tokenizer\.train=BPE: tokenizer\.vocab_size is missing; give it, such as 5000"),
        (None, 500, r"tokenizer\.vocab_size=500: of what\? give tokenizer\.train too"),
    ],
)
def test_half_a_wish_is_refused(model, size, said):
    with pytest.raises(ConfigError, match=said):
        Merges.of(model, size)
    assert Merges.of(None, None) is None


def test_a_vocabulary_without_room_for_a_merge_is_refused(two_folders, cache):
    with pytest.raises(ConfigError, match=r"tokenizer\.vocab_size=357: the tokenizer has 357 tokens before it merges"):
        train_merges(lesson_of(two_folders[0], cache), Merges("BPE", 357), cache)
    assert not (cache / "tokenizers").exists()


def test_a_unigram_model_is_put_in_an_order_of_its_own():
    def content(pieces):
        return {"added_tokens": [{"content": "!!!"}], "model": {"vocab": [["!!!", 0.0], *pieces]}}

    one = content([["ab", -1.0000000001], ["c", -2.00004], ["x", -9.0], ["y", -8.9999]])
    other = content([["y", -9.0], ["c", -2.0000400002], ["ab", -1.0], ["x", -8.9999]])
    ordered = in_order(one)["model"]["vocab"]
    assert ordered == in_order(other)["model"]["vocab"]
    assert ordered == [["!!!", 0.0], ["ab", -1.0], ["c", -2.00004], ["x", -8.9999], ["y", -9.0]]
