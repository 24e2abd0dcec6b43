"""Arrays that are used again once nobody holds them any more.

Memory fresh from the system costs more to touch for the first time than the batch that is written there.
"""

import sys
from threading import Lock

import numpy as np
from numpy.typing import NDArray

_KEPT = 4
_UNUSED = 3  # references to an array that only the list, the loop and getrefcount itself hold


class Buffers:
    """Hands out int64 arrays, their content anything; one comes back by itself when its last view is gone."""

    def __init__(self) -> None:
        self._made: list[NDArray[np.int64]] = []
        self._lock = Lock()

    def __reduce__(self) -> tuple[type["Buffers"], tuple[()]]:
        return Buffers, ()  # a worker process has its own

    def take(self, shape: tuple[int, ...]) -> NDArray[np.int64]:
        """An array of that shape that nothing else refers to."""
        with self._lock:
            for buffer in self._made:
                if buffer.shape == shape and sys.getrefcount(buffer) == _UNUSED:
                    return buffer[:]
            self._made = [*self._made[1 - _KEPT :], np.empty(shape, np.int64)]
            return self._made[-1][:]
