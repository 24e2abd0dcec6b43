"""How the music differs from what a former run copied, in words."""

from collections.abc import Iterable, Mapping
from typing import Any


def what_changed(former: Mapping[str, Any], now: Mapping[str, str], *, whole: bool) -> str:
    """The pieces that came, went or changed, such as `1 piece is new (a.mid), 2 are gone (such as b.mid)`.

    former: what the run noted, with its rows of `copies` and `left_out`. now: the SHA-256 of each piece's own bytes, by
    its name. whole: whether the run came to its end; else what it had not come to is not new.
    Returns an empty text where none of that shows, as where files were only read otherwise.
    """
    copies, left_out = former.get("copies", ()), former.get("left_out", ())
    before = {row["source"]: None for row in copies}
    # a copy in the own key that lacks nothing has the piece's own bytes
    own = {row["source"]: row["sha256"] for row in copies if (row.get("shift"), row.get("dropped")) == (0, 0)}
    known = before.keys() | {row["source"] for row in left_out}
    found = {
        "new": [name for name in now if whole and name not in known],
        "gone": [name for name in before if name not in now],
        "changed": [name for name, sha256 in own.items() if now.get(name, sha256) != sha256],
    }
    return ", ".join(_counted(names, what) for what, names in found.items() if names)


def _counted(names: Iterable[str], what: str) -> str:
    first, *others = names
    if not others:
        return f"1 piece is {what} ({first})"
    return f"{1 + len(others):,} pieces are {what} (such as {first})"
