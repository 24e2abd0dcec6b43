"""Tokens of a piece, from the store or made here, and back to notes."""

import music
import numpy as np
import pytest
from miditok import REMI, MIDILike, TokenizerConfig
from symusic import Note

from midiaug.data.proof import tokenize
from midiaug.data.transpose import TokenTransposer, transpose
from midiaug.inspection.choice import Chosen
from midiaug.inspection.decoding import Decoder, table_difference, tokens_of

SCORE = music.tune(8, bars=6, chords=True, drums=True)


def piece(stored=None, tracks=()):
    return Chosen("x.mid", "none", SCORE, -30, 30, stored, list(tracks))


def test_the_beginning_and_the_end_that_the_store_adds_are_left_out():
    tokenizer = REMI(TokenizerConfig(special_tokens=["PAD", "BOS", "EOS"]))
    bare = tokens_of(piece(), SCORE, tokenize(tokenizer, SCORE), tokenizer, TokenTransposer(tokenizer))
    ends = [tokenizer.vocab["BOS_None"]], [tokenizer.vocab["EOS_None"]]
    stored = [np.concatenate([ends[0], row, ends[1]]).astype(np.uint16) for row in bare.rows]
    kept = tokens_of(piece(stored, bare.tracks), SCORE, [], tokenizer, TokenTransposer(tokenizer))
    assert kept.tracks == bare.tracks == [0, 1, 2]
    assert all((a == b).all() for a, b in zip(kept.rows, bare.rows, strict=True))


@pytest.mark.parametrize("shift", [-7, 0, 5])
def test_the_table_and_the_score_agree(shift):
    tokenizer = REMI()
    transposer = TokenTransposer(tokenizer)
    tokens = tokens_of(piece(), SCORE, tokenize(tokenizer, SCORE), tokenizer, transposer)
    ids = tokenize(tokenizer, transpose(SCORE, shift))
    assert table_difference(tokens, ids, transpose(SCORE, shift), shift, tokenizer, transposer) is None
    assert Decoder(tokens, SCORE, tokenizer, transposer).difference(shift) is None


def test_another_shift_is_found_at_the_first_note():
    tokenizer = REMI()
    transposer = TokenTransposer(tokenizer)
    tokens = tokens_of(piece(), SCORE, tokenize(tokenizer, SCORE), tokenizer, transposer)
    ids = tokenize(tokenizer, transpose(SCORE, 4))
    found = table_difference(tokens, ids, transpose(SCORE, 4), 3, tokenizer, transposer)
    assert found is not None
    assert (found.track, found.bar, found.beat) == (1, 1, 1)
    assert int(found.expected.split("_")[1]) == int(found.found.split("_")[1]) + 1


def test_a_shift_out_of_range_is_a_difference_and_no_crash():
    tokenizer = REMI()
    transposer = TokenTransposer(tokenizer)
    high = music.tune(8, bars=2, low=95)
    tokens = tokens_of(piece(), high, tokenize(tokenizer, high), tokenizer, transposer)
    assert "leaves the tokenizer's pitches" in str(Decoder(tokens, high, tokenizer, transposer).difference(24))


def test_a_tokenizer_that_loses_overlapping_notes_is_still_checked_against_itself():
    score = music.tune(8, bars=2)
    score.tracks[0].notes = [Note(0, 1920, 60, 80, "tick"), Note(480, 240, 60, 90, "tick")]
    tokenizer = MIDILike()
    transposer = TokenTransposer(tokenizer)
    decoder = Decoder(
        tokens_of(piece(), score, tokenize(tokenizer, score), tokenizer, transposer), score, tokenizer, transposer
    )
    assert not decoder.faithful
    assert decoder.difference(3) is None


@pytest.mark.parametrize("shift", [-7, 5])
def test_without_a_table_the_ids_of_the_transposed_score_are_decoded(shift):
    tokenizer = REMI()
    tokens = tokens_of(piece(), SCORE, tokenize(tokenizer, SCORE), tokenizer, None)
    decoder = Decoder(tokens, SCORE, tokenizer, None)
    shifted = transpose(SCORE, shift)
    assert decoder.faithful
    assert decoder.difference_of_ids(tokenize(tokenizer, shifted), shifted) is None
    found = decoder.difference_of_ids(tokenize(tokenizer, transpose(SCORE, shift + 1)), shifted)
    assert found is not None
    assert found.what == "a note's pitch"


def test_a_tokenizer_that_cannot_decode_is_a_difference_and_no_crash(monkeypatch):
    tokenizer = REMI()
    transposer = TokenTransposer(tokenizer)
    monkeypatch.setattr(REMI, "decode", lambda *rest: [][1])
    tokens = tokens_of(piece(), SCORE, tokenize(tokenizer, SCORE), tokenizer, transposer)
    decoder = Decoder(tokens, SCORE, tokenizer, transposer)
    assert not decoder.faithful
    assert "IndexError" in str(decoder.difference(3))
