"""The command that generates, as a person types it."""

import json
import os
import shutil
import signal
import sys
from pathlib import Path

import music
import pytest
import torch
from training import SMALL, finished, running

from midiaug import generate


@pytest.fixture(scope="module")
def place(tmp_path_factory, folder_of_tunes):
    """A working directory in which one small model was trained."""
    here = tmp_path_factory.mktemp("band (1)")
    words = (f"data.path={folder_of_tunes}", "data.cache_dir=ca", *SMALL[:-2], "trainer.max_epochs=1")
    status, output = finished(here, *words, "data.val_split=0.25", "hydra.run.dir=runs/one")
    assert status == 0, output
    return here


def generated(place, *words: str, **how: bool) -> tuple[int, str]:
    return finished(place, "wav=false", *words, name="generate", **how)


def test_the_newest_best_model_plays_on_and_its_music_lies_in_its_run(place):
    music.write(music.tune(6, bars=4), place / "a tune, [x].mid")
    status, output = generated(place, "ckpt=best", "n=2", "max_bars=2", "prompt=a tune, [x].mid", anew=True)
    assert status == 0, output
    (folder,) = (place / "runs" / "one" / "generated").iterdir()
    names = {path.name for path in folder.iterdir()}
    assert {"01_a_tune_x_.mid", "02_a_tune_x_.mid", "generate.json", "generated.png"} <= names
    assert json.loads((folder / "generate.json").read_text())["n"] == 2
    assert "prompt      a tune, [x].mid: 2 bars" in output
    assert "notes within one scale" in output
    assert "Warning" not in output


def test_elsewhere_a_file_goes_into_a_folder_of_its_own(place):
    (place / "copy.ckpt").write_bytes((place / "runs/one/checkpoints/best.ckpt").read_bytes())
    status, output = generated(place, "ckpt=copy.ckpt", "n=1", "max_bars=1")
    assert status == 0, output
    (folder,) = (place / "runs").glob("*_generate_*")
    assert (folder / "01.mid").is_file()


def test_a_sweep_over_checkpoints_writes_into_the_run_of_each(place):
    for name in ("two", "three"):
        shutil.copytree(place / "runs/one/checkpoints", place / "runs" / name / "checkpoints")
    (place / "alone.ckpt").write_bytes((place / "runs/one/checkpoints/best.ckpt").read_bytes())
    ckpts = "runs/two/checkpoints/best.ckpt,runs/three/checkpoints/best.ckpt,alone.ckpt"
    status, output = generated(place, "--multirun", f"ckpt={ckpts}", "n=1", "max_bars=1")
    assert status == 0, output
    for name in ("two", "three"):
        (folder,) = (place / "runs" / name / "generated").iterdir()
        assert folder.name.endswith("_ckpt=best.ckpt")
        assert Path(json.loads((folder / "generate.json").read_text())["ckpt"]).parts[-3] == name
        assert (folder / "01.mid").is_file()
    (sweep,) = (place / "runs").glob("*_generate_sweep")
    assert {path.name for path in sweep.iterdir()} == {"multirun.yaml", "2_ckpt=alone.ckpt"}
    assert (sweep / "2_ckpt=alone.ckpt" / "generate.json").is_file()


def test_a_sweep_goes_where_the_command_line_says(place):
    words = ("ckpt=runs/one/checkpoints/best.ckpt", "seed=1,2", "hydra.sweep.dir=here")
    status, output = generated(place, "--multirun", *words, "n=1", "max_bars=1")
    assert status == 0, output
    assert {path.name for path in (place / "here").iterdir()} == {"multirun.yaml", "0_seed=1", "1_seed=2"}


def test_a_folder_that_may_not_be_written_is_named(locked, monkeypatch, capsys):
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    monkeypatch.setattr(sys, "argv", ["generate.py", "ckpt=best", f"hydra.run.dir='{locked}/a'"])
    with pytest.raises(SystemExit) as stop:
        generate.main()
    assert stop.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "Permission denied; free space there, or write elsewhere with hydra.run.dir=DIR" in line


@pytest.fixture
def sentence(refusal, tmp_path):
    """Runs the command with these words and returns the one line on stderr."""

    def run(*words: str) -> str:
        line = refusal(generate.main, "generate", *words)
        assert not list((tmp_path / "runs").glob("*"))
        return line

    return run


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ([], "ckpt is missing"),
        (["ckpt=best"], "ckpt=best: no checkpoints/best.ckpt below runs"),
        (["ckpt=last"], "ckpt=last: no checkpoints/last.ckpt below runs"),
        (["ckpt=a (1), [b].ckpt"], "ckpt=a (1), [b].ckpt: no such file"),
        (["ckpt=."], "that is a folder"),
        (["ckpt=best", "temprature=2"], "did you mean temperature?"),
        (["ckpt=best", "n=0"], "n=0: give a whole number"),
    ],
)
def test_a_wrong_word_is_refused_by_name(sentence, words, named):
    assert named in sentence(*words)


def test_ctrl_c_leaves_nothing(place):
    before = sorted((place / "runs").rglob("*"))
    one = running(place, "wav=false", "ckpt=best", "n=512", "max_tokens=100000", "max_bars=100000", name="generate")
    one.until("split")  # the music is read, and generating begins
    os.kill(one.process, signal.SIGINT)
    status, output = one.ended(600)
    assert status == 130, output
    assert "Traceback" not in output
    assert [path for path in sorted((place / "runs").rglob("*")) if path not in before and path.is_file()] == []


def changed(content, keys: str, value):
    """The content with the value at the end of a path of keys, with dots; "gone" takes that entry away."""
    *way, last = keys.split(".")
    for key in way:
        content = content[key]
    if value == "gone":
        del content[last]
    else:
        content[last] = value


JUNK = [
    *[("recipe", value) for value in (5, [1, 2], "x", None, {}, {"model": {}})],
    *[("recipe.model", value) for value in ("gone", 5, [1], None, {"cell": "transformer"}, {"depth": 3})],
    *[("recipe.model.cell", value) for value in (None, "rnn")],
    *[("recipe.model.hidden", value) for value in ("wide", -1, 2.5, None, 10**9, [16])],
    *[("recipe.model.layers", value) for value in (10**7, 0, "two")],
    *[("recipe.tokenizer", value) for value in ("gone", 5, [1], None, {}, {"tokenization": "REMI"})],
    *[("recipe.tokenizer.tokenization", value) for value in ("gone", "Nope", 5, "TokenizerConfig")],
    *[("recipe.tokenizer.config", value) for value in ("gone", 5, {"pitch_range": "wide"})],
    *[("state_dict", value) for value in ("gone", 5, [1], {}, {"model.output.bias": 3})],
    ("state_dict.model.embedding.weight", "gone"),
    *[("MidiDataModule", value) for value in ("gone", 5, [1], {})],
    *[("MidiDataModule.arguments", value) for value in ("gone", 5, [1], {}, {"shifts": 3}, {"nope": 1, "shifts": [0]})],
    *[("MidiDataModule.arguments.shifts", value) for value in ("gone", 5, ["a"], [[1]])],
    *[("MidiDataModule.arguments.limit", value) for value in ("many", -3)],
    *[("MidiDataModule.arguments.path", value) for value in (5, [1])],
    *[("MidiDataModule.split", value) for value in ("gone", 5, "x", torch.arange(5), torch.ones(3, dtype=torch.uint8))],
    ("MidiDataModule.corpus", 5),
]


def named(case) -> str:
    return f"{case[0]}={case[1]}".replace(" ", "")[:50]


@pytest.mark.parametrize("case", JUNK, ids=named)
def test_a_checkpoint_of_junk_is_named_and_nothing_is_written(place, sentence, tmp_path, case):
    content = torch.load(place / "runs/one/checkpoints/best.ckpt", weights_only=True)
    if case[0].startswith("state_dict."):
        del content["state_dict"]["model.embedding.weight"]
    else:
        changed(content, *case)
    torch.save(content, tmp_path / "junk.ckpt")
    line = sentence("ckpt=junk.ckpt", "n=1", "max_bars=1", "wav=false")
    assert line.startswith("CheckpointError: ckpt=")
    assert "junk.ckpt: " in line
    assert "; " in line


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("every", [True, False], ids=["all", "one"])
def test_a_checkpoint_whose_weights_are_no_numbers_is_refused(place, sentence, tmp_path, value, every):
    content = torch.load(place / "runs/one/checkpoints/best.ckpt", weights_only=True)
    for weight in list(content["state_dict"].values())[: None if every else 1]:
        weight.flatten()[: None if every else 1] = value
    torch.save(content, tmp_path / "junk.ckpt")
    line = sentence("ckpt=junk.ckpt", "n=1", "wav=false")
    assert "junk.ckpt: some of its weights are no numbers; " in line


def test_a_checkpoint_of_weights_of_another_size_is_refused(place, sentence, tmp_path):
    content = torch.load(place / "runs/one/checkpoints/best.ckpt", weights_only=True)
    content["state_dict"] = {name: torch.zeros(3, 3) for name in content["state_dict"]}
    torch.save(content, tmp_path / "junk.ckpt")
    assert "junk.ckpt: its weights are of model.embed=3, and it says 12; " in sentence("ckpt=junk.ckpt", "wav=false")
