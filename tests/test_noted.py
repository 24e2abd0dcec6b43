"""What a run noted is only believed where it has the shape, and is of the piece, that this run would note."""

import os

import pytest

from midiaug.data.shifts import Shifts
from midiaug.offline.copies import LeftOut, Piece
from midiaug.offline.noted import is_of, noted, read_object

ROW = {"file": "a_+1.mid", "source": "a.mid", "shift": 1, "notes": 3, "dropped": 0, "bytes": 40, "sha256": "ab"}
ROW |= {"side": "train", "group": 1}
LOST = {"source": "a.mid", "shift": -1, "reason": "why"}


def test_an_object_is_read_from_a_file_or_a_line_and_nothing_else_is_one(tmp_path):
    (tmp_path / "a").write_text('{"b": 1}')
    (tmp_path / "cut").write_text('{"b": ')
    os.mkfifo(tmp_path / "pipe")
    assert read_object(tmp_path / "a") == read_object(b'{"b": 1}') == {"b": 1}
    for other in (tmp_path / "cut", tmp_path / "none", tmp_path, tmp_path / "pipe", b"[1]", b"\xd8", b""):
        assert read_object(other) == {}


def test_rows_and_what_was_left_out_are_taken_where_all_are_whole():
    assert noted({"copies": [ROW], "left_out": [LOST]}) == ([ROW], [LeftOut("a.mid", -1, "why")])
    assert noted({}) == ([], [])
    assert noted({"left_out": [LOST | {"shift": None}]}) == ([], [LeftOut("a.mid", None, "why")])


@pytest.mark.parametrize("key", ROW)
@pytest.mark.parametrize("value", [None, [1], {}, True, 1.5])
def test_a_row_with_an_odd_value_is_not_believed(key, value):
    assert noted({"copies": [ROW, ROW | {key: value}]}) is None
    assert noted({"copies": [{name: ROW[name] for name in ROW if name != key}]}) is None


@pytest.mark.parametrize(
    ("change", "right"),
    [
        ({}, True),
        ({"sha256": "cd", "notes": 4, "bytes": 3, "dropped": 2}, True),
        ({"side": "val"}, False),
        ({"group": 2}, False),
        ({"source": "b.mid"}, False),
        ({"file": "../a_+1.mid"}, False),
        ({"shift": 2, "file": "a_+2.mid"}, False),
        ({"shift": 0, "file": "a_+0.mid"}, True),
    ],
)
def test_a_row_is_of_a_piece_where_name_shift_and_split_are_its_own(change, right):
    piece = Piece(0, "a.mid", "a", "train", 1)
    assert is_of(ROW | change, piece, Shifts.of(-1, 1)) == right
