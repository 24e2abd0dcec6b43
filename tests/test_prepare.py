"""The command that prepares: in one process, in shards, and by each launcher."""

import json
import shutil
from functools import partial
from pathlib import Path

import pytest
from training import finished

from midiaug import prepare


@pytest.fixture(scope="module")
def place(tmp_path_factory, folder_of_tunes):
    """A working directory that holds the tunes in a folder with a space in its name."""
    here = tmp_path_factory.mktemp("machines")
    shutil.copytree(folder_of_tunes, here / "my tunes")
    return here


def prepared(place: Path, *words: str, **how: bool) -> tuple[int, str]:
    return finished(place, "data.path=my tunes", *words, name="prepare", **how)


def test_a_preparation_says_what_it_did_and_leaves_its_figures(place):
    status, output = prepared(place, "data.cache_dir=whole", anew=True)
    assert status == 0, output
    lines = [line.split()[0] for line in output.splitlines()]
    assert lines == ["source", "pieces", "tunes", "split", "tokens", "cache"], output
    (run,) = (place / "runs").glob("*")
    assert run.name.endswith("_prepare")
    figures = json.loads((run / "prepare.json").read_text())
    assert (figures["pieces"], figures["quarantined"], figures["shards"]) == (24, 0, None)
    assert f"tokens      {figures['tokens']:,}; " in output
    assert (place / "whole" / "corpora" / figures["corpus"]).is_dir()
    assert (place / "whole" / "stores" / figures["store"]).is_dir()
    assert json.loads((run / "quarantine.json").read_text()) == []


@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_a_launcher_prepares_the_shards_each_in_a_folder_named_by_its_number(place, launcher):
    pytest.importorskip({"joblib": "hydra_plugins.hydra_joblib_launcher"}.get(launcher, "submitit"))
    words = ("data.shards=2", "data.shard=range(0,2)", f"data.cache_dir={launcher}")
    status, output = prepared(
        place, "--multirun", *words, f"hydra/launcher={launcher}", f"hydra.sweep.dir=sweep_{launcher}", anew=True
    )
    assert status == 0, output
    assert "Traceback" not in output
    assert "Warning" not in output
    folders = sorted(path for path in (place / f"sweep_{launcher}").glob("[!.]*/"))
    assert [folder.name for folder in folders] == ["0_data.shard=0", "1_data.shard=1"]
    figures = [json.loads((folder / "prepare.json").read_text()) for folder in folders]
    assert sum(part["pieces"] for part in figures) == 24
    assert all((place / launcher / "stores" / part["store"]).is_dir() for part in figures)
    if launcher == "joblib":  # the other one keeps what its jobs say in files
        assert output.count("#0  pieces ") == output.count("#1  pieces ") == 1


@pytest.fixture
def sentence(refusal):
    """Runs the command with these words and returns the one line on stderr."""
    return partial(refusal, prepare.main, "prepare", "hydra.run.dir=run")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["data.shards=4"], "data.shard=null: give one of the 4 shards"),
        (["data.shards=4", "data.shard=4"], "data.shard=4: give one of the 4 shards, from 0 to 3"),
        (["data.shards=4", "data.shard=1", "data.limit=9"], "data.limit=9: not with shards"),
        (["data.shards=x"], "data.shards=x: give a whole number"),
        (["data=folder"], "data.path is missing"),
        (["data.max_bars=0"], "data.max_bars=0: give a number of bars"),
        (["model=gru"], "model: there is no such key"),
        (["seed=-1"], "seed=-1: give a whole number"),
        (["tokenizer=bach"], "tokenizer=bach: there is no such option; use one of cpword"),
        (["data=parquet", "data.path=nowhere"], "data.path=nowhere: no .parquet file there"),
    ],
)
def test_a_wrong_word_is_refused_by_name(sentence, words, named):
    assert named in sentence(*words)
