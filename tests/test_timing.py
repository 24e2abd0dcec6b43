"""Figures come from medians, and contestants take turns; nothing here depends on the time of day."""

import pytest

from midiaug import __version__
from midiaug.measuring import timing
from midiaug.measuring.timing import Figure, Stopwatch, in_turns, last_json, machine, ratio


def test_a_ratio_is_that_of_the_medians():
    assert ratio(Figure([1.0, 100.0, 6.0], "s"), Figure([2.0, 3.0, 4.0, 3.0], "s")) == 2.0


def test_figures_of_different_units_are_not_compared():
    with pytest.raises(ValueError, match="s and tokens/s cannot be compared"):
        ratio(Figure([1.0], "s"), Figure([1.0], "tokens/s"))


def test_a_figure_is_written_with_its_rounds():
    assert Figure([3.0, 1.0], "s").as_json() == {"median": 2.0, "unit": "s", "rounds": [3.0, 1.0]}


def test_all_take_turns_and_each_round_begins_with_another():
    seen: list[str] = []

    def run(name):
        seen.append(name)
        return float(len(seen))

    figures = in_turns({name: lambda name=name: run(name) for name in "abc"}, 4, "s")
    assert "".join(seen) == "abc" + "bca" + "cab" + "abc"
    assert figures["b"].rounds == [2.0, 4.0, 9.0, 11.0]


def test_a_stopwatch_holds_what_passed_until_it_was_stopped(monkeypatch):
    times = iter([10.0, 12.5])
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(times))
    watch = Stopwatch()
    watch.stop()
    assert watch.seconds == 2.5


def test_the_machine_is_described():
    described = machine()
    assert described["cores"] >= 1
    assert described["cpu"]
    assert described["midiaug"] == __version__
    assert {"python", "torch", "numpy", "miditok"} <= set(described)


def test_the_last_line_counts():
    assert last_json('abc2midi says\n{"a": 1}\n') == {"a": 1}
