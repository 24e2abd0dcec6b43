"""The command that compares, on a small sweep that was really trained."""

import json
import os
import shutil
import signal

import pytest
from comparing import figures_of
from training import SMALL, finished, running


@pytest.fixture(scope="module")
def place(tmp_path_factory, folder_of_tunes):
    """A working directory with a sweep of two levels over two seeds in runs/."""
    here = tmp_path_factory.mktemp("studio")
    shutil.copytree(folder_of_tunes, here / "my tunes")
    words = ["data.path=my tunes", "data.cache_dir=cache", "aug=none,conservative", "seed=0,1", "data.val_split=0.25"]
    small = [word for word in SMALL if "epochs" not in word]
    status, output = finished(here, "--multirun", *words, *small, "trainer.max_epochs=2")
    assert status == 0, output
    return here


def compared(place, *words, **how):
    return finished(place, *words, name="compare", **how)


def newest(place):
    return max(place.glob("runs/*_compare*"), key=lambda path: path.name)


def test_a_sweep_is_compared_with_the_figures_that_its_runs_wrote(place):
    status, output = compared(place, "runs=runs", anew=True)
    assert status == 0, output
    content = figures_of(newest(place))
    by_name = {run["name"]: run for run in content["runs"]}
    folders = sorted(place.glob("runs/*_sweep/[0-9]*"))
    assert sorted(by_name) == [folder.name for folder in folders]
    assert len(folders) == 4
    for folder in folders:
        summary = json.loads((folder / "summary.json").read_text())
        run = by_name[folder.name]
        assert run["loss"] == pytest.approx(summary["loss"])
        assert run["nats_per_note"] == pytest.approx(summary["nats_per_note"])
        assert run["key_spread"] == summary["key_spread"]
        assert run["equivariance"] == summary["equivariance"] > 0
        assert run["loss_averaged_over_keys"] == summary["loss_averaged_over_keys"] > 0
        assert (run["seed"], run["epochs"], run["best_epoch"]) == (summary["seed"], 2, summary["best_epoch"])
        assert run["shifts"] == summary["shifts"]
        assert run["seconds"] > 0
    (gain,) = content["gains"]
    # the change of the loss in each split, from the pieces, is the difference that the summaries have
    val = {(run["level"], run["seed"]): run["loss"]["val"] for run in content["runs"]}
    expected = [val["conservative", seed] - val["none", seed] for seed in (0, 1)]
    assert [one["seed"] for one in gain["by_seed"]] == [0, 1]
    assert [one["nats"] for one in gain["by_seed"]] == pytest.approx(expected, abs=1e-5)
    assert len(gain["curves_before"]["val"]) == len(gain["curves_after"]["train"]) == 2
    assert content["music"]["statistics"]["pieces"]["read"] == 24
    assert "LSTM 2 x 16, conservative" in output
    assert " conservative against none (2 runs against 2) " in " ".join(output.split())
    assert f"page        {newest(place).relative_to(place)}/compare.html" in output


def test_folders_are_taken_as_they_are_typed(place):
    folders = sorted(str(folder.relative_to(place)) for folder in place.glob("runs/*_sweep/[0-9]*"))
    assert "," in folders[0]
    assert "=" in folders[0]
    status, output = compared(place, f"runs=[{folders[0]},{folders[2]}]", "music=false")
    assert status == 0, output
    assert "2 of midiaug" in output
    status, output = compared(place, "runs=runs/*/*aug=none,seed=*", "music=false")
    assert "2 of midiaug" in output, output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            [],
            "ConfigError: runs: give a folder of runs, as in runs=runs, or music, as in data.path=DIR or data=bundled",
        ),
        (
            ["runs=gone"],
            "ComparisonError: runs=gone: no run that can be compared (gone: there is no such folder; it was",
        ),
        (["run=runs"], "ConfigError: run: there is no such key; did you mean runs? --help lists them all"),
        (["data.path=gone"], "CorpusError: data.path=gone"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence_and_leaves_nothing(place, words, said):
    before = sorted(place.glob("runs/*"))
    status, output = compared(place, *words)
    assert status == 1
    assert output.splitlines()[-1].startswith(said), output
    assert sorted(place.glob("runs/*")) == before


def test_four_at_once_into_one_folder_leave_one_whole_report(place):
    folder = place / "at once"
    four = [running(place, "runs=runs", f"hydra.run.dir={folder.name}", name="compare") for _ in range(4)]
    ends = [one.ended(600) for one in four]
    assert [status for status, _ in ends] == [0] * 4, ends
    assert len(figures_of(folder)["runs"]) == 4
    files = {".hydra", "compare.log", "compare.json", "compare.html", "gap.png", "quarantine.json"}
    assert {path.name for path in folder.iterdir()} == files


def test_interrupted_it_leaves_no_half_of_a_report(place):
    one = running(place, "runs=runs", "hydra.run.dir=stopped", name="compare")
    one.until("pieces      24 read, 0 left out")  # in the middle of it
    os.kill(one.process, signal.SIGINT)
    status, output = one.ended(600)
    assert status == 130, output
    assert not list((place / "stopped").glob("*compare.*ml"))
    assert not list((place / "stopped").glob("*.json"))
    assert "Traceback" not in output
