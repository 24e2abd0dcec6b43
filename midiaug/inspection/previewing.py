"""A preview from settings to files: choose pieces, check them in every shift, and show what training would see."""

import logging
import shlex
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig

from midiaug.data.module import MidiDataModule
from midiaug.data.pieces import parse
from midiaug.data.report import say
from midiaug.data.transpose import without_unwritable
from midiaug.data.workers import in_processes
from midiaug.directories import shown
from midiaug.errors import CheckFailed
from midiaug.files import write_json
from midiaug.inspection.bars import cost_table, first_bar, token_table
from midiaug.inspection.checks import Checked, Failure, Plan, check_pieces
from midiaug.inspection.choice import Chosen, choose
from midiaug.inspection.costs import materializing, training_view
from midiaug.inspection.panels import MOST_ROWS, key_name, plot_preview
from midiaug.inspection.scores import Difference
from midiaug.inspection.settings import PreviewSettings
from midiaug.offline.names import copy_stems
from midiaug.run import make_data
from midiaug.settings import source_name
from midiaug.words import as_typed

log = logging.getLogger("midiaug")
_SHOWN = 5
_CHECKS = {
    "score": "transposed scores: nothing but the pitch of pitched notes and the key signature moved",
    "file": "MIDI files, read again, are the same",
    "table": "both routes: the ids shifted by table are those of the transposed score",
    "decode": "the shifted ids decode to the transposed notes",
}


def run_preview(settings: PreviewSettings, directory: Path) -> dict[str, Any]:
    """Preview, and return what preview.json holds.

    Raises CheckFailed where transposed music is not what it should be, with everything written before.
    """
    began, since = time.perf_counter(), time.time()
    data = make_data(settings)
    data.setup()
    seconds = time.perf_counter() - began
    built = data.store.directory.stat().st_mtime >= since
    pieces = choose(data, settings.preview.pieces, settings.preview.file)
    plan = Plan(
        directory,
        data.tokenizer,
        data.limits,
        tuple(sorted({*data.shifts, 0})),
        data.route_name == "tokens",
        data.out_of_range == "drop",
    )
    checked = _check(pieces, plan)
    bars = [first_bar(piece, result, plan) for piece, result in zip(pieces, checked, strict=True) if result.files]
    view, costs = training_view(data), materializing(data, checked, seconds, built)
    report = _report(settings, data, pieces, checked, bars) | {"training": view, "materializing": costs}
    many = f"{len(data.shifts)} shifts from {min(data.shifts):+d} to {max(data.shifts):+d}"
    title = f"{source_name(settings)}, {many if len(data.shifts) > 12 else f'shifts {data.shifts}'}"
    title += "; pale grey: where the notes were; dark grey: drums, which stay"
    plot_preview(pieces, checked, plan, title, directory / "preview.png")
    write_json(directory / "preview.json", report)
    write_json(directory / "quarantine.json", [asdict(entry) for entry in data.quarantined])
    _say_pieces(pieces, checked, plan)
    if bars:
        say("tokens", f"of the first bar of {bars[0]['piece']}")
        log.info("%s", token_table(bars[0]))
    _say_training(data, view, costs)
    say("written", f"{shown(directory)}: preview.png, preview.json, {sum(len(r.files) for r in checked):,} MIDI files")
    _end(checked, plan)
    say("train", _train_command())
    return report


def _check(pieces: list[Chosen], plan: Plan) -> list[Checked]:
    """Check the pieces in processes of their own, and write their files."""
    plan.directory.mkdir(parents=True, exist_ok=True)
    items = list(zip(pieces, copy_stems([piece.name for piece in pieces]), strict=True))

    def lost(item: tuple[Chosen, str], reason: str) -> Checked:
        found = Difference("the process that checks", "an end", f"it {reason}")
        return Checked(item[0].name, failures=[Failure(item[0].name, 0, "process", found)])

    return list(
        in_processes(
            partial(check_pieces, plan=plan),
            items,
            [len(piece.midi) + 1000.0 for piece in pieces],
            lost,
            label="checking",
        )
    )


def _report(
    settings: PreviewSettings,
    data: MidiDataModule,
    pieces: Sequence[Chosen],
    checked: Sequence[Checked],
    bars: list[dict[str, Any]],
) -> dict[str, Any]:
    by_piece = {bar["piece"]: bar for bar in bars}
    rows = []
    for piece, result in zip(pieces, checked, strict=True):
        score, _ = without_unwritable(parse(piece.midi, data.limits), data.tokenizer)
        rows.append(
            {
                "piece": piece.name,
                "side": piece.side,
                "key": key_name(score),
                "room": [piece.lowest, piece.highest],
                "files": {f"{shift:+d}": file for shift, file in result.files.items()},
                "taken_away": {f"{shift:+d}": reason for shift, reason in result.away.items()},
                "notes_lost": {f"{shift:+d}": count for shift, count in result.lost.items()},
                "notes_without_a_token": result.unwritable,
                "checks": result.cases,
                "decodes_to_its_own_notes": result.faithful,
                "first_bar": by_piece.get(piece.name),
            }
        )
    failures = [
        {"piece": failure.piece, "shift": failure.shift, "check": failure.check} | asdict(failure.difference)
        for result in checked
        for failure in result.failures
    ]
    return {
        "shifts": list(data.shifts),
        "out_of_range": data.out_of_range,
        "route": data.route_name,
        "tokenizer": settings.tokenizer.name,
        "seed": settings.seed,
        "passed": not failures,
        "failures": failures,
        "pieces": rows,
    }


def _say_pieces(pieces: Sequence[Chosen], checked: Sequence[Checked], plan: Plan) -> None:
    for piece, result in list(zip(pieces, checked, strict=True))[:MOST_ROWS]:
        score, _ = without_unwritable(parse(piece.midi, plan.limits), plan.tokenizer)
        say(
            "piece",
            f"{piece.name}: {key_name(score)}, "
            f"{score.note_num():,} notes, may move {piece.lowest:+d} to {piece.highest:+d}",
        )
        for words in _away(result.away):
            say("", words)
        for shift, count in result.lost.items():
            say("", f"{shift:+d} loses {count:,} of its notes")
        if result.unwritable:
            say("", f"{result.unwritable:,} notes have no token and are left out")
    if len(pieces) > MOST_ROWS:
        say("", f"and {len(pieces) - MOST_ROWS:,} more, all in preview.json")
    for check, words in _CHECKS.items():
        passed = sum(result.cases.get(check, 0) for result in checked)
        tried = passed + sum(failure.check == check for result in checked for failure in result.failures)
        if tried:
            say("check", f"{words}: {passed:,} of {tried:,}")
    if not plan.by_table:
        say("check", "the table is not used, for the reason above, and so not checked")
    elif not all(result.faithful for result in checked if result.faithful is not None):
        say("", "this tokenizer does not give every original its own notes back; there, ids are compared with ids")


def _away(reasons: dict[int, str]) -> list[str]:
    """Which shifts `limit` leaves out, those down and those up each in one line, with the reason of the nearest."""
    lines = []
    for side in ([shift for shift in reasons if shift < 0][::-1], [shift for shift in reasons if shift > 0]):
        if len(side) == 1:
            lines.append(f"{side[0]:+d} is left out: it {reasons[side[0]]}")
        elif side:
            named = ", ".join(f"{shift:+d}" for shift in side) if len(side) < 6 else f"{side[0]:+d} to {side[-1]:+d}"
            lines.append(f"{named} are left out: {side[0]:+d} {reasons[side[0]]}")
    return lines


def _say_training(data: MidiDataModule, view: dict[str, Any], costs: dict[str, Any]) -> None:
    about = " on average" if data.draw == "balanced" else ""
    say(
        "training",
        f"{view['train_windows']:,} windows of {view['window']} tokens; "
        f"{view['tokens_an_epoch']:,} tokens an epoch{about}",
    )
    say("", f"{view['pairs']:,} different (window, shift) pairs, against {view['train_windows']:,} without transposing")
    used = costs["estimated_from"]
    log.info("%s", cost_table(costs))
    say("", f"the estimate: seconds and bytes a note of the {used['files']:,} files written here, in one process")


def _end(checked: Sequence[Checked], plan: Plan) -> None:
    failures = [failure for result in checked for failure in result.failures]
    for failure in failures[:_SHOWN]:
        say("FAILED", str(failure))
    if len(failures) > _SHOWN:
        say("", f"and {len(failures) - _SHOWN:,} more, all in preview.json")
    if failures:
        count = "a check" if len(failures) == 1 else f"{len(failures):,} checks"
        raise CheckFailed(f"{count} failed; the first: {failures[0]}; do not train with these settings")


def _train_command() -> str:
    """The command to train with the same keys."""
    words = [as_typed(word) for word in HydraConfig.get().overrides.task if not word.startswith("preview.")]
    return shlex.join(["python", "-m", "midiaug.train", *words])
