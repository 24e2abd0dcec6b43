"""One piece after another as token ids, with what the store is to know of each."""

import music
import numpy as np
import pytest
from miditok import REMI, TokenizerConfig
from symusic import Note, Track

from midiaug.data.flat import RaggedWriter
from midiaug.data.pieces import Limits
from midiaug.data.spelling import in_words
from midiaug.data.tokenized import tokenize_pieces
from midiaug.data.transpose import TokenTransposer, written_range

LOW, HIGH = written_range(REMI())


@pytest.fixture
def tokenized(tmp_path):
    """A function that tokenizes scores, as a corpus holds them, with the table or without one."""

    def of(*scores, tokenizer=None, table=True, sample=(), rows=None, words=False):
        with RaggedWriter(tmp_path, "midi", np.dtype(np.uint8)) as writer:
            for score in scores:
                content = score if isinstance(score, bytes) else score.dumps_midi()
                writer.append(np.frombuffer(content, np.uint8))
        tokenizer = tokenizer or REMI()
        transposer = TokenTransposer(tokenizer) if table else None
        rows = list(range(len(scores))) if rows is None else rows
        return tokenize_pieces(rows, tmp_path, tokenizer, transposer, Limits(), frozenset(sample), words)

    return of


def test_the_rows_that_are_asked_for_come_in_their_order_and_one_that_fails_costs_no_other(tokenized):
    scores = [music.tune(seed, bars=2) for seed in range(3)]
    last, broken, first = tokenized(scores[0], scores[1].dumps_midi()[:60], scores[2], rows=[2, 1, 0])
    for piece, score in ((last, scores[2]), (first, scores[0])):
        assert [row.tolist() for row in piece.ids] == [REMI()(score)[0].ids]
    assert broken.startswith("not readable as MIDI (")


def test_a_track_without_a_token_is_left_out_and_the_others_keep_their_places(tokenized):
    score = music.tune(1, bars=2, chords=True)
    unwritten = Track("too high", 0, False)
    unwritten.notes.append(Note(0, 480, HIGH + 1, 80, "tick"))
    score.tracks.insert(1, unwritten)
    [piece] = tokenized(score, words=True)
    written = REMI()(score)
    assert piece.tracks == [number for number, sequence in enumerate(written) if sequence.ids]
    assert len(piece.tracks) == len(piece.ids) == len(piece.words) == 2
    assert piece.unwritable == 1
    pitches = np.concatenate([track.notes.numpy()["pitch"] for track in music.tune(1, bars=2, chords=True).tracks])
    assert piece.span == (pitches.min(), pitches.max())


def test_words_are_told_where_they_are_asked_for(tokenized):
    score = music.tune(3, bars=4)
    (with_words,), (without,) = tokenized(score, words=True), tokenized(score)
    ids, starts = in_words(REMI(), score)
    assert [row.tolist() for row in with_words.words] == [row.tolist() for row in starts]
    assert [row.tolist() for row in with_words.ids] == [row.tolist() for row in without.ids] == [ids[0].tolist()]
    assert without.words == []


def test_the_pieces_of_the_sample_alone_prove_the_routes(tokenized):
    scores = [music.tune(seed, bars=2) for seed in range(3)]
    found = tokenized(*scores, sample=[1])
    assert [(piece.cases, piece.sampled) for piece in found] == [(0, False), (4, True), (0, False)]
    assert {piece.cases for piece in tokenized(*scores, sample=[0, 1, 2], table=False)} == {0}


def test_a_piece_without_room_in_any_key_proves_nothing_and_says_so(tokenized):
    score = music.tune(1, bars=2)
    score.tracks[0].notes.append(Note(0, 480, LOW, 80, "tick"))
    score.tracks[0].notes.append(Note(0, 480, HIGH, 80, "tick"))
    [piece] = tokenized(score, sample=[0])
    assert (piece.cases, piece.difference) == (-1, None)


class FailsWhenShifted(REMI):
    """Fails on a piece that is not in its own key."""

    def __call__(self, score, *args, **kwargs):
        if score.key_signatures[0].key != 0:
            raise KeyError("Pitch_of_another_key")
        return super().__call__(score, *args, **kwargs)


def test_a_tokenizer_that_fails_on_a_shifted_piece_leaves_it_to_the_other_route(tokenized):
    [piece] = tokenized(music.tune(1, bars=2), tokenizer=FailsWhenShifted(), sample=[0])
    assert piece.difference == "the tokenizer fails on it when it is shifted (KeyError: 'Pitch_of_another_key')"
    assert [row.tolist() for row in piece.ids] == [REMI()(music.tune(1, bars=2))[0].ids]


def test_drums_that_share_the_pitch_tokens_are_marked_where_there_is_a_table(tokenized):
    tokenizer = REMI(TokenizerConfig(use_programs=True, use_pitchdrum_tokens=False))
    band = music.tune(1, bars=2, drums=True)
    (marked,), (plain,) = tokenized(band, tokenizer=tokenizer), tokenized(band, tokenizer=tokenizer, table=False)
    aliases = marked.ids[0] >= len(tokenizer)
    assert aliases.sum() == len(band.tracks[1].notes)
    assert (marked.ids[0][~aliases] == plain.ids[0][~aliases]).all()
    assert (plain.ids[0] < len(tokenizer)).all()
