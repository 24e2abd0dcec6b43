"""The keys of compare: what is asked for, and what is refused in one sentence."""

from dataclasses import asdict

import pytest
from comparing import settings
from hydra import compose, initialize_config_dir

from midiaug.comparison.settings import CompareSettings
from midiaug.config_files import config_dir
from midiaug.errors import ConfigError


def test_the_defaults_in_the_file_are_those_of_the_code():
    from_file, in_code = asdict(settings("runs=a")), asdict(CompareSettings(runs="a"))
    assert from_file == in_code


def test_runs_are_one_path_or_several():
    assert settings("runs=a").paths == ["a"]
    assert settings("runs=[a,'b c']").paths == ["a", "b c"]
    assert settings("data=bundled").paths == []


@pytest.mark.parametrize(
    ("word", "source"),
    [
        ("data.path=x", "folder"),
        ("data=bundled", "bundled"),
        ("data.collection=ryan", "bundled"),
        ("data=parquet", "parquet"),
    ],
)
def test_music_that_is_named_is_asked_for(word, source):
    words = [word, "data.path=x"] if source == "parquet" else [word]
    assert settings(*words).data.source == source
    assert settings(*words).asks_for_music
    assert not settings("runs=a").asks_for_music


def test_levels_and_tokenizers_have_the_names_that_they_have_in_train():
    chosen = settings("runs=a", "aug=moderate", "tokenizer=tsd")
    assert (chosen.aug.shifts, chosen.tokenizer.name) == ([-3, -1, 0, 1, 3], "TSD")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], r"runs: give a folder of runs, as in runs=runs, or music"),
        (["runs=[]"], r"runs: give a folder"),
        (["data=bundled", "music=false"], r"music=false: then runs=DIR is needed"),
        (["runs=a", "music=maybe"], r"music=maybe: "),
        (["runs=a", "seed=-1"], r"seed=-1: "),
        (["runs=a", "aug.shifts=[-50,50]"], r"aug.shifts=\[-50, 50\]: a shift beyond 24 semitones"),
        (["runs=a", "aug.draw=balanced"], r"aug.draw=balanced: nothing that compare shows depends on it"),
        (["runs=a", "aug.out_of_range=clip"], r"aug.out_of_range=clip: use limit or drop"),
        (["runs=a", "aug.shifts=5"], r"aug.shifts=5: give a list"),
    ],
)
def test_what_cannot_be_used_is_refused(words, said):
    with pytest.raises(ConfigError, match=said):
        settings(*words)


def test_each_key_is_explained():
    lines = (config_dir() / "compare.yaml").read_text().split("hydra:")[0].splitlines()
    keys = [number for number, line in enumerate(lines) if ": " in line and not line.lstrip().startswith(("#", "-"))]
    assert keys
    assert all(lines[number - 1].lstrip().startswith("#") for number in keys)
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        assert compose("compare").runs is None
