"""A name holds no codes, and numbers are short."""

import pytest

from midiaug.printable import many, printable, short


def test_a_name_holds_no_codes_and_no_bytes_that_are_no_text():
    assert printable("a\x1b[2Jb\u202ec") == "a\\x1b[2Jb\\u202ec"
    assert printable(b"\xff.mid".decode("utf-8", "surrogateescape")) == "\\udcff.mid"
    assert printable("Tänze 日本") == "Tänze 日本"


@pytest.mark.parametrize(
    ("number", "shown"), [(0.4, "0"), (950, "950"), (9999, "9,999"), (46_300, "46k"), (2_340_000, "2.3M")]
)
def test_a_large_number_is_in_thousands_or_millions(number, shown):
    assert short(number) == shown


@pytest.mark.parametrize(
    ("count", "noun", "words"),
    [
        (1, "run", "1 run"),
        (0, "note", "0 notes"),
        (1200, "note", "1,200 notes"),
        (1, "process", "1 process"),
        (2, "process", "2 processes"),
    ],
)
def test_a_count_has_its_noun_in_the_plural_that_it_takes(count, noun, words):
    assert many(count, noun) == words
