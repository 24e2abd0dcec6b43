"""Merging base ids is what MidiTok does to a score: the same ids, in every key and for every model."""

import os

import music
import numpy as np
import pytest
from learned import LEARNED, learned
from miditok import REMI

from midiaug.data.corpus import read_corpus
from midiaug.data.merging import BaseSequences, Merger, Merging, merge_in_this_thread
from midiaug.data.pieces import Limits, parse
from midiaug.data.proof import tokenize
from midiaug.data.sources import folder
from midiaug.data.spelling import in_words, untrained
from midiaug.data.store import build_store
from midiaug.data.transpose import transpose
from midiaug.errors import ConfigError, PitchOutOfRange


@pytest.fixture(scope="module")
def corpus(folder_of_tunes, shared_cache):
    return read_corpus(folder(folder_of_tunes), Limits(), shared_cache, processes=1)


@pytest.mark.parametrize("name", LEARNED)
def test_merged_base_ids_are_those_of_the_shifted_score(name, corpus, shared_cache):
    tokenizer = learned(name)
    base = untrained(tokenizer)
    store = build_store(corpus, base, Limits(), shared_cache, processes=1, words=True)
    merging, changed = Merging(store, base, tokenizer), 0
    for piece in range(0, len(corpus), 5):
        score = parse(corpus.midi[piece].tobytes(), Limits())
        for shift in (-4, 0, 7):
            wanted = [row.tolist() for row in tokenize(tokenizer, transpose(score, shift))]
            got = merging(store.sequences(piece), shift)
            assert [row[1:-1].tolist() for row in got] == wanted
            assert {(int(row[0]), int(row[-1])) for row in got} == {
                (tokenizer.vocab["BOS_None"], tokenizer.vocab["EOS_None"])
            }
            shifted, _ = merging.shifted(store.sequences(piece), shift)
            changed += sum(map(len, shifted)) - sum(map(len, wanted))
    assert changed > 1000, "something is merged"


def test_a_shift_without_room_and_a_store_without_words_are_refused(tmp_path, trained):
    music.write(music.tune(1, bars=4, low=85), tmp_path / "songs" / "high.mid")
    corpus = read_corpus(folder(tmp_path / "songs"), Limits(), tmp_path / "cache", processes=1)
    store = build_store(corpus, REMI(), Limits(), tmp_path / "cache", processes=1, words=True)
    with pytest.raises(PitchOutOfRange):
        Merging(store, REMI(), trained)(store.sequences(0), int(store.highest[0]) + 1)
    plain = build_store(corpus, REMI(), Limits(), tmp_path / "cache", processes=1)
    with pytest.raises(ConfigError, match="words=True"):
        BaseSequences(plain, REMI()).shifted([0], 0)


def test_a_part_that_is_too_long_for_the_model_is_refused_and_not_left_out():
    tokenizer = learned("REMI WordPiece")
    ids, starts = in_words(untrained(tokenizer), music.tune(3, bars=40))
    assert Merger(tokenizer).inside(ids, starts)
    with pytest.raises(ConfigError, match=r"a part of it has \d{3} tokens, more than .*encode_ids_split=beat"):
        Merger(tokenizer).inside(ids, [np.zeros(1, np.int64)])


def test_a_model_without_a_base_token_is_refused():
    merger = Merger(learned("REMI Unigram"))
    merger._spelled._letters[100] = ord("\u4e00")  # a letter that no model learned
    with pytest.raises(ConfigError, match=r"its tokens cannot be merged \("):
        merger.inside([np.array([100, 100])], [np.array([0])])


def test_no_threads_are_started_unless_the_environment_asks_for_them(monkeypatch):
    monkeypatch.delenv("TOKENIZERS_PARALLELISM", raising=False)
    merge_in_this_thread()
    assert os.environ["TOKENIZERS_PARALLELISM"] == "false"
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "true")
    merge_in_this_thread()
    assert os.environ["TOKENIZERS_PARALLELISM"] == "true"
