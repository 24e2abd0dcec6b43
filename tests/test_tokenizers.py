"""Tokenizers from settings that a YAML file can hold."""

import miditok
import pytest
from miditok import REMI, TokenizerConfig

from midiaug.errors import ConfigError
from midiaug.tokenizers import make_tokenizer


def test_parameters_reach_miditok_as_it_wants_them():
    made = make_tokenizer("REMI", {"pitch_range": [40, 90], "beat_res": {"0_4": 12}, "use_programs": True})
    wanted = REMI(TokenizerConfig(pitch_range=(40, 90), beat_res={(0, 4): 12}, use_programs=True))
    assert made.vocab == wanted.vocab
    assert made.config == wanted.config


@pytest.mark.parametrize("name", ["REMI", "TSD", "MIDILike", "Structured", "CPWord", "Octuple"])
def test_every_class_of_miditok_can_be_named(name):
    assert type(make_tokenizer(name, {})) is getattr(miditok, name)


@pytest.mark.parametrize("name", ["remi", "TokenizerConfig", "MusicTokenizer", "Remy", ""])
def test_another_name_is_refused_with_those_there_are(name):
    with pytest.raises(ConfigError, match=r"tokenizer\.name=.*use one of .*REMI"):
        make_tokenizer(name, {})


def test_a_wrong_parameter_is_refused():
    with pytest.raises(ConfigError, match=r"use_chord: .*did you mean use_chords\?"):
        make_tokenizer("REMI", {"use_chord": True})
    with pytest.raises(ConfigError, match=r"tokenizer\.params=.*pitch_range"):
        make_tokenizer("REMI", {"pitch_range": [90, 40]})
