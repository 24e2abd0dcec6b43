"""Play MIDI files into WAV with FluidSynth, where it and a SoundFont are installed."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from midiaug.errors import ConfigError
from midiaug.files import write_whole

# where Debian, Fedora and Arch, and Homebrew on both kinds of Macs, put them
_FOLDERS = (
    "/usr/share/sounds/sf2",
    "/usr/share/sounds/sf3",
    "/usr/share/soundfonts",
    "/opt/homebrew/share/soundfonts",
    "/opt/homebrew/share/fluid-synth/sf2",
    "/usr/local/share/soundfonts",
    "/usr/local/share/fluid-synth/sf2",
)
_SUFFIXES = (".sf2", ".sf3")
_SECONDS = 300
_RATE = 44100  # samples a second


def find_soundfont(given: str | None = None) -> Path | None:
    """The SoundFont that is given, or the first of those installed; None without any.

    Raises ConfigError where the one given is not there, or is none.
    """
    if given is not None:
        path = Path(given).expanduser()
        if not path.is_file():
            what = "that is a folder" if path.is_dir() else "no such file"
            raise ConfigError(f"soundfont={given}: {what}; give an .sf2 or .sf3 file")
        with path.open("rb") as file:  # FluidSynth plays silence with a file that is none
            head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"sfbk":
            raise ConfigError(f"soundfont={given}: no SoundFont; give an .sf2 or .sf3 file")
        return path
    for folder in map(Path, _FOLDERS):
        found = sorted(path for path in folder.glob("*") if path.suffix.lower() in _SUFFIXES and path.is_file())
        if found:
            return found[0]
    return None


def player(wav: str | bool, soundfont: str | None) -> Path | None:
    """The SoundFont to play with, or None where no sound is wanted or, with wav=auto, nothing to play it is there.

    Raises ConfigError where wav=true and FluidSynth or a SoundFont is missing, and for a soundfont that is none.
    """
    font = find_soundfont(soundfont) if wav is not False or soundfont is not None else None
    if wav is False:
        return None
    if shutil.which("fluidsynth") is not None and font is not None:
        return font
    if wav is True:
        missing = "FluidSynth is not installed" if font is not None else "there is no SoundFont, or no FluidSynth"
        raise ConfigError(f"wav=true: {missing}; install both, as in apt install fluidsynth fluid-soundfont-gm")
    return None


def play(files: Sequence[Path], font: Path) -> list[Path]:
    """Write a WAV beside each MIDI file. Raises ConfigError with FluidSynth's own words where it fails."""
    written = []
    for file in files:
        wav = file.with_suffix(".wav")
        write_whole(wav, lambda temporary, file=file: _play(file, font, temporary))  # type: ignore[misc]
        written.append(wav)
    return written


def _play(file: Path, font: Path, wav: Path) -> None:
    words = ["fluidsynth", "-ni", "-q", "-r", str(_RATE), "-T", "wav", "-F", str(wav), str(font), str(file)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"wav: FluidSynth did not play {file.name} ({error}); use wav=false") from error
    if done.returncode or not wav.stat().st_size:
        said = " ".join(done.stderr.split())[:200] or f"it ended with status {done.returncode}"
        raise ConfigError(f"wav: FluidSynth did not play {file.name} ({said}); use another soundfont, or wav=false")
