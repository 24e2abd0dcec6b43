"""The log on a screen that nobody reads, and that in a run's folder, on a disk that takes no more."""

import logging
import os

import pytest

from midiaug.run_log import LogFile, LogScreen


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
