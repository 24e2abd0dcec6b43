"""Whether there is room, and which failures are a disk's."""

import errno
import os
from pathlib import Path

import pytest

from midiaug.files import remove_leftovers
from midiaug.places import check_room, fault_of


def raised(*chain: BaseException) -> BaseException:
    """The first of them, raised from the second and so on."""
    for error, cause in zip(chain, [*chain[1:], None], strict=True):
        error.__cause__ = cause
    return chain[0]


def test_a_failure_of_a_disk_is_found_below_what_a_library_made_of_it():
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert fault_of(full) is full
    assert fault_of(raised(ValueError("a log that cannot be set up"), RuntimeError("why"), full)) is full


def test_a_mistake_of_the_programs_own_is_none(tmp_path):
    assert fault_of(ValueError("a bug")) is None
    assert fault_of(OSError("without a number")) is None
    with pytest.raises(FileNotFoundError) as missing:
        (tmp_path / "gone").read_bytes()
    assert fault_of(missing.value) is None


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="no folder here in which root cannot make one")
def test_a_folder_that_cannot_be_made_is_a_failure_of_its_place():
    with pytest.raises(FileNotFoundError) as error:
        Path("/proc/midiaug").mkdir()
    assert fault_of(error.value) is error.value


def test_a_folder_with_room_takes_it_and_is_left_as_it_was(tmp_path):
    check_room(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_and_a_read_only_one_are_named_and_keep_nothing(disk):
    check_room(disk.path, disk.free)
    with pytest.raises(OSError, match="No space left on device") as error:
        check_room(disk.path, disk.free + 1)
    assert (error.value.errno, error.value.filename) == (errno.ENOSPC, str(disk.path))
    disk.set_read_only()
    with pytest.raises(OSError, match="Read-only file system") as error:
        check_room(disk.path)
    assert (error.value.errno, error.value.filename) == (errno.EROFS, str(disk.path))
    assert disk.files() == set()


def test_what_a_killed_process_tried_is_removed_with_other_leftovers(tmp_path):
    (tmp_path / ".room.part0123abcd").touch()
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == []
