"""The picture of the losses without augmentation and with it."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib import image
from test_gained import gain

from midiaug.comparison import before_after as before_after_module
from midiaug.comparison.before_after import before_after, best_of, write_picture
from midiaug.comparison.mean_curves import MeanCurves

STILL = MeanCurves("tokens", [1e6, 2e6, 3e6], [1.0, 0.5, 0.2], [1.6, 1.5, 1.9])
MOVED = MeanCurves("tokens", [1e6, 2e6, 3e6], [1.2, 1.0, 0.9], [1.7, 1.4, 1.2])


def drawn(*changes, **after):
    return replace(gain(*(changes or (-0.1,)), **after), curves_before=STILL, curves_after=MOVED)


def test_it_says_both_figures_of_both_sides_and_what_augments():
    text = before_after(drawn(val=1.2, gap=0.3))
    for words in ("validation 1.500", "gap 0.500", "validation 1.200", "gap 0.300", "without augmentation", "moderate"):
        assert words in text
    assert "GRU 1 x 8" in text
    assert ">2.0M<" in text


def test_a_gap_that_is_not_known_is_not_written():
    assert "gap 0" not in before_after(replace(drawn(gap=None), before={"val": 1.5, "gap": None}))


def test_the_best_is_where_the_loss_fell_by_the_largest_part_of_those_that_can_be_drawn():
    good, better = drawn(-0.1), drawn(-0.2)
    unknown = replace(drawn(-0.5), curves_before=None)
    of_larger_losses = replace(drawn(-0.3), before={"val": 6.0, "gap": 0.1})
    assert best_of([good, better, unknown, of_larger_losses]) is better
    assert best_of([drawn(0.2), replace(good, change=None)]).change is None
    assert best_of([unknown]) is None
    assert best_of([]) is None


@pytest.mark.parametrize("end", [1.6, 2.5, 9.0])
def test_where_a_validation_loss_turns_up_the_picture_shows_it_to_its_end(monkeypatch, end):
    at = [1e6 * step for step in range(1, 31)]
    val = np.concatenate([np.linspace(5, 1, 10), np.linspace(1, end, 20)]).tolist()
    one = replace(drawn(), curves_before=MeanCurves("tokens", at, np.linspace(5, 0.2, 30).tolist(), val))
    seen = []
    monkeypatch.setattr(before_after_module, "drawn", lambda figure, _: seen.append(figure) or "")
    before_after(one)
    low, high = seen[0].axes[0].get_ylim()
    assert low < 0.2
    assert high > end


def test_losses_that_are_all_alike_have_room_and_epochs_are_named_once():
    flat = MeanCurves("epoch", [1.0, 2.0], [1.0, 1.0], [1.0, 1.0])
    text = before_after(replace(drawn(), curves_before=flat, curves_after=flat))
    assert (text.count(">1<"), text.count(">2<")) == (2, 2)


@pytest.mark.parametrize("name", ["gap.png", "a picture, [x].png"])
def test_it_is_a_picture_of_both(tmp_path, name):
    write_picture(tmp_path / name, drawn(val=1.2))
    pixels = image.imread(tmp_path / name)
    assert pixels.shape[1] > 2 * pixels.shape[0]
    assert [path.name for path in tmp_path.iterdir()] == [name]
    left, right = (pixels[:, half, :3].std(2).sum() for half in (slice(0, 600), slice(600, 1200)))
    assert min(left, right) > 100, "a colored curve on either side"


def test_losses_that_are_all_the_same_are_drawn_without_a_warning(recwarn):
    flat = MeanCurves("step", [1.0, 2.0], [2.0, 2.0], [2.0, 2.0])
    before_after(replace(drawn(), curves_before=flat, curves_after=flat))
    assert not [str(warning.message) for warning in recwarn if "identical" in str(warning.message)]
