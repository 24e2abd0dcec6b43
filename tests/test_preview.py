"""The command, as a person types it, and what it leaves."""

import json
import os
import shutil
import signal
import sys

import music
import pytest
from training import finished, running

from midiaug import preview


@pytest.fixture(scope="module")
def place(tmp_path_factory, folder_of_tunes):
    """A working directory that holds the tunes in a folder with a space and brackets in its name."""
    here = tmp_path_factory.mktemp("an evening")
    shutil.copytree(folder_of_tunes, here / "my tunes, [all]")
    return here


def test_it_checks_shows_and_leaves_files_to_listen_to(place):
    words = ("data.path=my tunes, [all]", "data.cache_dir=c", "aug=conservative")
    status, output = finished(place, *words, name="preview", anew=True)
    assert status == 0, output
    assert "Traceback" not in output
    assert "Warning" not in output
    assert output.count(": 9 of 9") == 4
    assert "train       python -m midiaug.train 'data.path=my tunes, [all]' data.cache_dir=c aug=conservative" in output
    (run,) = (place / "runs").iterdir()
    report = json.loads((run / "preview.json").read_text())
    files = {file for piece in report["pieces"] for file in piece["files"].values()}
    assert {str(path.relative_to(run)) for path in run.rglob("*.mid")} == files
    assert len(files) == 9
    assert (run / "preview.png").read_bytes()[:4] == b"\x89PNG"


def test_ctrl_c_ends_it_without_a_trace(place):
    one = running(place, "data.path=my tunes, [all]", "data.cache_dir=c2", name="preview")
    one.until("source")
    os.killpg(one.process, signal.SIGINT)
    status, output = one.ended(600)
    assert status == 130, output
    assert "Traceback" not in output


@pytest.fixture
def refused(refusal, tmp_path):
    """Runs the command with these words and returns the one line on stderr."""

    def run(*words: str) -> str:
        line = refusal(preview.main, "preview", "hydra.run.dir=run", *words)
        assert not (tmp_path / "run").exists()
        return line

    return run


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["data.path=empty"], "data.path=empty: no .mid"),
        (["data.path=nowhere"], "data.path=nowhere: No such file"),
        (["preview.pieces=0"], "preview.pieces=0: give a number"),
        (["preview.piece=2"], "did you mean preview.pieces?"),
        (["model=gru"], "model: there is no such key"),
        (["data.path=tunes", "data.cache_dir=c", "preview.file=other.mid"], "preview.file=other.mid: no such file"),
    ],
)
def test_a_wrong_word_is_refused_by_name_and_leaves_nothing(refused, tmp_path, words, named):
    (tmp_path / "empty").mkdir()
    music.corpus(tmp_path / "tunes", 3)
    assert named in refused(*words)


def test_a_folder_that_cannot_be_written_is_named(monkeypatch, capsys, locked, tmp_path):
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    monkeypatch.setattr(sys, "argv", ["preview.py", f"hydra.run.dir={locked}/run", f"data.path={tmp_path}"])
    with pytest.raises(SystemExit) as stop:
        preview.main()
    assert stop.value.code == 1
    assert "PermissionError: " in capsys.readouterr().err
