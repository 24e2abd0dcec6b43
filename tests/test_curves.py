"""TensorBoard's curves on a disk that takes no more."""

import errno
import threading

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from midiaug.curves import Curves, quiet_thread
from midiaug.places import fault_of


@pytest.fixture
def curves(disk, monkeypatch):
    """A logger whose files are on a small disk; its thread fails as quietly as in a run."""
    monkeypatch.setattr(threading, "excepthook", quiet_thread)
    return Curves(disk.path, name="", version="", default_hp_metric=False)


def log_until_it_fails(curves):
    """Write more than the buffers hold."""
    for step in range(1000):
        curves.experiment.add_text("long", "x" * 5000, step)
        curves.save()


def test_a_full_disk_is_one_failure_and_nothing_of_the_thread_is_shown(curves, disk, capfd):
    curves.log_metrics({"loss": 1.0}, 1)
    curves.save()
    disk.fill()
    with pytest.raises(OSError, match="No space left on device"):
        log_until_it_fails(curves)
    with pytest.raises(ValueError, match="not supported") as error:  # what Lightning makes of it
        curves.log_metrics({"loss": 2.0}, 2)
    assert fault_of(error.value).errno == errno.ENOSPC
    curves.finalize("failed")
    with pytest.raises(OSError, match="No space left on device"):
        curves.finalize("success")
    assert capfd.readouterr().err == ""
    disk.empty()
    events = EventAccumulator(str(disk.path)).Reload()
    assert [one.value for one in events.Scalars("loss")] == [1.0]  # what was there before can be read


def test_settings_are_written_whole_or_not_at_all(curves, disk):
    curves.log_hyperparams({"hidden": 16})
    curves.experiment.flush()
    disk.fill()
    with pytest.raises(OSError, match=r"No space left on device.*hparams\.yaml"):
        curves.save()
    assert all("tfevents" in name for name in disk.files())
    disk.empty()
    curves.finalize("success")
    assert (disk.path / "hparams.yaml").read_text() == "hidden: 16\n"


def test_any_other_failure_of_a_thread_is_shown(capsys, monkeypatch):
    monkeypatch.setattr(threading, "excepthook", quiet_thread)

    def full():
        raise OSError(errno.ENOSPC, "No space left on device")

    for failure in (full, lambda: 1 // 0):
        thread = threading.Thread(target=failure)
        thread.start()
        thread.join()
    said = capsys.readouterr().err
    assert "No space left" in said
    assert "ZeroDivisionError" in said
