"""Runs are found wherever they lie below what was asked for, each once; what is no run is named."""

import os

import pytest
from comparing import write_log, write_run

from midiaug.comparison.finding import find_runs, side_of, words_of


def test_a_run_a_sweep_and_any_folder_above_them_will_do(tmp_path):
    first = write_run(tmp_path / "sweep" / "2_aug=none,seed=0", [(1, 2)])
    later = write_run(tmp_path / "sweep" / "10_aug=none,seed=1", [(1, 3)])
    for path in (tmp_path, tmp_path / "sweep"):
        found = find_runs([str(path)])
        assert (found.own, found.remarks) == ([first, later], [])
    assert find_runs([str(first)]).own == [first]
    assert find_runs([str(first / "summary.json")]).own == [first]


def test_a_pattern_is_looked_up_and_a_folder_of_that_name_is_taken_as_it_stands(tmp_path):
    bracketed = write_run(tmp_path / "runs [old]", [(1, 2)])
    other = write_run(tmp_path / "runs o", [(1, 3)])
    assert find_runs([f"{tmp_path}/runs*"]).own == [bracketed, other]
    assert find_runs([str(bracketed)]).own == [bracketed]


def test_what_lies_below_a_run_is_no_run_of_its_own(tmp_path):
    run = write_run(tmp_path / "run", [(1, 2)])
    write_run(run / "generated" / "later", [(1, 2)])
    assert find_runs([str(tmp_path)]).own == [run]


def test_a_run_that_is_given_twice_counts_once_and_is_named(tmp_path):
    run = write_run(tmp_path / "run", [(1, 2)])
    (tmp_path / "link").symlink_to(run)
    found = find_runs([str(run), str(tmp_path)])
    assert found.own == [run]
    assert found.remarks == [f"{tmp_path}: 2 runs were given twice; each counts once"]


def test_a_missing_an_empty_and_an_early_folder_are_named_each_in_one_sentence(tmp_path):
    (tmp_path / "empty").mkdir()
    early = tmp_path / "early"
    (early / ".hydra").mkdir(parents=True)
    (early / "train.log").write_text("")
    found = find_runs([str(tmp_path / name) for name in ("missing", "empty", "early", "none*")])
    assert not found.own
    assert found.remarks == [
        f"{tmp_path}/missing: there is no such folder; it was left out",
        f"{tmp_path}/empty: no run in this folder or below it; it was left out",
        f"{early}: it has no finished epoch yet; it was left out",
        f"{tmp_path}/none*: there is no such folder; it was left out",
    ]


@pytest.mark.skipif(os.name == "nt", reason="rights are different there")
def test_a_folder_that_may_not_be_opened_is_named(locked):
    found = find_runs([str(locked)])
    assert found.remarks == [f"{locked}: Permission denied; it was left out"]


def test_the_folders_of_keras_are_two_parts_of_one_run(tmp_path):
    parts = [write_log(tmp_path / "logs" / side, {"epoch_loss": [(0, 1.0)]}) for side in ("train", "validation")]
    assert find_runs([str(tmp_path)]).logs == {tmp_path / "logs": parts}


def test_a_log_is_a_run_of_its_own_also_where_its_folder_is_called_test(tmp_path):
    run = write_log(tmp_path / "test", {"val/loss": [(0, 1.0)]})
    assert find_runs([str(tmp_path)]).logs == {run: [run]}


@pytest.mark.parametrize(
    ("tag", "words", "side"),
    [
        ("val/loss_epoch", ["val", "loss", "epoch"], "val"),
        ("ValidationLoss", ["validation", "loss"], "val"),
        ("train_loss", ["train", "loss"], "train"),
        ("eval/loss", ["eval", "loss"], "val"),
        ("constrain/loss", ["constrain", "loss"], None),
    ],
)
def test_a_tag_tells_its_side_by_a_whole_word(tag, words, side):
    assert words_of(tag) == words
    assert side_of(tag) == side
