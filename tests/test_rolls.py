"""Piano rolls."""

import music
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.text import Text

from midiaug.keys import pitch_name
from midiaug.rolls import DRUMS, Roll, draw_roll, plot_rolls


@pytest.mark.parametrize(("pitch", "name"), [(60, "C4"), (61, "C♯4"), (69, "A4"), (0, "C-1"), (127, "G9")])
def test_a_pitch_is_named_as_musicians_do(pitch, name):
    assert pitch_name(pitch) == name


def test_each_note_is_a_bar_at_its_time_and_pitch():
    score = music.tune(3, bars=2)
    axes = Figure().subplots()
    draw_roll(axes, Roll("original", score), 40, 90, 8)
    notes = score.tracks[0].notes.numpy()
    boxes = [path.get_extents() for path in axes.collections[0].get_paths()]
    assert len(boxes) == len(notes["pitch"])
    np.testing.assert_allclose([box.x0 for box in boxes], notes["time"] / music.QUARTER)
    np.testing.assert_allclose([(box.y0 + box.y1) / 2 for box in boxes], notes["pitch"])


def test_drums_are_grey_and_notes_beyond_the_page_are_left_out():
    axes = Figure().subplots()
    draw_roll(axes, Roll("band", music.tune(3, bars=4, drums=True)), 20, 100, 4)
    assert axes.collections[-1].get_facecolor()[0, :3].max() == pytest.approx(int(DRUMS[1:3], 16) / 255)
    assert all(path.get_extents().x0 < 4 for collection in axes.collections for path in collection.get_paths())


def test_another_score_lies_faintly_behind_without_its_drums():
    axes = Figure().subplots()
    other = music.tune(5, bars=2, drums=True)
    draw_roll(axes, Roll("up", music.tune(3, bars=2), behind=other), 40, 90, 8)
    boxes = [path.get_extents() for path in axes.collections[0].get_paths()]
    np.testing.assert_allclose([(box.y0 + box.y1) / 2 for box in boxes], other.tracks[0].notes.numpy()["pitch"])
    assert len(axes.collections) == 2


def test_a_dollar_sign_begins_no_formula():
    axes = Figure().subplots()
    draw_roll(axes, Roll("$tune$", music.tune(3)), 40, 90, 8)
    (title,) = [text for text in axes.findobj(Text) if text.get_text() == "$tune$"]
    assert not title.get_parse_math()


@pytest.mark.parametrize("count", [1, 4])
def test_a_page_is_written_whole(tmp_path, count):
    rolls = [Roll(f"tune {number}", music.tune(number), "C major", marks=[8]) for number in range(count)]
    plot_rolls(rolls, tmp_path / "a page.png", columns=3)
    assert imread(tmp_path / "a page.png").std() > 0.01
    assert [path.name for path in tmp_path.iterdir()] == ["a page.png"]
