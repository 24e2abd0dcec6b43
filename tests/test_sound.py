"""Playing MIDI files into WAV."""

import shutil
import wave

import music
import pytest

from midiaug.errors import ConfigError
from midiaug.generation.sound import find_soundfont, play, player

installed = shutil.which("fluidsynth") is not None and find_soundfont() is not None


def test_no_sound_is_made_where_none_is_wanted():
    assert player(False, None) is None


def test_a_soundfont_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"soundfont=.*no such file"):
        player("auto", str(tmp_path / "a.sf2"))


@pytest.mark.parametrize("wav", [False, True, "auto"])
def test_a_soundfont_that_is_not_there_is_refused_whatever_is_wanted(tmp_path, wav):
    with pytest.raises(ConfigError, match=r"soundfont=.*no such file"):
        player(wav, str(tmp_path / "nope"))
    with pytest.raises(ConfigError, match=r"soundfont=.*that is a folder"):
        player(wav, str(tmp_path))


def test_without_fluidsynth_auto_is_silent_and_true_is_refused(monkeypatch, tmp_path):
    (tmp_path / "a.sf2").write_bytes(b"RIFF....sfbk")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert player("auto", str(tmp_path / "a.sf2")) is None
    with pytest.raises(ConfigError, match="FluidSynth is not installed"):
        player(True, str(tmp_path / "a.sf2"))


@pytest.mark.skipif(not installed, reason="FluidSynth or a SoundFont is not installed")
def test_a_tune_is_played_as_long_as_it_lasts_and_is_not_silent(tmp_path):
    score = music.tune(1, bars=2)
    (written,) = play([music.write(score, tmp_path / "a (b).mid")], player("auto", None))
    with wave.open(str(written)) as sound:
        seconds = sound.getnframes() / sound.getframerate()
        loud = max(abs(value) for value in memoryview(sound.readframes(sound.getnframes())).cast("h"))
    assert seconds > 8 * 60 / score.tempos[0].qpm - 1
    assert loud > 500


def test_a_file_that_is_no_soundfont_is_refused(tmp_path):
    (tmp_path / "a.sf2").write_bytes(b"no sound at all")
    with pytest.raises(ConfigError, match=r"a.sf2: no SoundFont"):
        player("auto", str(tmp_path / "a.sf2"))


@pytest.mark.skipif(shutil.which("fluidsynth") is None, reason="FluidSynth is not installed")
def test_a_sound_that_cannot_be_made_is_named_and_leaves_nothing(tmp_path):
    with pytest.raises(ConfigError, match=r"did not play a.mid"):
        play([tmp_path / "a.mid"], tmp_path / "nowhere.sf2")
    assert list(tmp_path.iterdir()) == []
