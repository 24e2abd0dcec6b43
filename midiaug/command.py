"""What every command shares: it starts under Hydra from any directory, and says what went wrong in one sentence."""

import functools
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NoReturn

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from midiaug.config_files import config_dir
from midiaug.directories import generated_dir, generated_subdir, remove_if_bare, run_dir, run_name
from midiaug.errors import MidiaugError, OutputError
from midiaug.explanations import help_text
from midiaug.launchers import job_error
from midiaug.places import check_room, fault_of
from midiaug.run_log import finish_screen, open_closed_streams, send_nowhere
from midiaug.sentences import is_of_command_line, refuse_slips, sentence_of
from midiaug.threads import let_waiting_threads_sleep
from midiaug.words import prepared

_OURS = "MIDIAUG_ONE_SENTENCE"
_SCREEN = "the screen's lines cannot be written ({}); send them elsewhere"
_PLACES = (("run_dir", run_dir), ("generated_dir", generated_dir), ("generated_subdir", generated_subdir))
Task = Callable[[DictConfig], Any]


def command(name: str) -> Callable[[Task], Callable[[], None]]:
    """Make a task a command that reads `configs/<name>.yaml`.

    An error that a user can mend is one sentence on stderr, and the exit status is 1; with HYDRA_FULL_ERROR=1
    in the environment it is a traceback.
    """

    def decorate(task: Task) -> Callable[[], None]:
        def main() -> None:
            let_waiting_threads_sleep()
            open_closed_streams()
            if not sys.stderr.isatty():
                os.environ.pop("FORCE_COLOR", None)  # with it, as in Jupyter, rich draws its bars into files and pipes
            sys.argv[1:] = prepared(sys.argv[1:])
            with _one_sentence():
                refuse_slips(sys.argv[1:])
            _register_resolvers(name, sys.argv[1:])
            start = hydra.main(version_base="1.3", config_path=str(config_dir()), config_name=name)
            if os.environ.get("HYDRA_FULL_ERROR", "0") not in ("", "0") and _OURS not in os.environ:
                start(task)()
                return
            # so that Hydra hands the error on, and does not print it itself; other ranks inherit it
            os.environ["HYDRA_FULL_ERROR"] = os.environ[_OURS] = "1"
            with _one_sentence():
                start(_quietly(task))()
                if (failure := finish_screen()) is not None:
                    raise failure

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
        exec("pass")  # noqa: S102  # where Ctrl-C came within an exec, of a dataclass say, Python -m ends by the signal
        sys.exit(130)
    except BrokenPipeError:  # whoever read the output, such as `head`, has seen enough
        send_nowhere(sys.stdout)
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
            _end(fault if fault.filename else OutputError(_SCREEN.format(fault.strerror)))
        if type(error) is ValueError and not is_of_command_line(error):
            raise
        if isinstance(error, OSError) and not isinstance(error, HydraException):
            raise
        _end(error)


def _hydras_folder(error: Exception) -> str | None:
    """The folder of a run; where its task had not begun, without the records of Hydra, which a full disk cut off."""
    if HydraConfig.initialized():
        if OmegaConf.is_missing(HydraConfig.get().runtime, "output_dir"):  # of --help and --cfg, which write no folder
            return None
        return str(HydraConfig.get().runtime.output_dir)
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_code.co_name == "run_job"]
    folder = frames[0].f_locals.get("output_dir") if frames else None
    if folder is not None:
        remove_if_bare(Path(folder), frames[0].f_locals["config"].hydra.job.name)
    return folder


def _end(error: Exception) -> NoReturn:
    finish_screen()
    print(sentence_of(error), file=sys.stderr)  # noqa: T201
    sys.exit(1)


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
