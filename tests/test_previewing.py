"""A whole preview in this process: what it reports, and that a failed check ends it after everything was written."""

import errno
import json
import os
import signal
from pathlib import Path

import music
import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig

from midiaug.config_files import config_dir
from midiaug.data.module import MidiDataModule
from midiaug.data.transpose import TokenTransposer, transpose
from midiaug.errors import CheckFailed, OutputError
from midiaug.inspection import checks, choice, previewing
from midiaug.inspection.previewing import run_preview
from midiaug.inspection.settings import checked_preview


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def run(tmp_path, cache, folder_of_tunes, monkeypatch):
    """Runs a preview with these words; returns its report."""

    def started(*words: str, folder=folder_of_tunes):
        source = [] if folder is None else [f"data.path='{folder}'"]
        given = [*source, f"data.cache_dir='{cache}'", *words]
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
    random = run("preview.pieces=3", folder=tmp_path / "high")
    balanced = run("preview.pieces=3", "aug.draw=balanced", folder=tmp_path / "high")
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


def test_a_file_alone_reads_no_other_music(run, tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(MidiDataModule, "setup", lambda self: pytest.fail("the source was read"))
    path = music.write(music.tune(3, bars=8), tmp_path / "mine.mid")
    with caplog.at_level("INFO", "midiaug"):
        report = run(f"preview.file={path}", folder=None)
    assert report["passed"]
    assert report["materializing"] is None
    assert report["training"]["pairs"] == 7 * report["training"]["train_windows"] > 0
    assert report["pieces"][0]["checks"] == {"score": 7, "file": 7, "table": 7, "decode": 7}
    assert "that is of this file alone" in caplog.text
    assert "midiaug.train" not in caplog.text, "one file is no corpus to train on"


def test_a_file_beside_a_source_has_the_costs_of_the_source(run, tmp_path):
    path = music.write(music.tune(3, bars=8), tmp_path / "mine.mid")
    assert run(f"preview.file={path}")["materializing"]["files"] == 7 * 24


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["data.route=midi"], "as data.route asks"),
        (["aug.out_of_range=drop"], "aug.out_of_range=drop takes notes away"),
    ],
)
def test_what_was_not_checked_is_said_with_its_reason(run, tmp_path, caplog, words, why):
    path = music.write(music.tune(3, bars=8, low=92), tmp_path / "high.mid")
    with caplog.at_level("INFO", "midiaug"):
        report = run(f"preview.file={path}", *words, folder=None)
    assert report["passed"]
    assert why in report["not_checked"][0]
    assert f"not checked {report['not_checked'][0]}" in caplog.text
    lost = report["pieces"][0]["notes_lost"]
    assert bool(lost) == ("drop" in words[0])
    if lost:
        assert f"{sum(lost.values()):,} notes that leave" in report["not_checked"][1]
        assert report["pieces"][0]["checks"] == {"score": 7, "file": 7, "decode": 7}


def test_the_files_are_called_as_materialize_calls_them(run, tmp_path):
    music.write(music.tune(1), tmp_path / "two" / "a.mid")
    music.write(music.tune(2), tmp_path / "two" / "a.midi")
    report = run("preview.pieces=2", "aug=none", folder=tmp_path / "two")
    assert sorted(piece["files"]["+0"] for piece in report["pieces"]) == ["a.mid_+0.mid", "a.midi_+0.mid"]


def test_each_piece_is_parsed_once(run, monkeypatch):
    counts = []
    right = choice.parse
    monkeypatch.setattr(choice, "parse", lambda *given: counts.append(1) or right(*given))
    run("preview.pieces=4", "aug=conservative")
    assert len(counts) == 4


@pytest.mark.parametrize("failing", ["preview.png", "preview.json", "a copy"])
def test_a_full_disk_leaves_nothing_and_names_the_file(run, tmp_path, monkeypatch, failing):
    def full(*rest):
        raise OSError(errno.ENOSPC, "No space left on device")

    where = {"preview.png": (previewing, "plot_preview"), "preview.json": (previewing, "write_json")}
    monkeypatch.setattr(*where.get(failing, (Path, "write_bytes")), full)
    name = r"run/.*_.*\.mid" if failing == "a copy" else f"run/{failing}"
    with pytest.raises(OutputError, match=rf"{name}: cannot be written \(No space left on device\); nothing"):
        run("preview.pieces=1")
    assert list((tmp_path / "run").iterdir()) == []


def test_a_preview_that_is_stopped_leaves_nothing(run, tmp_path, monkeypatch):
    def stop(*rest):
        raise KeyboardInterrupt

    monkeypatch.setattr(previewing, "plot_preview", stop)
    with pytest.raises(KeyboardInterrupt):
        run("preview.pieces=1")
    assert list((tmp_path / "run").iterdir()) == []


def test_a_process_that_is_killed_once_costs_nothing(run, tmp_path, monkeypatch):
    right = checks.difference_of

    def die_once(*rest):
        if not (tmp_path / "died").exists():
            (tmp_path / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return right(*rest)

    monkeypatch.setattr(checks, "difference_of", die_once)
    report = run("preview.pieces=1")
    assert (tmp_path / "died").exists()
    assert report["passed"]
    files = {file for piece in report["pieces"] for file in piece["files"].values()}
    assert {path.name for path in (tmp_path / "run").rglob("*.mid")} == {Path(file).name for file in files}


def key_changes():
    """Keys of the command, with a value that is not the default."""
    return [
        *("data.limit=12", "data.window=64", "data.batch_size=7", "data.max_bars=15", "aug.draw=balanced"),
        *("aug.out_of_range=drop", "seed=5", "preview.pieces=2", "preview.file=band/book_0/tune_003.mid"),
    ]


@pytest.fixture(scope="module")
def high_tunes(tmp_path_factory):
    """Tunes so high that not every shift fits, and some with drums; and an empty place for the report on them."""
    folder = tmp_path_factory.mktemp("high tunes")
    music.corpus(folder, 14, seed=50, low=89)
    music.corpus(folder / "band", 6, seed=80, drums=True, bars=8)
    return folder, {}


@pytest.mark.parametrize("word", key_changes())
def test_every_key_changes_what_is_reported(run, high_tunes, word):
    folder, plain = high_tunes
    if not plain:
        plain |= compared(run("preview.pieces=1", folder=folder))
    words = [word] if word.startswith("preview.pieces") else ["preview.pieces=1", word]
    assert compared(run(*words, folder=folder)) != plain


def compared(report):
    """A report without what the clock decides."""
    return {key: value for key, value in report.items() if key != "materializing"}


def test_drums_are_explained_where_a_piece_that_is_drawn_has_some(run, tmp_path, monkeypatch):
    titles = []
    monkeypatch.setattr(previewing, "plot_preview", lambda *given: titles.append(given[3]))
    music.corpus(tmp_path / "tunes", 8, seed=50)
    music.corpus(tmp_path / "band", 8, seed=80, drums=True, bars=8)
    for folder in ("tunes", "band"):
        run("preview.pieces=1", folder=tmp_path / folder)
    assert ["drums" in title for title in titles] == [False, True]
