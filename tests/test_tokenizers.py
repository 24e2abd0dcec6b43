"""Tokenizers from settings that a YAML file can hold."""

import miditok
import music
import pytest
from hydra import compose, initialize_config_dir
from learned import LEARNED, learned
from miditok import REMI, TSD, TokenizerConfig

from midiaug.config_files import config_dir
from midiaug.data.proof import tokenize
from midiaug.errors import ConfigError
from midiaug.settings import checked
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


@pytest.mark.parametrize("name", [*LEARNED, None])
def test_a_saved_tokenizer_is_used_as_it_is(name, tmp_path):
    saved = TSD(TokenizerConfig(use_programs=True)) if name is None else learned(name)
    saved.save(tmp_path / "mine.json")
    opened = make_tokenizer("REMI", {}, str(tmp_path / "mine.json"))
    assert type(opened) is type(saved)
    score = music.tune(1, bars=4)
    assert str(tokenize(opened, score)) == str(tokenize(saved, score))
    with pytest.raises(ConfigError, match=r"tokenizer\.params: not with tokenizer\.file"):
        make_tokenizer("REMI", {"use_rests": True}, str(tmp_path / "mine.json"))


@pytest.mark.parametrize("option", sorted(path.stem for path in (config_dir() / "tokenizer").glob("*.yaml")))
def test_a_saved_tokenizer_takes_the_place_of_every_option(option, tmp_path):
    REMI().save(tmp_path / "mine.json")
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        words = [f"tokenizer={option}", f"tokenizer.file={tmp_path / 'mine.json'}"]
        chosen = checked(compose("train", words)).tokenizer
    assert type(make_tokenizer(chosen.name, chosen.params, chosen.file)) is REMI


@pytest.mark.parametrize("name", ["Octuple", "MuMIDI"])
def test_the_most_bars_are_those_that_are_said_or_256(name):
    assert make_tokenizer(name, {}).config.additional_params["max_bar_embedding"] == 256
    said = make_tokenizer(name, {"max_bar_embedding": 9})
    assert said.config.additional_params["max_bar_embedding"] == 9


@pytest.mark.parametrize("content", ["", "{", "[]", '{"tokenization": "REMI"}', '{"tokenization": "x", "config": {}}'])
def test_a_file_that_is_no_tokenizer_is_refused_by_name(content, tmp_path):
    (tmp_path / "odd.json").write_text(content)
    with pytest.raises(ConfigError, match=r"tokenizer\.file=.*odd\.json: not a tokenizer that MidiTok saved \(.*give"):
        make_tokenizer("REMI", {}, str(tmp_path / "odd.json"))


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"tokenizer\.file=.*none\.json: cannot be read \(No such file"):
        make_tokenizer("REMI", {}, str(tmp_path / "none.json"))
    (tmp_path / "song.mid").write_bytes(bytes(range(256)))
    with pytest.raises(ConfigError, match=r"song\.mid: not a tokenizer that MidiTok saved"):
        make_tokenizer("REMI", {}, str(tmp_path / "song.mid"))
