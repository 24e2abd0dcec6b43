"""What launchers and sweepers do with a training, and what is said where they fail."""

import json
import shutil
import sys
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from omegaconf import OmegaConf
from training import SMALL, finished

from midiaug import train
from midiaug.launchers import EXTRAS, job_error


@pytest.fixture(scope="module")
def place(tmp_path_factory, folder_of_tunes):
    here = tmp_path_factory.mktemp("sweeps")
    shutil.copytree(folder_of_tunes, here / "my tunes")
    return here


def trained(place: Path, *words: str) -> tuple[int, str]:
    # launchers hand on what the process has loaded to their jobs' processes, so it is to be as a person's
    anew = any(word.startswith("hydra/launcher=") for word in words)
    return finished(place, "data.path=my tunes", "data.cache_dir=cache", *words, anew=anew)


def test_a_sweep_side_by_side_is_named_and_said_as_one_after_another(place):
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    more = ("model=lstm,gru", "trainer.max_epochs=1", "hydra/launcher=joblib", "hydra.sweep.dir=sweep")
    status, output = trained(place, "--multirun", *SMALL, *more)
    assert status == 0, output
    runs = {path.parent.name: json.loads(path.read_text()) for path in (place / "sweep").glob("*/summary.json")}
    assert {name: summary["cell"] for name, summary in runs.items()} == {"0_model=lstm": "lstm", "1_model=gru": "gru"}
    for job in ("#0", "#1"):
        assert len([line for line in output.splitlines() if line.startswith(f"{job}  epoch 1 ")]) == 1
    assert "#" not in (place / "sweep" / "0_model=lstm" / "train.log").read_text()
    assert "Warning" not in output


@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_a_mistake_in_a_job_is_one_sentence_as_ever(place, launcher):
    pytest.importorskip({"joblib": "hydra_plugins.hydra_joblib_launcher"}.get(launcher, "submitit"))
    status, output = trained(
        place, "--multirun", "seed=1", "model=lstm,gru", "early_stopping.patience=0", f"hydra/launcher={launcher}"
    )
    assert status == 1, output
    assert output.count("Error executing job with overrides") == 1
    assert output.count("ConfigError") == 1
    assert output.splitlines()[-1].startswith("ConfigError: early_stopping.patience=0: give a number of validations")
    assert "Traceback" not in output


def test_optuna_searches_for_the_lowest_validation_loss(place):
    pytest.importorskip("optuna")
    more = ("hparams=gap", "hydra.sweeper.n_trials=2", "trainer.max_epochs=1", "hydra.sweep.dir=search")
    status, output = trained(place, *(word for word in SMALL if "hidden" not in word), *more)
    assert status == 0, output
    runs = {path.parent.name: json.loads(path.read_text()) for path in (place / "search").glob("*/summary.json")}
    assert len(runs) == 2
    for name, summary in runs.items():
        assert f"model.hidden={summary['model']['hidden']}" in name
        assert f"model.dropout={summary['model']['dropout']:.4g}" in name
    found = OmegaConf.load(place / "search" / "optimization_results.yaml")
    assert found.best_value == pytest.approx(min(summary["loss"]["val"] for summary in runs.values()))
    assert "[I 20" not in output, "what Hydra says, Optuna does not say again"
    assert "alembic" not in output


def test_a_search_goes_on_behind_a_trial_that_diverged(place):
    pytest.importorskip("optuna")
    more = ("optim.lr=choice(0.004,1e30)", "aug=none", "model.dropout=0.1", "trainer.max_epochs=1")
    search = ("hparams=gap", "hydra.sweeper.n_trials=3", "hydra.sweep.dir=diverging")
    status, output = trained(place, *SMALL, *more, *search)
    assert status == 0, output
    finished = [json.loads(path.read_text()) for path in (place / "diverging").glob("*/summary.json")]
    assert 0 < len(finished) < 3
    assert output.count("the loss is not a number") == 3 - len(finished)
    best = OmegaConf.load(place / "diverging" / "optimization_results.yaml").best_value
    assert best == pytest.approx(min(summary["loss"]["val"] for summary in finished))


def test_a_search_of_no_trials_is_an_error_in_a_sentence(place):
    pytest.importorskip("optuna")
    status, output = trained(place, *SMALL, "hparams=gap", "hydra.sweeper.n_trials=0")
    assert status == 1
    said = "ConfigError: hydra.sweeper.n_trials: no training was started that came to its end; give 1 or more"
    assert output.strip().splitlines()[-1] == said
    assert "Traceback" not in output


@pytest.mark.parametrize("name", ["joblib", "submitit_slurm", "ray"])
def test_a_launcher_that_is_not_installed_is_said_with_the_command_that_brings_it(monkeypatch, capsys, tmp_path, name):
    sentence = run_without_plugins(monkeypatch, capsys, tmp_path, "--multirun", f"hydra/launcher={name}")
    assert sentence == f"ConfigError: hydra/launcher={name}: not installed; run pip install 'midiaug[{EXTRAS[name]}]'"


def test_a_search_without_optuna_is_said_with_the_command_that_brings_it(monkeypatch, capsys, tmp_path):
    sentence = run_without_plugins(monkeypatch, capsys, tmp_path, "hparams=gap")
    assert sentence == "ConfigError: hydra/sweeper=optuna: not installed; run pip install 'midiaug[optuna]'"


def test_nothing_else_needs_a_launcher_or_optuna(monkeypatch, capsys, tmp_path):
    sentence = run_without_plugins(monkeypatch, capsys, tmp_path, "data.val_split=2")
    assert sentence.startswith("ConfigError: data.val_split=2.0: give a share")


def run_without_plugins(monkeypatch, capsys, tmp_path, *words: str) -> str:
    Plugins.instance()  # finds what is installed, once a process
    repo = ConfigStore.instance().repo
    for group in ("launcher", "sweeper"):
        kept = {name: node for name, node in repo["hydra"][group].items() if name == "basic.yaml"}
        monkeypatch.setitem(repo["hydra"], group, kept)
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["train.py", *words])
    with pytest.raises(SystemExit) as stop:
        train.main()
    assert stop.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_a_launchers_own_failure_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    lost = type("UncompletedJobError", (RuntimeError,), {})(
        f"Job 7 (task: 0) with path {tmp_path}/runs/.submitit/7/7_0_result.pkl\nhas not produced any output"
    )
    assert "what it said is in runs/.submitit/7" in str(job_error(lost))
    assert "n_jobs=1" in str(job_error(BrokenProcessPool("terminated")))
    assert "start it where sbatch works" in str(job_error(RuntimeError('Could not detect "srun", are you indeed?')))
    assert job_error(RuntimeError("a bug")) is None
