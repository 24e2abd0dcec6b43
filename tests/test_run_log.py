"""The log on a screen that nobody reads, and that in a run's folder, on a disk that takes no more."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from midiaug.run_log import LogFile, LogScreen

LOST = "the screen's lines cannot be written (No space left on device); the work goes on\n"


@pytest.fixture
def log(disk):
    """A log whose file is on a small disk."""
    handler = LogFile(disk.path / "train.log", encoding="utf-8")
    logger = logging.Logger("alone")
    logger.addHandler(handler)
    yield logger
    handler.close()


def test_a_full_disk_costs_lines_and_no_traceback_and_they_come_once_there_is_room(log, disk, capfd):
    log.warning("first")
    disk.fill()
    log.warning("second %s", "x" * 5000)
    log.warning("third")
    disk.empty()
    log.warning("fourth")
    lines = (disk.path / "train.log").read_text().splitlines()
    assert [line[:6] for line in lines] == ["first", "second", "third", "fourth"]
    assert capfd.readouterr().err == ""


def test_a_line_that_is_wrong_is_still_said(log, capfd):
    log.warning("%d tunes", "many")
    assert "TypeError" in capfd.readouterr().err


def test_where_nobody_reads_the_screen_any_more_the_work_goes_on_without_a_word(capfd):
    reading, writing = os.pipe()
    logger = logging.Logger("alone")
    with os.fdopen(writing, "w", buffering=1) as stream:
        logger.addHandler(LogScreen(stream))
        logger.warning("seen")
        assert os.read(reading, 100) == b"seen\n"
        os.close(reading)
        for _ in range(3):
            logger.warning("not seen")
    assert capfd.readouterr() == ("", "")


def test_a_line_on_the_screen_that_is_wrong_is_still_said(capfd):
    logger = logging.Logger("alone")
    logger.addHandler(LogScreen())
    logger.warning("%d tunes", "many")
    assert "TypeError" in capfd.readouterr().err


full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="a stream that is always full is Linux's")


@full
def test_a_screen_that_takes_no_more_is_told_of_once_and_the_work_goes_on(capfd):
    logger = logging.Logger("alone")
    with Path("/dev/full").open("w", buffering=1) as stream:
        logger.addHandler(LogScreen(stream))
        for _ in range(3):
            logger.warning("not seen")
    assert (
        capfd.readouterr().err == "the screen's lines cannot be written (No space left on device); the work goes on\n"
    )


@full
@pytest.mark.parametrize("words", [("--help",), ("--cfg", "job")])
def test_what_is_asked_for_and_cannot_be_shown_is_an_error(shell, words):
    done = shell("prepare", *words, then=">/dev/full")
    assert done.returncode == 1
    assert done.stderr == (
        "OutputError: the screen's lines cannot be written (No space left on device); send them elsewhere\n"
    )


@pytest.mark.parametrize("then", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_are_no_failure(shell, tmp_path, folder_of_tunes, then):
    words = (f"data.path={folder_of_tunes}", f"data.cache_dir={tmp_path}/cache", "data.window=16")
    assert shell("prepare", *words, then=then).returncode == 0
    assert list((tmp_path / "cache").rglob("*.json"))


@full
def test_what_is_said_of_a_sweep_is_told_of_once_too(shell, tmp_path, folder_of_tunes):
    words = (f"data.path={folder_of_tunes}", f"data.cache_dir={tmp_path}/cache", "data.window=16,32", "--multirun")
    done = shell("prepare", *words, then=">/dev/full")
    assert done.stderr == LOST
    assert done.returncode == 0


@pytest.fixture
def shell(tmp_path):
    """Runs a command of midiaug in a shell. then: what stands behind it there."""

    def run(name: str, *words: str, then: str) -> subprocess.CompletedProcess[str]:
        line = ["sh", "-c", f'"$@" {then}', "sh", sys.executable, "-m", f"midiaug.{name}", *words]
        return subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run
