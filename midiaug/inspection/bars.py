"""The first bar as tokens, original beside shifted, and the tables on the screen."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.table import Table
from symusic.core import ScoreTick

from midiaug.data.pieces import parse
from midiaug.data.proof import tokenize
from midiaug.data.transpose import MusicTokenizer, base_vocabulary, transpose, without_unwritable
from midiaug.inspection.checks import Checked, Plan, kept_by
from midiaug.inspection.choice import Chosen
from midiaug.keys import pitch_name
from midiaug.text_tables import as_text

_COLUMNS = 4  # shifted ones, beside the original
_ROWS = 24
_PITCHED = ("Pitch", "PitchDrum", "NoteOn", "NoteOff", "DrumOn", "DrumOff")
_PLAYED = ("Pitch", "PitchDrum", "NoteOn", "DrumOn")


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


def first_bar(piece: Chosen, result: Checked, plan: Plan) -> dict[str, Any]:
    """The tokens of the first bar with a note in it, of the first track: {track, original, shifted: {shift: names}}.

    They are what the tokenizer writes of the score, and of the score transposed.
    """
    score, _ = without_unwritable(parse(piece.midi, plan.limits), plan.tokenizer)
    names = _names(plan.tokenizer, score)
    begin, end = _bar(names, score)
    shifted = {}
    for shift in result.files:
        kept = kept_by(score, shift, plan.tokenizer)[0] if plan.drop else score
        shifted[f"{shift:+d}"] = _names(plan.tokenizer, transpose(kept, shift))[begin:end]
    return {"piece": piece.name, "from_token": begin, "original": names[begin:end], "shifted": shifted}


def token_table(bar: dict[str, Any]) -> str:
    """The tokens of a first bar side by side; a star marks each that differs from the original's."""
    moving = [int(shift) for shift in bar["shifted"] if int(shift)]
    chosen = [shift for shift in some_of(moving, _COLUMNS) if shift]
    table = Table(header_style="bold")
    table.add_column("", justify="right")
    table.add_column("original")
    for shift in chosen:
        table.add_column(f"{shift:+d}")
    original = bar["original"]
    for number, name in enumerate(original[:_ROWS]):
        others = [bar["shifted"][f"{shift:+d}"] for shift in chosen]
        cells = [_cell(row[number], name) if number < len(row) else "" for row in others]
        table.add_row(str(bar["from_token"] + number), _with_pitch(name), *cells)
    text = as_text(table)
    more = len(original) - _ROWS
    note = "* differs from the original" + (f"; {more} more tokens of this bar in preview.json" if more > 0 else "")
    return f"{text}\n{note}"


def cost_table(costs: dict[str, Any]) -> str:
    """Transposed files on disk beside transposing while loading."""
    table = Table(header_style="bold")
    for head in ("", "files", "disk", "time"):
        table.add_column(head, justify="right" if head else "left")
    now = costs["now"]
    done = f"{now['seconds']:.1f} s" if now["tokenized_now"] else "made before"
    table.add_row(
        "all shifts as files, tokenized (estimate)",
        f"{costs['files']:,}",
        _bytes(costs["bytes"]),
        _time(costs["seconds"]),
    )
    table.add_row("now: tokens, shifted while loading", "none", _bytes(now["store_bytes"]), done)
    return as_text(table)


def _cell(name: str, original: str) -> str:
    return _with_pitch(name) + (" *" if name != original else "")


def _with_pitch(name: str) -> str:
    kind, _, value = name.partition("_")
    return f"{name} {pitch_name(int(value))}" if kind in ("Pitch", "NoteOn") else name


def _names(tokenizer: MusicTokenizer, score: ScoreTick) -> list[str]:
    rows = [row for row in tokenize(tokenizer, score) if len(row)]
    if not rows:
        return []
    if tokenizer.is_trained:
        return [f"id {number}" for number in rows[0].tolist()]
    by_id = {number: name for name, number in base_vocabulary(tokenizer).items()}
    return [by_id[number] for number in rows[0].tolist()]


def _bar(names: list[str], score: ScoreTick) -> tuple[int, int]:
    """Where the first bar with a note begins and ends among the tokens: by bar tokens, or by the time that passes."""
    kinds = [name.partition("_")[0] for name in names]
    played = next((at for at, kind in enumerate(kinds) if kind in _PLAYED), 0)
    bars = [at for at, kind in enumerate(kinds) if kind == "Bar"]
    if bars:
        begin = max((at for at in bars if at <= played), default=0)
        return begin, next((at for at in bars if at > played), len(names))
    first = score.time_signatures[0] if len(score.time_signatures) else None
    beats = 4 * first.numerator / max(1, first.denominator) if first is not None else 4.0
    passed = 0.0
    for at, name in enumerate(names):
        kind, _, value = name.partition("_")
        if kind in ("TimeShift", "Rest"):
            whole, part, steps = (int(number) for number in value.split("."))
            passed += whole + part / steps
        if passed >= beats and at > played:
            return 0, at
    return 0, len(names)


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
