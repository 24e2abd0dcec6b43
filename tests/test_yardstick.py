"""What two sets of pieces differ by is told apart from what a model learned by heart."""

import music
import numpy as np
import pytest

from midiaug.comparison.contents import PieceLoss
from midiaug.comparison.groups import Described
from midiaug.comparison.rows import run_cells
from midiaug.comparison.runs import Run, Yardstick
from midiaug.comparison.tables import screen_text
from midiaug.comparison.yardstick import measure, sentence
from midiaug.data.columns import kind_of
from midiaug.data.module import MidiDataModule
from midiaug.data.shifts import Shifts
from midiaug.data.sides import windows_of
from midiaug.tokenizers import make_tokenizer

WINDOW = 64


@pytest.fixture(scope="module", params=["REMI", "Octuple"])
def data(request, tmp_path_factory):
    """40 tunes, and 12 with chords, whose tokens are told more easily from those before them."""
    root = tmp_path_factory.mktemp("music")
    music.corpus(root / "tunes", 40, seed=1, bars=8)
    music.corpus(root / "chords", 12, seed=100, bars=8, chords=True)
    return MidiDataModule(
        root, make_tokenizer(request.param, {}), Shifts.of(0), window=WINDOW, cache_dir=root / "cache"
    )


def run_of(data, validation, gap=0.3, **keys):
    """A run that was validated on these pieces, (pieces,) bool, with a gap of its own."""
    names = data.corpus.names.all()
    windows, piece = windows_of(data.store, validation, WINDOW, data.cache_dir)
    tokens = np.bincount(piece, windows.predicted, len(names))
    best = {"epoch": 1, "loss/train": 1.0, "loss/val": 1.0 + gap, "loss/gap": gap}
    run = Run(
        data.corpus.directory,
        [best],
        best,
        config={"data": {"window": WINDOW, **keys}, "tokenizer": {"name": kind_of(data.tokenizer), "params": {}}},
        summary={"seed": 0},
    )
    run.sides = {name: "val" if val else "train" for name, val in zip(names, validation, strict=True)}
    run.pieces = {names[row]: PieceLoss(str(row), 1.0, int(tokens[row])) for row in np.flatnonzero(tokens)}
    return Described(run, {}, "LSTM", "none", "", (0,), 0)


def sides(data, chords, plain=0):
    names = data.corpus.names.all()
    kinds = {kind: [row for row, name in enumerate(names) if name.startswith(kind)] for kind in ("chords", "tunes")}
    return np.isin(np.arange(len(names)), kinds["chords"][:chords] + kinds["tunes"][:plain])


@pytest.mark.parametrize(
    "keys",
    [{"window": 1}, {"window": True}, {"window": float("nan")}, {"train_limit": float("nan")}, {"train_limit": 0}],
)
def test_odd_settings_leave_it_out(data, keys):
    one = run_of(data, sides(data, 6), **keys)
    measure(data, [one])
    assert one.run.yardstick is None


@pytest.mark.parametrize("limit", [None, 12])
def test_pieces_of_another_kind_account_for_the_gap_that_they_make(data, limit):
    one = run_of(data, sides(data, 6), gap=-0.3, train_limit=limit)
    measure(data, [one])
    stick = one.run.yardstick
    assert stick.low < stick.nats < stick.high < -0.1  # the validation pieces are easier
    assert one.run.corrected == pytest.approx(-0.3 - stick.nats)
    # half of the training pieces, or where some were left over, those
    assert stick.pieces == (46 // 2 if limit is None else 46 - limit)


def test_of_as_many_of_each_kind_none_are_harder(data):
    one = run_of(data, sides(data, 3, 10))
    measure(data, [one])
    assert one.run.yardstick.low < 0 < one.run.yardstick.high


def test_runs_of_other_music_or_tokens_have_no_yardstick(data):
    other, longer = run_of(data, sides(data, 6)), run_of(data, sides(data, 6))
    other.run.sides["more.mid"] = "train"
    name, piece = next(iter(longer.run.pieces.items()))
    longer.run.pieces[name] = PieceLoss(piece.group, piece.nats, piece.tokens + 1)
    measure(data, [other, longer])
    assert (other.run.yardstick, longer.run.yardstick, other.run.corrected) == (None, None, None)
    assert sentence([other, longer]) == ""
    assert "corrected" not in screen_text([other], [], [], None)


def test_the_table_has_a_column_and_a_sentence_for_it(data):
    one, other = run_of(data, sides(data, 6)), run_of(data, sides(data, 0, 10))
    measure(data, [one])
    text = screen_text([one, other], [], [], None)
    assert f"{one.run.corrected:+.3f}" in text
    size = f"{abs(one.run.yardstick.nats):.3f} nats a token easier than those trained on (95 % interval"
    assert size in sentence([one, other])
    measure(data, [other])
    assert "in nats a token, in these 2 splits" in sentence([one, other])
    one.run.yardstick, other.run.yardstick = Yardstick(-0.25, -0.35, -0.15, 12), Yardstick(0.125, 0.0, 0.25, 12)
    assert "pieces 0.250 nats a token easier than those trained on (95 % interval -0.350 to -0.150" in sentence([one])
    assert "pieces 0.125 nats a token harder than those trained on (95 % interval +0.000 to +0.250" in sentence([other])
    assert "pieces 0.250 easier to 0.125 harder than those trained on, in nats a token" in sentence([one, other])


def test_the_corrected_gap_has_its_interval_where_there_is_room(data):
    one = run_of(data, sides(data, 6))
    one.run.best = {"epoch": 1, "loss/train": 1.0, "loss/val": 1.5, "loss/gap": 0.5}
    one.run.yardstick = Yardstick(0.125, -0.125, 0.25, 12)
    assert run_cells(one.run, True)[3] == "+0.375"
    assert run_cells(one.run, True, interval=True)[3] == "+0.375 (+0.250 to +0.625)"
    one.run.best["loss/gap"] = None  # as of a damaged row
    assert run_cells(one.run, True, interval=True)[3] == ""


def test_a_run_of_another_tokenizer_is_not_judged_though_its_counts_agree(data):
    one = run_of(data, sides(data, 6))
    one.run.config["tokenizer"]["params"] = {"num_velocities": 4}
    measure(data, [one])
    assert one.run.yardstick is None


@pytest.mark.parametrize("damage", [lambda size: b"x" * size, None])
def test_a_damaged_figure_of_the_cache_is_worked_out_again(data, damage):
    one, again = run_of(data, sides(data, 5)), run_of(data, sides(data, 5))
    measure(data, [one])
    for file in (data.cache_dir / "yardsticks").rglob("figures.npy"):
        if damage:
            file.write_bytes(damage(file.stat().st_size))
        else:
            np.save(file, np.full(4, np.nan))
    measure(data, [again])
    assert again.run.yardstick == one.run.yardstick is not None
