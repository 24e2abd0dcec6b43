"""A run's folder is read as it stands; what is broken in it is named, and the rest goes on."""

import json
import shutil

import pytest
from comparing import write_log, write_run

from midiaug.comparison.finding import find_runs
from midiaug.comparison.runs import read_runs


def read(*paths):
    return read_runs(find_runs([str(path) for path in paths]))


def test_a_finished_run_has_its_best_epoch_its_settings_and_its_pieces(tmp_path):
    write_run(tmp_path / "run", [(2.0, 2.5), (1.0, 1.5), (0.5, 1.8)], "model=gru", "seed=3", pieces={"a b.mid": 1.5})
    ((run,), remarks) = read(tmp_path)
    assert remarks == []
    assert (run.best["epoch"], run.best["loss/val"], run.best["loss/gap"]) == (2, 1.5, 0.5)
    assert (run.config["model"]["cell"], run.config["seed"], run.finished) == ("gru", 3, True)
    assert (run.pieces["a b.mid"].nats, run.pieces["a b.mid"].tokens) == (150.0, 100)
    assert run.name == "run"


def test_a_killed_run_is_shown_with_its_best_epoch_so_far(tmp_path):
    write_run(tmp_path / "run", [(2.0, 2.5), (1.0, 1.5)], finished=False)
    ((run,), (remark,)) = read(tmp_path)
    assert (run.best["epoch"], run.finished) == (2, False)
    assert "not finished; it is shown with its best epoch so far" in remark


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("metrics.csv", "epoch,step,loss/train,loss/val,loss/gap\n1,2,0.5", "metrics.csv cannot be read"),
        ("metrics.csv", "a\n1\n", "metrics.csv cannot be read (it has no column epoch)"),
        ("metrics.csv", "epoch,loss/val\n1,2\n", "metrics.csv cannot be read (it has no column loss/train)"),
        ("metrics.csv", "epoch,loss/val\n1\n", "metrics.csv cannot be read (a line has too many or too few values"),
        ("metrics.csv", "epoch,loss/val\nnan,2\n", "or an epoch without a number)"),
        ("metrics.csv", "epoch,loss/train,loss/val,loss/gap\n1,nan,nan,nan\n", "no epoch has a validation loss"),
    ],
)
def test_a_run_without_losses_is_left_out_and_the_rest_goes_on(tmp_path, name, content, said):
    write_run(tmp_path / "good", [(1.0, 1.5)])
    broken = write_run(tmp_path / "broken", [(1.0, 1.4)])
    (broken / name).write_text(content)
    (runs, (remark,)) = read(tmp_path)
    assert [run.name for run in runs] == ["good"]
    assert said in remark
    assert remark.startswith(f"{broken}: ")
    assert remark.endswith("; it was left out")


@pytest.mark.parametrize("name", ["summary.json", "split.json", "val_pieces.csv", ".hydra/config.yaml"])
def test_one_broken_file_is_named_and_the_others_are_read(tmp_path, name):
    run = write_run(tmp_path / "run", [(1.0, 1.5)])
    (run / name).write_text('{"piece": [1, 2\npiece,group\n1,2\n')
    ((read_run,), remarks) = read(tmp_path)
    assert read_run.best["loss/val"] == 1.5
    assert any(f"{run}: {name} cannot be read (" in remark for remark in remarks)


def test_a_summary_alone_tells_of_the_best_epoch(tmp_path):
    run = write_run(tmp_path / "run", [(2.0, 2.5), (1.0, 1.5)])
    (run / "metrics.csv").unlink()
    ((read_run,), _) = read(tmp_path)
    assert (read_run.rows, read_run.best["epoch"], read_run.best["loss/val"]) == ([read_run.best], 2, 1.5)


def test_a_copy_of_a_run_counts_once(tmp_path):
    run = write_run(tmp_path / "a", [(1.0, 1.5)])
    shutil.copytree(run, tmp_path / "b")
    (runs, (remark,)) = read(tmp_path)
    assert [one.name for one in runs] == ["a"]
    assert remark == f"{tmp_path}/b: the same run as {run}, copied; it counts once"


def test_a_name_is_as_much_of_the_path_as_tells_runs_apart(tmp_path):
    write_run(tmp_path / "one" / "seed=0", [(1.0, 1.5)])
    write_run(tmp_path / "two" / "seed=0", [(1.0, 1.6)])
    write_run(tmp_path / "two" / "seed=1", [(1.0, 1.7)])
    assert [run.name for run in read(tmp_path)[0]] == ["one/seed=0", "two/seed=0", "seed=1"]


def test_what_generate_left_is_read_with_the_run(tmp_path):
    run = write_run(tmp_path / "run", [(1.0, 1.5)])
    for name, content in (("first", json.dumps({"n": 2})), ("second", "{")):
        (run / "generated" / name).mkdir(parents=True)
        (run / "generated" / name / "generate.json").write_text(content)
    ((read_run,), (remark,)) = read(tmp_path)
    assert read_run.generated == {"first": {"n": 2}}
    assert "generate.json cannot be read" in remark


def test_a_log_of_another_program_says_that_its_training_loss_may_flatter(tmp_path):
    write_log(tmp_path / "theirs", {"train_loss": [(1, 2.0)], "val_loss": [(1, 2.5), (2, 2.25)]})
    ((run,), (remark,)) = read(tmp_path)
    assert (run.own, run.best["loss/val"], run.best["epoch"]) == (False, 2.25, 2)
    assert "may be of transposed music and with dropout" in remark
