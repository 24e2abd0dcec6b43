"""What tells runs apart is said in few words, and no two kinds of runs are called the same."""

from itertools import product

import pytest

from midiaug.comparison.naming import differences_in_words


def test_what_all_share_and_what_is_said_already_is_left_out():
    settings = [
        {"cell": "lstm", "optim.lr": 0.1, "data.window": 64},
        {"cell": "gru", "optim.lr": 0.2, "data.window": 64},
    ]
    assert differences_in_words(settings, ["cell"]) == ["lr 0.1", "lr 0.2"]
    assert differences_in_words(settings[:1], ["cell"]) == [""]
    assert differences_in_words([], ["cell"]) == []


def test_how_long_a_run_trains_is_said_only_where_nothing_else_tells_two_apart():
    short = {"trainer.max_epochs": 1, "early_stopping.patience": 2, "trainer.val_check_interval": 10}
    long = {"trainer.max_epochs": 9, "early_stopping.patience": None, "trainer.val_check_interval": 50}
    assert differences_in_words([{"data.window": 64} | short, {"data.window": 128} | long], []) == [
        "window 64",
        "window 128",
    ]
    told = differences_in_words([{"data.window": 64} | short, {"data.window": 64} | long], [])
    assert told == ["max_epochs 1", "max_epochs 9"], "one key is enough, and first how long it trained"


def test_what_else_the_trainer_is_told_is_said_as_any_other_key():
    runs = [{"data.window": 64, "trainer.precision": None}, {"data.window": 128, "trainer.precision": "bf16-mixed"}]
    assert differences_in_words(runs, []) == ["window 64", "window 128, precision bf16-mixed"]


def test_of_many_keys_only_what_most_runs_do_not_share_is_said():
    usual = {"data.window": 256, "data.limit": None, "optim.lr": 0.004, "tokenizer.name": "REMI"}
    runs = [
        usual,
        usual | {"data.window": 64},
        usual | {"data.limit": 40, "tokenizer.name": "TSD"},
        usual | {"optim.lr": 1},
    ]
    assert differences_in_words(runs, []) == ["", "window 64", "limit 40, tokenizer TSD", "lr 1"]


def test_music_is_called_by_its_source():
    runs = [{"music": "a1", "source": "tunes"}, {"music": "b2", "source": "songs"}]
    assert differences_in_words(runs, []) == ["source tunes", "source songs"]


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_runs_that_differ_are_never_called_the_same(count):
    keys = ["data.window", "optim.lr", "trainer.max_steps", "early_stopping.patience", "data.limit"][:count]
    runs = [dict(zip(keys, values, strict=True)) for values in product((None, 1, 2), repeat=count)]
    assert len(set(differences_in_words(runs, []))) == len(runs)
