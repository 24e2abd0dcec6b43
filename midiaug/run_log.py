"""The log on the screen, and that in a run's folder, which holds the same."""

import logging
import os
import sys
from typing import TextIO


class LogScreen(logging.StreamHandler[TextIO]):
    """Lines on the screen; where nobody reads them any more, as after `| head`, the work goes on without a word."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Send what comes behind it nowhere, where whoever read it has seen enough."""
        if isinstance(sys.exc_info()[1], BrokenPipeError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)
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
