"""Ragged arrays in two flat files, opened memory-mapped: opening costs the same for any number of rows."""

from array import array
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, overload

import numpy as np
from numpy.typing import NDArray


def open_array(path: Path) -> NDArray[Any]:
    """An array that save_array wrote, memory-mapped. As a plain ndarray: numpy's own kind costs microseconds a use."""
    return np.asarray(np.load(path, mmap_mode="r"))


def save_array(path: Path, array: NDArray[Any]) -> None:
    """Write what open_array opens. Raises OSError of the disk, of which np.save says only how much it took."""
    array = np.ascontiguousarray(array)
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
        file.write(array.reshape(-1).view(np.uint8).data)


class RaggedWriter:
    """Write rows of different lengths one behind the other: `<name>.bin`, and their ends in `<name>.npy`."""

    def __init__(self, directory: Path, name: str, dtype: type[np.generic] | np.dtype[Any]) -> None:
        self._offsets_path = directory / f"{name}.npy"
        self._dtype = np.dtype(dtype)
        self._file = (directory / f"{name}.bin").open("wb")
        self._offsets = array("q", [0])

    def append(self, row: NDArray[Any]) -> None:
        """Add a row."""
        self._file.write(np.ascontiguousarray(row, self._dtype).tobytes())
        self._offsets.append(self._offsets[-1] + len(row))

    def pad(self, length: int) -> None:
        """Add zeros that belong to no row, so that a window may be read past the last row's end."""
        self._file.write(bytes(length * self._dtype.itemsize))

    def close(self) -> None:
        """Write the offsets; without this call the file cannot be read."""
        self._file.close()
        save_array(self._offsets_path, np.frombuffer(self._offsets, np.int64))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close() if kind else self.close()


class Ragged:
    """Rows of different lengths, read from the files that RaggedWriter wrote.

    data: (total,) all rows behind each other. offsets: (rows + 1,) int64; row i is data[offsets[i]:offsets[i + 1]].
    """

    def __init__(self, directory: Path, name: str, dtype: type[np.generic] | np.dtype[Any]) -> None:
        self._where = directory, name, np.dtype(dtype).name
        path = directory / f"{name}.bin"
        self.data: NDArray[Any] = (
            np.asarray(np.memmap(path, dtype, mode="r"))
            if path.stat().st_size
            else np.zeros(0, dtype)  # an empty map is refused
        )
        self.offsets: NDArray[np.int64] = open_array(directory / f"{name}.npy")

    def __getstate__(self) -> tuple[Path, str, str]:
        return self._where  # a worker process opens the files again, and shares their memory

    def __setstate__(self, where: tuple[Path, str, str]) -> None:
        self.__init__(where[0], where[1], np.dtype(where[2]))  # type: ignore[misc]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> NDArray[Any]:
        if not 0 <= row < len(self):
            raise IndexError(f"row {row} of {len(self)}")
        return self.data[self.offsets[row] : self.offsets[row + 1]]

    def lengths(self) -> NDArray[np.int64]:
        """(rows,) the length of each row."""
        return np.diff(self.offsets)


class Strings(Sequence[str]):
    """Text rows in a Ragged array of UTF-8 bytes."""

    def __init__(self, directory: Path, name: str) -> None:
        self._bytes = Ragged(directory, name, np.uint8)

    def __len__(self) -> int:
        return len(self._bytes)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            return [self[number] for number in range(*row.indices(len(self)))]
        return self._bytes[row].tobytes().decode("utf-8", errors="surrogateescape")

    def all(self) -> list[str]:
        """Every row, as a list."""
        return [self[row] for row in range(len(self))]


def encode(text: str) -> NDArray[np.uint8]:
    """Text as the bytes of a row of Strings; names that are not valid Unicode come back as they were."""
    return np.frombuffer(text.encode("utf-8", errors="surrogateescape"), np.uint8)
