"""The collections that can be downloaded by name."""

import re
from typing import get_args

import pytest

from midiaug.config_files import config_dir
from midiaug.data.arguments import SourceName
from midiaug.data.published import PUBLISHED, Published


def takes(name: str, path: str) -> bool:
    return re.fullmatch(PUBLISHED[name].wanted, path) is not None


@pytest.mark.parametrize("name", PUBLISHED)
def test_each_has_a_pin_a_licence_a_config_file_and_a_place_among_the_sources(name):
    one = PUBLISHED[name]
    assert re.fullmatch("[0-9a-f]{64}", one.archive_sha256 or one.music_sha256)
    assert one.licence
    assert one.url.startswith("https://")
    assert f"\nsource: {name}\n" in (config_dir() / "data" / f"{name}.yaml").read_text()
    assert name in get_args(SourceName)


@pytest.mark.parametrize(
    ("name", "path", "taken"),
    [
        ("nottingham", "MIDI/jigs1.mid", True),
        ("nottingham", "MIDI/melody/jigs1.mid", False),
        ("nottingham", "MIDI/chords/jigs1.mid", False),
        ("nottingham", "ABC_cleaned/jigs.abc", False),
        ("pop909", "POP909/001/001.mid", True),
        ("pop909", "POP909/001/versions/001-v1.mid", False),
        ("pop909", "POP909/001/chord_midi.txt", False),
        ("maestro", "2018/MIDI-Unprocessed_Chamber3_MID--AUDIO_10_R3_2018_wav--1.midi", True),
        ("maestro", "maestro-v3.0.0.csv", False),
    ],
)
def test_files_that_repeat_a_tune_are_left_out(name, path, taken):
    assert takes(name, path) is taken


def test_a_collection_without_a_checksum_cannot_be_made():
    with pytest.raises(ValueError, match="x: no SHA-256"):
        Published("x", "X", "MIT", "https://example.org/x.zip", "x.zip", r".+\.mid")
