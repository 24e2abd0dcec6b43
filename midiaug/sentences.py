"""An error as one sentence: what Hydra and omegaconf say of a command line, in words that name the key and a cure."""

import difflib
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from hydra.errors import OverrideParseException

from midiaug.config_files import known_keys, options_of
from midiaug.errors import ConfigError, MidiaugError
from midiaug.launchers import EXTRAS

_LIST = "put quotes around a list, as in 'aug.shifts=[-5,5]'"
_KEY_AND_VALUE = "write key=value; quotes keep a path with blanks together, as in 'data.path=my tunes'"
_HYDRAS_FLAGS = (
    *("--help", "--hydra-help", "--version", "--cfg", "--resolve", "--package", "--run", "--multirun", "--info"),
    *("--shell-completion", "--config-path", "--config-name", "--config-dir", "--experimental-rerun"),
)


def sentence_of(error: Exception) -> str:
    """An error in one sentence, with the name of its kind in front."""
    if isinstance(error, MidiaugError):
        return f"{type(error).__name__}: {error}"
    if isinstance(error, OSError) and error.errno:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        sweep = any(word.startswith(("-m", "--multirun", "hparams=", "experiment=")) for word in sys.argv[1:])
        key = "hydra.sweep.dir" if sweep else "hydra.run.dir"
        return f"{type(error).__name__}: {what}; free space there, or write elsewhere with {key}=DIR"
    if isinstance(error, OverrideParseException):
        return f"ConfigError: {_unreadable(error.override)}"
    text = re.split(r" ?(?:Set the environment variable|See http|Config search path:)", " ".join(str(error).split()))[0]
    unknown = re.search(r"Could not override '([^']+)'", text)
    option = re.search(r"Could not find '(.+)/([^']*)' Available options in .*: (.*)", text)
    several = re.search(r"Ambiguous value for argument '([^']+)'", text)
    if unknown:
        text = f"{unknown[1]}: {_no_such(unknown[1])}"
    elif option and option[2] in EXTRAS and option[1].startswith("hydra/"):
        text = f"{option[1]}={option[2]}: not installed; run pip install 'midiaug[{EXTRAS[option[2]]}]'"
    elif option:
        text = f"{option[1]}={option[2]}: there is no such option; use one of {', '.join(option[3].split())}"
    elif several:
        brackets = (
            "" if options_of(several[1].partition("=")[0]) else "write a list in brackets, as in 'aug.shifts=[-5,5]'; "
        )
        text = f"{several[1]}: {brackets}to try each value, add --multirun"
    elif text.startswith("Config group override must be"):
        text = _group_without_option(sys.argv[1:]) or text
    return f"ConfigError: {text}"


def refuse_dashes(words: Sequence[str]) -> None:
    """Raise ConfigError for a key that is written as an option, `--data DIR`: Hydra prints its usage alone."""
    for word, behind in zip(words, [*words[1:], ""], strict=False):
        name = word.partition("=")[0].removeprefix("--").replace("-", "_")
        if not word.startswith("--") or any(flag.startswith(word.partition("=")[0]) for flag in _HYDRAS_FLAGS):
            continue
        if name in ("data", "path", "folder", "input", "dir"):
            how = "as in data.path=DIR"
        elif options_of(name):
            how = f"as in {name}={options_of(name)[0]}"
        else:
            known = name in known_keys(_command())
            given = behind if behind and "=" not in behind and not behind.startswith("-") else "VALUE"
            how = (
                f"as in {shlex.quote(f'{name}={given}')}"
                if known
                else f"as in seed=3; {_did_you_mean(name)}--help lists all"
            )
        raise ConfigError(f"{word}: keys have no dashes before them; write key=value, {how}")


def _unreadable(word: str) -> str:
    """What is wrong with a word that Hydra's grammar does not take."""
    key, equals, value = word.partition("=")
    given = sys.argv[1:]
    behind = given[given.index(word) + 1] if word in given[:-1] else None
    if not equals:
        path = Path(word).expanduser()
        how = f"write {shlex.quote(f'{_key_for(path)}={word}')}" if path.exists() else _KEY_AND_VALUE
        return f"{word}: not readable; {how}"
    if key != key.strip() or value != value.lstrip():
        bare = shlex.quote(f"{key.strip()}={value.strip()}")
        return f"{word}: not readable; write it without a blank beside the =, as in {bare}"
    if not _is_known(key.lstrip("+~")):
        return f"{key}: {_no_such(key)}"
    whole = f"{word}{behind}" if word.endswith(",") and behind is not None else word
    apart = re.sub(r",(?=[\w.]+=)", " ", whole)
    if apart != whole and "{" not in whole:
        return f"{word}: not readable; between two settings stands a blank and no comma, as in {apart}"
    if whole != word:
        sweep = "" if "[" in whole or {"-m", "--multirun"} & set(given) else "--multirun "
        return f"{word}: not readable; leave the blank behind the comma out, as in {sweep}{shlex.quote(whole)}"
    if "[" in value or "]" in value:
        return f"{word}: not readable; {_LIST}"
    quoted = value.replace("'", r"\'")
    return f"{word}: not readable; put quotes around the value, and others around the word: \"{key}='{quoted}'\""


def _command() -> str:
    return Path(sys.argv[0]).stem.removeprefix("midiaug-")


def _key_for(path: Path) -> str:
    """The key that a path without one is most likely meant for, in the command that runs."""
    command = _command()
    if command == "compare":
        return "runs"
    if path.suffix == ".ckpt":
        return "ckpt"
    of_a_file = {"generate": "prompt", "preview": "preview.file"}
    return of_a_file.get(command, "data.path") if path.is_file() else "data.path"


def _is_known(key: str) -> bool:
    return key in known_keys() or bool(options_of(key)) or key.startswith(("hydra", "tokenizer.params", "trainer."))


def _group_without_option(words: Sequence[str]) -> str | None:
    """What is wrong with `model=3` or `data=null`: Hydra does not name the group."""
    for group, _, option in (word.partition("=") for word in words):
        options = options_of(group)
        if options and option not in options:
            return f"{group}={option}: there is no such option; use one of {', '.join(options)}"
    return None


def _no_such(key: str) -> str:
    if key.startswith("tokenizer.params."):
        hint = f"to add a parameter of MidiTok, write +{key}; "
    elif key in known_keys() or options_of(key):
        alone = "." not in key and not options_of(key)
        hint = "it belongs to another command; " + (_did_you_mean(key) if alone else "")
    else:
        hint = _did_you_mean(key)
    return f"there is no such key; {hint}--help lists them all"


def _did_you_mean(key: str) -> str:
    """The key that comes nearest, as a question: of its own group, of that name in another, or one of its words.

    So `lr` is optim.lr, `data.pth` data.path, and `epochs` trainer.max_epochs.
    """
    keys = known_keys(_command())
    group, _, name = key.lstrip("+~").rpartition(".")
    last = {known: known.rpartition(".")[2] for known in keys}
    own = [last[known] for known in keys if known.rpartition(".")[0] == group]
    close = [f"{group}.{one}".lstrip(".") for one in difflib.get_close_matches(name, own, n=1)]
    same = [known for known in keys if last[known] == name]
    within = [known for known in keys if len(name) > 1 and name in last[known].split("_")]
    within.sort(key=lambda known: last[known].count("_"))  # max_steps before log_every_n_steps
    alike = difflib.get_close_matches(name, sorted({*last.values()}), n=1, cutoff=0.75)
    elsewhere = [known for known in keys if last[known] in alike]
    found = [*close, *same, *within, *elsewhere] if group else [*same, *close, *within, *elsewhere]
    return f"did you mean {found[0]}? " if found else ""
