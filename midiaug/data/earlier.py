"""Former builds of the same kind: what one of them holds of the same content need not be made again."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from midiaug.data.checksums import is_whole
from midiaug.data.digests import Lookup

log = logging.getLogger("midiaug")
Build = TypeVar("Build")


class Earlier(Generic[Build]):
    """Finds rows of all complete builds of a family by the key of their content.

    parent, family: the builds are the folders `<family>-*` in the parent, each with the keys of its rows, (n, 2)
    uint64, in `keys.npy`. open_build: opens such a folder; each is opened once, when one of its rows is wanted.
    """

    def __init__(self, parent: Path, family: str, open_build: Callable[[Path], Build]) -> None:
        self._open_build = open_build
        self._look_into([folder for folder in sorted(parent.glob(f"{family}-*/")) if is_whole(folder)])

    def _look_into(self, folders: list[Path]) -> None:
        self._folders = folders
        keys = [np.load(folder / "keys.npy") for folder in self._folders]
        self._lookup = Lookup(np.concatenate([*keys, np.zeros((0, 2), np.uint64)]))
        self._begin = np.cumsum([0, *(len(part) for part in keys)])
        self._opened: dict[int, Build] = {}

    def find(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """(n, 2) keys -> (n,) int64: a place to give to `row`, or -1 where no build has the key.

        What is copied must be what was built: builds that hold any of it are read whole, and left out where damaged.
        """
        while True:
            places = self._lookup.find(keys)
            used = [self._folders[number] for number in np.unique(self._number(places[places >= 0]))]
            damaged = [folder for folder in used if not is_whole(folder, verify=True)]
            if not damaged:
                return places
            for folder in damaged:
                log.warning("%s: damaged; nothing is taken from it", folder)
            self._look_into([folder for folder in self._folders if folder not in damaged])

    def _number(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which build holds each place."""
        return np.searchsorted(self._begin, places, side="right") - 1

    def row(self, place: int) -> tuple[Build, int]:
        """The build that holds the place, and the row in it."""
        number = int(self._number(np.array([place]))[0])
        if number not in self._opened:
            self._opened[number] = self._open_build(self._folders[number])
        return self._opened[number], place - int(self._begin[number])
