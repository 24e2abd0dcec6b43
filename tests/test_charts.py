"""Each chart is an SVG element that can be read, whatever a name holds."""

from xml.etree import ElementTree

import pytest
from comparing import write_run
from matplotlib.transforms import Bbox

from midiaug.comparison import charts
from midiaug.comparison.finding import find_runs
from midiaug.comparison.gained import Gain
from midiaug.comparison.gains import gains_of
from midiaug.comparison.groups import describe, grouped
from midiaug.comparison.pairs import Change, SeedChange
from midiaug.comparison.runs import read_runs
from midiaug.printable import printable

NASTY = "<script>alert(1)</script> $a_1^ & \x1b[2J"


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    """A run without augmentation, one with, of a model whose only other name is hostile."""
    place = tmp_path_factory.mktemp("runs")
    write_run(place / "none", [(2.0, 2.5), (1.0, 1.5)], "aug=none", "trainer.max_epochs=2")
    moved = {"a.mid": 0.9, "b.mid": 1.8, "c.mid": 1.4}
    write_run(place / "moved", [(2.0, 2.4), (1.0, 1.3)], "aug=moderate", "trainer.max_epochs=2", pieces=moved)
    return describe(read_runs(find_runs([str(place)]))[0])


def texts(svg):
    tree = ElementTree.fromstring(svg.replace('<svg role="img"', '<svg role="img"', 1))  # noqa: S314
    assert tree.tag.endswith("svg")
    return [text for text in tree.itertext() if text.strip()]


def test_the_curves_of_a_run_name_both_sides_and_the_epochs(described):
    span = charts.loss_range([one.run for one in described])
    shown = texts(charts.curves(described[0].run, span))
    assert {"train", "val", "epoch", "nats a token", "1", "2"} <= set(shown)
    low, high = span
    assert low < 1.0
    assert high > 1.5


def test_a_run_that_validated_several_times_an_epoch_is_drawn_over_its_steps(described):
    run = described[0].run
    often = type(run)(run.path, [row | {"epoch": 1} for row in run.rows], run.rows[-1])
    shown = texts(charts.curves(often, None))
    assert "step" in shown
    assert "epoch" not in shown


def test_a_loss_far_above_the_others_is_marked_at_the_edge_with_its_figure(tmp_path):
    write_run(tmp_path / "a", [(9.0, 9.5), *[(1.0, 1.5 + epoch / 100) for epoch in range(20)]])
    (one,) = describe(read_runs(find_runs([str(tmp_path)]))[0])
    low, high = charts.loss_range([one.run])
    assert high < 3
    shown = texts(charts.curves(one.run, (low, high)))
    assert {"9.00", "9.50"} <= set(shown)
    assert not {"9.00", "9.50"} & set(texts(charts.curves(one.run, (0.0, 10.0))))


def test_a_loss_a_little_above_the_others_is_within_the_scale(tmp_path):
    write_run(tmp_path / "a", [(2.0, 2.1), *[(1.0, 1.5 + epoch / 100) for epoch in range(30)]])
    (one,) = describe(read_runs(find_runs([str(tmp_path)]))[0])
    assert charts.loss_range([one.run])[1] > 2.1


def test_marks_of_losses_above_the_scale_lie_apart_and_off_the_curves(tmp_path, monkeypatch):
    write_run(tmp_path / "a", [(9.0, 9.5), (8.0, 8.5), *[(1.0, 1.5 + epoch / 100) for epoch in range(40)]])
    (one,) = describe(read_runs(find_runs([str(tmp_path)]))[0])
    figures = []
    monkeypatch.setattr(charts, "drawn", lambda figure, words: figures.append(figure) or "")
    charts.curves(one.run, charts.loss_range([one.run]))
    (figure,) = figures
    figure.canvas.draw()
    (axes,) = figure.axes
    boxes = [text.get_window_extent() for text in axes.texts]
    for line in axes.lines:
        if line.get_marker() == "^":
            half = line.get_markersize() / 2 * figure.dpi / 72
            places = line.get_transform().transform(line.get_xydata())
            boxes += [Bbox.from_extents(x - half, y - half, x + half, y + half) for x, y in places]
    assert len(boxes) == 2 + 4
    edge = axes.get_window_extent().y1
    for number, box in enumerate(boxes):
        assert box.y0 >= edge
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert not any(box.overlaps(other) for other in boxes[:number])


def test_losses_that_are_missing_leave_a_gap(described):
    run = described[0].run
    rows = [{"epoch": 1, "loss/train": None, "loss/val": 2.0}, {"epoch": 2, "loss/train": None, "loss/val": None}]
    shown = texts(charts.curves(type(run)(run.path, rows, rows[0]), None))
    assert "val" in shown
    assert "train" not in shown


def test_the_chart_of_keys_has_all_twelve():
    losses = {str(shift): 1 + shift / 100 for shift in range(-6, 6)}
    shown = texts(charts.by_key(losses, charts.key_range([losses])))
    assert {"-6", "+5", "0"} <= set(shown)


def test_the_charts_of_keys_are_on_one_scale():
    wide, narrow = ({str(shift): 1 + by * shift for shift in range(-6, 6)} for by in (0.1, 0.001))
    span = charts.key_range([wide, narrow])
    assert span[0] < 1 - 0.6
    assert span[1] > 1 + 0.5
    of_wide, of_narrow = (
        [text for text in texts(charts.by_key(losses, span)) if "." in text] for losses in (wide, narrow)
    )
    assert of_wide == of_narrow
    assert charts.key_range([]) is None


def test_gap_against_level_has_the_levels_in_the_order_of_their_size(described):
    shown = texts(charts.by_level(grouped(described), "loss/gap", "gap"))
    assert [text for text in shown if text in ("none", "moderate")] == ["none", "moderate"]
    assert "LSTM 2 x 256" in shown


def test_the_chart_of_changes_has_a_line_for_each_comparison(described):
    (gains, _) = gains_of(grouped(described))
    assert "LSTM 2 x 256, moderate" in texts(charts.changes(gains))


@pytest.mark.parametrize(
    ("ends", "color"),
    [((-0.3, -0.1), "#2e7d4f"), ((-0.3, 0.1), "#6b6b6b"), ((-0.1, 0.3), "#6b6b6b"), ((0.1, 0.3), "#b3372f")],
)
def test_a_change_is_green_red_or_where_it_cannot_be_told_grey(ends, color):
    nats = sum(ends) / 2
    known = dict.fromkeys(("train", "val", "gap", "key_spread", "over_keys"))
    by_seed = [SeedChange(0, "a", nats, 9, better=nats < 0)]
    gain = Gain("GRU", "moderate", 1, 1, known, known, Change(nats, *ends, 9, 1), by_seed, None, unfinished=False)
    svg = charts.changes([gain])
    assert [shade for shade in ("#2e7d4f", "#6b6b6b", "#b3372f") if shade in svg] == [color]


@pytest.mark.parametrize(
    "draw",
    [
        lambda name: charts.pitch_bars([(name, [0.0] * 128), (name, [*[0.0] * 127, 1.0])]),
        lambda name: charts.class_bars([(name, [1] * 12), (name, [0] * 12)], list("CDEFGABCDEFG"), "notes"),
        lambda name: charts.key_bars({name: 3}),
        lambda name: charts.lengths({"edges": [0, 1], "counts": [3], "median": 0.5}, name),
    ],
)
def test_a_name_stays_text_whatever_it_holds(draw):
    svg = draw(printable(NASTY))
    assert any("<script>alert(1)</script>" in text for text in texts(svg))
    assert any("$a_1^ & " in text for text in texts(svg))
    assert "<script" not in svg


def test_a_chart_asks_for_nothing_from_elsewhere(described):
    svg = charts.curves(described[0].run, None)
    assert "http" not in svg.replace("http://www.w3.org/", "")
    assert "<metadata" not in svg


def test_long_names_leave_room_for_what_they_name(tmp_path):
    words = ("optim.lr=0.001", "optim.weight_decay=0.25", "model.dropout=0.125")
    write_run(tmp_path / "none", [(1.0, 1.5)], "aug=none", *words)
    write_run(tmp_path / "moved", [(1.0, 1.4)], "aug.shifts=[-24,24]", "aug.draw=balanced", *words)
    write_run(tmp_path / "other", [(1.0, 1.3)])
    groups = grouped(describe(read_runs(find_runs([str(tmp_path)]))[0]))
    (gains, _) = gains_of(groups)
    drawn = [
        charts.changes(gains),
        charts.by_level(groups, "loss/val", "validation loss"),
    ]  # no warning that it is full
    assert any("LSTM 2 x 256, dropout" in text for svg in drawn for text in texts(svg))
