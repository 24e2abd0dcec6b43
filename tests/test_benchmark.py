"""The command, as a person types it: in a process of its own, from another directory."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from measuring import settings, words

from midiaug.errors import ConfigError


@pytest.fixture(scope="module")
def place(tmp_path_factory, folder_of_tunes):
    """A working directory with a space in its name, holding the tunes in another one."""
    here = tmp_path_factory.mktemp("my evening")
    shutil.copytree(folder_of_tunes, here / "my tunes, [all]")
    (here / "for a while").mkdir()
    return here


def started(place, *more: str) -> subprocess.Popen[str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TMPDIR": str(place / "for a while")}
    environment.pop("HYDRA_FULL_ERROR", None)
    chosen = [word.replace("'", "") for word in words(place / "my tunes, [all]", place / "cache", *more)]
    return subprocess.Popen(
        [sys.executable, "-m", "midiaug.benchmark", *chosen],
        cwd=place,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def test_it_prints_tables_and_writes_figures_and_a_picture(place):
    process = started(place, "parts=[loaders,build]", "aug.shifts=[-1,1]")
    output, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    assert errors == ""
    assert "shifts      [-1, 0, +1] semitones" in output
    assert "file, shift, tokenizer, crop, for each sample" in output
    run = place / re.search(r"figures +(.+)/benchmark\.json", output)[1]
    assert run.parent == place / "runs" / "benchmark"
    report = json.loads((run / "benchmark.json").read_text())
    assert report["corpus"]["source"] == "my tunes, [all]"
    assert report["corpus"]["shifts"] == [-1, 0, 1]
    assert (run / "benchmark.png").read_bytes()[:4] == b"\x89PNG"
    assert list((place / "for a while").iterdir()) == []


def test_ctrl_c_ends_it_and_its_processes_without_a_trace(place):
    process = started(place, "parts=[start]", "repeats=100")
    while "measuring" not in process.stdout.readline():
        assert process.poll() is None
    time.sleep(1)
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=600)
    assert process.returncode == 130
    assert "Traceback" not in output + errors
    assert list((place / "for a while").iterdir()) == []


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("parts=[loader]", r"parts=loader: use one or more of loaders, augment_dataset, start, build, step"),
        ("parts=[]", r"parts=\[\]: use one or more"),
        ("rounds=0", r"rounds=0: give a whole number, 1 or more"),
        ("repeats=-1", r"repeats=-1: give a whole number"),
        ("steps=1.5", r"steps=1.5: "),
        ("seconds=0", r"seconds=0.0: give a number of seconds above 0"),
        ("seconds=inf", r"seconds=inf: give a number of seconds above 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(folder_of_tunes, cache, word, sentence):
    with pytest.raises(ConfigError, match=sentence):
        settings(folder_of_tunes, cache, word)
