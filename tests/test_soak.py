"""A short form of `make soak`: some kills of each command, and none of them loses anything."""

import numpy as np
import pytest
import soak
from forking import Stop

KILLS = 12


@pytest.fixture(scope="module")
def tallies(tmp_path_factory):
    parts = ("cache built", "0 workers", "copies written")  # with workers it takes too long here: make soak
    return [one for part in parts for one in soak.soak(0, KILLS // 3, 0, tmp_path_factory.mktemp("soak"), part)]


def test_nothing_is_lost_however_often_a_command_is_killed(tallies):
    assert [line for tally in tallies for line in tally.lost] == []
    kills = [int(word.split()[1]) for tally in tallies for word in tally.tries.split(";")[0].split(", ") if word]
    assert len(tallies) == 4
    assert sum(kills) >= KILLS
    assert len(kills) >= len(tallies), "each command was killed"


def test_what_is_not_as_in_an_unbroken_run_is_found():
    assert soak._differing({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 4, "d": 5}) == ["b", "c", "d"]


def test_a_stop_for_a_process_that_is_gone_is_no_error():
    Stop(0).send(2**22 + 1)  # more than Linux gives


def test_no_twin_of_a_real_tune_is_on_the_other_side_and_one_that_were_is_found(tmp_path, monkeypatch):
    tally = soak.twins(30, 20, tmp_path)
    assert tally.lost == []
    assert tally.tries.startswith("180 twins of 30 tunes, 20 seeds")
    monkeypatch.setattr(soak, "twin_groups", lambda ngrams, share: np.arange(len(ngrams)))
    assert "is on both sides" in soak.twins(30, 1, tmp_path).lost[0]
