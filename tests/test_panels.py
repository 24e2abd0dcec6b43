"""The picture of a preview."""

import music
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from miditok import REMI

from midiaug.inspection import panels
from midiaug.inspection.checks import CheckPlan, check_pieces
from midiaug.inspection.choice import Chosen


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """The figure of a piece that may not go up, and of one whose name is long and odd."""
    figures = []
    save = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda self, *rest, **more: figures.append(self) or save(self, *rest, **more)
    )
    score = music.tune(4, bars=4, drums=True)
    names = ["high.mid", f"{'very ' * 30}$long$ \udce9 音.mid"]
    pieces = [Chosen(names[0], "train", score, -30, 0, None, []), Chosen(names[1], "val", score, -30, 30, None, [])]
    plan = CheckPlan(tmp_path, REMI(), tuple(range(-6, 6)), False, False)
    checked = check_pieces([(piece, f"p{number}") for number, piece in enumerate(pieces)], plan)
    panels.plot_preview(pieces, checked, plan, "two $tunes$", tmp_path / "preview.png")
    return figures[0], imread(tmp_path / "preview.png")


def test_each_piece_has_a_row_with_its_keys_and_a_panel_that_says_why_it_is_empty(drawn):
    figure, image = drawn
    assert image.std() > 0.01
    assert len(figure.subfigs) == 2
    titles = [axes.get_title(loc="left") for axes in figure.subfigs[1].axes]
    assert [title.partition(":")[0] for title in titles] == ["-6", "-4", "-2", "as written", "+1", "+3", "+5"]
    assert len({title.partition(":")[2] for title in titles}) == 7
    texts = [text.get_text() for axes in figure.subfigs[0].axes for text in axes.texts]
    assert len(texts) == 3
    assert all(text.startswith("left out:\ntakes ") for text in texts)


def test_a_long_name_is_cut(drawn):
    assert len(drawn[0].subfigs[1].get_suptitle()) <= 90
