"""A whole comparison: reads what there is, says what came of it, and writes compare.json, compare.html and gap.png."""

import logging
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from midiaug import __version__
from midiaug.comparison.before_after import best_of, write_picture
from midiaug.comparison.fairness import fairness
from midiaug.comparison.finding import find_runs
from midiaug.comparison.gained import Gain
from midiaug.comparison.gains import gains_of
from midiaug.comparison.groups import FIGURES, Described, Group, describe, grouped
from midiaug.comparison.music import look_at_music
from midiaug.comparison.page import page
from midiaug.comparison.runs import read_runs
from midiaug.comparison.settings import CompareSettings
from midiaug.comparison.tables import screen_text
from midiaug.comparison.variety import in_scale
from midiaug.data.report import say
from midiaug.directories import shown
from midiaug.errors import ComparisonError, MidiaugError, OutputError, one_line
from midiaug.files import all_or_none, write_json, write_text
from midiaug.printable import printable
from midiaug.screen import keep_quiet
from midiaug.tokenizers import make_tokenizer

log = logging.getLogger("midiaug")
_SOMETIMES = {"gap.png", "quarantine.json"}
_SAID = {"compare.json": "figures", "gap.png": "picture", "compare.html": "page"}


def compare(settings: CompareSettings, directory: Path) -> dict[str, Any]:
    """Compare, write compare.json and compare.html into the directory, and return what compare.json holds.

    Where augmentation was tried and the losses are known, gap.png shows them without and with the one that gained most.
    Where music is shown, quarantine.json says which of its files were left out.
    Raises ComparisonError where there is no run and no music was asked for; MidiaugError for music that was asked for
    and cannot be read; OutputError where a file cannot be written.
    """
    keep_quiet()
    asked = settings.tokenizer  # what was asked for is checked before anything is read
    if asked.name is not None or asked.file is not None:
        make_tokenizer(asked.name or "REMI", asked.params, asked.file)
    described, groups, gains, remarks = _compare_runs(settings)
    music, more = _music(settings, described)
    remarks += more
    for remark in remarks:
        say("remark", remark)
    log.info("\n%s\n", screen_text(described, groups, gains, music))
    content = {
        "version": __version__,
        "runs": [run_figures(one) for one in described],
        "groups": [group_figures(group) for group in groups],
        "gains": [gain_figures(gain) for gain in gains],
        "music": music,
        "remarks": remarks,
    }
    files: dict[str, Callable[[Path], None]] = {}
    if music:
        files["quarantine.json"] = partial(write_json, content=music.pop("quarantined"))
    files["compare.json"] = partial(write_json, content=content)
    best = best_of(gains)
    if best:
        files["gap.png"] = partial(write_picture, gain=best)
    files["compare.html"] = partial(write_text, text=page(described, groups, gains, music, remarks))
    _write(directory, files)
    for name, what in _SAID.items():
        if name in files:
            say(what, shown(directory / name))
    return content


def _write(directory: Path, files: dict[str, Callable[[Path], None]]) -> None:
    """Write all files or none. Raises OutputError, which names the file, where one cannot be written."""
    name = ""
    try:
        with all_or_none(directory, "compare") as work:
            for name, write in files.items():
                write(work / name)
        for name in _SOMETIMES - files.keys():  # of a comparison here before
            (directory / name).unlink(missing_ok=True)
    except OSError as error:
        where = directory / Path(error.filename2 or name).name  # a renaming that fails names the file as the second
        raise OutputError(
            f"{shown(where)}: cannot be written ({error.strerror or one_line(error)}); free space there, or "
            "write elsewhere with hydra.run.dir=DIR"
        ) from error


def _compare_runs(settings: CompareSettings) -> tuple[list[Described], list[Group], list[Gain], list[str]]:
    if not settings.paths:
        return [], [], [], []
    found = find_runs(settings.paths)
    runs, remarks = read_runs(found)
    remarks = [*found.remarks, *remarks]
    if not runs and not settings.asks_for_music:
        why = (
            f" ({remarks[0]}" + (f", and {len(remarks) - 1} more" if len(remarks) > 1 else "") + ")" if remarks else ""
        )
        raise ComparisonError(
            f"runs={','.join(settings.paths)}: no run that can be compared{why}; give folders of runs"
        )
    own = sum(run.own for run in runs)
    say("runs", f"{own:,} of midiaug, {len(runs) - own:,} of other programs")
    described = describe(runs)
    groups = grouped(described)
    gains, without = gains_of(groups)
    return described, groups, gains, [*remarks, *fairness(described), *without]


def _music(settings: CompareSettings, described: list[Described]) -> tuple[dict[str, Any] | None, list[str]]:
    """The music, None where there is none to show, and what is to be said of it."""
    if not settings.music:
        return None, []
    try:
        return look_at_music(settings, described)
    except MidiaugError as error:
        if settings.asks_for_music:
            raise
        return None, [f"the music is not shown: {error}"]


def run_figures(one: Described) -> dict[str, Any]:
    """A run as compare.json has it."""
    run = one.run
    return {
        "name": run.name,
        "path": str(run.path),
        "model": one.of_model,
        "level": one.level,
        "shifts": None if one.shifts is None else list(one.shifts),
        "seed": one.seed,
        "finished": run.finished,
        "of_midiaug": run.own,
        "best_epoch": run.best["epoch"],
        "epochs": run.rows[-1]["epoch"],
        "loss": {side: run.best[f"loss/{side}"] for side in ("train", "val", "gap")},
        "corrected": run.corrected,
        "yardstick": run.yardstick and asdict(run.yardstick),
        "nats_per_note": {side: run.best.get(f"nats_per_note/{side}") for side in ("train", "val")},
        "key_spread": run.summary.get("key_spread"),
        "over_keys": FIGURES["over_keys"](run),
        "loss_by_key": one.losses_by_key or None,
        "equivariance": run.summary.get("equivariance"),
        "loss_averaged_over_keys": run.summary.get("loss_averaged_over_keys"),
        "told": run.summary.get("told"),
        "seconds": run.seconds,
        "tokens_per_second": run.tokens_per_second,
        "curves": {side: [row[f"loss/{side}"] for row in run.rows] for side in ("train", "val")}
        | {"epoch": [row["epoch"] for row in run.rows]},
        "generated": {
            printable(name): {key: content.get(key) for key in ("variety", "copying")} | {"in_scale": in_scale(content)}
            for name, content in run.generated.items()
        },
    }


def group_figures(group: Group) -> dict[str, Any]:
    """Runs that differ by their seed alone as compare.json has them."""
    return {"label": group.label, "runs": [one.run.name for one in group.members], **group.figures()}


def gain_figures(gain: Gain) -> dict[str, Any]:
    """A gain as compare.json has it."""
    more = {name: getattr(gain, name) for name in ("closed", "percent", "verdict", "sentence")}
    return asdict(gain) | more | {"curves": gain.crossing.words if gain.crossing else None}
