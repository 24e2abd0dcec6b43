"""The page shows every run once, and a part only where there is something to show."""

import re

from comparing import write_run

from midiaug.comparison.finding import find_runs
from midiaug.comparison.gains import gains_of
from midiaug.comparison.groups import describe, grouped
from midiaug.comparison.page import page
from midiaug.comparison.runs import read_runs


def written(path, remarks=()):
    described = describe(read_runs(find_runs([str(path)]))[0])
    groups = grouped(described)
    return page(described, groups, gains_of(groups)[0], None, remarks)


def test_one_run_has_its_curve_and_no_comparison(tmp_path):
    write_run(tmp_path / "a", [(1.0, 1.5), (0.9, 1.4)])
    text = written(tmp_path)
    assert re.findall("<h2>(.*?)</h2>", text) == ["Runs", "Curves"]
    assert "<h1>Comparison of 1 run</h1>" in text
    assert text.count("<svg") == 1


def test_a_pair_has_a_sentence_a_chart_of_the_change_and_two_against_the_level(tmp_path):
    write_run(tmp_path / "a", [(1.0, 1.5), (0.9, 1.4)], "aug=none")
    pieces = {"a.mid": 1.2, "b.mid": 2.2, "c.mid": 1.71}
    write_run(tmp_path / "b", [(1.0, 1.5), (0.9, 1.6)], "aug=moderate", pieces=pieces)
    text = written(tmp_path)
    assert re.findall("<h2>(.*?)</h2>", text) == [
        "What augmentation gained",
        "Runs",
        "Against the level of transposition",
        "Curves",
    ]
    assert '<p class="gain nothelped">LSTM 2 x 256: moderate against none (1 run against 1) did not help' in text
    assert text.count("<svg") == 1 + 1 + 2 + 2
    assert "losses without augmentation and with it: LSTM 2 x 256, moderate" in text
    assert "<th>change, paired by tune</th>" in text
    assert "need not be val after less val before" in text


def test_where_there_was_no_gap_none_is_closed(tmp_path):
    write_run(tmp_path / "a", [(1.5, 1.4)], "aug=none")
    write_run(tmp_path / "b", [(1.5, 1.3)], "aug=moderate")
    row = re.findall("<td>LSTM 2 x 256, moderate</td>.*?</tr>", written(tmp_path))[0]
    cells = re.findall("<td>(.*?)</td>", row)
    assert cells[9:11] == ["-0.200", ""]
    (tmp_path / "sub").mkdir()
    write_run(tmp_path / "sub" / "a", [(0.2, 3.4)], "aug=none", pieces={"a": 3.4, "b": 3.41})
    write_run(tmp_path / "sub" / "b", [(1.2, 1.9)], "aug=moderate", pieces={"a": 1.9, "b": 1.9})
    row = re.findall("<td>LSTM 2 x 256, moderate</td>.*?</tr>", written(tmp_path / "sub"))[0]
    assert re.findall("<td>(.*?)</td>", row)[10] == "+2.500 (78 %)"


def test_what_cannot_be_told_is_marked_neither_green_nor_red(tmp_path):
    write_run(tmp_path / "a", [(1.0, 1.5)], "aug=none")
    write_run(tmp_path / "b", [(1.0, 1.51)], "aug=moderate", pieces={"a.mid": 0.8, "b.mid": 2.2, "c.mid": 1.51})
    assert '<p class="gain ">LSTM 2 x 256: moderate against none (1 run against 1) cannot be told apart' in written(
        tmp_path
    )
    assert "<td>cannot tell</td>" in written(tmp_path)


def test_the_keys_of_all_runs_are_on_one_scale(tmp_path):
    for name, by in (("a", 0.1), ("b", 0.001)):
        losses = {str(shift): 1.5 + by * shift for shift in range(-6, 6)}
        write_run(tmp_path / name, [(1.0, 1.5 + by)], summary={"loss_by_key": losses})
    marks = [
        re.findall(r">(\d\.\d+)</text>", svg)
        for svg in re.findall("<svg.*?</svg>", written(tmp_path), re.DOTALL)
        if "each of twelve keys" in svg
    ]
    assert len(marks) == 2
    assert marks[0] == marks[1] != []


def test_the_curves_and_own_keys_against_all_have_their_part_where_they_are_known(tmp_path):
    for level, last, over in (("none", 1.4, 2.0), ("moderate", 1.3, 1.8)):
        losses = [(1.0, 1.5), (0.9, 1.6 if level == "moderate" else 1.4), (0.8, last)]
        by_key = {str(shift): over for shift in range(-6, 6)}
        write_run(tmp_path / level, losses, f"aug={level}", summary={"loss_by_key": by_key})
    text = written(tmp_path)
    assert "<h2>Own keys against all keys</h2>" in text
    assert "validation loss in own keys against the mean over all twelve" in text
    row = re.findall("<td>LSTM 2 x 256, moderate</td>.*?</tr>", text)[1]
    assert re.findall("<td>(.*?)</td>", row)[1:] == [
        "-0.100",
        "step 30",
        "at equal steps the curves cross for good at step 27",
    ]
    words = "At equal steps the curves cross for good at step 27; at the end of both, step 30, the loss is 0.100 lower"
    assert words in text


def test_remarks_stand_at_the_top_and_are_escaped(tmp_path):
    write_run(tmp_path / "a", [(1.0, 1.5)])
    text = written(tmp_path, ["<b>broken</b>"])
    assert text.index("<li>&lt;b&gt;broken&lt;/b&gt;</li>") < text.index("<h2>")
    assert '<ul class="remarks">' not in written(tmp_path)


def test_the_same_runs_give_the_same_page(tmp_path):
    write_run(tmp_path / "a", [(1.0, 1.5)])
    assert written(tmp_path) == written(tmp_path)


def test_predictions_in_twelve_keys_are_on_the_page_where_a_run_has_them(tmp_path):
    losses = {str(shift): 1.5 for shift in range(-6, 6)}
    write_run(tmp_path / "old", [(1.0, 1.5)])
    assert "Predictions in twelve keys" not in written(tmp_path)
    figures = {"loss_by_key": losses, "equivariance": 0.063, "loss_averaged_over_keys": 1.375}
    write_run(tmp_path / "new", [(1.0, 1.6)], summary=figures)
    page = written(tmp_path)
    assert "<td>1.500</td><td>1.500</td><td>1.375</td><td>0.063</td>" in page
    assert "asking the model twelve times" in page
