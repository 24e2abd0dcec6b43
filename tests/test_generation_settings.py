"""The keys of generate."""

import pytest
from hydra import compose, initialize_config_dir

from midiaug.config_files import config_dir
from midiaug.errors import ConfigError
from midiaug.generation.settings import checked_generate


def settings(*words: str):
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        return checked_generate(compose("generate", list(words)))


def test_the_defaults_are_those_of_the_file():
    chosen = settings("ckpt=best")
    assert (chosen.n, chosen.bars, chosen.length, chosen.temperature, chosen.wav) == (8, 2, 32, 1.0, "auto")
    assert settings("ckpt=best", "max_bars=5").length == 5


def test_validation_pieces_are_continued_by_as_many_bars_as_are_given():
    assert settings("ckpt=best", "prompts=val", "bars=3").length == 3


@pytest.mark.parametrize(
    ("word", "named"),
    [
        ("n=0", "n=0: give a whole number"),
        ("bars=0", "bars=0"),
        ("max_tokens=0", "max_tokens=0"),
        ("temperature=0", "top_k=1 takes the likeliest"),
        ("temperature=nan", "temperature=nan"),
        ("top_k=0", "top_k=0"),
        ("top_p=1.5", "top_p=1.5: give a share"),
        ("prompts=train", "prompts=train: use val"),
        ("wav=loud", "wav=loud: use auto"),
        ("seed=-1", "seed=-1"),
        ("top_p=0", "top_p=0"),
        ("n=1000000", "n=1000000: at most 4,096 at a time"),
        ("bars=1000000000000000000000", "bars=1000000000000000000000: at most 1,000,000"),
        ("max_bars=1000001", "max_bars=1000001: at most 1,000,000"),
        ("tune=2", "tune=2: .*prompt=FILE"),
        ("max_tokens=1e9", "max_tokens=1000000000.0: give a whole number"),
        ("n=many", "n=many: give a whole number"),
        ("shift=6", "shift=6: it moves a prompt; give one"),
        ("shift=up", "shift=up: give a whole number"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(word, named):
    with pytest.raises(ConfigError, match=named):
        settings("ckpt=best", word)


def test_a_checkpoint_must_be_named_and_one_kind_of_prompt_at_most():
    for words in ((), ("ckpt=",), ("ckpt=''",)):
        with pytest.raises(ConfigError, match="ckpt is missing"):
            settings(*words)
    with pytest.raises(ConfigError, match="give one of them"):
        settings("ckpt=best", "prompt=a.mid", "prompts=val")
