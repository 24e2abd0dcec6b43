"""What the terminal shows fits into a hundred columns, and says all that matters."""

import re
from dataclasses import replace

import pytest
from comparing import MUSIC, write_run

from midiaug.comparison.finding import find_runs
from midiaug.comparison.gains import gains_of
from midiaug.comparison.groups import describe, grouped
from midiaug.comparison.rows import KEYS_HEADS, keys_rows
from midiaug.comparison.runs import Yardstick, read_runs
from midiaug.comparison.tables import WIDTH, screen_text


@pytest.fixture
def text(tmp_path):
    """The screen of six runs with long names: two seeds with and without augmentation, one unfinished, one odd."""
    for seed in (0, 1):
        for level, loss in (("none", 1.5), ("keys12", 1.7)):
            name = f"{seed}_aug={level},model=lstm,seed={seed},optim.lr=0.001,model.dropout=0.25"
            write_run(tmp_path / name, [(1.2, 2.5), (1.0, loss + seed / 100)], f"aug={level}", f"seed={seed}")
    write_run(tmp_path / "[red]odd", [(1.0, 1.9)], "model=gru", "aug.shifts=[-5,5]")
    write_run(tmp_path / "killed", [(1.0, 3.0)], finished=False)
    described = describe(read_runs(find_runs([str(tmp_path)]))[0])
    groups = grouped(described)
    return screen_text(described, groups, gains_of(groups)[0], MUSIC)


def test_no_line_is_wider_than_the_screen(text):
    assert max(len(line) for line in text.splitlines()) <= WIDTH


def test_all_runs_are_there_with_the_lowest_loss_first_and_names_as_they_are(text):
    assert text.index("LSTM 2 x 256, none") < text.index("GRU 2 x 256")
    assert "[red]odd" in text
    assert "(not finished)" in text
    assert "my [bold]tunes[/]" in text


def test_seeds_have_their_mean_and_spread(text):
    assert "1.505 ± 0.007" in text


def test_a_gain_is_a_row_and_a_sentence(text):
    assert "cannot tell" in text
    assert "LSTM 2 x 256: keys12 against none (2 runs against 2)" in text


def test_where_there_was_no_gap_none_is_closed(text):
    part = text.partition("What augmentation gained")[2].partition("LSTM 2 x 256: keys12")[0]
    assert "+0.505  +0.705" in part
    assert "-0.200" not in part
    assert "without augmentation there was none to close" in " ".join(text.split())


def test_why_the_change_is_not_the_difference_of_the_means_is_said_below_it(text):
    whole = " ".join(text.split())
    assert "val change: paired by tune and weighed by tokens; the losses above are means of runs" in whole


def test_what_a_run_measured_in_twelve_keys_is_shown_and_nothing_of_one_that_did_not(tmp_path):
    losses = {str(shift): 1.5 + abs(shift) / 10 for shift in range(-6, 6)}
    figures = {"loss_by_key": losses, "equivariance": 0.063, "loss_averaged_over_keys": 1.375}
    told = figures | {"loss_by_key": dict.fromkeys(losses, 1.5), "loss_averaged_over_keys": 1.25, "equivariance": 0.5}
    write_run(tmp_path / "new", [(1.0, 1.5)], "seed=3", summary=figures | {"told": told})
    without = dict.fromkeys(("equivariance", "loss_averaged_over_keys", "told"))
    write_run(tmp_path / "none", [(1.0, 1.7)], summary=without)
    write_run(tmp_path / "old", [(1.0, 1.6)])
    runs, remarks = read_runs(find_runs([str(tmp_path)]))
    described = describe(runs)
    assert remarks == []
    assert [len(row) for row in keys_rows(described)] == [len(KEYS_HEADS)] * 2
    assert keys_rows(described)[0][1:] == ["3", "1.500", "1.800", "1.375", "0.063"]
    assert keys_rows(described)[1] == [f"{described[0].label}, told", "3", "1.500", "1.500", "1.250", "0.500"]
    text = screen_text(described, grouped(described), [], None)
    assert max(len(line) for line in text.splitlines()) <= WIDTH
    assert "Predictions in twelve keys" in text
    assert "Predictions in twelve keys" not in screen_text(described[1:], grouped(described[1:]), [], None)


def test_long_names_have_room_and_what_is_left_out_for_it_is_said(tmp_path):
    for window, loss in ((64, 12.5), (128, 12.625)):
        folder = tmp_path / f"{window}{'_tunes_of_the_whole_valley' * 2}"
        write_run(folder, [(1.0, loss)], "aug=none", f"data.window={window}", summary={"key_spread": 0.5})
    described = describe(read_runs(find_runs([str(tmp_path)]))[0])
    for one in described:
        one.run.yardstick, one.run.seconds = Yardstick(0.1, 0.0, 0.2, 12), 36000.0
    table = screen_text(described, [], [], None)
    assert re.search(r"compare\.html has (12 keys, )?(time, )?tok/s too\.", " ".join(table.split()))
    assert "LSTM 2 x 256, window" in table
    assert "tok/s" not in table.splitlines()[2]
    for one in described:
        one.run.name, one.run.yardstick = "a", None
    short = screen_text([replace(one, extra="", level="") for one in described], [], [], None)
    assert "tok/s" in short.splitlines()[2]
    assert "compare.html" not in short


def test_a_run_that_was_validated_by_steps_is_best_at_a_step(tmp_path):
    words = ("trainer.val_check_interval=10", "trainer.check_val_every_n_epoch=null")
    write_run(tmp_path / "by steps", [(1.0, 1.5), (1.0, 1.2), (0.9, 1.3)], *words)
    write_run(tmp_path / "by epochs", [(1.1, 1.5), (1.0, 1.2), (0.9, 1.3)])
    runs = read_runs(find_runs([str(tmp_path)]))[0]
    for run in runs:
        for number, row in enumerate(run.rows):
            row["step"] = 1500.0 * (number + 1)
    text = screen_text(describe(runs), [], [], None)
    assert "step 3,000/4,500" in text
    assert " 2/3 " in text
