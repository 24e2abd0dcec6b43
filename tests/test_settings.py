"""The YAML files and the typed settings hold the same keys and the same defaults."""

from dataclasses import asdict

import pytest
from hydra import compose, initialize_config_dir

from midiaug.config_files import config_dir
from midiaug.data.shifts import Shifts
from midiaug.settings import TrainSettings, checked

LEVELS = {
    "none": [0],
    "conservative": [-1, 0, 1],
    "moderate": [-3, -1, 0, 1, 3],
    "aggressive": [-5, -3, -1, 0, 1, 3, 5],
    "extreme": [-6, -4, -2, 0, 2, 4, 6],
    "keys12": list(range(-6, 6)),
}


def settings(*overrides: str) -> TrainSettings:
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        return checked(compose("train", list(overrides)))


def test_the_defaults_in_the_files_are_those_of_the_code():
    from_files, in_code = asdict(settings()), asdict(TrainSettings())
    for group in ("trainer", "aug"):
        from_files.pop(group), in_code.pop(group)
    assert from_files == in_code


@pytest.mark.parametrize(("level", "shifts"), LEVELS.items())
def test_a_level_is_exactly_these_shifts(level, shifts):
    assert list(Shifts.parse(settings(f"aug={level}").aug.shifts)) == shifts


def test_two_numbers_are_a_range():
    assert list(Shifts.parse(settings("aug.shifts=[-5,5]").aug.shifts)) == list(range(-5, 6))


@pytest.mark.parametrize("name", ["remi", "tsd", "midilike", "structured", "cpword", "octuple", "mumidi"])
def test_each_tokenizer_option_is_a_tokenizer(name):
    from midiaug.tokenizers import make_tokenizer

    chosen = settings(f"tokenizer={name}", "+tokenizer.params.use_velocities=false").tokenizer
    assert type(make_tokenizer(chosen.name, chosen.params)).__name__.lower() == name
    assert not make_tokenizer(chosen.name, chosen.params).config.use_velocities


def test_a_file_of_a_group_explains_each_of_its_lines():
    for path in config_dir().glob("*/*.yaml"):
        assert path.read_text().startswith("#"), path
