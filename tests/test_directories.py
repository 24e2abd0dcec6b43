"""The names of run folders, and the checkpoint that a word names."""

import os
import sys
from pathlib import Path

import pytest

from midiaug.directories import checkpoint_file, generated_dir, program, run_dir, run_name, trained_checkpoint
from midiaug.errors import CheckpointError


def test_a_program_is_named_as_the_shell_finds_it_and_else_by_its_path(tmp_path, monkeypatch):
    assert program("python") == "python"
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.chdir(Path(sys.executable).parent.parent)
    assert program("tensorboard") == "bin/tensorboard"
    assert program("no such program") == "no such program"
    monkeypatch.chdir(tmp_path)
    assert program("python") == str(Path(sys.executable).parent / "python")


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["ckpt='runs/0_aug=none,model=gru/checkpoints/best.ckpt'", "n=3"], "n=3"),
        (["ckpt=runs/a/best.ckpt"], "default"),
        (["n=3", "data.path='tunes,seed=4'", "seed=5"], "n=3,seed=5"),
    ],
)
def test_a_path_that_holds_what_looks_like_a_key_does_not_name_the_folder(words, name):
    assert run_name(",".join(words), words) == name


@pytest.mark.parametrize(
    "jobs",
    [
        [f"aug.shifts=[{'1,' * 60}{last}],seed=0" for last in (2, 3)],
        [f"aug.shifts=[{'1,' * 40}2],data.source=bundled,seed={seed}" for seed in (0, 1)],
        [f"data.path=/{folder}/tunes" for folder in "ab"],
    ],
)
def test_jobs_whose_names_would_be_one_have_two(jobs):
    words = [
        "--multirun",
        "aug.shifts=[1],[2]",
        "data.source=bundled,folder",
        "seed=0,1",
        "data.path=/a/tunes,/b/tunes",
    ]
    names = [run_name(job, words) for job in jobs]
    assert len({*names}) == 2
    assert names == [run_name(job, words) for job in jobs]
    assert max(map(len, names)) < 140


def test_a_checkpoint_whose_name_no_disk_takes_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(CheckpointError, match=r"ckpt=a+: cannot be opened \(File name too long\); give another file"):
        trained_checkpoint("a" * 300, tmp_path)
    with pytest.raises(CheckpointError, match="ckpt=3: no such file"):
        trained_checkpoint(3, tmp_path)


def test_music_in_a_run_is_of_its_checkpoint_though_another_run_has_ended_since(tmp_path):
    for name, when in (("first", 1000), ("second", 2000)):
        file = tmp_path / name / "checkpoints" / "best.ckpt"
        file.parent.mkdir(parents=True)
        file.write_bytes(b"")
        os.utime(file, (when, when))
    folder = Path(generated_dir(str(tmp_path), "best", "", []))
    os.utime(tmp_path / "first" / "checkpoints" / "best.ckpt", (3000, 3000))
    assert trained_checkpoint("best", tmp_path, folder).parts[-3] == "second" == folder.parts[-3]
    assert trained_checkpoint("best", tmp_path).parts[-3] == "first"
    assert trained_checkpoint("best", tmp_path, tmp_path / "elsewhere" / "x").parts[-3] == "first"


def test_the_folder_of_a_run_stands_for_its_best_checkpoint_and_for_its_last_where_it_goes_on(tmp_path):
    run = tmp_path / "runs" / "my run"
    (run / "checkpoints").mkdir(parents=True)
    for name in ("best", "last"):
        (run / "checkpoints" / f"{name}.ckpt").touch()
    assert trained_checkpoint(str(run)) == run / "checkpoints" / "best.ckpt"
    assert checkpoint_file(str(run), tmp_path) == run / "checkpoints" / "last.ckpt"
    assert run_dir(str(tmp_path / "runs"), str(run), "") == str(run)
    with pytest.raises(CheckpointError, match="that is a folder; give the file in its checkpoints/"):
        trained_checkpoint(str(tmp_path))
