"""Places that are written to: whether there is room, and which failures are a disk's and not the program's."""

import errno
import os
import traceback
from pathlib import Path

from midiaug.files import temporary_name

_OF_PLACES = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST}
_OF_PLACES |= {errno.EFBIG, errno.ELOOP, errno.ENAMETOOLONG, errno.EIO}
_UNKNOWN = {errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}  # a file system that does not say
_LEAST_BYTES = 1 << 20


def fault_of(error: BaseException) -> OSError | None:
    """The failure of a disk or a folder that an error is, or was made of by a library that hid it.

    None for any other error: a file that is missing is the program's own mistake.
    """
    found: BaseException | None = error
    while found is not None and not isinstance(found, OSError):
        found = found.__cause__
    if found is None:
        return None
    made = found.errno == errno.ENOENT and traceback.extract_tb(found.__traceback__)[-1:]
    return found if found.errno in _OF_PLACES or (made and made[0].name == "mkdir") else None


def check_room(folder: Path, size: int = _LEAST_BYTES) -> None:
    """Raise OSError, which names the folder, where it does not take so many bytes: its disk is full, or read-only."""
    path = temporary_name(folder / "room")
    try:
        try:
            with path.open("xb") as file:
                _allocate(file.fileno(), size)
        finally:
            path.unlink(missing_ok=True)
    except OSError as error:
        error.filename = str(folder)
        raise


def _allocate(file: int, size: int) -> None:
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file, 0, size)
            return
    except OSError as error:
        if error.errno not in _UNKNOWN:
            raise
    os.write(file, bytes(min(size, _LEAST_BYTES)))
