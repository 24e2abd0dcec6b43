"""The picture of the losses without augmentation and with it."""

from dataclasses import replace

import pytest
from matplotlib import image
from test_gained import gain

from midiaug.comparison.before_after import before_after, best_of, write_picture
from midiaug.comparison.mean_curves import MeanCurves

STILL = MeanCurves("tokens", [1e6, 2e6, 3e6], [1.0, 0.5, 0.2], [1.6, 1.5, 1.9])
MOVED = MeanCurves("tokens", [1e6, 2e6, 3e6], [1.2, 1.0, 0.9], [1.7, 1.4, 1.2])


def drawn(*changes, **after):
    return replace(gain(*(changes or (-0.1,)), **after), still=STILL, moved=MOVED)


def test_it_says_both_figures_of_both_sides_and_what_augments():
    text = before_after(drawn(val=1.2, gap=0.3))
    for words in ("validation 1.500", "gap 0.500", "validation 1.200", "gap 0.300", "without augmentation", "moderate"):
        assert words in text
    assert "GRU 1 x 8" in text
    assert ">2.0M<" in text


def test_a_gap_that_is_not_known_is_not_written():
    assert "gap 0" not in before_after(replace(drawn(gap=None), before={"val": 1.5, "gap": None}))


def test_the_best_is_the_lowest_validation_loss_with_augmentation_of_those_that_can_be_drawn():
    good, better = drawn(val=1.2), drawn(val=1.1)
    lowest_unknown = replace(drawn(val=1.0), still=None)
    assert best_of([good, better, lowest_unknown, drawn(val=None)]) is better
    assert best_of([lowest_unknown]) is None
    assert best_of([]) is None


@pytest.mark.parametrize("name", ["gap.png", "a picture, [x].png"])
def test_it_is_a_picture_of_both(tmp_path, name):
    write_picture(tmp_path / name, drawn(val=1.2))
    pixels = image.imread(tmp_path / name)
    assert pixels.shape[1] > 2 * pixels.shape[0]
    assert [path.name for path in tmp_path.iterdir()] == [name]
    left, right = (pixels[:, half, :3].std(2).sum() for half in (slice(0, 600), slice(600, 1200)))
    assert min(left, right) > 100, "a colored curve on either side"
