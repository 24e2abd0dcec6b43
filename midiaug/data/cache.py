"""Directories that are built once, whole or not at all, by whichever process comes first."""

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import platformdirs
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from midiaug.data.checksums import BEFORE, files_in, is_whole, write_checksums
from midiaug.data.flat import open_array, save_array
from midiaug.errors import CacheError
from midiaug.files import is_old
from midiaug.places import check_room

log = logging.getLogger("midiaug")
_PATIENCE_S = 2.0


def default_cache_dir() -> Path:
    """The platform's cache folder of this user, for midiaug."""
    return Path(platformdirs.user_cache_dir("midiaug"))


def cache_key(parts: object) -> str:
    """A file name that stands for these JSON values: equal values, equal name."""
    return hashlib.blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=16).hexdigest()


def build_once(
    directory: Path, build: Callable[[Path], None], again: Callable[[], bool] = lambda: False, verify: bool = False
) -> Path:
    """Return the directory, built first by `build` where it is not there yet.

    `build` fills a temporary directory beside it, which is renamed at the end, so a directory of
    that name is always complete; one that is not what its build left is built again, see `is_whole`.
    A second process that wants the same one waits for the first. What a killed build left behind is removed
    by the next. Raises CacheError where it cannot be written.

    again: asked of a directory that has been there for ten minutes, whether to build it anew; meanwhile it lies beside
    it as `<name>-before`. verify: read all of it, to see whether it is what its build left.
    """
    try:
        if is_whole(directory, verify) and not (is_old(directory) and again()):
            return directory
        directory.parent.mkdir(parents=True, exist_ok=True)
        before = directory.with_name(directory.name + BEFORE)
        with _waiting(FileLock(directory.with_suffix(".lock")), directory):
            for leftover in directory.parent.glob(f".{directory.name}.*"):
                shutil.rmtree(leftover, ignore_errors=True)
            if directory.exists() and not is_whole(directory, verify):
                log.warning("%s: damaged; it is built again", directory)
                shutil.rmtree(directory)
            elif directory.exists() and is_old(directory) and again():
                shutil.rmtree(before, ignore_errors=True)
                directory.rename(before)
            if not directory.exists():
                temporary = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
                temporary.chmod(directory.parent.stat().st_mode & 0o777)  # mkdtemp's own would shut out other users
                try:
                    check_room(temporary)  # before hours of work
                    build(temporary)
                    write_checksums(temporary, directory.name)
                    _to_disk(temporary)
                    temporary.rename(directory)
                    shutil.rmtree(before, ignore_errors=True)
                except BaseException:
                    shutil.rmtree(temporary, ignore_errors=True)
                    raise
    except OSError as error:
        raise _refused(directory.parent.parent, error) from error
    return directory


def check_cache(cache_dir: Path, kind: str) -> None:
    """Raise CacheError where nothing of a kind is in the cache and nothing can be written to it: before files are read.

    A cache that holds what is wanted need not be written to.
    """
    try:
        if not (cache_dir / kind).is_dir():
            cache_dir.mkdir(parents=True, exist_ok=True)
            check_room(cache_dir)
    except OSError as error:
        raise _refused(cache_dir, error) from error


def _refused(cache_dir: Path, error: OSError) -> CacheError:
    return CacheError(
        f"data.cache_dir={cache_dir}: the cache cannot be written ({error.strerror or error}); free some space there, "
        "or give another folder"
    )


def _to_disk(directory: Path) -> None:
    """Wait until the files are on the disk: a rename may get there before what it names does."""
    for path in files_in(directory):
        with path.open("rb+") as file:
            os.fsync(file.fileno())


@contextmanager
def _waiting(lock: FileLock, directory: Path) -> Iterator[None]:
    try:
        lock.acquire(timeout=_PATIENCE_S)
    except Timeout:
        log.info("waiting for another process that builds %s", directory)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def kept_arrays(directory: Path, make: Callable[[], Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """The arrays of a directory, memory-mapped; made by `make` where it is not there yet, and then kept."""

    def build(temporary: Path) -> None:
        for name, content in make().items():
            save_array(temporary / f"{name}.npy", content)

    build_once(directory, build)
    return {path.stem: open_array(path) for path in directory.glob("*.npy")}
