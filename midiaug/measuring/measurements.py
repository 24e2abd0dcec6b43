"""The parts of the benchmark, one function each; each gives its figures as the report holds them."""

import errno
import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import seed_everything

from midiaug.data.columns import kind_of
from midiaug.data.module import MidiDataModule
from midiaug.data.report import say
from midiaug.data.store import build_store
from midiaug.data.workers import cores
from midiaug.directories import shown
from midiaug.errors import BenchmarkError
from midiaug.files import write_json
from midiaug.measuring.contestants import BASE, STOCK, WHAT, line_up, training_tokens, workers_of
from midiaug.measuring.rivals import bytes_below, copies_on_disk, write_midi
from midiaug.measuring.scoreboard import plot_benchmark, tables
from midiaug.measuring.settings import BenchmarkSettings
from midiaug.measuring.steps import time_steps
from midiaug.measuring.timing import Figure, Stopwatch, in_turns, last_json, machine, ratio
from midiaug.places import check_room, fault_of
from midiaug.run import make_data
from midiaug.screen import keep_quiet
from midiaug.settings import source_name

Report = dict[str, Any]
log = logging.getLogger("midiaug")
_WARM_UP_S = 0.2


def measure(settings: BenchmarkSettings) -> Report:
    """Measure the parts that are asked for, one after another, in a temporary folder that is removed at the end."""
    data = make_data(settings)
    parts = {"loaders": loaders, "augment_dataset": offline, "start": start, "build": build, "step": step}
    with _temporary_folder() as folder:
        data.setup()
        report: Report = {"machine": machine(), "corpus": _corpus(settings, data)}
        report["settings"] = {
            name: getattr(settings, name) for name in ("parts", "rounds", "seconds", "repeats", "steps")
        }
        midi = Path(folder, "midi")
        midi.mkdir()
        files = write_midi(data, midi)
        for name, part in parts.items():
            if name in settings.parts:
                say("measuring", _DESCRIPTIONS[name])
                with _quiet():
                    report[name] = part(settings, data, files)
    data.teardown()
    return report


def run_benchmark(settings: BenchmarkSettings, directory: Path) -> Report:
    """Measure, show the tables, and write `benchmark.json` and `benchmark.png` into the directory."""
    keep_quiet()
    seed_everything(settings.seed, verbose=False)
    report = measure(settings)
    write_json(directory / "benchmark.json", report)
    plot_benchmark(report, directory / "benchmark.png")
    log.info("\n%s", tables(report))
    for label, name in {"figures": "benchmark.json", "picture": "benchmark.png"}.items():
        say(label, shown(directory / name))
    return report


_DESCRIPTIONS = {
    "loaders": "tokens a second of each loader, in turns",
    "augment_dataset": "transposed copies on disk, and the store in their place",
    "start": "from the start of a process to its first batch",
    "build": "building the store with one process and more",
    "step": "a training step, plain and through Lightning",
}


def loaders(settings: BenchmarkSettings, data: MidiDataModule, files: list[Path]) -> Report:
    """Tokens delivered a second by each loader, and how many times that of the base and of the stock loader it is."""
    lined_up = line_up(settings, data, files)
    entrants = lined_up.contestants
    try:
        runs = {name: partial(entry.tokens_per_second, settings.seconds) for name, entry in entrants.items()}
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # one core each
        for entry in entrants.values():  # what is loaded on first use is loaded
            entry.tokens_per_second(min(_WARM_UP_S, settings.seconds))
        figures = in_turns(runs, settings.rounds, "tokens/s")
    finally:
        torch.set_num_threads(threads)
        lined_up.close()
    rows = {
        name: {
            "what": WHAT[name],
            "note": entrants[name].note,
            **({} if entrants[name].share is None else {"share_of_training_tokens": entrants[name].share}),
            **figure.as_json(),
            "times_base": ratio(figure, figures[BASE]),
            "times_stock": ratio(figure, figures[STOCK]),
        }
        for name, figure in figures.items()
    }
    return {"base": BASE, "workers": workers_of(settings), "rows": rows, "left_out": lined_up.left_out}


def offline(settings: BenchmarkSettings, data: MidiDataModule, files: list[Path]) -> Report:
    """MidiTok's transposed copies of all pieces against midiaug's store of them, both from the same files.

    The store's time is that of a whole first start: reading, looking for look-alikes, the split, and the proof.
    """
    sizes: dict[str, int] = {}
    midi = files[0].parent

    def copies() -> float:
        with tempfile.TemporaryDirectory(dir=midi.parent) as folder:
            watch = Stopwatch()
            copies_on_disk(midi, Path(folder), list(data.shifts), cores())
            watch.stop()
            sizes["copies"] = bytes_below(Path(folder))
        return watch.seconds

    def store() -> float:
        with tempfile.TemporaryDirectory(dir=midi.parent) as folder:
            watch = Stopwatch()
            keys = replace(settings.data, source="folder", path=str(midi), cache_dir=folder, limit=None, split=None)
            built = make_data(replace(settings, data=keys)).store
            watch.stop()
            sizes["store"], sizes["cache"] = bytes_below(built.directory), bytes_below(Path(folder))
        return watch.seconds

    figures = in_turns({"copies": copies, "store": store}, settings.repeats, "s")
    return {
        "shifts": list(data.shifts),
        "processes": cores(),
        "files": len(list(midi.iterdir())),
        "files_bytes": bytes_below(midi),
        **{name: figure.as_json() | {"bytes": sizes[name]} for name, figure in figures.items()},
        "cache_bytes": sizes["cache"],
        "times_store": ratio(figures["copies"], figures["store"]),
    }


def start(settings: BenchmarkSettings, data: MidiDataModule, files: list[Path]) -> Report:
    """Seconds to the first batch in a new process: with an empty cache, and with the cache that it left."""
    values: dict[str, list[float]] = {"cold": [], "cached": [], "imports": []}
    for _ in range(settings.repeats):
        with tempfile.TemporaryDirectory(dir=files[0].parents[1]) as folder:
            for name in ("cold", "cached"):
                seconds = _run_fresh(settings, Path(folder))
                values[name].append(seconds["first_batch_s"])
                values["imports"].append(seconds["imports_s"])
    return {name: Figure(rounds, "s").as_json() for name, rounds in values.items()}


def build(settings: BenchmarkSettings, data: MidiDataModule, files: list[Path]) -> Report:
    """Seconds to build the store of all pieces, by the number of processes: 1, 2, 4 and so on, and all cores."""

    def seconds(processes: int) -> float:
        with tempfile.TemporaryDirectory(dir=files[0].parents[1]) as folder:
            watch = Stopwatch()
            build_store(data.corpus, data.tokenizer, data.limits, Path(folder), processes)
            watch.stop()
        return watch.seconds

    counts = [count for count in (1 << power for power in range(16)) if count < cores()] + [cores()]
    runs = {str(count): partial(seconds, count) for count in counts}
    return {name: figure.as_json() for name, figure in in_turns(runs, settings.repeats, "s").items()}


def step(settings: BenchmarkSettings, data: MidiDataModule, files: list[Path]) -> Report:
    """Seconds a training step of the model, plain and through Lightning, and what of it is spent waiting for data."""
    times = time_steps(settings, settings.rounds, settings.steps)
    return {
        "model": asdict(settings.model),
        "device": times.device,
        "route": data.route_name,
        "plain": times.plain.as_json(),
        "lightning": times.lightning.as_json(),
        "times_plain": ratio(times.lightning, times.plain),
        "waiting_share": times.waiting.as_json(),
    }


def _run_fresh(settings: BenchmarkSettings, cache: Path) -> dict[str, float]:
    file = cache / "settings.json"
    keys = {name: asdict(getattr(settings, name)) for name in ("data", "aug", "tokenizer")}
    keys["data"]["cache_dir"] = str(cache)
    file.write_text(json.dumps(keys | {"seed": settings.seed}), encoding="utf-8")
    # midiaug is found where this process found it, and the source where the user's words say
    command = [sys.executable, "-m", "midiaug.measuring.fresh", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")  # noqa: S603
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        raise BenchmarkError(f"a new process could not get ready to train ({reason}); leave `start` out of parts")
    return last_json(done.stdout)


def _corpus(settings: BenchmarkSettings, data: MidiDataModule) -> Report:
    return {
        "source": source_name(settings),
        "pieces": int(data.store.has_pieces.sum()),
        "tokens": int(data.store.tokens.offsets[-1]),
        "training_pieces": int((data.store.has_pieces & ~data.split.validation).sum()),
        "training_tokens": training_tokens(data),
        "tokenizer": kind_of(data.tokenizer),
        "shifts": list(data.shifts),
        "draw": data.draw,
        "window": data.window,
        "batch_size": data.batch_size,
        "route": data.route_name,
    }


@contextmanager
def _temporary_folder() -> Iterator[str]:
    """A folder that is removed at the end. Raises BenchmarkError where none can be made, or its disk is full."""
    try:
        with tempfile.TemporaryDirectory(prefix="midiaug benchmark ") as folder:
            check_room(Path(folder))
            yield folder
    except OSError as error:
        if error.errno != errno.ENOENT and fault_of(error) is None:
            raise
        where = tempfile.tempdir or "the folder for temporary files"
        raise BenchmarkError(
            f"{where}: cannot be written ({error.strerror}); free space there, or name another folder in the "
            "environment variable TMPDIR"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep midiaug's own report off the screen, which was printed once."""
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)
