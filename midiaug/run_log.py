"""The log in a run's folder, which holds what the screen says."""

import logging
import sys


class LogFile(logging.FileHandler):
    """A log that a full disk cuts short, and nothing more: what the run itself writes there fails with a sentence.

    logging's own shows a traceback for each line that it cannot write.
    """

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Let a line go that the disk does not take; it stays in the buffer, and is written once there is room."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)
