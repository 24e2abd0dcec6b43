"""A preview from settings to files: choose pieces, check them in every shift, and show what training would see."""

import shlex
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig

from midiaug.data.columns import kind_of
from midiaug.data.module import MidiDataModule
from midiaug.data.report import say
from midiaug.data.transpose import TokenTransposer
from midiaug.data.workers import in_processes
from midiaug.directories import program, shown
from midiaug.errors import OutputError, RouteError
from midiaug.files import all_or_none, write_json
from midiaug.inspection.checks import Checked, CheckPlan, Failure, check_pieces
from midiaug.inspection.choice import Chosen, choose, read_file
from midiaug.inspection.costs import Measured, file_view, materializing, training_view, written
from midiaug.inspection.findings import end, report_of, say_bar, say_pieces, say_training
from midiaug.inspection.panels import MOST_ROWS, plot_preview
from midiaug.inspection.scores import Difference
from midiaug.inspection.settings import PreviewSettings, names_a_source
from midiaug.inspection.written import named
from midiaug.offline.names import copy_stems
from midiaug.run import make_data
from midiaug.settings import source_name
from midiaug.words import as_typed

_MERGED = "tokens are merged after the shift; the line above that begins with route says what was compared of them"


def run_preview(settings: PreviewSettings, directory: Path) -> dict[str, Any]:
    """Preview, and return what preview.json holds. What is written is there whole at the end, or not at all.

    Raises CheckFailed where transposed music is not what it should be, with everything written before, and OutputError
    where the directory cannot be written.
    """
    data, file = make_data(settings), settings.preview.file
    outside = None if file is None else read_file(data, settings.preview.pieces, file)
    alone = outside is not None and not names_a_source(HydraConfig.get().overrides.task)
    began, since = time.perf_counter(), time.time()
    if alone:
        pieces, built = outside or [], False
        say("source", f"{file} alone")
    else:
        data.setup()
        built = data.store.directory.stat().st_mtime >= since
        pieces = choose(data, settings.preview.pieces, file, outside)
    seconds = time.perf_counter() - began
    try:
        with all_or_none(directory, "preview") as scratch:
            plan = _plan(data, pieces if alone else None, scratch)
            checked = _check(pieces, plan)
            view = file_view(data, pieces, checked) if alone else training_view(data)
            costs = None if alone else _costs(data, pieces, checked, scratch, seconds, built)
            report = report_of(data, plan, pieces, checked)
            report |= {"tokenizer": kind_of(plan.tokenizer), "training": view, "materializing": costs}
            _write(scratch, report, data, alone)
            with named(scratch / "preview.png"):
                title = _title(data, Path(str(file)).name if alone else source_name(settings), pieces[:MOST_ROWS])
                plot_preview(pieces, checked, plan, title, scratch / "preview.png")
    except OSError as error:
        where = Path(str(error.filename or directory).replace(f"{scratch}/", f"{directory}/"))
        text = f"{shown(where)}: cannot be written ({error.strerror}); nothing of this preview was kept; "
        raise OutputError(text + "make room there, or write elsewhere with hydra.run.dir=DIR") from error
    except KeyboardInterrupt:
        say("stopped", "nothing of this preview was kept")
        raise
    say_pieces(pieces, checked, plan)
    say_bar(checked)
    say_training(view, costs, data.draw)
    say("written", f"{shown(directory)}: preview.png, preview.json, {sum(len(r.files) for r in checked):,} MIDI files")
    end(checked)
    if not alone:  # one file is no corpus
        say("train", _train_command())
    return report


def _plan(data: MidiDataModule, alone: Sequence[Chosen] | None, directory: Path) -> CheckPlan:
    """What to check: by table where training would shift by table. alone: pieces that stand for the whole source."""
    drop, shifts = data.out_of_range == "drop", tuple(sorted({*data.shifts, 0}))
    tokenizer = data.tokenizer if alone is None else data.given_tokenizer  # nothing is learned from one file
    plan = CheckPlan(directory, tokenizer, shifts, True, drop)
    if alone is None and data.route_name == "tokens" and tokenizer.is_trained:
        return replace(plan, by_table=False, why=_MERGED)
    if alone is None:
        return replace(plan, by_table=data.route_name == "tokens", why="the line above that begins with route says why")
    if data.requested_route == "midi":
        return replace(plan, by_table=False, why="as data.route asks")
    losing = any(piece.lowest > shifts[0] or piece.highest < shifts[-1] for piece in alone)
    why = "aug.out_of_range=drop takes notes away, which no table can" if drop and losing else ""
    try:
        TokenTransposer(tokenizer)
    except RouteError as error:
        why = str(error)
    if why and data.requested_route == "tokens":
        raise RouteError(f"data.route=tokens: {why}; use data.route=auto or data.route=midi")
    return replace(plan, by_table=not why, why=why)


def _check(pieces: list[Chosen], plan: CheckPlan) -> list[Checked]:
    """Check the pieces in processes of their own, and write their files."""
    items = list(zip(pieces, copy_stems([piece.name for piece in pieces]), strict=True))

    def lost(item: tuple[Chosen, str], reason: str) -> Checked:
        found = Difference("the process that checks", "an end", f"it {reason}")
        return Checked(item[0].name, failures=[Failure(item[0].name, 0, "process", found)])

    work, weights = partial(check_pieces, plan=plan), [piece.score.note_num() + 100.0 for piece in pieces]
    return list(in_processes(work, items, weights, lost, label="checking"))


def _costs(
    data: MidiDataModule, pieces: list[Chosen], checked: list[Checked], scratch: Path, seconds: float, built: bool
) -> dict[str, Any]:
    with named(scratch):
        files = written(data, pieces, scratch / ".copies")
    sums = sum(result.notes for result in checked), sum(result.seconds for result in checked)
    return materializing(data, files, Measured(0, sums[0], 0, sums[1]), seconds, built)


def _write(scratch: Path, report: dict[str, Any], data: MidiDataModule, alone: bool) -> None:
    left_out = [] if alone else [asdict(entry) for entry in data.quarantined]
    for name, content in (("preview.json", report), ("quarantine.json", left_out)):
        with named(scratch / name):
            write_json(scratch / name, content)


def _title(data: MidiDataModule, source: str, shown_pieces: Sequence[Chosen]) -> str:
    many = f"{len(data.shifts)} shifts from {min(data.shifts):+d} to {max(data.shifts):+d}"
    title = f"{source}, {many if len(data.shifts) > 12 else f'shifts {data.shifts}'}"
    drums = any(track.is_drum and len(track.notes) for piece in shown_pieces for track in piece.score.tracks)
    return title + "; pale grey: where the notes were" + ("; dark grey: drums, which stay" if drums else "")


def _train_command() -> str:
    """The command to train with the same keys."""
    words = [as_typed(word) for word in HydraConfig.get().overrides.task if not word.startswith("preview.")]
    return shlex.join([program("python"), "-m", "midiaug.train", *words])
