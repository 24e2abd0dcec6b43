"""What every command shares: it starts under Hydra from any directory, and says what went wrong in one sentence."""

import difflib
import functools
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NoReturn

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, OverrideParseException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from midiaug.directories import generated_dir, generated_subdir, remove_if_bare, run_dir, run_name
from midiaug.errors import MidiaugError
from midiaug.explanations import help_text
from midiaug.launchers import EXTRAS, job_error
from midiaug.places import check_room, fault_of
from midiaug.threads import let_waiting_threads_sleep
from midiaug.words import prepared

_OURS = "MIDIAUG_ONE_SENTENCE"
_KEY_AND_VALUE = "write key=value; quotes keep a path with blanks together, as in 'data.path=my tunes'"
_PLACES = (("run_dir", run_dir), ("generated_dir", generated_dir), ("generated_subdir", generated_subdir))
Task = Callable[[DictConfig], Any]


def config_dir() -> Path:
    """Where the YAML files are: inside the package in an installed wheel, beside it in a checkout."""
    inside = Path(__file__).parent / "configs"
    return inside if inside.is_dir() else Path(__file__).parents[1] / "configs"


def command(name: str) -> Callable[[Task], Callable[[], None]]:
    """Make a task a command that reads `configs/<name>.yaml`.

    An error that a user can mend is one sentence on stderr, and the exit status is 1; with HYDRA_FULL_ERROR=1
    in the environment it is a traceback.
    """

    def decorate(task: Task) -> Callable[[], None]:
        def main() -> None:
            let_waiting_threads_sleep()
            if not sys.stderr.isatty():
                os.environ.pop("FORCE_COLOR", None)  # with it, as in Jupyter, rich draws its bars into files and pipes
            sys.argv[1:] = prepared(sys.argv[1:])
            _register_resolvers(name, sys.argv[1:])
            start = hydra.main(version_base="1.3", config_path=str(config_dir()), config_name=name)
            if os.environ.get("HYDRA_FULL_ERROR", "0") not in ("", "0") and _OURS not in os.environ:
                start(task)()
                return
            # so that Hydra hands the error on, and does not print it itself; other ranks inherit it
            os.environ["HYDRA_FULL_ERROR"] = os.environ[_OURS] = "1"
            with _one_sentence():
                start(_quietly(task))()

        return main

    return decorate


def _quietly(task: Task) -> Task:
    """The task, ending a single run itself where it fails: Hydra would print the overrides above the sentence.

    A launcher's worker process hands an error on without its traceback: it goes along as a note.
    """
    home = os.getpid()

    @functools.wraps(task)
    def run(config: DictConfig) -> Any:
        single = HydraConfig.get().mode == RunMode.RUN
        with _one_sentence() if single else nullcontext():
            directory = Path(HydraConfig.get().runtime.output_dir)
            try:
                check_room(directory)
                return task(config)
            except (MidiaugError, KeyboardInterrupt):
                remove_if_bare(directory, HydraConfig.get().job.name)
                raise
            except Exception as error:
                if fault_of(error) is not None:
                    remove_if_bare(directory, HydraConfig.get().job.name)
                if os.getpid() != home:
                    error.add_note(traceback.format_exc())
                raise

    return run


@contextmanager
def _one_sentence() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # whoever read the output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except RuntimeError as error:
        failure = job_error(error)
        if failure is None:
            raise
        _end(failure)
    except (MidiaugError, HydraException, OmegaConfBaseException, ValueError, OSError) as error:
        fault = fault_of(error) if type(error) is ValueError or isinstance(error, OSError) else None
        if fault is not None:
            fault.filename = fault.filename or _hydras_folder(error)
            _end(fault)
        if type(error) is ValueError and not str(error).startswith("Config group override must be"):
            raise
        if isinstance(error, OSError) and not isinstance(error, HydraException):
            raise
        _end(error)


def _hydras_folder(error: Exception) -> str | None:
    """The folder of a run; where its task had not begun, without the records of Hydra, which a full disk cut off."""
    if HydraConfig.initialized():
        return str(HydraConfig.get().runtime.output_dir)
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_code.co_name == "run_job"]
    folder = frames[0].f_locals.get("output_dir") if frames else None
    if folder is not None:
        remove_if_bare(Path(folder), frames[0].f_locals["config"].hydra.job.name)
    return folder


def _end(error: Exception) -> NoReturn:
    sys.stdout.flush()
    print(sentence_of(error), file=sys.stderr)  # noqa: T201
    sys.exit(1)


def sentence_of(error: Exception) -> str:
    """An error in one sentence, with the name of its kind in front."""
    if isinstance(error, MidiaugError):
        return f"{type(error).__name__}: {error}"
    if isinstance(error, OSError) and error.errno:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        sweep = any(word.startswith(("-m", "--multirun", "hparams=", "experiment=")) for word in sys.argv[1:])
        key = "hydra.sweep.dir" if sweep else "hydra.run.dir"
        return f"{type(error).__name__}: {what}; free space there, or write elsewhere with {key}=DIR"
    text = re.split(r" ?(?:Set the environment variable|See http|Config search path:)", " ".join(str(error).split()))[0]
    unknown = re.search(r"Could not override '([^']+)'", text)
    option = re.search(r"Could not find '(.+)/([^']*)' Available options in .*: (.*)", text)
    if unknown:
        text = f"{unknown[1]}: there is no such key; {_hint(unknown[1])}--help lists them all"
    elif option and option[2] in EXTRAS and option[1].startswith("hydra/"):
        text = f"{option[1]}={option[2]}: not installed; run pip install 'midiaug[{EXTRAS[option[2]]}]'"
    elif option:
        text = f"{option[1]}={option[2]}: there is no such option; use one of {', '.join(option[3].split())}"
    elif isinstance(error, OverrideParseException):
        advice = "put quotes around a list, as in 'aug.shifts=[-5,5]'" if "=" in error.override else _KEY_AND_VALUE
        text = f"{error.override}: not readable; {advice}"
    elif text.startswith("Config group override must be"):
        text = _group_without_option(sys.argv[1:]) or text
    return f"ConfigError: {text}"


def _group_without_option(words: list[str]) -> str | None:
    """What is wrong with `model=3` or `data=null`: Hydra does not name the group."""
    for group, _, option in (word.partition("=") for word in words):
        folder = config_dir() / group
        options = sorted(path.stem for path in folder.glob("*.yaml")) if group and folder.is_dir() else []
        if options and option not in options:
            return f"{group}={option}: there is no such option; use one of {', '.join(options)}"
    return None


def _hint(key: str) -> str:
    if key.startswith("tokenizer.params."):
        return f"to add a parameter of MidiTok, write +{key}; "
    if key in known_keys() or (config_dir() / key).is_dir():
        return "it belongs to another command; "
    group, _, name = key.rpartition(".")
    names = {known: known.rpartition(".")[2] for known in known_keys() if known.rpartition(".")[0] == group}
    close = difflib.get_close_matches(name, list(names.values()), n=1)
    return f"did you mean {group}{'.' if group else ''}{close[0]}? " if close else ""


def known_keys() -> list[str]:
    """Every key of the YAML files, written with dots."""
    keys: list[str] = []
    for path in sorted(config_dir().glob("**/*.yaml")):
        content = OmegaConf.load(path)
        group = path.relative_to(config_dir()).parent.as_posix().replace("/", ".")
        keys += _keys_below(content, "" if group == "." else group)
    return sorted(set(keys))


def _keys_below(node: Any, prefix: str) -> list[str]:
    keys: list[str] = []
    for name in node if isinstance(node, DictConfig) else ():
        if name in ("defaults", "hydra"):
            continue
        key = f"{prefix}.{name!s}" if prefix else str(name)
        inside = OmegaConf.is_dict(node._get_node(name))
        keys += _keys_below(node[name], key) if inside else [key]
    return keys


def _register_resolvers(command_name: str, words: list[str]) -> None:
    # Hydra hands them to a launcher's worker processes as they stand here, the words of the command line with them
    named = functools.partial(run_name, words=words)
    for name, place in _PLACES:
        OmegaConf.register_new_resolver(
            f"midiaug.{name}", functools.partial(place, words=words), replace=True, use_cache=True
        )
    OmegaConf.register_new_resolver("midiaug.run_name", named, replace=True)
    OmegaConf.register_new_resolver("midiaug.job_label", _job_label, replace=True)
    OmegaConf.register_new_resolver("midiaug.help", functools.partial(_help, command_name), replace=True)


def _help(command_name: str, *, _root_: DictConfig) -> str:
    return help_text(config_dir(), command_name, _root_)


def _job_label() -> str:
    """What a line on the screen begins with where jobs run side by side; nothing where one follows the other."""
    config = HydraConfig.get()
    several = config.mode == RunMode.MULTIRUN and config.runtime.choices.get("hydra/launcher") != "basic"
    return f"#{config.job.num}  " if several else ""
