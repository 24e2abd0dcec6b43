"""Runs of the same model are put together whatever their seed, and are called by what differs."""

import re

from comparing import write_log, write_run
from omegaconf import OmegaConf

from midiaug.comparison.finding import find_runs
from midiaug.comparison.groups import describe, grouped, known_levels, mean_and_sd
from midiaug.comparison.runs import read_runs


def described(path):
    return describe(read_runs(find_runs([str(path)]))[0])


def test_seeds_of_one_model_and_level_are_a_group_with_mean_and_spread(tmp_path):
    for seed, val in ((0, 1.0), (1, 2.0)):
        write_run(tmp_path / f"none{seed}", [(0.5, val)], "aug=none", f"seed={seed}")
    write_run(tmp_path / "moved", [(0.5, 1.2)], "aug=moderate")
    groups = grouped(described(tmp_path))
    assert [group.label for group in groups] == ["LSTM 2 x 256, moderate", "LSTM 2 x 256, none"]
    assert groups[1].figures()["val"] == {"mean": 1.5, "sd": 0.5**0.5, "n": 2}
    assert groups[0].figures()["val"] == {"mean": 1.2, "sd": None, "n": 1}


def test_runs_come_with_the_lowest_validation_loss_first_and_unfinished_ones_are_in_no_group(tmp_path):
    write_run(tmp_path / "a", [(1.0, 2.0)])
    write_run(tmp_path / "b", [(1.0, 1.0)], finished=False)
    runs = described(tmp_path)
    assert [one.run.name for one in runs] == ["b", "a"]
    assert [one.run.name for group in grouped(runs) for one in group.members] == ["a"]


def test_only_what_differs_is_named(tmp_path):
    write_run(tmp_path / "a", [(1.0, 2.0)], "model.dropout=0.1", "data.num_workers=0")
    write_run(tmp_path / "b", [(1.0, 1.0)], "model.dropout=0.5", "data.num_workers=2", "model.hidden=64")
    assert [one.label for one in described(tmp_path)] == [
        "LSTM 2 x 64, dropout 0.5, aggressive",
        "LSTM 2 x 256, dropout 0.1, aggressive",
    ]


def test_where_a_run_is_computed_makes_no_other_model(tmp_path):
    write_run(tmp_path / "a", [(1.0, 2.0)], "trainer.accelerator=cpu", "data.cache_dir=x", "data.route=midi")
    write_run(tmp_path / "b", [(1.0, 1.0)], "trainer.devices=2", "checkpoint.minutes=1", "seed=1")
    assert len(grouped(described(tmp_path))) == 1


def test_shifts_without_a_name_are_shown_and_the_draw_makes_another_group(tmp_path):
    write_run(tmp_path / "a", [(1.0, 2.0)], "aug.shifts=[-2,0,2]")
    write_run(tmp_path / "b", [(1.0, 1.0)], "aug.shifts=[-2,0,2]", "aug.draw=balanced")
    write_run(tmp_path / "c", [(1.0, 3.0)], "aug.shifts=[-5,5]")
    assert [one.level for one in described(tmp_path)] == [
        "[-2, 0, +2], balanced",
        "[-2, 0, +2]",
        "-5 to +5",
    ]
    assert len(grouped(described(tmp_path))) == 3


def test_a_log_of_another_program_is_called_by_its_folder(tmp_path):
    write_log(tmp_path / "theirs", {"val_loss": [(1, 2.0)]})
    (one,) = described(tmp_path)
    assert (one.label, one.level, one.shifts) == ("theirs", "", None)


def test_levels_have_the_names_of_their_files():
    levels = known_levels()
    assert levels[(0,)] == "none"
    assert levels[tuple(range(-6, 6))] == "keys12"


def test_a_spread_needs_two_and_what_is_missing_does_not_count():
    assert mean_and_sd([1.0, None, 3.0]) == {"mean": 2.0, "sd": 2.0**0.5, "n": 2}
    assert mean_and_sd([None]) == {"mean": None, "sd": None, "n": 0}


def test_what_else_augments_is_part_of_the_level_and_makes_another_group_of_the_same_model(tmp_path):
    options = {
        "plain": (),
        "kept": ("aug.original=0.3",),
        "narrow": ("aug.anneal=[1,3]",),
        "lively": ("aug.velocity=[-2,2]",),
        "lively by name": ("aug.velocity=moderate",),
        "told": ("model.condition=true",),
    }
    for number, (name, words) in enumerate(options.items()):
        write_run(tmp_path / name, [(0.5, 1.2 + number)], "aug=moderate", *words)
    write_run(tmp_path / "none", [(0.5, 1.3)], "aug=none", "model.condition=true", "aug.original=0.3")
    write_run(tmp_path / "cut", [(0.5, 1.4)], "aug=none", "aug.starts=random")
    runs = {one.run.name: one for one in described(tmp_path)}
    assert {name: one.level for name, one in runs.items()} == {
        "plain": "moderate",
        "kept": "moderate, original 0.3",
        "narrow": "moderate, anneal [1, 3]",
        "lively": "moderate, velocity [-2, 2]",
        "lively by name": "moderate, velocity [-2, 2]",
        "told": "moderate, told of the shift",
        "none": "none",
        "cut": "none, starts random",
    }
    assert len({one.of_model for one in runs.values()}) == 1, "all have the same runs without augmentation beside them"
    assert len(grouped(list(runs.values()))) == 7


def test_a_loss_term_between_keys_is_part_of_the_level_and_without_shifts_of_the_model(tmp_path):
    options = {"plain": "aug=moderate", "term": "aug=moderate", "none": "aug=none", "still": "aug=none"}
    for number, (name, level) in enumerate(options.items()):
        weight = ("optim.equivariance=0.5",) if name in ("term", "still") else ()
        write_run(tmp_path / name, [(0.5, 1.2 + number)], level, *weight)
    older = write_run(tmp_path / "older", [(0.5, 1.25)], "aug=moderate", "seed=1") / ".hydra" / "config.yaml"
    older.write_text(re.sub("(?m)^ *equivariance.*$\n", "", older.read_text()))
    runs = {one.run.name: one for one in described(tmp_path)}
    assert {name: one.label for name, one in runs.items()} == {
        "plain": "LSTM 2 x 256, moderate",
        "older": "LSTM 2 x 256, moderate",
        "term": "LSTM 2 x 256, moderate, equivariance 0.5",
        "none": "LSTM 2 x 256, none",
        "still": "LSTM 2 x 256, equivariance 0.5, none",
    }
    groups = {tuple(sorted(one.run.name for one in group.members)) for group in grouped(list(runs.values()))}
    assert groups == {("older", "plain"), ("term",), ("none",), ("still",)}


def test_a_run_of_a_version_without_a_key_had_its_default(tmp_path):
    for number, level in enumerate(("none", "moderate")):
        for seed, name in enumerate(("old", "new")):
            write_run(tmp_path / level / name, [(0.5, 1.0 + seed + number / 10)], f"aug={level}", f"seed={seed}")
        path = tmp_path / level / "old" / ".hydra" / "config.yaml"
        config = OmegaConf.load(path)
        del config.optim["label_smoothing"], config.data["folds"], config.model["locked"]
        for key in ("original", "anneal", "starts", "velocity", "duration", "tempo"):
            del config.aug[key]
        OmegaConf.save(config, path)
    labels = [group.label for group in grouped(described(tmp_path))]
    assert labels == ["LSTM 2 x 256, none", "LSTM 2 x 256, moderate"]
    config.optim.label_smoothing = 0.1
    OmegaConf.save(config, path)
    assert len(grouped(described(tmp_path))) == 3
