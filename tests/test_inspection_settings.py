"""The keys of a preview."""

import pytest
from hydra import compose, initialize_config_dir

from midiaug.config_files import config_dir
from midiaug.errors import ConfigError
from midiaug.inspection.settings import checked_preview, names_a_source


def checked(*words: str):
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        return checked_preview(compose("preview", list(words)))


def test_the_defaults_are_three_pieces_in_the_aggressive_shifts():
    settings = checked()
    assert (settings.preview.pieces, settings.preview.file) == (3, None)
    assert settings.aug.shifts == [-5, -3, -1, 0, 1, 3, 5]


@pytest.mark.parametrize(
    ("word", "named"),
    [
        ("preview.pieces=0", "preview.pieces=0: give a number of pieces"),
        ("preview.pieces=some", "preview.pieces=some: give a whole number"),
        ("preview.pieces=null", "^preview.pieces=null: give a whole number$"),
        ("aug.shifts=[null]", r"^aug.shifts\[0\]=null: give a whole number"),
        ("aug.shifts=null", "^aug.shifts=null: give a list of numbers"),
        ("preview.file=' '", "preview.file is empty"),
        ("seed=-1", "seed=-1"),
    ],
)
def test_a_wrong_value_is_refused_by_name(word, named):
    with pytest.raises(ConfigError, match=named):
        checked(word)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["preview.file=a.mid"], False),
        (["preview.file=a.mid", "data.window=64", "data.cache_dir=c", "aug=none"], False),
        (["data.path=tunes"], True),
        (["data=bundled"], True),
        (["+data.limit=3"], True),
    ],
)
def test_words_name_a_source_or_not(words, named):
    assert names_a_source(words) == named
