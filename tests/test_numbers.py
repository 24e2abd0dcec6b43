"""Figures have few digits."""

import pytest

from midiaug.comparison.numbers import duration, number, speed, spread


@pytest.mark.parametrize(
    ("value", "shown"), [(None, ""), (True, ""), ("x", ""), (12345, "12,345"), (1.23456, "1.235"), (-0.5, "-0.500")]
)
def test_a_number_is_short_and_nothing_stays_nothing(value, shown):
    assert number(value) == shown


def test_a_sign_is_shown_where_it_matters():
    assert (number(0.5, 2, sign=True), number(1, sign=True)) == ("+0.50", "+1.000")


@pytest.mark.parametrize(("seconds", "shown"), [(None, ""), (5, "0:05"), (65.4, "1:05"), (7200, "2:00:00")])
def test_a_time_is_shown_as_on_a_clock(seconds, shown):
    assert duration(seconds) == shown


@pytest.mark.parametrize(("value", "shown"), [(None, ""), (950, "950"), (45_600, "46k"), (2_340_000, "2.3M")])
def test_a_speed_is_shown_in_thousands(value, shown):
    assert speed(value) == shown


def test_a_spread_stands_behind_its_mean_where_there_is_one():
    assert spread({"mean": 1.0, "sd": 0.25, "n": 2}, 2) == "1.00 ± 0.25"
    assert spread({"mean": 1.0, "sd": None, "n": 1}) == "1.000"
