"""The first full bar as tokens, original beside shifted, and the tables on the screen."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from symusic.core import ScoreTick

from midiaug.data.columns import columns_of
from midiaug.data.meter import Bar, Meter
from midiaug.data.transpose import MusicTokenizer, base_vocabulary
from midiaug.keys import TONICS, Key, key_of, pitch_class_weights, pitch_name
from midiaug.text_tables import as_text

_COLUMNS = 4  # shifted ones, beside the original
_ROWS = 24


def some_of(shifts: Sequence[int], most: int) -> list[int]:
    """At most so many of the shifts, ascending: the farthest two, the nearest to 0, and others spread between."""
    ordered = sorted(shifts)
    if len(ordered) <= most:
        return ordered
    spread = [ordered[round(at)] for at in np.linspace(0, len(ordered) - 1, most)]
    nearest = min(ordered, key=abs)
    if nearest not in spread:  # in place of that next to it
        spread[min(range(1, most - 1), key=lambda at: abs(spread[at] - nearest))] = nearest
    return sorted(set(spread))


def bars_shown(
    score: ScoreTick,
    own: list[NDArray[np.int64]],
    shifted: Mapping[int, list[NDArray[np.int64]]],
    tokenizer: MusicTokenizer,
) -> dict[str, Any]:
    """The tokens of the first full bar of the first track: {bar, from_token, key, original, shifted: {shift: names}}.

    own: (tokens,) ids of each track of the score. shifted: likewise of the score in each shift. bar: counted from 1;
    an upbeat before it is passed over. key: what `key_of` hears in the score, its tonic and mode, or None.
    """
    bar = full_bar(score, bool(getattr(tokenizer, "one_token_stream", False)))
    beats = (bar.start / score.ticks_per_quarter, bar.end / score.ticks_per_quarter)
    names = {shift: _names(tokenizer, rows) for shift, rows in shifted.items()}
    original = _names(tokenizer, own)
    of_bar = (bar.number, beats, columns_of(tokenizer))
    begin, end = _bar(original, *of_bar)
    parts = {f"{shift:+d}": row[slice(*_bar(row, *of_bar))] for shift, row in names.items()}
    key = key_of(pitch_class_weights(score))
    found = {"bar": bar.number + 1, "from_token": begin, "key": None if key is None else str(key)}
    return found | {"original": original[begin:end], "shifted": parts}


def full_bar(score: ScoreTick, all_tracks: bool) -> Bar:
    """The first bar with a note in it, of the first track with notes or of all; the one after it if it is an upbeat.

    An upbeat begins with a rest of more than a quarter of a beat, or is shorter than its meter.
    """
    tracks = [track.notes.numpy()["time"] for track in score.tracks if len(track.notes)]
    onsets = np.concatenate(tracks) if all_tracks else tracks[0]
    meter, first = Meter(score), int(onsets.min())
    bar = meter.bar_at(first)
    later = onsets[onsets >= bar.end]
    if len(later) and (first - bar.start > bar.beat / 4 or bar.end - bar.start < bar.length):
        return meter.bar_at(int(later.min()))
    return bar


def token_table(bar: dict[str, Any]) -> str:
    """The tokens of a first bar side by side; a star marks each that differs from the original's."""
    moving = [int(shift) for shift in bar["shifted"] if int(shift)]
    chosen = [shift for shift in some_of(moving, _COLUMNS) if shift]
    table = Table(header_style="bold")
    table.add_column("", justify="right")
    table.add_column("original")
    for shift in chosen:
        table.add_column(f"{shift:+d}")
    original, key = bar["original"], _key_named(bar["key"])
    for number, name in enumerate(original[:_ROWS]):
        others = [(bar["shifted"][f"{shift:+d}"], key and key.moved(shift)) for shift in chosen]
        cells = [_cell(row[number], name, moved) if number < len(row) else "" for row, moved in others]
        table.add_row(str(bar["from_token"] + number), _with_pitch(name, key), *cells)
    text = as_text(table)
    more = len(original) - _ROWS
    note = "* differs from the original" + (f"; {more} more tokens of this bar in preview.json" if more > 0 else "")
    return f"{text}\n{note}"


def cost_table(costs: dict[str, Any]) -> str:
    """Transposed files on disk beside transposing while loading: the same work for both, all of it estimated."""
    table = Table(header_style="bold")
    for head in ("", "files", "disk", "writing", "tokenizing"):
        table.add_column(head, justify="right" if head else "left")
    now = costs["now"]
    table.add_row(
        "all shifts as files and as tokens",
        f"{costs['files']:,}",
        _bytes(costs["bytes"] + costs["token_bytes"]),
        _time(costs["writing_seconds"]),
        _time(costs["tokenizing_seconds"]),
    )
    row = ("tokens, shifted while loading", "none", _bytes(now["store_bytes"]), "none")
    table.add_row(*row, _time(now["tokenizing_seconds"]))
    return as_text(table)


def _key_named(words: str | None) -> Key | None:
    tonic, _, mode = (words or "").partition(" ")
    return Key(TONICS.index(tonic), "minor" if mode == "minor" else "major") if words else None


def _cell(name: str, original: str, key: Key | None) -> str:
    return _with_pitch(name, key) + (" *" if name != original else "")


def _with_pitch(name: str, key: Key | None) -> str:
    kind, _, value = name.partition("_")
    return f"{name} {pitch_name(int(value), key=key)}" if kind in ("Pitch", "NoteOn") else name


def _names(tokenizer: MusicTokenizer, ids: list[NDArray[np.int64]]) -> list[str]:
    rows = [row for row in ids if len(row)]
    if not rows:
        return []
    if tokenizer.is_trained:
        return [f"id {number}" for number in rows[0].tolist()]
    by_id = {number: name for name, number in base_vocabulary(tokenizer).items()}
    return [by_id[number] for number in rows[0].tolist()]


def _bar(names: list[str], number: int, beats: tuple[float, float], columns: int) -> tuple[int, int]:
    """Where a bar begins and ends among the tokens: by bar tokens, or by the quarter notes that pass."""
    bars: dict[int, int] = {}
    for at, name in enumerate(names):
        kind, _, value = name.partition("_")
        if kind == "Bar":  # Octuple says of each note in which bar it is
            bars.setdefault(int(value) if columns > 1 and value.isdigit() else len(bars), at - at % columns)
    if number in bars:
        return bars[number], next((at for at in bars.values() if at > bars[number]), len(names))
    begin, passed = 0, 0.0
    for at, name in enumerate(names):
        kind, _, value = name.partition("_")
        if kind not in ("TimeShift", "Rest"):
            continue
        whole, part, steps = (int(number) for number in value.split("."))
        before, passed = passed, passed + whole + part / steps
        if before < beats[0] <= passed:
            begin = at + 1
        if passed >= beats[1]:
            return min(begin, at), at
    return begin, len(names)


def _bytes(count: int) -> str:
    if count < 1e6:
        return f"{count / 1e3:.0f} kB"
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def _time(seconds: float) -> str:
    return (
        f"{seconds / 3600:.1f} h"
        if seconds >= 5400
        else f"{seconds / 60:.1f} min"
        if seconds >= 90
        else f"{seconds:.1f} s"
    )
