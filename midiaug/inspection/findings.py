"""What a preview found: what preview.json holds, and the lines on the screen."""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from midiaug.data.module import MidiDataModule
from midiaug.data.report import say
from midiaug.errors import CheckFailed
from midiaug.inspection.bars import cost_table, token_table
from midiaug.inspection.checks import Checked, CheckPlan
from midiaug.inspection.choice import Chosen
from midiaug.inspection.panels import MOST_ROWS, key_name

log = logging.getLogger("midiaug")
_SHOWN = 5
_CHECKS = {
    "score": "transposed scores: nothing but the pitch of pitched notes and the key signature moved",
    "file": "MIDI files, read again, hold what was written",
    "table": "both routes: the ids shifted by table are those of the transposed score",
    "decode": "the shifted ids decode to the transposed notes",
}


def report_of(
    data: MidiDataModule, plan: CheckPlan, pieces: Sequence[Chosen], checked: Sequence[Checked]
) -> dict[str, Any]:
    """The pieces with their checks, as preview.json holds them."""
    rows = [
        {
            "piece": piece.name,
            "side": piece.side,
            "key": key_name(piece.score),
            "room": [piece.lowest, piece.highest],
            "files": {f"{shift:+d}": file for shift, file in result.files.items()},
            "taken_away": {f"{shift:+d}": reason for shift, reason in result.away.items()},
            "notes_lost": {f"{shift:+d}": count for shift, count in result.lost.items()},
            "notes_without_a_token": piece.unwritable,
            "checks": result.cases,
            "decodes_to_its_own_notes": result.faithful,
            "first_bar": result.bar,
        }
        for piece, result in zip(pieces, checked, strict=True)
    ]
    failures = [
        {"piece": failure.piece, "shift": failure.shift, "check": failure.check} | asdict(failure.difference)
        for result in checked
        for failure in result.failures
    ]
    return {
        "shifts": list(data.shifts),
        "out_of_range": data.out_of_range,
        "route": "tokens" if plan.by_table else "midi",
        "seed": data.seed,
        "passed": not failures,
        "failures": failures,
        "not_checked": unchecked(checked, plan),
        "pieces": rows,
    }


def unchecked(checked: Sequence[Checked], plan: CheckPlan) -> list[str]:
    """What was not checked, and why, in words."""
    words = []
    if not plan.by_table:
        words.append(f"shifting by table: training does not use it here ({plan.why})")
    strange = [result.piece for result in checked if not result.faithful]
    if strange:
        what = "against the notes, ids with ids alone" if plan.by_table else "at all"
        count = "one piece" if len(strange) == 1 else f"{len(strange):,} pieces"
        words.append(f"decoding of {count}, such as {strange[0]}, {what}: the tokenizer loses notes in their own key")
    lost = sum(sum(result.lost.values()) for result in checked)
    if lost:
        words.append(f"{lost:,} notes that leave the tokenizer's pitches: they are in no file and have no token")
    return words


def say_pieces(pieces: Sequence[Chosen], checked: Sequence[Checked], plan: CheckPlan) -> None:
    """The pieces with the shifts that they may not take, and how many checks passed."""
    for piece, result in list(zip(pieces, checked, strict=True))[:MOST_ROWS]:
        room = f"may move {piece.lowest:+d} to {piece.highest:+d}"
        say("piece", f"{piece.name}: {key_name(piece.score)}, {piece.score.note_num():,} notes, {room}")
        for words in away(result.away):
            say("", words)
        for shift, count in result.lost.items():
            rest = "the others are checked" if shift in result.files else "which are all, and there is no file of it"
            say("", f"{shift:+d} loses {count:,} of its notes; {rest}")
        if piece.unwritable:
            say("", f"{piece.unwritable:,} notes have no token and are left out")
    if len(pieces) > MOST_ROWS:
        say("", f"and {len(pieces) - MOST_ROWS:,} more, all in preview.json")
    for check, words in _CHECKS.items():
        passed = sum(result.cases.get(check, 0) for result in checked)
        tried = passed + sum(failure.check == check for result in checked for failure in result.failures)
        if tried:
            say("check", f"{words}: {passed:,} of {tried:,}")
    for words in unchecked(checked, plan):
        say("not checked", words)


def away(reasons: dict[int, str]) -> list[str]:
    """Which shifts `limit` leaves out, those down and those up each in one line, with the reason of the nearest."""
    lines = []
    for side in ([shift for shift in reasons if shift < 0][::-1], [shift for shift in reasons if shift > 0]):
        if len(side) == 1:
            lines.append(f"{side[0]:+d} is left out: it {reasons[side[0]]}")
        elif side:
            named = ", ".join(f"{shift:+d}" for shift in side) if len(side) < 6 else f"{side[0]:+d} to {side[-1]:+d}"
            lines.append(f"{named} are left out: {side[0]:+d} {reasons[side[0]]}")
    return lines


def say_bar(checked: Sequence[Checked]) -> None:
    """The tokens of the first full bar of the first piece."""
    bar = next((result.bar for result in checked if result.bar), None)
    if bar:
        say("tokens", f"of bar {bar['bar']} of {bar['piece']}, its first full one")
        log.info("%s", token_table(bar))


def say_training(view: dict[str, Any], costs: dict[str, Any] | None, draw: str) -> None:
    """What training would see, and what the same would cost as files."""
    about = " on average" if draw == "balanced" else ""
    say(
        "training",
        f"{view['train_windows']:,} windows of {view['window']} tokens; predicted tokens an epoch{about}: "
        f"{view['tokens_an_epoch']:,} in {view['batches_an_epoch']:,} batches of {view['batch_size']}",
    )
    say("", f"{view['pairs']:,} different (window, shift) pairs, against {view['train_windows']:,} without transposing")
    if costs is None:
        say("", "that is of this file alone; with data.path=DIR, or data=bundled, of a corpus, with its costs as files")
        return
    used, now = costs["estimated_from"], costs["now"]
    log.info("%s", cost_table(costs))
    many = "one process" if costs["processes"] == 1 else f"{costs['processes']} processes"
    say("", f"estimates, for {many}, each step once, scaled by notes: writing from {used['files']:,} copies written")
    say("", f"as midiaug.materialize writes them, tokenizing from {used['tokenized_notes']:,} notes tokenized here")
    speeds = [f"{now[key]:,.2g} s" for key in ("reading_seconds_an_epoch", "reading_unshifted_seconds_an_epoch")]
    say("", f"while loading: the windows of an epoch are read in {speeds[0]} shifted, in {speeds[1]} as they are")
    if not now["tokenized_now"]:
        say("", "the tokens were made before, and are in the cache")


def end(checked: Sequence[Checked]) -> None:
    """Name the first checks that failed. Raises CheckFailed where any did."""
    failures = [failure for result in checked for failure in result.failures]
    for failure in failures[:_SHOWN]:
        say("FAILED", str(failure))
    if len(failures) > _SHOWN:
        say("", f"and {len(failures) - _SHOWN:,} more, all in preview.json")
    if failures:
        count = "a check" if len(failures) == 1 else f"{len(failures):,} checks"
        raise CheckFailed(f"{count} failed; the first: {failures[0]}; do not train with these settings")
