"""What the arguments of MidiDataModule may be, and what a checkpoint keeps of them."""

import inspect
import json
from pathlib import Path

import pytest
from miditok import REMI, CPWord

from midiaug import MidiDataModule, Shifts
from midiaug.data.arguments import PLAIN, RULES, VAL_SPLIT, check_arguments, checked_source, plain, usable
from midiaug.data.merges import Merges
from midiaug.data.store_writer import MAX_WINDOW
from midiaug.errors import ConfigError

OF_MODULE = inspect.signature(MidiDataModule).parameters
DEFAULTS = {name: parameter.default for name, parameter in OF_MODULE.items()}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"limit": 1}, "data.limit=1: give a number of pieces, 2 or more"),
        ({"train_limit": 0}, "data.train_limit=0: give a number of pieces, 1 or more"),
        ({"batch_size": 0}, "data.batch_size=0: a batch holds at least one window"),
        ({"window": 1}, "data.window=1: give a number of tokens"),
        ({"window": MAX_WINDOW + 1}, "data.window=65537: give a number of tokens"),
        ({"val_split": 0}, "data.val_split=0: give a share between 0 and 1"),
        ({"val_split": 1.0}, "data.val_split=1.0: give a share between 0 and 1"),
        ({"folds": 1}, "data.folds=1: give a number of folds, 2 or more"),
        ({"folds": 5, "fold": -1}, "data.fold=-1: give one of the folds, counted from 0"),
        ({"folds": 5, "fold": 5, "val_split": 0.1}, "data.fold=5: data.folds=5 makes folds 0 to 4; give one"),
        ({"fold": 2}, "data.fold=2: of how many? give data.folds too"),
        ({"folds": 5, "split": "split.json"}, "data.folds=5: not with data.split, which says already"),
        ({"folds": 5, "val_split": 0.2}, "data.val_split=0.2: data.folds=5 validates on 1 of 5 parts; leave it out"),
        ({"twin_share": 0}, "data.twin_share=0: give a share above 0"),
        ({"twin_share": 1.5}, "data.twin_share=1.5: give a share above 0"),
        ({"max_bars": 0}, "data.max_bars=0: give a number of bars"),
        ({"max_tokens": -1}, "data.max_tokens=-1: give a number of tokens"),
        ({"num_workers": -1}, "data.num_workers=-1: use auto, or a number of processes"),
        ({"num_workers": "many"}, "data.num_workers=many: use auto, or a number of processes"),
        ({"num_workers": 1.5}, "data.num_workers=1.5: use auto, or a number of processes"),
        ({"route": "table"}, "data.route=table: use auto, tokens or midi"),
        ({"out_of_range": "clip"}, "aug.out_of_range=clip: use limit or drop"),
        ({"draw": "even"}, "aug.draw=even: use random or balanced"),
        ({"original": 1.5}, "aug.original=1.5: give a share from 0 to 1"),
        ({"original": "half"}, "aug.original=half: give a share from 0 to 1"),
        ({"anneal": [5]}, "aug.anneal=[5]: give two epochs, the earlier first"),
        ({"anneal": [5, 3]}, "aug.anneal=[5, 3]: give two epochs, the earlier first"),
        ({"starts": "anywhere"}, "aug.starts=anywhere: use fixed or random"),
        ({"velocity": 2}, "aug.velocity=2: give two whole numbers of steps"),
        (
            {"tempo": "mad"},
            "aug.tempo=mad: give two whole numbers of steps, the lower first, from -8 to 8, such as [-2,2], or",
        ),
        ({"velocity": [2, -2]}, "aug.velocity=[2, -2]: give two whole numbers of steps, the lower first"),
        ({"duration": [-9, 1]}, "aug.duration=[-9, 1]: give two whole numbers of steps, the lower first, from -8 to 8"),
        ({"tempo": [0.5, 1]}, "aug.tempo=[0.5, 1]: give two whole numbers"),
        (
            {"tempo": [-1, 1]},
            "aug.tempo=[-1, 1]: REMI writes none with these settings; use +tokenizer.params.use_tempos",
        ),
        ({"draw": "balanced", "original": 0.3}, "aug.original: not with aug.draw=balanced"),
        ({"draw": "balanced", "anneal": [1, 3]}, "aug.anneal: not with aug.draw=balanced"),
        ({"seed": -1}, "seed=-1: give a whole number, 0 or more"),
        ({"batch_size": "8"}, "data.batch_size=8: "),
        ({"path": None, "source": "folder"}, "data=folder: data.path is missing"),
        ({"source": "spotify"}, "data.source=spotify: use folder, bundled, parquet, nottingham, pop909 or maestro"),
        (
            {"tokenizer": CPWord(), "window": 11},
            "data.window=11: the tokenizer writes 6 ids a time step, and a window has two steps at least; give 12 or",
        ),
        (
            {"tokenizer": CPWord(), "merges": Merges("BPE", 2000)},
            "tokenizer.train: CPWord has several vocabularies, and its tokens cannot be merged; leave tokenizer.train",
        ),
        (
            {"tokenizer": CPWord(), "tempo": [-1, 1]},
            "aug.tempo=[-1, 1]: CPWord writes none with these settings; use +tokenizer.params.use_tempos",
        ),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_its_key_before_anything_is_read(options, sentence):
    with pytest.raises(ConfigError) as refusal:
        MidiDataModule(**{"path": "nowhere"} | options)
    assert str(refusal.value).startswith(sentence)
    assert "\n" not in str(refusal.value)


def test_each_rule_is_for_an_argument_of_the_module_and_takes_its_default():
    assert {key.rpartition(".")[2] for key in RULES} <= set(OF_MODULE)
    assert DEFAULTS["val_split"] == VAL_SPLIT
    check_arguments(DEFAULTS)


@pytest.mark.parametrize(
    "others",
    [
        {"limit": 2, "train_limit": 1, "val_split": 0.999, "twin_share": 1, "max_bars": 1, "max_tokens": 1},
        {"window": 2, "batch_size": 1, "num_workers": 0},
        {"window": MAX_WINDOW, "num_workers": "auto", "folds": 2, "fold": 1},
        {"original": 0, "anneal": [0, 1], "velocity": [-8, 8], "duration": [0, 0], "tempo": [1, 1], "seed": 0},
        {"original": 1, "starts": "random", "draw": "balanced", "out_of_range": "drop", "route": "midi"},
    ],
)
def test_the_ends_of_what_is_allowed_are_allowed(others):
    check_arguments(DEFAULTS | others)


def test_a_command_that_lacks_an_argument_is_not_asked_for_it():
    check_arguments({"limit": None})
    with pytest.raises(ConfigError, match=r"^data\.limit=1: "):
        check_arguments({"limit": 1})


@pytest.mark.parametrize(
    ("given", "source"),
    [
        ((None, None, None), "bundled"),
        ((None, "my_midis", None), "folder"),
        (("folder", "my_midis", None), "folder"),
        (("parquet", "a.parquet", "midi"), "parquet"),
        (("maestro", None, None), "maestro"),
    ],
)
def test_where_no_source_is_named_a_path_is_a_folder(given, source):
    assert checked_source(*given) == source


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (("nottingham", "my_midis", None), "data.path=my_midis: data=nottingham is downloaded; leave the path out"),
        (("parquet", None, "midi"), "data=parquet: data.path is missing; give the folder of your files"),
        (("folder", "my_midis", "midi"), "data.column=midi: only data=parquet has columns"),
        ((None, None, "midi"), "data.column=midi: only data=parquet has columns"),
    ],
)
def test_a_source_lacks_nothing_and_is_given_nothing_that_it_has_not(given, sentence):
    with pytest.raises(ConfigError) as refusal:
        checked_source(*given)
    assert str(refusal.value).startswith(sentence)


def test_a_checkpoint_keeps_plain_data_and_the_path_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = {
        "path": Path("my_midis"),
        "shifts": Shifts.of(-1, 0, 3),
        "anneal": (2, 4),
        "tokenizer": REMI(),
        "split": {},
    }
    kept = plain(DEFAULTS | given)
    assert json.loads(json.dumps(kept)) == kept
    assert set(kept) == set(PLAIN) <= set(OF_MODULE)
    assert (kept["path"], kept["shifts"], kept["anneal"]) == (str(tmp_path / "my_midis"), [-1, 0, 3], [2, 4])
    assert (kept["velocity"], kept["window"]) == (None, 256)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert plain(DEFAULTS | {"path": "~/tunes"})["path"] == str(tmp_path / "home" / "tunes")
    assert plain(DEFAULTS)["path"] is None
    assert plain(DEFAULTS | {"tempo": "conservative"})["tempo"] == [-1, 1]


def test_a_tokenizer_is_used_as_one_of_a_single_vocabulary(trained):
    tokenizer = REMI()
    assert usable(tokenizer) is usable(tokenizer, Merges("BPE", 2000)) is tokenizer
    assert usable(trained) is trained
    assert not usable(CPWord()).is_multi_voc


def test_one_that_is_trained_is_not_trained_again(trained):
    with pytest.raises(ConfigError, match=r"^tokenizer\.train: the tokenizer is trained already; leave"):
        usable(trained, Merges("BPE", 2000))
