"""A folder that holds a run already: finished, stopped, of other settings, or unreadable."""

import json

import pytest
import training

from midiaug.directories import stopped
from midiaug.errors import ConfigError
from midiaug.resuming import finished
from midiaug.run import train_model


@pytest.fixture(scope="module")
def made(folder_of_tunes, shared_cache, tmp_path_factory):
    """A finished run: its folder, and the loss that it returned."""
    directory = tmp_path_factory.mktemp("resuming")
    chosen = training.settings(folder_of_tunes, shared_cache, "trainer.max_epochs=1")
    return directory, train_model(chosen, directory)


def test_a_finished_run_counts_as_it_is(made, folder_of_tunes, shared_cache):
    again = training.settings(
        folder_of_tunes, shared_cache, "trainer.max_epochs=1", "resume=true", "data.num_workers=0"
    )
    assert finished(made[0], again) == made[1]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["trainer.max_epochs=2"], "trainer.max_epochs=1, and this one has 2"),
        (["trainer.max_epochs=1", "aug=none"], r"aug\.shifts=\[-5, -3, -1, 0, 1, 3, 5\], and this one has \[0\]"),
        (["trainer.max_epochs=1", "seed=4"], "seed=0, and this one has 4"),
    ],
)
def test_a_run_of_other_settings_is_not_taken_for_this_one(made, folder_of_tunes, shared_cache, words, named):
    with pytest.raises(ConfigError, match=f"resume=true: .* holds a run with {named}; remove that folder"):
        finished(made[0], training.settings(folder_of_tunes, shared_cache, *words))


def test_a_run_of_a_version_without_a_key_had_what_is_now_its_default(made, folder_of_tunes, shared_cache, tmp_path):
    summary = json.loads((made[0] / "summary.json").read_text())
    del summary["settings"]["optim"]["equivariance"], summary["settings"]["data"]["folds"]
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    words = ["trainer.max_epochs=1", "optim.equivariance=0"]
    assert finished(tmp_path, training.settings(folder_of_tunes, shared_cache, *words)) == made[1]
    words[1] = "optim.equivariance=0.5"
    with pytest.raises(ConfigError, match=r"optim\.equivariance=0\.0, and this one has 0\.5"):
        finished(tmp_path, training.settings(folder_of_tunes, shared_cache, *words))


def test_a_folder_without_a_finished_run_has_none(tmp_path, folder_of_tunes, shared_cache):
    chosen = training.settings(folder_of_tunes, shared_cache)
    assert finished(tmp_path, chosen) is None
    assert stopped(tmp_path) is None
    training.run(chosen, tmp_path, training.StopAfter(tmp_path / "checkpoints" / "last.ckpt", epoch=1))
    assert finished(tmp_path, chosen) is None
    assert stopped(tmp_path) == tmp_path / "checkpoints" / "last.ckpt"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", "null", '{"settings": 3}', '{"settings": {}, "loss": {"val": []}}']
)
def test_a_summary_that_cannot_be_read_is_named(tmp_path, folder_of_tunes, shared_cache, text):
    (tmp_path / "summary.json").write_text(text)
    with pytest.raises(ConfigError, match=r"resume=true: .*summary\.json is not readable, or of an older version"):
        finished(tmp_path, training.settings(folder_of_tunes, shared_cache))


def test_a_summary_holds_the_settings_of_its_run(made):
    summary = json.loads((made[0] / "summary.json").read_text())
    assert summary["settings"]["trainer"]["max_epochs"] == 1
    assert summary["settings"]["model"]["hidden"] == 16
