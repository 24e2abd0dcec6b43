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


def test_a_sweep_goes_on_without_a_word_where_nobody_reads_its_screen_any_more(folder_of_tunes, shared_cache, tmp_path):
    words = [*overrides(folder_of_tunes, shared_cache, "trainer.max_epochs=1"), "seed=1,2", "hydra.sweep.dir=two"]
    sweep = [sys.executable, "-m", "midiaug.train", "--multirun", *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(sweep, cwd=tmp_path, text=True, **pipes) as process:
        assert "Launching 2 jobs" in process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert len(list(tmp_path.glob("two/*/summary.json"))) == 2


@pytest.mark.parametrize("more", [["aug=none,conservative"], ["experiment=gap_short"]], ids=str)
def test_a_sweep_that_has_one_folder_for_all_trainings_is_refused(folder_of_tunes, shared_cache, tmp_path, more):
    words = [*overrides(folder_of_tunes, shared_cache, "trainer.max_epochs=1"), *more, "hydra.sweep.subdir=here"]
    sweep = [sys.executable, "-m", "midiaug.train", "--multirun", *words, "hydra.sweep.dir=sweep"]
    done = subprocess.run(sweep, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == (
        "ConfigError: hydra.sweep.subdir=here: every training would be written over the one before; "
        "leave it out, or put ${hydra:job.num} into it\n"
    )
    assert not (tmp_path / "sweep" / "here").exists()
