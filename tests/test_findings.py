"""What a preview says on the screen of what it found."""

import music
import pytest

from midiaug.errors import CheckFailed
from midiaug.inspection.checks import Checked, Failure
from midiaug.inspection.choice import Chosen
from midiaug.inspection.findings import away, end, say_pieces, unchecked
from midiaug.inspection.scores import Difference

PLAN = type("Plan", (), {"by_table": True, "why": ""})()


def test_many_shifts_that_are_taken_away_are_one_line_for_each_side():
    reasons = {shift: f"takes {abs(shift)} notes {'above C8' if shift > 0 else 'below A0'}" for shift in range(-9, 10)}
    del reasons[0]
    assert away(reasons | {-9: "x"}) == [
        "-1 to -9 are left out: -1 takes 1 notes below A0",
        "+1 to +9 are left out: +1 takes 1 notes above C8",
    ]
    assert away({3: "takes 1 note above C8"}) == ["+3 is left out: it takes 1 note above C8"]


def test_what_drop_takes_away_is_said_and_that_the_rest_is_checked(caplog):
    piece = Chosen("a.mid", "train", music.tune(1), -3, 3, None, [], unwritable=2)
    result = Checked("a.mid", lost={5: 4, 24: 99}, files={5: "a_+5.mid"}, cases={"score": 2})
    with caplog.at_level("INFO", "midiaug"):
        say_pieces([piece], [result], PLAN)
    assert "+5 loses 4 of its notes; the others are checked" in caplog.text
    assert "+24 loses 99 of its notes; which are all, and there is no file of it" in caplog.text
    assert "2 notes have no token and are left out" in caplog.text
    assert "key signature moved: 2 of 2" in caplog.text


def test_a_tokenizer_that_loses_notes_is_named_as_a_check_that_was_not_made():
    (words,) = unchecked([Checked("a.mid", faithful=False), Checked("b.mid")], PLAN)
    assert words.startswith("decoding of one piece, such as a.mid, against the notes")
    assert unchecked([Checked("b.mid")], PLAN) == []


def test_failed_checks_end_it_with_the_first():
    failures = [Failure("a.mid", shift, "file", Difference("tempos", "1", "2")) for shift in (1, 2)]
    with pytest.raises(CheckFailed, match=r"^2 checks failed; the first: a.mid, shift \+1, the MIDI file, "):
        end([Checked("a.mid", failures=failures)])
    end([Checked("a.mid")])
