"""Tables and picture say what the report holds, also where parts of it are missing."""

import numpy as np
import pytest
from matplotlib import colors
from matplotlib.image import imread

from midiaug.measuring.scoreboard import plot_benchmark, tables, three_figures


def figure(median: float, **more: object) -> dict[str, object]:
    return {"median": median, "unit": "", "rounds": [median], **more}


@pytest.fixture
def report():
    row = {"note": "", "times_stock": 1.0}
    return {
        "machine": {"cpu": "A Processor", "cores": 4},
        "corpus": {"source": "my tunes", "pieces": 12, "tokens": 34567, "window": 256, "batch_size": 64},
        "loaders": {
            "rows": {
                "file_each_time": row | figure(100_000.0, what="file each time", times_base=1.0),
                "tokens_route": row | figure(250e6, what="midiaug, route tokens", times_base=2500.0),
            },
            "left_out": {"tokens_route_no_shift": "the tokenizer is trained"},
        },
        "augment_dataset": {
            "shifts": [-1, 0, 1],
            "cache_bytes": 7_000_000,
            "copies": figure(2.0, bytes=21_000_000),
            "store": figure(4.0, bytes=3_000_000),
        },
        "start": {"imports": figure(3.0), "cold": figure(5.0), "cached": figure(0.05)},
        "build": {"1": figure(4.0), "2": figure(2.5)},
        "step": {
            "route": "tokens",
            "plain": figure(0.6),
            "lightning": figure(0.61),
            "times_plain": 1.017,
            "waiting_share": figure(0.0005),
        },
    }


def test_the_tables_have_a_row_for_each_figure(report):
    text = tables(report)
    assert any(
        "midiaug, route tokens" in line and "250 million" in line and "2,500" in line for line in text.split("\n")
    )
    assert "left out: midiaug, route tokens, not transposed: the tokenizer is trained" in text
    for words in (
        "3 keys",
        "21.0 MB on disk",
        "store 3.0 MB, cache 7.0 MB",
        "first batch, all cached",
        "1 process ",
        "2 processes",
        "1.017 times",
        "0.05%",
    ):
        assert words in text
    assert max(map(len, text.splitlines())) <= 112


@pytest.mark.parametrize("part", ["loaders", "augment_dataset", "start", "build", "step"])
def test_any_part_alone_is_shown_and_drawn(report, tmp_path, part):
    alone = {name: report[name] for name in ("machine", "corpus", part)}
    assert tables(alone)
    plot_benchmark(alone, tmp_path / "benchmark.png")
    assert imread(tmp_path / "benchmark.png").shape[1] == 1200


def test_the_picture_has_a_bar_for_each_figure_midiaugs_in_its_own_colour(report, tmp_path):
    plot_benchmark(report, tmp_path / "benchmark.png")
    pixels = imread(tmp_path / "benchmark.png")[..., :3]
    for name, bars in {"#3b6fb6": 8, "#9a9a9a": 3}.items():
        inked = (abs(pixels - colors.to_rgb(name)).max(axis=-1) < 0.02).sum(axis=1) > 20
        edges = np.flatnonzero(np.diff(inked.astype(int), prepend=0, append=0))
        assert (edges[1::2] - edges[::2] > 10).sum() == bars  # rows of pixels: an axis is one or two high
    assert [path.name for path in tmp_path.iterdir()] == ["benchmark.png"]


@pytest.mark.parametrize(
    ("number", "words"),
    [(0.5, "0.5"), (999, "999"), (1500, "1.5 thousand"), (352.6e6, "353 million"), (3.05e9, "3.05 billion")],
)
def test_numbers_are_short(number, words):
    assert three_figures(number) == words
