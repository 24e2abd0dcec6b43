"""MidiTok tokenizers from settings that YAML can hold."""

import difflib
import inspect
import json
import tempfile
from pathlib import Path
from typing import Any

import miditok

from midiaug.errors import ConfigError, one_line

# what MidiTok's tokenizers read of TokenizerConfig's free keywords, each named in its class's documentation
_FREE_PARAMS = (
    "add_trailing_bars",
    "base_tokenizer",
    "max_bar_embedding",
    "max_duration",
    "max_microtiming_shift",
    "num_microtiming_bins",
    "ticks_per_quarter",
    "use_bar_end_tokens",
    "use_microtiming",
    "use_position_toks",
)
_MOST_BARS = {name: {"max_bar_embedding": 256} for name in ("Octuple", "MuMIDI")}  # MidiTok has 60, MusicBERT 256
TOKENIZER_FILE = "tokenizer.json"  # in a run's folder: its tokenizer, where that is trained
_ADVICE = "give a file that MidiTok's tokenizer.save wrote"


def make_tokenizer(name: str, params: dict[str, Any], file: str | None = None) -> Any:
    """The MidiTok tokenizer of that class name, such as REMI, with what its TokenizerConfig takes.

    `beat_res` may be written with text keys, {"0_4": 8}. file: one that MidiTok saved, in place of both. Raises
    ConfigError where MidiTok has no such tokenizer or refuses a parameter, and for a file that holds none.
    """
    if file is not None:
        return _saved(file, params)
    kind = getattr(miditok, name, None)
    kinds = [known for known, value in vars(miditok).items() if inspect.isclass(value) and _is_tokenizer(value)]
    if name not in kinds:
        raise ConfigError(f"tokenizer.name={name}: MidiTok has no such tokenizer; use one of {', '.join(kinds)}")
    params = _MOST_BARS.get(name, {}) | params
    known = [*inspect.signature(miditok.TokenizerConfig).parameters, *_FREE_PARAMS]
    for key in params:
        if key not in known or key == "kwargs":
            close = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {close[0]}?" if close else "see MidiTok's TokenizerConfig"
            raise ConfigError(f"tokenizer.params.{key}: MidiTok has no such parameter; {hint}")
    try:
        return kind(miditok.TokenizerConfig(**{key: _as_python(key, value) for key, value in params.items()}))  # type: ignore[misc]
    except Exception as error:  # MidiTok refuses settings with errors of every kind
        raise ConfigError(f"tokenizer.params={params}: MidiTok refuses them ({error})") from error


def _saved(file: str, params: dict[str, Any]) -> Any:
    """The tokenizer of a file that MidiTok's `save` wrote, trained or not."""
    if params:
        raise ConfigError("tokenizer.params: not with tokenizer.file, which has its own; leave them out")
    what = f"tokenizer.file={file}"
    try:
        settings = json.loads(Path(file).expanduser().read_text(encoding="utf-8"))
        _ = settings["config"]  # without it MidiTok would take its own
        return tokenizer_from(settings)
    except OSError as error:
        raise ConfigError(f"{what}: cannot be read ({error.strerror or error}); {_ADVICE}") from error
    except Exception as error:  # junk fails in every way
        reason = f"{type(error).__name__}: {one_line(error)}"
        raise ConfigError(f"{what}: not a tokenizer that MidiTok saved ({reason}); {_ADVICE}") from error


def tokenizer_from(settings: dict[str, Any]) -> Any:
    """The tokenizer whose settings a checkpoint holds, as plain data: its vocabulary and, if trained, its merges."""
    kind = getattr(miditok, str(settings["tokenization"]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "tokenizer.json")
        path.write_text(json.dumps(settings))
        return kind(params=path)


def _is_tokenizer(value: type) -> bool:
    return issubclass(value, miditok.MusicTokenizer) and value is not miditok.MusicTokenizer


def _as_python(key: str, value: Any) -> Any:
    if key == "beat_res" and isinstance(value, dict):
        return {tuple(int(beat) for beat in span.split("_")): samples for span, samples in value.items()}
    return tuple(value) if isinstance(value, list) and key.endswith("_range") else value
