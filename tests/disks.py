"""Small disks of a test's own, which can be filled and made read-only: what root meets there too."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


class Disk:
    """A file system of a few megabytes. path: where it is mounted."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def free(self) -> int:
        """Bytes that files still may take."""
        status = os.statvfs(self.path)
        return status.f_bavail * status.f_frsize

    def fill(self, leave: int = 0) -> None:
        """Take all of it but for so many bytes."""
        while (room := self.free) > leave:
            with (self.path / "ballast").open("ab") as file, suppress(OSError):  # others write there too
                os.posix_fallocate(file.fileno(), file.tell(), room - leave)

    def empty(self) -> None:
        """Give back what `fill` took."""
        (self.path / "ballast").unlink()

    def set_read_only(self) -> None:
        """Let nobody write any more."""
        _run("mount", "-o", "remount,ro", str(self.path))

    def files(self) -> set[str]:
        """The names of all files but the ballast."""
        found = (path for path in self.path.rglob("*") if path.is_file() and path.name != "ballast")
        return {path.relative_to(self.path).as_posix() for path in found}


@contextmanager
def small_disk(path: Path, megabytes: int) -> Iterator[Disk]:
    """Mount one; skips the test where this user or this system may not."""
    path.mkdir()
    try:
        _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(path))
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a file system in memory cannot be mounted here; it takes Linux and root's rights")
    try:
        yield Disk(path)
    finally:
        _run("umount", "-l", str(path))


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)
