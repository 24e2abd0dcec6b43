"""What the comparison of the two routes finds, on tunes whose difference is known."""

import music
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.strategies import integers
from miditok import REMI, MIDILike, TokenizerConfig
from symusic import Note, Track

from midiaug.data.proof import mark_drums, proof_shifts, prove_routes, tokenize
from midiaug.data.transpose import TokenTransposer

BAND = music.tune(1, bars=4, chords=True, drums=True)
DRUM_NOTES = len(BAND.tracks[2].notes)
ALIASED = {"use_programs": True, "use_pitchdrum_tokens": False}


def aliased(kind=REMI):
    tokenizer = kind(TokenizerConfig(**ALIASED))
    return tokenizer, TokenTransposer(tokenizer)


def test_a_tokenizer_of_tracks_gives_a_sequence_for_each():
    rows = tokenize(REMI(), BAND)
    assert [row.dtype for row in rows] == [np.int64] * 3
    assert [row.tolist() for row in rows] == [sequence.ids for sequence in REMI()(BAND)]


def test_a_tokenizer_of_one_stream_gives_one_sequence():
    tokenizer = REMI(TokenizerConfig(use_programs=True))
    rows = tokenize(tokenizer, BAND)
    assert [row.tolist() for row in rows] == [tokenizer(BAND).ids]


@pytest.mark.parametrize(("kind", "tokens_a_note"), [(REMI, 1), (MIDILike, 2)])
def test_exactly_the_drum_notes_are_marked_and_shift_back_to_themselves(kind, tokens_a_note):
    tokenizer, table = aliased(kind)
    [plain] = tokenize(tokenizer, BAND)
    [marked], problem = mark_drums([plain], BAND, tokenizer, table)
    assert problem is None
    aliases = marked >= table.vocab_size
    assert aliases.sum() == tokens_a_note * DRUM_NOTES
    assert marked.max() < table.ids_in_store
    assert (table(marked, 0) == plain).all()
    # without the marks the drums would move with the pitches
    moved_with, moved_without = table(marked, 5), table(plain, 5)
    assert (moved_with[aliases] == plain[aliases]).all()
    assert (moved_without[aliases] != plain[aliases]).all()
    assert (moved_with[~aliases] == moved_without[~aliases]).all()


@pytest.mark.parametrize("pitch", [21, 109])
def test_drums_at_the_ends_of_the_range_are_marked_too(pitch):
    tokenizer, table = aliased()
    score = BAND.copy()
    score.tracks[2].notes.append(Note(7200, 120, pitch, 90, "tick"))
    [marked], problem = mark_drums(tokenize(tokenizer, score), score, tokenizer, table)
    assert problem is None
    assert (marked >= table.vocab_size).sum() == DRUM_NOTES + 1


def test_drums_that_span_the_whole_range_are_all_marked_or_named_as_a_difference():
    tokenizer, table = aliased()
    score = BAND.copy()
    for pitch in (21, 109):
        score.tracks[2].notes.append(Note(7200, 120, pitch, 90, "tick"))
    [marked], problem = mark_drums(tokenize(tokenizer, score), score, tokenizer, table)
    full = "its drums fill all pitches that can be written, and so cannot be told from them"
    assert problem == full or (marked >= table.vocab_size).sum() == (DRUM_NOTES + 2)


def test_drums_from_the_lowest_to_the_highest_midi_note_are_marked_or_named_as_a_difference():
    tokenizer = REMI(TokenizerConfig(**ALIASED, pitch_range=(0, 127)))
    table = TokenTransposer(tokenizer)
    score = BAND.copy()
    for pitch in (0, 127):
        score.tracks[2].notes.append(Note(7200, 120, pitch, 90, "tick"))
    [marked], problem = mark_drums(tokenize(tokenizer, score), score, tokenizer, table)
    assert "drums" in (problem or "") or (marked >= table.vocab_size).sum() == (DRUM_NOTES + 2)


def test_nothing_is_marked_where_drums_have_their_own_tokens_or_there_are_none():
    tokenizer = REMI(TokenizerConfig(use_programs=True))
    rows = tokenize(tokenizer, BAND)
    assert mark_drums(rows, BAND, tokenizer, TokenTransposer(tokenizer)) == (rows, None)
    tokenizer, table = aliased()
    plain = music.tune(2, bars=4, chords=True)
    rows = tokenize(tokenizer, plain)
    assert mark_drums(rows, plain, tokenizer, table) == (rows, None)


@pytest.mark.parametrize("tokenizer", [REMI(), REMI(TokenizerConfig(use_programs=True)), MIDILike()], ids=repr)
def test_routes_that_agree_are_counted(tokenizer):
    rows = tokenize(tokenizer, BAND)
    assert prove_routes(rows, BAND, tokenizer, TokenTransposer(tokenizer), [-12, -1, 3, 12]) == (4, None)


def test_unmarked_drums_are_found_with_the_tokens_that_differ():
    tokenizer, table = aliased()
    rows = tokenize(tokenizer, BAND)
    cases, difference = prove_routes(rows, BAND, tokenizer, table, [0, 2])
    first = next(place for place, name in enumerate(tokenizer(BAND).tokens) if name == "Program_-1") + 1
    drum = int(tokenizer(BAND).tokens[first].removeprefix("Pitch_"))
    assert cases == 1  # unshifted, both agree
    assert difference == f"shift +2, track 0, token {first}: Pitch_{drum + 2} by table, Pitch_{drum} from the score"


def test_a_missing_token_and_a_missing_track_are_found():
    tokenizer = REMI()
    rows = tokenize(tokenizer, BAND)
    table = TokenTransposer(tokenizer)
    short = [rows[0], rows[1][:-1], rows[2]]
    cases, difference = prove_routes(short, BAND, tokenizer, table, [1])
    assert cases == 0
    assert difference == f"shift +1, track 1: {len(rows[1]) - 1} tokens by table, {len(rows[1])} from the score"
    assert prove_routes(rows[:2], BAND, tokenizer, table, [1]) == (
        0,
        "shift +1: 2 tracks by table, 3 from the score",
    )


def test_a_note_that_leaves_the_table_is_a_difference():
    tokenizer = REMI()
    score = music.tune(3, bars=4, low=85)
    cases, difference = prove_routes(tokenize(tokenizer, score), score, tokenizer, TokenTransposer(tokenizer), [-1, 24])
    assert cases == 1
    assert "shift +24, track 0: token Pitch_" in difference


@given(low=integers(21, 109), width=integers(0, 88), seed=integers(0, 99))
@settings(deadline=None)
def test_the_shifts_of_the_proof_keep_each_note_and_reach_as_far_as_they_can(low, width, seed):
    high = min(109, low + width)
    shifts = proof_shifts((low, high), REMI(), seed)
    room = [shift for shift in range(-12, 13) if shift and low + shift >= 21 and high + shift <= 109]
    assert shifts == sorted(set(shifts))
    assert set(shifts) <= set(room)
    assert len(shifts) == min(4, len(room))
    if room:
        assert {room[0], room[-1]} <= set(shifts)
    assert shifts == proof_shifts((low, high), REMI(), seed)


def test_a_silent_track_is_no_difference():
    score = BAND.copy()
    score.tracks.append(Track("silent", 3, False))
    tokenizer = REMI()
    rows = tokenize(tokenizer, score)
    assert prove_routes(rows, score, tokenizer, TokenTransposer(tokenizer), [-3, 3]) == (2, None)
