"""A sweep ends with the command that compares its runs."""

import shlex
import subprocess
import sys

import pytest
from training import overrides


@pytest.mark.parametrize("place", ["tunes in E-flat", None])
def test_the_command_that_is_said_at_the_end_compares_the_runs(folder_of_tunes, shared_cache, tmp_path, place):
    words = [*overrides(folder_of_tunes, shared_cache, "trainer.max_epochs=1"), "aug=none,conservative"]
    words += [f"hydra.sweep.dir='{place}'"] if place else []
    sweep = [sys.executable, "-m", "midiaug.train", "--multirun", *words]
    done = subprocess.run(sweep, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    label, _, line = done.stdout.strip().splitlines()[-1].partition(" ")
    assert label == "compare"
    said = shlex.split(line)
    assert said[1:3] == ["-m", "midiaug.compare"]
    compared = subprocess.run(said, cwd=tmp_path, capture_output=True, text=True)
    assert compared.returncode == 0, compared.stderr
    assert "2 of midiaug" in compared.stdout
