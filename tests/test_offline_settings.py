"""The keys of materialize: the YAML file and the code agree, and a value that makes no sense is refused by name."""

from dataclasses import asdict

import pytest
from hydra import compose, initialize_config_dir

from midiaug.config_files import config_dir
from midiaug.errors import ConfigError
from midiaug.offline.settings import MaterializeSettings, checked_for_materialize


def settings(*overrides: str) -> MaterializeSettings:
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        return checked_for_materialize(compose("materialize", list(overrides)))


def test_the_defaults_in_the_file_are_those_of_the_code():
    from_file, in_code = asdict(settings("out=there")), asdict(MaterializeSettings(out="there"))
    from_file.pop("aug"), in_code.pop("aug")
    assert from_file == in_code


def test_a_path_alone_is_a_folder():
    assert settings("out=there", "data.path=music").data.source == "folder"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "out is missing; say where the copies go"),
        (["out=''"], "out is missing"),
        (["out=there", "aug.out_of_range=clip"], "aug.out_of_range=clip: use limit or drop"),
        (["out=there", "data.limit=1"], "data.limit=1: give a number of pieces"),
        (["out=there", "data.source=folder"], "data.path is missing"),
        (["out=there", "data.column=x"], "only data=parquet has columns"),
        (["out=there", "data.num_workers=0"], "data.num_workers=0: use auto, or a number of processes, 1 or more"),
        (["out=there", "data.num_workers=lots"], "data.num_workers=lots: use auto"),
        (["out=there", "seed=-1"], "seed=-1: give a whole number"),
        (["out=there", "aug.shifts=[1,x]"], "aug.shifts"),
    ],
)
def test_a_wrong_value_is_refused_by_name(words, sentence):
    with pytest.raises(ConfigError, match=sentence):
        settings(*words)
