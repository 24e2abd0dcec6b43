"""Paths on the command line are taken as they were typed."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis.strategies import sampled_from, text

from midiaug.words import PATH_KEYS, as_typed, last_values, prepared


def parsed(word: str) -> object:
    return OverridesParser.create().parse_override(word).value()


@pytest.mark.parametrize("key", PATH_KEYS)
@pytest.mark.parametrize(
    "path",
    [
        *("~/Music", "Tänze für Klavier", "Bob's", "R&B", "No. #1", "a!b", "/srv/a=b", "x [old]", "Songs (live)"),
        *("Bach, J. S", "runs/2026_a=1,b=2/last.ckpt", "a\\b", "a\\'b", "ends in \\", "two''quotes", 'a"b', "日本"),
    ],
)
def test_a_path_comes_out_of_hydra_as_it_was_typed(key, path):
    (word,) = prepared([f"{key}={path}"])
    assert parsed(word) == path
    assert as_typed(word) == f"{key}={path}"


@given(
    key=sampled_from(PATH_KEYS), path=text(min_size=1).filter(lambda path: path[0] not in "'\"" and "${" not in path)
)
def test_any_path_does(key, path):
    (word,) = prepared([f"{key}={path}"])
    if not path.isascii() or not path.replace("/", "").replace(".", "").isalnum():
        value = parsed(word)
        assert value == path or str(value) == path or path == "???"


def test_what_is_no_path_stays_as_it_is():
    words = [
        "aug.shifts=[-5,5]",
        "model=lstm,gru",
        "data.path='a b'",
        "data.path=${oc.env:HOME}",
        "ckpt=null",
        "ckpt=last",
    ]
    assert prepared(words) == words


def test_flags_may_stand_anywhere():
    assert prepared(["model=lstm,gru", "--multirun"]) == ["--multirun", "model=lstm,gru"]


def test_a_sweep_over_folders_stays_a_sweep_and_a_folder_with_a_comma_a_folder(tmp_path):
    (tmp_path / "Bach, J. S").mkdir()
    assert prepared(["-m", "data.path=one,two"])[1] == "data.path=one,two"
    assert parsed(prepared(["-m", f"data.path={tmp_path}/Bach, J. S"])[1]) == f"{tmp_path}/Bach, J. S"


def test_the_last_value_of_a_key_counts():
    assert last_values(["a=1", "--multirun", "+b=x=y", "a=2"]) == {"a": "2", "b": "x=y"}
