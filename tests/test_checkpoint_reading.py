"""A checkpoint is opened whole or refused by name; where the run has another, that is named."""

import pytest
import torch

from midiaug.checkpoint_reading import read_checkpoint
from midiaug.errors import CheckpointError

PARTS = ("recipe", "loops", "state_dict", "global_step", "random_state", "MidiDataModule")


@pytest.fixture
def run(tmp_path):
    """A run's two checkpoints."""
    content = dict.fromkeys(PARTS, 0) | {"state_dict": {"weight": torch.arange(5000.0)}}
    for name in ("best.ckpt", "last.ckpt"):
        torch.save(content, tmp_path / name)
    return tmp_path


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(content)


def test_it_holds_what_was_saved(run):
    assert torch.equal(read_checkpoint(run / "last.ckpt")["state_dict"]["weight"], torch.arange(5000.0))


def test_a_flipped_bit_of_a_weight_is_found(run):
    weights = (run / "last.ckpt").read_bytes().index(torch.arange(5000.0).numpy().tobytes())
    for place in (weights, weights + 9_999, weights + 19_999):
        flip(run / "last.ckpt", place)
        assert torch.load(run / "last.ckpt", weights_only=True), "torch does not see it"
        with pytest.raises(
            CheckpointError, match=r"last\.ckpt: .*damaged one; the run has another that is whole: ckpt="
        ):
            read_checkpoint(run / "last.ckpt")
        flip(run / "last.ckpt", place)
    assert read_checkpoint(run / "last.ckpt")


@pytest.mark.parametrize("name", ["last.ckpt", "best.ckpt"])
def test_of_a_damaged_one_the_runs_other_one_is_named_unless_it_is_damaged_too(run, name):
    other = {"last.ckpt": "best.ckpt", "best.ckpt": "last.ckpt"}[name]
    (run / name).write_bytes((run / name).read_bytes()[:9000])
    with pytest.raises(CheckpointError, match=rf"{name}: .*whole: ckpt=.*{other}$"):
        read_checkpoint(run / name)
    (run / other).write_bytes(b"junk")
    with pytest.raises(CheckpointError, match=rf"{name}: not a checkpoint, or a damaged one; use another$"):
        read_checkpoint(run / name)


def test_a_file_that_no_run_wrote_and_a_folder_are_called_that(run):
    torch.save([1], run / "other.ckpt")
    with pytest.raises(CheckpointError, match=r"other\.ckpt: no run of midiaug\.train wrote it"):
        read_checkpoint(run / "other.ckpt")
    with pytest.raises(CheckpointError, match=r"cannot be read \(Is a directory\); use another"):
        read_checkpoint(run)


def test_code_is_never_run(run, tmp_path):
    class Deadly:
        def __reduce__(self):
            return (tmp_path.joinpath("harm").touch, ())

    torch.save(dict.fromkeys(PARTS, Deadly()), run / "deadly.ckpt")
    with pytest.raises(CheckpointError, match=r"deadly\.ckpt: not a checkpoint"):
        read_checkpoint(run / "deadly.ckpt")
    assert not (tmp_path / "harm").exists()
    torch.load(run / "deadly.ckpt", weights_only=False)
    assert (tmp_path / "harm").exists(), "the file does what it says where it may"
