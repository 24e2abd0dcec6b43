"""The curves of other programs are read from their TensorBoard logs, whatever they call them."""

import pytest
from comparing import write_log

from midiaug.comparison.logs import read_curves, seconds_of
from midiaug.errors import ComparisonError


def curves(folder):
    rows, _, taken = read_curves(folder, [folder])
    return [(row["loss/train"], row["loss/val"], row["loss/gap"]) for row in rows], taken


@pytest.mark.parametrize(
    ("train", "val"),
    [("loss/train", "loss/val"), ("train_loss", "val_loss"), ("train/loss", "eval/loss"), ("TrainLoss", "ValidLoss")],
)
def test_a_row_for_each_validation_with_the_mean_of_the_training_losses_since_the_last(tmp_path, train, val):
    log = write_log(tmp_path, {train: [(1, 4.0), (2, 2.0), (3, 2.0), (4, 1.0)], val: [(2, 3.5), (4, 2.0)]})
    assert curves(log) == ([(3.0, 3.5, 0.5), (1.5, 2.0, 0.5)], f"val from {val}, train from {train}")


def test_the_plainest_loss_of_several_is_taken(tmp_path):
    points = [(1, 1.0)]
    names = ("val/aux_loss", "val_loss_step", "val_loss_epoch", "val/accuracy", "test_loss", "train_loss_step")
    log = write_log(tmp_path, dict.fromkeys(names, points))
    assert curves(log)[1] == "val from val_loss_epoch, train from train_loss_step"


def test_the_two_folders_of_keras_are_read_as_one(tmp_path):
    parts = [write_log(tmp_path / "train", {"epoch_loss": [(0, 2.0)]})]
    parts += [write_log(tmp_path / "validation", {"epoch_loss": [(0, 3.0)]})]
    ((row,), _, _) = read_curves(tmp_path, parts)
    assert (row["loss/train"], row["loss/val"]) == (2.0, 3.0)


def test_without_a_training_loss_there_is_no_gap(tmp_path):
    assert curves(write_log(tmp_path, {"val_loss": [(1, 2.0)]}))[0] == [(None, 2.0, None)]


def test_without_a_validation_loss_the_tags_are_named(tmp_path):
    log = write_log(tmp_path, {"train_loss": [(1, 2.0)], "lr": [(1, 0.1)]})
    with pytest.raises(
        ComparisonError, match=r"no tag .* is a validation loss, such as val/loss; it has lr, train_loss"
    ):
        curves(log)


def test_a_file_that_is_no_log_takes_no_time(tmp_path):
    (tmp_path / "events.out.tfevents.1.x").write_bytes(b"no events at all, and longer than a header")
    assert seconds_of([tmp_path]) is None
