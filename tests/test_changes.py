"""What is said of music that is no longer what a former run copied."""

import pytest

from midiaug.offline.changes import what_changed


def row(source: str, sha256: str, shift: int = 0, dropped: int = 0) -> dict:
    return {"source": source, "shift": shift, "dropped": dropped, "sha256": sha256}


FORMER = {
    "copies": [row("a.mid", "a"), row("a.mid", "x", 3), row("b.mid", "b"), row("c.mid", "y", 0, 1)],
    "left_out": [{"source": "broken.mid", "shift": None, "reason": "no MIDI"}],
}
SAME = {"a.mid": "a", "b.mid": "b", "c.mid": "c"}


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (SAME, ""),
        (SAME | {"d.mid": "d"}, "1 piece is new (d.mid)"),
        (SAME | {"d.mid": "d", "e.mid": "e"}, "2 pieces are new (such as d.mid)"),
        ({"c.mid": "c"}, "2 pieces are gone (such as a.mid)"),
        (SAME | {"a.mid": "other"}, "1 piece is changed (a.mid)"),
        (
            {"a.mid": "a", "b.mid": "2", "d.mid": "d"},
            "1 piece is new (d.mid), 1 piece is gone (c.mid), 1 piece is changed (b.mid)",
        ),
    ],
)
def test_what_came_went_and_changed_is_named(now, expected):
    assert what_changed(FORMER, now, whole=True) == expected


def test_what_a_stopped_run_had_not_come_to_is_not_new():
    assert what_changed(FORMER, SAME | {"d.mid": "d"}, whole=False) == ""
    assert (
        what_changed(FORMER, {"a.mid": "2"}, whole=False)
        == "2 pieces are gone (such as b.mid), 1 piece is changed (a.mid)"
    )
