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
_HYDRAS_LETTERS = ("-h", "-c", "-p", "-r", "-m", "-s", "-i", "-cp", "-cn", "-cd")
_HYDRAS_VALUE_ERRORS = (
    *("Config group override must be", "Expecting one subcommand", "Unable to configure handler", "Exceeds the"),
    *("No trials are completed", "Only one of --run"),
)
_LONGEST_KEY = 200
_LONGEST_SHOWN = 1000


def sentence_of(error: Exception) -> str:
    """An error in one sentence on one line, with the name of its kind in front."""
    return re.sub(r"[\x00-\x1f\x7f]", lambda found: repr(found[0])[1:-1], _sentence(error))


def is_of_command_line(error: ValueError) -> bool:
    """Whether a plain ValueError is what Hydra makes of words that it cannot use, and no fault of the program."""
    return str(error).startswith(_HYDRAS_VALUE_ERRORS)


def _sentence(error: Exception) -> str:
    if isinstance(error, MidiaugError):
        return f"{type(error).__name__}: {error}"
    if isinstance(error, OSError) and error.errno:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        sweep = any(word.startswith(("-m", "--multirun", "hparams=", "experiment=")) for word in sys.argv[1:])
        key = "hydra.sweep.dir" if sweep else "hydra.run.dir"
        return f"{type(error).__name__}: {what}; free space there, or write elsewhere with {key}=DIR"
    if isinstance(error, OverrideParseException):
        return f"ConfigError: {_cut(_unreadable(error.override))}"
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
    else:
        text = _of_words(text, error) or text
    return f"ConfigError: {_cut(text)}"


def _cut(text: str) -> str:
    """What was typed may be longer than any screen; the key stands at the beginning, and the cure at the end."""
    half = _LONGEST_SHOWN // 2
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:half]}...{text[-half:]}"


def _of_words(text: str, error: Exception) -> str | None:
    """What Hydra says without the word that it means; None for anything else."""
    words = sys.argv[1:]
    inserted = [word for word in words if "${" in word]
    if text.startswith("Config group override must be"):
        return _group_without_option(words)
    if text.startswith("Expecting one subcommand"):
        return "-s: for completion in a shell, write -sc install=bash; midiaug's keys have no dashes before them"
    if text.startswith("Unable to configure handler"):
        what = f"the log cannot be written ({error.__cause__ or error})"
        return f"{what}; leave hydra.job.name and hydra.job_logging as they are"
    if text.startswith("No trials are completed"):
        return "hydra.sweeper.n_trials: no training was started that came to its end; give 1 or more"
    if text.startswith("Exceeds the"):
        word = next((word for word in words if re.search(r"\d{4301}", word)), "")
        return f"{word.partition('=')[0]}: a number of more than 4300 digits cannot be read; give a shorter one"
    if inserted and re.search("[iI]nterpolation", text):
        reason = re.sub(r" full_key: .*", "", text)
        return f"{inserted[0]}: {reason}; between ${{ and }} write a key that --help lists, or oc.env:NAME"
    return None


def refuse_slips(words: Sequence[str]) -> None:
    """Raise ConfigError for words that Hydra answers with its usage alone, with nothing, or by doing something else.

    Such are a key that is written as an option, `--data DIR`, an empty word, and a key as long as no file's name.
    """
    for word, behind in zip(words, [*words[1:], ""], strict=False):
        key = word.partition("=")[0]
        if not key.strip(" \t\n+~@"):
            raise ConfigError(f"'{word}': no key; write key=value, and leave an empty word out")
        if len(key) > _LONGEST_KEY:
            raise ConfigError(f"{key[:50]}...: there is no such key; --help lists them all")
        if word.startswith("-"):
            _refuse_dash(word, behind)


def _refuse_dash(word: str, behind: str) -> None:
    key, equals, _ = word.partition("=")
    name = key.lstrip("-").replace("-", "_")
    if re.match(r"-\d+(,|\])", word):
        raise ConfigError(f"{word}: not readable; {_LIST}")
    if word.startswith("--"):
        hydras = any(flag.startswith(key) for flag in _HYDRAS_FLAGS)
    else:
        hydras = key in _HYDRAS_LETTERS or not (equals or name[:1] not in "hcprmsi0123456789" or _did_you_mean(name))
    if not hydras:
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
    is_tune = path.suffix.lower() in (".mid", ".midi", ".kar", ".abc")
    if command == "generate":
        return "prompt" if is_tune else "ckpt"
    return "preview.file" if command == "preview" and is_tune else "data.path"


def _is_known(key: str) -> bool:
    return key in known_keys() or bool(options_of(key)) or key.startswith(("hydra", "tokenizer.params", "trainer."))


def _group_without_option(words: Sequence[str]) -> str | None:
    """What is wrong with `model=3` or `data=null`: Hydra does not name the group."""
    for group, _, option in (word.partition("=") for word in words):
        options = options_of(group)
        if options and option not in options:
            return f"{group}={option}: there is no such option; use one of {', '.join(options)}"
        if group == "hydra" or group.startswith("hydra/"):
            return f"{group}={option}: there is no such option; --hydra-help lists them"
    return None


def _no_such(key: str) -> str:
    if key == "tokenizer.params":
        return f"a parameter of MidiTok is added by its name; write +{key}.NAME=VALUE"
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
