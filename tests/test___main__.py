"""`python -m midiaug` and the scripts that pip installs: they list, help and run as `python -m midiaug.<name>` does."""

import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from training import SMALL, finished

from midiaug.__main__ import COMMANDS, overview
from midiaug.config_files import config_dir

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
# what takes seconds to import
HEAVY = {"torch", "pytorch_lightning", "lightning_fabric", "torchmetrics", "miditok", "matplotlib", "scipy", "pandas"}


def said(*words, cwd, status=0):
    """What a program says on stdout and on stderr; Python where the first word begins with a hyphen."""
    words = [sys.executable, *words] if words[0].startswith("-") else [str(BIN / words[0]), *words[1:]]
    environment = {name: value for name, value in os.environ.items() if name != "HYDRA_FULL_ERROR"}
    environment["OMP_NUM_THREADS"] = "1"
    done = subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout, done.stderr


def test_the_overview_has_a_line_for_each_command_that_has_a_configuration():
    assert set(COMMANDS) == {path.stem for path in config_dir().glob("*.yaml")} - {"common", "commands"}
    lines = [line for line in overview().splitlines() if line.startswith("  python -m midiaug.")]
    assert [line.split()[2] for line in lines] == [f"midiaug.{name}" for name in COMMANDS]
    assert all(len(line) <= 120 for line in lines)


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",)])
def test_the_package_itself_lists_the_commands_and_says_how_to_get_help(words, tmp_path):
    assert said("-m", "midiaug", *words, cwd=tmp_path) == (overview() + "\n", "")
    assert "--help" in overview()


@pytest.mark.parametrize(
    ("word", "hint"), [("tarin", "did you mean train? "), ("midiaug.compar", "did you mean compare? "), ("a=1", "")]
)
def test_an_unknown_word_is_one_sentence_and_status_2(word, hint, tmp_path):
    sentence = f"ConfigError: {word}: there is no such command; {hint}python -m midiaug lists them\n"
    assert said("-m", "midiaug", word, cwd=tmp_path, status=2) == ("", sentence)


def test_every_command_has_a_script():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    homes = {f"midiaug-{name}": f"midiaug.{name}:main" for name in COMMANDS}
    assert scripts == {"midiaug": "midiaug.__main__:main"} | homes


@pytest.mark.parametrize("name", [None, *COMMANDS])
def test_help_loads_nothing_that_takes_seconds(name, tmp_path):
    module = "midiaug" if name is None else f"midiaug.{name}"
    code = "import atexit, runpy, sys; sys.argv = ['', '--help']; atexit.register(lambda: print(*sys.modules)); "
    code += f"runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
    helped, modules = said("-c", code, cwd=tmp_path)[0].rstrip().rsplit("\n", 1)
    assert f"python -m {module}" in helped
    assert not {word.partition(".")[0] for word in modules.split()} & HEAVY


def test_the_scripts_help_is_that_of_the_module(tmp_path):
    _, expected = finished(tmp_path, "--help", name="prepare", anew=True)
    assert said("midiaug-prepare", "--help", cwd=tmp_path) == (expected, "")
    assert said("midiaug", "prepare", "--help", cwd=tmp_path) == (expected, "")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_a_job_of_a_sweep_that_a_script_starts_finds_its_function(launcher, tmp_path):
    pytest.importorskip({"joblib": "hydra_plugins.hydra_joblib_launcher"}.get(launcher, "submitit"))
    words = ("--multirun", "model=gru", "early_stopping.patience=0", f"hydra/launcher={launcher}")
    sentence = said("midiaug-train", *words, cwd=tmp_path, status=1)[1].splitlines()[-1]
    assert sentence.startswith("ConfigError: early_stopping.patience=0: give a number")  # only a job looks at it


def test_ranks_that_lightning_starts_find_the_command_behind_midiaug(folder_of_tunes, tmp_path):
    more = (f"data.path={folder_of_tunes}", "data.cache_dir=cache", *SMALL, "trainer.max_epochs=1")
    ranks = ("trainer.devices=2", "trainer.strategy=ddp", "hydra.run.dir=run")
    said("midiaug", "train", *more, *ranks, cwd=tmp_path)
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["epochs"] == 1


def test_a_script_that_is_refused_leaves_nothing_and_says_one_sentence(tmp_path):
    sentence = said("midiaug-train", "checkpoint.minutes=0", cwd=tmp_path, status=1)[1]
    assert sentence == "ConfigError: checkpoint.minutes=0.0: give a number of minutes above 0\n"
    assert not list(tmp_path.glob("runs/*"))


COMPLETION = {
    "bash": (["--norc", "--noprofile"], 'eval "$(midiaug-train -sc install=bash)"'),
    "zsh": (
        ["-f"],
        'autoload -Uz compinit bashcompinit; compinit -u; bashcompinit; eval "$(midiaug-train -sc install=bash)"',
    ),
    "fish": (["--no-config"], "midiaug-train -sc install=fish | source"),
}


@pytest.mark.parametrize("shell", COMPLETION)
def test_a_shell_completes_keys_and_options_of_a_script(shell, tmp_path):
    pexpect = pytest.importorskip("pexpect")
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    arguments, install = COMPLETION[shell]
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "TERM": "dumb", "HOME": str(tmp_path)}
    environment |= {"XDG_CONFIG_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    terminal = pexpect.spawn(shell, arguments, env=environment, cwd=tmp_path, encoding="utf-8", timeout=600)
    try:
        terminal.sendline(f"{install}; echo in''stalled")
        terminal.expect("installed")
        for typed, whole in (("aug=mod", "aug=moderate"), ("data.wi", "data.window=")):
            time.sleep(0.5)  # until the prompt is there to take a tab
            terminal.send(f"midiaug-train {typed}\t")
            terminal.expect_exact(whole)
            terminal.sendcontrol("u")
    finally:
        terminal.close(force=True)
    assert not list(tmp_path.glob("runs/*"))


def test_completion_reads_no_music_and_offers_the_commands_own_keys(tmp_path, monkeypatch):
    monkeypatch.setenv("COMP_LINE", "midiaug-prepare data.path=nowhere data.")
    offered, errors = said("midiaug-prepare", "-sc", "query=bash", cwd=tmp_path)
    assert {"data.shards=", "data.path="} <= set(offered.split())
    assert errors == ""
    assert not list(tmp_path.iterdir())


def test_the_configuration_can_be_shown_without_a_run(tmp_path):
    shown, errors = said("midiaug-train", "--cfg", "job", "model=gru", cwd=tmp_path)
    assert "cell: gru" in shown
    assert errors == ""
    assert not list(tmp_path.iterdir())
