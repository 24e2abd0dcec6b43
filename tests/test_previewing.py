"""A whole preview in this process: what it reports, and that a failed check ends it after everything was written."""

import json

import music
import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig

from midiaug.command import config_dir
from midiaug.data.transpose import TokenTransposer, transpose
from midiaug.errors import CheckFailed
from midiaug.inspection import checks, previewing
from midiaug.inspection.previewing import run_preview
from midiaug.inspection.settings import checked_preview


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def run(tmp_path, cache, folder_of_tunes, monkeypatch):
    """Runs a preview with these words; returns its report."""

    def started(*words: str, folder=folder_of_tunes):
        given = [f"data.path='{folder}'", f"data.cache_dir='{cache}'", *words]
        with initialize_config_dir(str(config_dir()), version_base="1.3"):
            config = compose("preview", given, return_hydra_config=True)
            monkeypatch.setattr(HydraConfig.instance(), "cfg", None)
            HydraConfig.instance().set_config(config)
            own = {key: value for key, value in config.items() if key != "hydra"}
            settings = checked_preview(type(config)(own))
        return run_preview(settings, tmp_path / "run")

    return started


def test_the_report_counts_what_training_would_see(run, tmp_path, folder_of_tunes):
    report = run("preview.pieces=2", "aug=moderate", "data.window=32")
    assert report == json.loads((tmp_path / "run" / "preview.json").read_text())
    assert report["passed"]
    view = report["training"]
    assert view["pairs"] == 5 * view["train_windows"]
    assert report["materializing"]["files"] == 5 * 24
    assert report["materializing"]["estimated_from"]["files"] == 10
    files = list((tmp_path / "run").rglob("*.mid"))
    notes = report["materializing"]["estimated_from"]["notes"]
    total = sum(path.stat().st_size for path in files)
    everything = 5 * sum(music.Score(str(path)).note_num() for path in folder_of_tunes.rglob("*.mid"))
    assert notes == sum(music.Score(str(path)).note_num() for path in files)
    assert report["materializing"]["bytes"] == pytest.approx(total / notes * everything, abs=1)


def test_balanced_epochs_leave_out_what_a_piece_may_not_take(run, tmp_path):
    music.corpus(tmp_path / "high", 6, low=94)
    random = run("preview.pieces=6", folder=tmp_path / "high")
    balanced = run("preview.pieces=6", "aug.draw=balanced", folder=tmp_path / "high")
    away = [piece["taken_away"] for piece in random["pieces"]]
    assert all("+5" in reasons for reasons in away)
    assert all("above" in reasons["+5"] for reasons in away)
    assert random["training"]["pairs"] < 7 * random["training"]["train_windows"]
    assert balanced["training"]["tokens_an_epoch"] < random["training"]["tokens_an_epoch"]


def test_a_wrong_table_ends_it_with_the_piece_and_the_place(run, tmp_path, monkeypatch):
    right = TokenTransposer.__call__
    run("preview.pieces=1", "aug.shifts=[0]")  # the store, by the right table
    monkeypatch.setattr(TokenTransposer, "__call__", lambda self, ids, by: right(self, ids, by + (by == 3)))
    with pytest.raises(CheckFailed, match=r"failed; the first: .*tune_\d+.mid, shift \+3, .*, bar 1, beat "):
        run("preview.pieces=1")
    report = json.loads((tmp_path / "run" / "preview.json").read_text())
    assert not report["passed"]
    assert {(failure["shift"], failure["check"]) for failure in report["failures"]} == {(3, "table"), (3, "decode")}
    assert (tmp_path / "run" / "preview.png").exists()


def test_a_transposed_drum_ends_it(run, monkeypatch):
    def drums_too(score, shift):
        shifted = transpose(score, shift)
        for track in shifted.tracks:
            if track.is_drum and shift:
                track.shift_pitch(1, inplace=True)
        return shifted

    monkeypatch.setattr(checks, "transpose", drums_too)
    with pytest.raises(CheckFailed, match="track 3, bar 1, beat 1, a note's pitch: expected"):
        run("preview.file=band/book_0/tune_000.mid", "data.route=midi")


def test_a_process_that_dies_is_a_failed_check(run, monkeypatch):
    def die(*rest):
        import os

        os._exit(1)

    monkeypatch.setattr(checks, "difference_of", die)
    with pytest.raises(CheckFailed, match="crashed its process"):
        run("preview.pieces=1")


def test_many_shifts_that_are_taken_away_are_one_line_for_each_side():
    reasons = {shift: f"takes {abs(shift)} notes {'above C8' if shift > 0 else 'below A0'}" for shift in range(-9, 10)}
    del reasons[0]
    assert previewing._away(reasons | {-9: "x"}) == [
        "-1 to -9 are left out: -1 takes 1 notes below A0",
        "+1 to +9 are left out: +1 takes 1 notes above C8",
    ]
    assert previewing._away({3: "takes 1 note above C8"}) == ["+3 is left out: it takes 1 note above C8"]
