"""Commands in processes of their own that import nothing heavy: each is forked from one that has imported it.

To import torch, Lightning, torchmetrics and scipy takes ten seconds, most of what a test of a command took; to find the
plugins of Hydra takes one more. A forked process is otherwise as one that `python -m` starts: it runs the module as
`__main__`, in the folder, with the words and the environment that it is given, and ends as Python ends. Only its hash
seed is that of all the others, and it measures its loader for a moment, not for a second.
"""

import atexit
import gc
import importlib
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle, send_handle
from pathlib import Path
from typing import TextIO

import numpy
from hydra import compose, initialize_config_dir

# what the commands import when they need it; not the commands themselves, which run as __main__
IMPORTED = (
    *("midiaug.run", "midiaug.data.preparation", "midiaug.inspection.previewing", "midiaug.offline.materialization"),
    *("midiaug.measuring.measurements", "midiaug.generation.composing", "midiaug.comparison.report"),
    *("midiaug.resuming", "midiaug.run_log", "hydra.core.plugins", "tensorboard.summary", "rich._emoji_codes"),
)
_LOADER_S = 0.05


@dataclass(frozen=True)
class Stop:
    """A signal that a command gets after so many seconds: it alone, or all that it started too."""

    seconds: float
    signal: int = signal.SIGKILL
    all: bool = True

    def send(self, process: int) -> None:
        """Send it, if the process is still there."""
        with suppress(ProcessLookupError):
            (os.killpg if self.all else os.kill)(process, self.signal)


def forked(
    module: str, words: list[str], cwd: Path, environment: dict[str, str], timeout: float, stop: Stop | None = None
) -> tuple[int, str]:
    """Run a module as `python -m` does; its status and what it said, after it and all that write there have ended.

    What still runs after so many seconds is killed, and its status is that of a killed process.
    """
    return started(module, words, cwd, environment).ended(timeout, stop)


@dataclass(frozen=True)
class Running:
    """A command that was started. process: its id. minder: says its status. output: what it says, to be read."""

    process: int
    minder: Connection
    output: TextIO
    _said: list[str] = field(default_factory=list)

    def until(self, words: str) -> None:
        """Wait for a line with these words. Raises EOFError where it ends without one."""
        while words not in (line := self.output.readline()):
            self._said.append(line)
            if not line:
                raise EOFError("".join(self._said))
        self._said.append(line)

    def ended(self, timeout: float, stop: Stop | None = None) -> tuple[int, str]:
        """Its status and what it said, as `forked`."""
        clocks = [threading.Timer(one.seconds, one.send, [self.process]) for one in (Stop(timeout), stop) if one]
        for clock in clocks:
            clock.start()
        try:
            with self.output as stream:
                said = "".join(self._said) + stream.read()
        except BaseException:
            Stop(0).send(self.process)
            raise
        finally:
            for clock in clocks:
                clock.cancel()
            status = self.minder.recv()
            self.minder.close()
        return status, said


def started(module: str, words: list[str], cwd: Path, environment: dict[str, str]) -> Running:
    """Start a module as `python -m` does, beside others that run already."""
    connection = _server()
    ours, theirs = Pipe()
    read, write = os.pipe()
    connection.send((module, words, str(cwd), environment))
    for handle in (write, theirs.fileno()):
        send_handle(connection, handle, None)
    os.close(write)
    theirs.close()
    return Running(ours.recv(), ours, open(read, encoding="utf-8"))


@cache
def _server() -> Connection:
    """Start the process that forks, once. Where this one is killed it ends too, for want of a connection."""
    ours, theirs = Pipe()
    environment = os.environ | {"OMP_NUM_THREADS": "1"}  # read when torch is imported
    process = subprocess.Popen(
        [sys.executable, __file__, str(theirs.fileno())],
        env=environment,
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the tests
    )
    theirs.close()
    atexit.register(_end, process)
    return ours


def _end(server: subprocess.Popen[bytes]) -> None:
    server.kill()  # it waits for a request, and has nothing to clear up
    server.wait()


def _serve(connection: Connection) -> None:
    _warm_up()
    gc.collect()
    gc.freeze()  # so that a collection in a forked process copies none of it
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a minder
    while True:
        try:
            request = connection.recv()
        except EOFError:
            return
        output, answers = recv_handle(connection), recv_handle(connection)
        if os.fork() == 0:
            connection.close()
            _mind(request, output, answers)
            return
        os.close(output)
        os.close(answers)


def measure_briefly() -> None:
    """Let a run measure its loader for a moment at its end: a second for each of the tests' runs would be minutes."""
    outcome = importlib.import_module("midiaug.outcome")
    outcome.loader_speed = partial(outcome.loader_speed, seconds=_LOADER_S)


def _warm_up() -> None:
    """Import what takes long, and let Hydra find its plugins and read the commands' settings once."""
    for name in IMPORTED:
        importlib.import_module(name)
    measure_briefly()
    from midiaug.config_files import config_dir

    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        for name in ("train", "prepare"):
            compose(name, return_hydra_config=True)


def _mind(request: tuple[str, list[str], str, dict[str, str]], output: int, answers: int) -> None:
    """Fork the command, and say its id and then its status, so that several may run at once."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    process = os.fork()
    if process == 0:
        os.close(answers)
        _become(*request, output)
        return  # to the end of this file, where Python ends
    os.close(output)
    with Connection(answers) as connection, suppress(BrokenPipeError):
        connection.send(process)
        connection.send(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
    os._exit(0)


def _become(module: str, words: list[str], cwd: str, environment: dict[str, str], output: int) -> None:
    os.setsid()
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    tempfile.tempdir = None  # TMPDIR may be another one
    numpy.random.seed()  # noqa: NPY002
    sys.path[0] = cwd
    sys.orig_argv[1:] = ["-m", module, *words]
    sys.argv[1:] = words
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _serve(Connection(int(sys.argv[1])))
