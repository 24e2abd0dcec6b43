"""hparams=level, in a process of its own: it says what it trains, goes on after Ctrl-C, and recommends at its end."""

import json
import os
import shutil
import signal
from pathlib import Path

import pytest
from omegaconf import OmegaConf
from training import SMALL, finished, running

from midiaug.comparison.recommending import jobs_of, overrides_of, swept_of
from midiaug.config_files import config_dir

WORDS = [
    *(word for word in SMALL if "epochs" not in word),
    *("hparams=level", "data.path=tunes", "data.cache_dir=cache", "data.val_split=0.25", "aug=none,conservative"),
    *("trainer.max_steps=20", "trainer.val_check_interval=10"),
]
SWEEP = Path("runs") / "level"


@pytest.fixture(scope="module")
def place(tmp_path_factory, folder_of_tunes):
    """A working directory where the sweep was broken off in its third training, and what it had said until then."""
    here = tmp_path_factory.mktemp("levels")
    shutil.copytree(folder_of_tunes, here / "tunes")
    one = running(here, *WORDS)
    one.until("seed=1\n")  # the line that says in which folder the third is
    os.kill(one.process, signal.SIGINT)
    status, said = one.ended(600)
    assert status == 130, said
    return here, said


def ended(place, *more, **how):
    return finished(place, *WORDS, *more, **how)


def test_how_many_trainings_it_is_is_said_before_the_first(place):
    first = place[1].splitlines()[0]
    assert first == "trainings   4 of 20 steps, in runs/level: seed=0,1 aug=none,conservative"
    assert not (place[0] / SWEEP / "recommendation.json").exists()


def test_started_again_it_goes_on_and_recommends(place):
    kept = (place[0] / SWEEP / "aug=none,seed=0" / "summary.json").stat().st_mtime_ns
    status, output = ended(place[0])
    assert status == 0, output
    assert output.count("finished    before") == 2
    assert (place[0] / SWEEP / "aug=none,seed=0" / "summary.json").stat().st_mtime_ns == kept
    assert "recommended: aug=" in output
    found = json.loads((place[0] / SWEEP / "recommendation.json").read_text())
    assert (found["runs"], found["missing"]) == (4, [])
    (model,) = found["models"]
    assert model["sentence"] in " ".join(output.split())
    for level, seeds in zip(model["levels"], ([0, 1], [0, 1]), strict=True):
        folders = [place[0] / SWEEP / f"{level['name']},seed={seed}" for seed in seeds]
        summaries = [json.loads((folder / "summary.json").read_text()) for folder in folders]
        assert level["seeds"] == seeds
        for name in ("over_keys", "key_spread"):
            assert level["figures"][name]["mean"] == pytest.approx(sum(one[name] for one in summaries) / 2)
        assert level["figures"]["val"]["mean"] == pytest.approx(sum(one["loss"]["val"] for one in summaries) / 2)


def test_a_training_that_is_refused_is_named_and_the_others_count_side_by_side_too(place):
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    sweep = place[0] / "refused"
    shutil.copytree(place[0] / SWEEP, sweep)
    summary = sweep / "aug=conservative,seed=1" / "summary.json"
    content = json.loads(summary.read_text())
    content["settings"]["optim"]["lr"] = 0.5
    summary.write_text(json.dumps(content))
    status, output = ended(
        place[0], "hydra.sweep.dir=refused", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", anew=True
    )
    assert status == 1, output
    assert output.count("ConfigError: resume=true: ") == 1
    assert "1 of 4 trainings are missing: seed=1,aug=conservative" in output
    assert "Traceback" not in output
    assert "Warning" not in output
    found = json.loads((sweep / "recommendation.json").read_text())
    assert found["missing"] == ["seed=1,aug=conservative"]
    assert [level["seeds"] for level in found["models"][0]["levels"]] == [[0, 1], [0]]
    assert "From one seed alone" in output


def test_where_no_training_came_to_its_end_nothing_is_recommended(place):
    status, output = ended(place[0], "data.path=gone", "hydra.sweep.dir=none")
    assert status == 1
    assert output.count("CorpusError: data.path=gone") == 1
    assert output.splitlines()[-1].startswith("ComparisonError: none: none of the 4 trainings came to its end")
    assert not list((place[0] / "none").glob("*.json"))


def test_what_the_command_line_gives_takes_the_place_of_the_grid():
    level = OmegaConf.load(config_dir() / "hparams" / "level.yaml")
    level.hydra.overrides = {"task": ["seed=3", "aug=none,keys12", "model=gru"]}
    jobs = jobs_of(level)
    assert jobs == [["seed=3", f"aug={name}", "model=gru"] for name in ("none", "keys12")]
    assert swept_of(jobs) == {"aug": ["none", "keys12"]}


def test_by_default_every_level_there_is_gets_two_seeds():
    level = OmegaConf.load(config_dir() / "hparams" / "level.yaml")
    level.hydra.overrides = {"task": []}
    assert swept_of(jobs_of(level)).keys() == {"aug", "seed"}
    names = {path.stem for path in config_dir().glob("aug/*.yaml")}
    assert {word for job in jobs_of(level) for word in job if "aug" in word} == {f"aug={name}" for name in names}
    assert len(jobs_of(level)) == 2 * len(names)


@pytest.mark.parametrize("content", [b"5", b"a: [b", b"a: 1", b"", b"\xff\xfe\x00", None])
def test_a_folder_that_is_no_run_has_no_overrides(tmp_path, content):
    (tmp_path / ".hydra").mkdir()
    if content is not None:
        (tmp_path / ".hydra" / "overrides.yaml").write_bytes(content)
    assert overrides_of(tmp_path) == frozenset()
