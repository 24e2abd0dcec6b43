"""Bars and beats by the time signatures."""

import music
import numpy as np
import pytest
from symusic import Score, TimeSignature

from midiaug.data.meter import Bar, Meter, most_bars
from midiaug.data.pieces import count_bars


@pytest.mark.parametrize(
    ("tick", "place"), [(0, (1, 1)), (3 * 480, (2, 1)), (6 * 480, (3, 1)), (10 * 480 + 240, (4, 1.5))]
)
def test_a_place_is_counted_through_changes_of_meter(tick, place):
    score = music.tune(1)
    score.time_signatures = [TimeSignature(0, 3, 4, "tick"), TimeSignature(6 * 480, 4, 4, "tick")]
    assert Meter(score).place_of(tick) == pytest.approx(np.array(place))


def test_a_change_of_meter_ends_a_bar_early():
    score = Score(480)
    score.time_signatures = [TimeSignature(0, 4, 4, "tick"), TimeSignature(480, 6, 8, "tick")]
    assert Meter(score).bar_at(479) == Bar(0, 0, 480, 1920, 480.0)
    assert Meter(score).bar_at(480) == Bar(1, 480, 1920, 1440, 240.0)
    assert Meter(score).bar_at(1920).start == 1920


def test_of_two_signatures_at_one_time_the_last_holds():
    score = Score(480)
    score.time_signatures = [TimeSignature(0, 4, 4, "tick"), TimeSignature(0, 3, 4, "tick")]
    assert Meter(score).bar_at(3 * 480).number == 1


def test_without_a_signature_it_is_in_four():
    assert Meter(Score(24)).bar_at(4 * 24).number == 1


@pytest.mark.parametrize("seed", range(20))
def test_what_is_found_quickly_is_never_fewer_bars_than_are_counted(seed):
    generator = np.random.default_rng(seed)
    score = music.tune(seed)
    drawn = generator.integers(0, score.end() + 1, 6), generator.integers(0, 9, 6), generator.choice([1, 4, 8, 64], 6)
    score.time_signatures = [TimeSignature(*map(int, numbers), "tick") for numbers in zip(*drawn, strict=True)]
    assert count_bars(score) <= most_bars(score)


def test_of_one_meter_about_as_many_bars_are_found_as_are_counted():
    score = music.tune(1, bars=40)
    assert count_bars(score) <= most_bars(score) <= count_bars(score) + 3
