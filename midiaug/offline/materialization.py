"""Writes each piece in each of its shifts to disk, with a manifest and a split that whoever trains on it needs."""

import hashlib
import json
import logging
import os
import shlex
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from hydra.core.hydra_config import HydraConfig
from symusic import __version__ as symusic_version

from midiaug import __version__
from midiaug.data.cache import default_cache_dir
from midiaug.data.columns import flattened, kind_of
from midiaug.data.corpus import Corpus, Quarantined
from midiaug.data.digests import digest
from midiaug.data.music import Reading, Source, list_entries, read_pieces
from midiaug.data.pieces import Limits
from midiaug.data.report import report_pieces, report_split, say
from midiaug.data.shifts import Shifts
from midiaug.data.split import Split
from midiaug.data.transpose import MusicTokenizer, written_range
from midiaug.data.workers import Processes, cores, in_processes
from midiaug.directories import program, shown, this_command
from midiaug.errors import OutputError
from midiaug.files import write_text
from midiaug.offline.copies import Copies, LeftOut, Piece, Writing, place, write_copies
from midiaug.offline.folder import MANIFEST, SPLIT, Target, check_place, check_reachable
from midiaug.offline.names import copy_name, copy_stems
from midiaug.offline.noted import is_of, read_object
from midiaug.offline.settings import MaterializeSettings
from midiaug.offline.summary import Summary, summary_of
from midiaug.settings import collection_name
from midiaug.words import as_typed

log = logging.getLogger("midiaug")
_FORMAT = 1


def materialize(settings: MaterializeSettings, tokenizer: MusicTokenizer) -> tuple[Summary, list[Quarantined]]:
    """Write the copies, manifest.json and split.json into `settings.out`; returns the figures, and what was left out.

    A run that was stopped goes on; one that is done finds its files there. tokenizer: its pitches are the range.
    Raises ConfigError where the folder is one with the music's, OutputError where it cannot be written or holds
    anything else in the way, CorpusError and SplitError as training does.
    """
    data, tokenizer, start = settings.data, flattened(tokenizer), time.perf_counter()
    out = Path(str(settings.out)).expanduser()
    shifts = Shifts.parse(settings.aug.shifts)
    check_reachable(out)
    cache_dir = Path(data.cache_dir).expanduser() if data.cache_dir else default_cache_dir()
    entries = list_entries(Source(data.source, data.path, data.collection, data.column, cache_dir))
    check_place(out, data.path if data.source != "bundled" else None, entries)
    limits = Limits(data.max_bars, data.max_tokens)
    how = Reading(limits, data.limit, data.val_split, data.split, data.twin_share, settings.seed)
    count = cores() if data.num_workers == "auto" else data.num_workers
    with Processes(min(count, len(entries))) as processes:  # the same ones read and write
        corpus, split = read_pieces(entries, how, cache_dir, processes)
        report_pieces(len(corpus), corpus.quarantined)
        report_split(split, np.ones(len(corpus), bool), data.twin_share)
        say("shifts", f"{shifts} semitones")
        out_of_range: Any = settings.aug.out_of_range  # checked before
        target = Target(out, _header(settings, tokenizer, corpus, split), partial(_own_hashes, corpus))
        writing = Writing(out, written_range(tokenizer), shifts, out_of_range)
        try:
            return _write(corpus, split, target, writing, processes, start)
        except OSError as error:
            reason = f"{error.strerror}: {error.filename}" if error.filename else error.strerror or str(error)
            raise OutputError(
                f"out={settings.out}: cannot be written ({reason}); make room there or get the right to write, and "
                "start again: it goes on, or give another folder"
            ) from error


def _own_hashes(corpus: Corpus) -> dict[str, str]:
    names = corpus.names.all()
    return {name: hashlib.sha256(corpus.midi[row].tobytes()).hexdigest() for row, name in enumerate(names)}


def _header(settings: MaterializeSettings, tokenizer: MusicTokenizer, corpus: Corpus, split: Split) -> dict[str, Any]:
    """What was asked for: two runs with the same of these write the same files."""
    return {
        "midiaug": __version__,
        "symusic": symusic_version,
        "format": _FORMAT,
        "source": settings.data.path or collection_name(vars(settings.data)),
        "corpus": corpus.key,
        "shifts": list(Shifts.parse(settings.aug.shifts)),
        "out_of_range": settings.aug.out_of_range,
        "tokenizer": kind_of(tokenizer),
        "pitch_range": list(written_range(tokenizer)),
        "seed": split.seed,
        "val_split": split.val_split,
        "split": digest(np.packbits(split.validation).tobytes() + np.asarray(split.group).tobytes()).hex(),
        "hash": "sha256 of the file",
    }


def _write(
    corpus: Corpus, split: Split, target: Target, how: Writing, processes: Processes, start: float
) -> tuple[Summary, list[Quarantined]]:
    names = corpus.names.all()
    stems = copy_stems(names)
    planned = (copy_name(stem, shift) for stem in stems for shift in {0, *how.shifts})
    with target.opened(planned):
        known = sum(len(rows) for rows in target.former.values())
        if known:
            say("found", f"{known:,} files of {'a run that came to its end' if target.finished else 'a stopped run'}")
        for folder in sorted({os.path.dirname(stem) for stem in stems}):
            (target.out / folder).mkdir(parents=True, exist_ok=True)
        sides = ["val" if val else "train" for val in split.validation.tolist()]
        columns = zip(names, stems, sides, np.asarray(split.group).tolist(), strict=True)
        pieces = [_with_former(Piece(row, *column), target, how) for row, column in enumerate(columns)]
        results = _results(pieces, corpus, target, how, processes)
        processes.let_go()
        left_out = [entry for copies in results for entry in copies.left_out]
        unread = [LeftOut(entry.file, None, entry.reason) for entry in corpus.quarantined]
        _finish(target, split, results, left_out + unread)
    summary = summary_of(pieces, results, len(unread), time.perf_counter() - start)
    _report(summary, results, left_out, how)
    return summary, [Quarantined(entry.source, entry.reason) for entry in left_out + unread]


def _with_former(piece: Piece, target: Target, how: Writing) -> Piece:
    """The piece with what a former run noted of it, if that is what this run would note."""
    former = target.former.get(piece.name)
    if former is None or not all(is_of(row, piece, how.shifts) for row in former):
        return piece
    return replace(piece, former=former, left_out=tuple(target.left_out.get(piece.name, ())))


def _results(
    pieces: Sequence[Piece], corpus: Corpus, target: Target, how: Writing, processes: Processes
) -> list[Copies]:
    work = partial(write_copies, corpus=corpus.directory, how=how)
    weights = (2000.0 + corpus.midi.lengths()).tolist()
    results: list[Copies] = []
    try:
        with closing(in_processes(work, pieces, weights, _lost, label="writing", processes=processes)) as written:
            for result in written:
                target.note(result)
                results.append(result)
    except KeyboardInterrupt:
        files = sum(copies.files for copies in results)
        done = f"{files:,} files, all of {len(results):,} of the {len(pieces):,} pieces, and some of the next are there"
        say("stopped", f"{done}; the same command goes on from them")
        say("", f"to go on: {this_command()}")
        raise
    return results


def _lost(piece: Piece, reason: str) -> NoReturn:
    raise OutputError(f"{piece.name}: writing its copies {reason}; start again, and if it fails again leave it out")


def _finish(target: Target, split: Split, results: Sequence[Copies], left_out: Sequence[LeftOut]) -> None:
    """Write split.json and, last of all, manifest.json; neither where it is there already and right."""
    drawn = json.dumps({"seed": split.seed, "val_split": split.val_split})[:-1]
    sides = ", ".join(copies.sides for copies in results if copies.sides)
    place(f"{target.out}/{SPLIT}", f'{drawn}, "pieces": {{{sides}}}}}\n'.encode())
    # a line for each file, which json's own indent would spread over nine
    rows = ",\n".join(copies.rows for copies in results if copies.rows)
    lost = ",\n".join(json.dumps(asdict(entry)) for entry in left_out)
    head = "".join(f" {json.dumps(key)}: {json.dumps(value)},\n" for key, value in target.header.items())
    text = f'{{\n{head} "copies": [\n{rows}\n],\n "left_out": [\n{lost}\n]\n}}\n'
    if target.finished:
        former = read_object(target.out / MANIFEST)
        if all(former.get(key) == value for key, value in json.loads(text).items() if key in ("copies", "left_out")):
            return
        log.warning("%s did not say what is there; it was written anew", target.out / MANIFEST)
    write_text(target.out / MANIFEST, text)
    target.finished = True


def _report(summary: Summary, results: Sequence[Copies], left_out: Sequence[LeftOut], how: Writing) -> None:
    fewer = sum(0 < result.files < len(how.shifts) for result in results)
    if fewer and how.out_of_range == "limit":
        say("", f"{fewer:,} pieces take fewer of them, so that each keeps all of its notes")
    for line in summary.table().splitlines():
        log.info(line)
    for entry in left_out[:1]:
        which = f"{len(left_out):,} not written, such as {entry.source}"
        log.warning("%s%s: %s", which, f" at {entry.shift:+d}" if entry.shift is not None else "", entry.reason)
    say("files", f"{summary.written:,} written, {summary.files - summary.written:,} were there already")
    folder = shown(how.out)
    say("copies", folder)
    words = HydraConfig.get().overrides.task if HydraConfig.initialized() else []
    kept = [as_typed(word) for word in words if word.lstrip("+").startswith(("tokenizer", "data.cache_dir="))]
    split = os.path.join(folder, SPLIT)
    train = [program("python"), "-m", "midiaug.train", f"data.path={folder}", f"data.split={split}", "aug=none", *kept]
    say("to train", shlex.join(train))
