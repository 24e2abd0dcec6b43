"""What the pieces begin with, and what is said of it."""

import music
import pytest
from miditok import REMI, TSD, TokenizerConfig

from midiaug.generation.beginnings import beginnings, uncounted
from midiaug.generation.grammar import Grammar
from midiaug.generation.prompts import make_prompt
from midiaug.generation.settings import GenerateSettings

UNSIGNED = TokenizerConfig(use_time_signatures=False)
SIGNED = {"use_time_signatures": True, "time_signature_range": {4: [3, 4], 8: [6]}}


def in_time(seed: int, numerator: int, denominator: int = 4):
    score = music.tune(seed, bars=8)
    score.time_signatures[0].numerator, score.time_signatures[0].denominator = numerator, denominator
    return score


def test_without_a_prompt_every_piece_begins_with_nothing():
    assert beginnings(GenerateSettings(n=2), None, None, Grammar(REMI())) == [None, None]


@pytest.mark.parametrize(
    ("tokenizer", "numerator", "said"),
    [
        (REMI(UNSIGNED), 3, True),
        (REMI(UNSIGNED), 4, False),
        (REMI(TokenizerConfig(**SIGNED)), 3, False),
        (REMI(TokenizerConfig(**SIGNED)), 7, True),
        (TSD(UNSIGNED), 3, False),
        (TSD(UNSIGNED), 7, True),
    ],
    ids=["REMI 3/4", "REMI 4/4", "REMI with 3/4", "REMI without 7/4", "TSD 3/4", "TSD 7/4"],
)
def test_a_time_signature_that_the_tokenizer_cannot_write_is_said_once(tokenizer, numerator, said, caplog):
    grammar = Grammar(tokenizer)
    prompt = make_prompt("waltz.mid", in_time(1, numerator), 2, grammar)
    given = beginnings(GenerateSettings(n=3, prompt="waltz.mid"), prompt, None, grammar)
    assert given == [prompt] * 3
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == said
    assert uncounted(given) == ({f"{numerator}/4": 3} if said else {})
    if said:
        assert f"prompt waltz.mid is in {numerator}/4, which the checkpoint's tokenizer cannot write" in warnings[0]
        assert "bars of 4/4" in warnings[0]


def warned(tokenizer, pieces, caplog) -> str:
    beginnings(GenerateSettings(n=len(pieces), prompts="val"), None, pieces, Grammar(tokenizer))
    return next(record.getMessage() for record in caplog.records if record.levelname == "WARNING")


def test_where_the_tokenizer_writes_no_time_signatures_one_that_does_is_advised(caplog):
    said = warned(REMI(UNSIGNED), [("a.mid", in_time(1, 4)), ("b.mid", in_time(2, 3))], caplog)
    assert "1 of the 2 prompts is in 3/4, " in said
    assert said.endswith("; a model trained with +tokenizer.params.use_time_signatures=true can")


def test_a_time_signature_that_is_not_usual_needs_to_be_named_too(caplog):
    said = warned(REMI(UNSIGNED), [("a.mid", in_time(1, 3)), ("b.mid", in_time(2, 3, 2))], caplog)
    assert said.endswith("use_time_signatures=true can, if its time_signature_range names 3/2")


def test_where_it_writes_others_the_advice_is_not_to_write_any(caplog):
    said = warned(REMI(TokenizerConfig(**SIGNED)), [("a.mid", in_time(1, 4)), ("b.mid", in_time(2, 3, 2))], caplog)
    assert "1 of the 2 prompts is in 3/2, " in said
    assert "use_time_signatures" not in said
    assert said.endswith("; it has no token for 3/2: its time_signature_range names those that it has")


def test_of_validation_pieces_those_in_other_time_signatures_are_counted(caplog):
    pieces = [(f"{seed}.mid", in_time(seed, count)) for seed, count in enumerate((4, 3, 3, 6))]
    given = beginnings(GenerateSettings(n=4, prompts="val"), None, pieces, Grammar(REMI(UNSIGNED)))
    assert uncounted(given) == {"3/4": 2, "6/4": 1}
    assert "3 of the 4 prompts are in 3/4, 6/4" in caplog.text


def test_a_bar_as_long_as_one_of_4_4_is_counted_right(caplog):
    grammar = Grammar(REMI(UNSIGNED))
    prompt = make_prompt("march.mid", in_time(1, 2, 2), 2, grammar)
    with caplog.at_level("WARNING", "midiaug"):
        assert uncounted(beginnings(GenerateSettings(n=1, prompt="march.mid"), prompt, None, grammar)) == {}
    assert caplog.text == ""
