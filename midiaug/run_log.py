"""The log on the screen, and that in a run's folder, which holds the same."""

import logging
import os
import sys
from typing import TextIO

_STDERR = 2


def open_closed_streams() -> None:
    """Let what is meant for a stream that came closed, as after `>&-`, go nowhere; else files would take its number."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        os.set_inheritable(number, True)
    os.close(number)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115


def finish_screen() -> OSError | None:
    """Write what is still to be written to stdout; the failure where it takes no more, and nothing is said at exit."""
    try:
        sys.stdout.flush()
    except OSError as error:
        send_nowhere(sys.stdout)
        return error
    return None


def send_nowhere(stream: TextIO) -> None:
    """Let what a stream still holds, and all behind it, go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class LogScreen(logging.StreamHandler[TextIO]):
    """Lines on the screen; where they cannot be written any more, the work goes on.

    It does so without a word after `| head`, whose reader has seen enough, and with one sentence on a full disk.
    """

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Send what comes behind it nowhere, where the stream takes no more."""
        error = sys.exc_info()[1]
        if isinstance(error, OSError):
            if not isinstance(error, BrokenPipeError) and self.stream is not sys.stderr:
                said = f"the screen's lines cannot be written ({error.strerror}); the work goes on"
                print(said, file=sys.stderr)  # noqa: T201
            send_nowhere(self.stream)
        else:
            super().handleError(record)


class LogFile(logging.FileHandler):
    """A log that a full disk cuts short, and nothing more: what the run itself writes there fails with a sentence.

    logging's own shows a traceback for each line that it cannot write.
    """

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Let a line go that the disk does not take; it stays in the buffer, and is written once there is room."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)
