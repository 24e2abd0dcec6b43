"""Where a piece stands after its tokens, held against what the tokenizer itself decodes."""

import music
import pytest
import torch
from generating import KINDS, MORE, NAMES, tokenizer_of
from miditok import REMI, TSD, MIDILike, TokenizerConfig

from midiaug.data.proof import tokenize
from midiaug.generation.cursor import Cursor
from midiaug.generation.grammar import Grammar


def after(grammar: Grammar, *names: str) -> Cursor:
    cursor = Cursor(grammar, 1)
    for name in names:
        cursor.advance(torch.tensor([grammar.tokenizer.vocab[name]]))
    return cursor


def may(cursor: Cursor) -> set[str]:
    return {cursor.grammar.parts[int(number)][0] for number in cursor.allowed()[0].nonzero()}


@pytest.mark.parametrize(("kind", "programs"), KINDS, ids=NAMES)
def test_each_token_of_a_real_tune_is_allowed_where_it_stands(kind, programs):
    tokenizer = tokenizer_of(kind, programs)
    grammar = Grammar(tokenizer)
    for seed in (1, 2):
        score = music.tune(seed, bars=6, chords=True, drums=programs)
        for ids in tokenize(tokenizer, score):
            cursor = Cursor(grammar, 1)
            for token in ids.tolist():
                assert cursor.allowed()[0, token], grammar.parts[token]
                cursor.advance(torch.tensor([token]))


def test_each_token_of_a_real_tune_is_allowed_with_tempos_rests_and_chords(trained):
    tune = music.tune(3, bars=6, chords=True)
    for tokenizer in (REMI(TokenizerConfig(**MORE)), TSD(TokenizerConfig(**MORE)), trained):
        grammar = Grammar(tokenizer)
        for ids in tokenize(tokenizer, tune):
            cursor = Cursor(grammar, 1)
            for token in ids.tolist():
                assert cursor.allowed()[0, token], grammar.parts[token]
                cursor.advance(torch.tensor([token]))


@pytest.mark.parametrize(("kind", "programs"), KINDS, ids=NAMES)
def test_time_and_notes_are_what_the_tokenizer_decodes(kind, programs):
    tokenizer = tokenizer_of(kind, programs)
    grammar, score = Grammar(tokenizer), music.tune(4, bars=6)
    ids = tokenize(tokenizer, score)[0].tolist()
    sequence = tokenizer.encode(score)
    decoded = tokenizer.decode(sequence)
    cursor = Cursor(grammar, 1)
    onsets = set()
    for token in ids:
        cursor.advance(torch.tensor([token]))
        if grammar.parts[token][0].startswith(("Pitch_", "NoteOn_")):
            onsets.add(int(cursor.time))
    assert onsets == {int(note.time) for track in decoded.tracks for note in track.notes}
    assert int(cursor.notes) == decoded.note_num()


def test_positions_go_forward_and_stay_within_the_bar():
    grammar = Grammar(REMI())
    cursor = after(grammar, "Bar_None", "TimeSig_3/4", "Position_8", "Pitch_60", "Velocity_91", "Duration_1.0.8")
    positions = {int(name.partition("_")[2]) for name in may(cursor) if name.startswith("Position_")}
    assert positions == set(range(9, 24))


def test_a_piece_does_not_end_before_its_first_note_but_may_begin_with_an_empty_bar():
    grammar = Grammar(REMI())
    before = may(after(grammar, "Bar_None", "TimeSig_4/4"))
    assert "EOS_None" not in before
    assert "Bar_None" in before  # as a track that joins in after the upbeat does
    note = ("Position_0", "Pitch_60", "Velocity_91", "Duration_1.0.8")
    assert {"EOS_None", "Bar_None"} <= may(after(grammar, "Bar_None", "TimeSig_4/4", *note))


@pytest.mark.parametrize(
    ("tokenizer", "silent", "leaving", "note"),
    [
        (REMI(), ("Bar_None", "TimeSig_4/4"), "Bar_None", ("Position_0", "Pitch_60", "Velocity_91", "Duration_1.0.8")),
        (TSD(), ("TimeSig_4/4",), "TimeShift_4.0.4", ("Pitch_60", "Velocity_91", "Duration_1.0.8")),
    ],
    ids=["REMI", "TSD"],
)
def test_the_last_bar_is_not_left_before_the_first_note(tokenizer, silent, leaving, note):
    grammar = Grammar(tokenizer)
    for bars in (1, 2):
        cursor = after(grammar, *silent, *((leaving, *silent[1:]) if bars == 2 else ()))
        cursor.stop[:] = bars
        assert leaving not in may(cursor)
        cursor.stop[:] = bars + 1
        assert leaving in may(cursor)
        for name in note:
            cursor.advance(torch.tensor([tokenizer.vocab[name]]))
        cursor.stop[:] = bars
        assert leaving in may(cursor)


def test_a_time_signature_stands_at_a_bar_line_only():
    grammar = Grammar(TSD())
    start = ("TimeSig_3/4", "Pitch_60", "Velocity_91", "Duration_1.0.8")
    signs = [
        {name for name in may(after(grammar, *start, f"TimeShift_{beats}.0.8")) if name.startswith("TimeSig")}
        for beats in (2, 3)
    ]
    assert signs[0] == set()
    assert "TimeSig_4/4" in signs[1]


def test_a_note_ends_only_where_it_sounds_and_of_the_instrument_that_plays_it():
    grammar = Grammar(MIDILike(TokenizerConfig(use_programs=True)))
    start = ("TimeSig_4/4", "Program_5", "NoteOn_60", "Velocity_91", "TimeShift_1.0.8")
    ends = [
        {name for name in may(after(grammar, *start, f"Program_{program}")) if "Off" in name} for program in (5, 6, -1)
    ]
    assert ends == [{"NoteOff_60"}, set(), set()]
    assert "EOS_None" not in may(after(grammar, *start))
    assert "EOS_None" in may(after(grammar, *start, "Program_5", "NoteOff_60"))
    assert "NoteOn_60" not in may(after(grammar, *start, "Program_5"))


def test_drums_have_their_own_tokens():
    grammar = Grammar(REMI(TokenizerConfig(use_programs=True)))
    start = ("Bar_None", "TimeSig_4/4", "Position_0")
    kinds = [{name.partition("_")[0] for name in may(after(grammar, *start, f"Program_{p}"))} for p in (-1, 0)]
    assert kinds == [{"PitchDrum"}, {"Pitch"}]


def test_a_piece_that_is_over_stays_where_it_is():
    grammar = Grammar(REMI())
    cursor = Cursor(grammar, 2)
    for name in ("Bar_None", "TimeSig_4/4"):
        cursor.advance(torch.tensor([grammar.tokenizer.vocab[name]] * 2), torch.tensor([True, name == "Bar_None"]))
    assert [grammar.types[row] for row in cursor.before.tolist()] == ["TimeSig", "Bar"]
