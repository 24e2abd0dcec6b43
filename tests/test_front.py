"""The front has the groups that no other is better than in both losses."""

from xml.etree import ElementTree

import pytest
from comparing import write_run

from midiaug.comparison.finding import find_runs
from midiaug.comparison.front import front, known, trade_off
from midiaug.comparison.groups import describe, grouped
from midiaug.comparison.runs import read_runs

PLACES = {"none": (1.0, 2.0), "moderate": (1.1, 1.5), "aggressive": (1.2, 1.6), "keys12": (1.3, 1.2)}


@pytest.fixture
def groups(tmp_path):
    """Four levels with two seeds each, of which one is worse than another in both; and a run without losses by key."""
    for level, (own, over) in PLACES.items():
        for seed in (0, 1):
            by_key = {str(shift): over + seed / 10 for shift in range(-6, 6)}
            words = (f"aug={level}", f"seed={seed}")
            write_run(tmp_path / f"{level}{seed}", [(0.9, own + seed / 10)], *words, summary={"loss_by_key": by_key})
    write_run(tmp_path / "unknown", [(0.9, 0.5)], "aug=extreme")
    return grouped(describe(read_runs(find_runs([str(tmp_path)]))[0]))


def test_a_group_that_another_is_better_than_in_both_is_not_on_the_front(groups):
    assert len(known(groups)) == 4
    assert [group.members[0].level for group in front(known(groups))] == ["none", "moderate", "keys12"]


def test_a_group_alone_is_the_front(groups):
    assert front(known(groups)[:1]) == known(groups)[:1]


def test_the_chart_names_every_level_and_both_axes(groups):
    svg = trade_off(groups)
    shown = [text for text in ElementTree.fromstring(svg).itertext() if text.strip()]  # noqa: S314
    assert {*PLACES, "val in own keys, nats a token", "mean val over twelve keys"} <= set(shown)
    assert "extreme" not in shown


def test_the_front_is_in_one_color_and_the_others_in_another(groups):
    colors = ["#6b6b6b" in trade_off(part) for part in (groups, front(known(groups)))]
    assert colors == [True, False]
