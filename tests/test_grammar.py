"""The tables of what may follow what."""

import pytest
import torch
from generating import KINDS, NAMES, tokenizer_of
from miditok import REMI, TSD, MIDILike, Structured, TokenizerConfig

from midiaug.generation.grammar import BAR, DURATION, ON, Grammar


@pytest.mark.parametrize(("kind", "programs"), KINDS, ids=NAMES)
def test_the_table_says_what_the_tokenizers_graph_says(kind, programs):
    tokenizer = tokenizer_of(kind, programs)
    grammar = Grammar(tokenizer)
    drums = {"PitchDrum", "DrumOn", "DrumOff"}
    for before, after in tokenizer.tokens_types_graph.items():
        row = grammar.follow[grammar.types.index(before)]
        for name, number in tokenizer.vocab.items():
            family = name.partition("_")[0]
            expected = family in after and family not in ("PAD", "BOS", "MASK") and (programs or family not in drums)
            assert bool(row[number]) == expected, (before, name)


@pytest.mark.parametrize(("kind", "programs"), KINDS, ids=NAMES)
def test_no_piece_begins_in_the_middle_of_a_note(kind, programs):
    grammar = Grammar(tokenizer_of(kind, programs))
    families = {grammar.parts[int(number)][0].partition("_")[0] for number in grammar.follow[-1].nonzero()}
    assert (
        families
        == {
            REMI: {"Bar"},
            TSD: {"TimeSig"},
            MIDILike: {"TimeSig"},
            Structured: {"TimeShift", "Program"} if programs else {"TimeShift", "Pitch"},
        }[kind]
    )


def test_lengths_are_the_tokenizers_own_in_each_time_signature():
    tokenizer = TSD(TokenizerConfig(use_time_signatures=True, time_signature_range={4: [3, 4], 8: [6]}))
    grammar = Grammar(tokenizer)
    assert {name: sign.bar for name, sign in grammar.signatures.items()} == {"3/4": 48, "4/4": 64, "6/8": 48}
    token = tokenizer.vocab["TimeShift_1.0.8"]
    assert {beat: int(grammar.ticks[row, token, 0]) for row, beat in enumerate(grammar.beats)} == {8: 8, 16: 16}


def test_a_merged_token_is_its_parts(trained):
    grammar = Grammar(trained)
    merged = [names for names in grammar.parts if len(names) > 1]
    assert merged
    assert grammar.width == max(len(names) for names in merged)
    for number, names in enumerate(grammar.parts):
        kinds = grammar.kind[number].tolist()
        assert grammar.types[int(grammar.last_type[number])] == names[-1].partition("_")[0]
        for column, name in enumerate(names):
            family = name.partition("_")[0]
            wanted = {"Bar": BAR, "Pitch": ON, "Duration": DURATION}.get(family)
            assert wanted is None or kinds[column] == wanted
    assert max(len(names) for names in grammar.base.parts) == 1


def test_a_piece_may_end_behind_a_note_and_not_within_one():
    grammar = Grammar(REMI())
    closed = {name for name, ends in zip(grammar.types, grammar.closed.tolist(), strict=False) if ends}
    assert {"Duration", "TimeSig"} <= closed
    assert not closed & {"Pitch", "Velocity", "Position"}
    assert not torch.any(grammar.closed[-1:])
