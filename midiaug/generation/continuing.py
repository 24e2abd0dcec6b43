"""Does a continuation stay in the key of its beginning? Validation pieces, continued and as they really go on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from symusic.core import ScoreTick

from midiaug.data.report import say
from midiaug.data.transpose import transpose
from midiaug.errors import ConfigError, PitchOutOfRange
from midiaug.generation.counterpart import continuation_beside, real_continuation
from midiaug.generation.grammar import Grammar
from midiaug.generation.prompts import Prompt, bar_line, make_prompt
from midiaug.generation.songs import Song
from midiaug.keys import Key, key_of, pitch_class_weights


def choose_prompts(
    pieces: Sequence[tuple[str, ScoreTick]], n: int, bars: int, more: int, grammar: Grammar, shift: int = 0
) -> list[Prompt]:
    """The first bars of the first n pieces that are long enough and begin with notes, moved by so many semitones.

    more: how many bars must follow with a note in them. Raises ConfigError where there is no such piece.
    """
    chosen: list[Prompt] = []
    for name, score in pieces:
        if len(chosen) == n:
            break
        begin, end = bar_line(score, bars), bar_line(score, bars + more)
        try:
            prompt = make_prompt(name, transpose(score, shift), bars, grammar)
        except (ConfigError, PitchOutOfRange):  # nothing in its first bars, or no room; another piece does as well
            continue
        if shift and prompt.lost:
            continue
        if share_in_scale(real_continuation(prompt, begin, end), Key(0, "major")) is not None:
            chosen.append(prompt)
    if not chosen:
        room = f", and room for a shift of {shift:+d}" if shift else ""
        raise ConfigError(
            f"prompts=val: no validation piece has notes in its first {bars} bars and behind{room}; try others"
        )
    if len(chosen) < n:
        room = f" and have room for a shift of {shift:+d}" if shift else ""
        say("prompts", f"only {len(chosen)} validation pieces are long enough{room}, of the {n} asked for")
    return chosen


def share_in_scale(score: ScoreTick, key: Key) -> float | None:
    """The share of the pitched notes that belong to the key's scale; None without any note."""
    pitches = np.concatenate(
        [np.zeros(0, np.int64), *(track.notes.numpy()["pitch"] for track in score.tracks if not track.is_drum)]
    ).astype(np.int64)
    return float(key.scale[pitches % 12].mean()) if len(pitches) else None


def key_report(prompts: Sequence[Prompt], songs: Sequence[Song], more: int, shift: int = 0) -> dict[str, Any]:
    """How many notes stay in the scale of the prompt, generated and real, over the same time.

    The key is heard in the prompt alone, all its tracks, so that neither continuation has a say in it. shift: by how
    many semitones the pieces were moved before.
    """
    rows: list[dict[str, Any]] = []
    for prompt, song in zip(prompts, songs, strict=True):
        key = key_of(pitch_class_weights(prompt.score))
        real = continuation_beside(prompt, song)
        shares = [None if key is None else share_in_scale(score, key) for score in (song.new, real)]
        rows.append({"piece": prompt.name, "key": key and str(key), "generated": shares[0], "real": shares[1]})
    both = [row for row in rows if row["generated"] is not None and row["real"] is not None]
    means = {side: float(np.mean([row[side] for row in both])) if both else None for side in ("generated", "real")}
    counts = {"bars": prompts[0].bars, "continued": more, "shift": shift, "n": len(both)}
    return counts | {"in_scale": means, "pieces": rows}


def say_keys(report: dict[str, Any]) -> None:
    """One line of the report for the screen."""
    means = report["in_scale"]
    if means["generated"] is None:
        say("in key", "no prompt had a key that could be heard")
        return
    shifted = f", shifted by {report['shift']:+d}" if report["shift"] else ""
    say(
        "in key",
        f"{means['generated']:.0%} of the generated notes are in the scale of the {report['bars']} bars before them, "
        f"and {means['real']:.0%} of the piece's own ({report['n']} pieces{shifted})",
    )
