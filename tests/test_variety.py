"""The figures of generated music are read as generate.json has them, and what is missing stays empty."""

import json

import pytest
from comparing import write_run

from midiaug.comparison.finding import find_runs
from midiaug.comparison.groups import describe
from midiaug.comparison.runs import read_runs
from midiaug.comparison.variety import COPYING, VARIETY, in_scale, mean_of, variety_rows

FIGURES = {"pitch_class_entropy": {"mean": 2.5, "sd": 0.1, "median": 2.5, "n": 8}, "pitch_range": {"mean": 17, "n": 8}}


def generated(run, content, name="first"):
    (run / "generated" / name).mkdir(parents=True)
    (run / "generated" / name / "generate.json").write_text(json.dumps(content))


def rows(path):
    (one,) = describe(read_runs(find_runs([str(path)]))[0])
    return variety_rows(one)


def test_generated_music_and_the_validation_pieces_have_a_row_each(tmp_path):
    run = write_run(tmp_path / "run", [(1.0, 1.5)])
    judged = {"distinct_pitches": {"mean": 12.25, "n": 103}, "self_similarity": {"mean": 0.0, "n": 5253}}
    copying = {"generated": {"share_of_12grams": 0.125, "longest_notes": 14}}
    key = {"in_scale": {"generated": 0.852, "real": 0.98}}
    generated(run, {"variety": {"generated": FIGURES, "validation": judged}, "copying": copying, "prompts": key})
    assert [len(row) for row in rows(tmp_path)] == [3 + len(VARIETY) + len(COPYING) + 1] * 2
    of_model, of_pieces = rows(tmp_path)
    assert of_model[:3] == ["LSTM 2 x 256, aggressive, seed 0\nrun/generated/first", "generated", "8"]
    assert of_model[3:] == ["2.500", "", "17.0", "", "", "", "", "12.5 %", "14", "85%"]
    assert of_pieces[1:3] == ["validation", "103"]  # pieces, not the pairs of them
    assert of_pieces[3:] == ["", "12.2", "", "", "0.000", "", "", "", "", "98%"]


def test_what_validation_pieces_are_held_against_is_named_and_so_are_figures_of_fewer(tmp_path):
    run = write_run(tmp_path / "run", [(1.0, 1.5)])
    few = FIGURES | {"distinct_ngrams": {"mean": 1.0, "n": 4}, "self_similarity": {"mean": 0.0, "n": 6}}
    against = "the first 32 bars of 8 validation pieces"
    generated(run, {"variety": {"generated": few, "validation": FIGURES}, "against": against})
    of_model, of_pieces = rows(tmp_path)
    assert of_model[2:8] == ["8", "2.500", "", "17.0", "1.000 (4/8)", "0.000 (6/28)"]
    assert of_pieces[:3] == [against, "validation", "8"]


def test_a_file_of_another_shape_has_no_rows(tmp_path):
    run = write_run(tmp_path / "run", [(1.0, 1.5)])
    generated(run, {"variety": None})
    generated(run, {"variety": {"generated": [1], "validation": {}}}, "second")
    assert rows(tmp_path) == []


@pytest.mark.parametrize("odd", [None, [], {}, {"in_scale": [1]}, {"in_scale": None}, "x"])
def test_odd_shares_in_key_are_none(odd):
    assert in_scale({"prompts": odd}) == {}


def test_a_mean_is_a_number_or_nothing():
    assert [mean_of(value) for value in ({"mean": 1}, 2, None, "x", {"mean": None}, True)] == [
        1,
        2,
        None,
        None,
        None,
        None,
    ]
