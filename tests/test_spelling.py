"""Base ids as words of letters, as MidiTok itself cuts and writes them."""

import music
import numpy as np
import pytest
from miditok import REMI, TSD, TokenizerConfig

from midiaug.data.spelling import Spelling, in_words, untrained
from midiaug.errors import ConfigError


@pytest.mark.parametrize("split", ["bar", "beat", "no"])
@pytest.mark.parametrize("kind", [REMI, TSD])
@pytest.mark.parametrize("programs", [False, True])
def test_words_are_those_that_miditok_cuts(kind, split, programs):
    tokenizer = kind(TokenizerConfig(encode_ids_split=split, use_programs=programs, use_rests=True, use_tempos=True))
    score = music.tune(3, bars=6, chords=True, drums=True)
    ids, starts = in_words(tokenizer, score)
    sequences = tokenizer.encode(score)
    sequences = sequences if isinstance(sequences, list) else [sequences]
    spelled = Spelling(tokenizer)
    for sequence, row, places in zip(sequences, ids, starts, strict=True):
        cut = {"bar": sequence.split_per_bars, "beat": sequence.split_per_beats, "no": lambda s=sequence: [s]}[split]()
        assert row.tolist() == sequence.ids
        assert spelled(row, places) == [tokenizer._ids_to_bytes(part.ids, as_one_str=True) for part in cut]
        assert (len(places) > 1) == (split != "no")


def test_a_transposed_score_has_its_words_at_the_same_places():
    score = music.tune(5, bars=6, chords=True)
    for kind in (REMI, TSD):
        own, other = (in_words(kind(), music.moved(score, shift)) for shift in (0, 5))
        assert any((one != two).any() for one, two in zip(own[0], other[0], strict=True))
        assert [places.tolist() for places in own[1]] == [places.tolist() for places in other[1]]


def test_a_trained_tokenizer_without_its_merges_writes_the_base_ids(trained):
    base, score = untrained(trained), music.tune(400, bars=8)
    assert (trained.is_trained, base.is_trained) == (True, False)
    assert [row.tolist() for row in in_words(base, score)[0]] == [
        sequence.ids for sequence in trained.encode(score, encode_ids=False)
    ]
    assert untrained(base) is base


def test_one_with_other_base_tokens_than_this_miditok_writes_is_refused(trained, monkeypatch):
    monkeypatch.setattr(trained, "_vocab_base", {name: n for name, n in trained.vocab.items() if name != "Pitch_60"})
    with pytest.raises(ConfigError, match=r"its 356 base tokens are not the 357 .*; train it again with this version"):
        untrained(trained)


def test_letters_are_one_a_token():
    spelled = Spelling(REMI())
    assert [len(word) for word in spelled(np.arange(357), np.array([0, 3, 3]))] == [3, 0, 354]
    assert len(set("".join(spelled(np.arange(357), np.array([0]))))) == 357
