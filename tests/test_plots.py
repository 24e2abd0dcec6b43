"""Pictures: there, of the right size, whole, and showing what they should."""

from matplotlib import colors
from matplotlib.image import imread

from midiaug.plots import plot_gap, plot_keys


def rows(*losses: tuple[float, float]) -> list[dict[str, float]]:
    return [
        {"epoch": number + 1, "loss/train": train, "loss/val": val, "loss/gap": val - train}
        for number, (train, val) in enumerate(losses)
    ]


def ink(path, name: str) -> int:
    """How many pixels have just this colour."""
    wanted = colors.to_rgb(name)
    return int((abs(imread(path)[..., :3] - wanted).max(axis=-1) < 0.02).sum())


def test_both_curves_and_the_gap_are_drawn(tmp_path):
    curves = rows((3.0, 3.2), (1.0, 1.5), (0.5, 1.4))
    plot_gap(curves, curves[2], "a title", tmp_path / "gap.png")
    assert imread(tmp_path / "gap.png").shape[:2] == (660, 960)
    assert min(ink(tmp_path / "gap.png", name) for name in ("#3b6fb6", "#d1622b", "#6b6b6b")) > 300
    assert [path.name for path in tmp_path.iterdir()] == ["gap.png"]


def test_one_epoch_is_enough(tmp_path):
    (row,) = rows((3.0, 3.2))
    plot_gap([row], row, "a title", tmp_path / "gap.png")
    assert ink(tmp_path / "gap.png", "#d1622b") > 20


def test_the_loss_in_each_key_is_drawn_and_a_title_is_taken_as_it_stands(tmp_path):
    plot_keys({shift: 1 + abs(shift) / 10 for shift in range(-6, 6)}, {}, [-1, 0, 1], r"on $\x$", tmp_path / "keys.png")
    assert ink(tmp_path / "keys.png", "#d1622b") > 200
    some = ink(tmp_path / "keys.png", "#d1622b")
    told = dict.fromkeys(range(-6, 6), 0.9)
    plot_keys({shift: 1 + abs(shift) / 10 for shift in range(-6, 6)}, told, [0], r"on $\x$", tmp_path / "keys.png")
    assert ink(tmp_path / "keys.png", "#d1622b") < some  # a shift that training did not draw is an empty circle
