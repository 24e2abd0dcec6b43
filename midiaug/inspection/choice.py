"""The pieces that a preview looks at: some that the seed draws, or one that the user names."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from midiaug.data.module import MidiDataModule
from midiaug.data.pieces import parse, read_midi_bytes
from midiaug.data.shifts import room_of
from midiaug.data.sources import SUFFIXES, folder
from midiaug.data.transpose import pitch_span, without_unwritable, written_range
from midiaug.errors import ConfigError, QuarantinedFile

_DRAW = 0x70726576


@dataclass(frozen=True)
class Chosen:
    """A piece to look at.

    name: its path within the source, or its file's name. side: train, val, or none for a file outside the source.
    midi: its bytes. lowest, highest: the shifts in semitones that keep each note.
    stored: what the token store has of it, (tokens,) for each of its tracks; None for a file outside the source.
    tracks: the place of each stored sequence in what the tokenizer returns.
    """

    name: str
    side: str
    midi: bytes
    lowest: int
    highest: int
    stored: list[NDArray[np.integer]] | None
    tracks: list[int]


def choose(data: MidiDataModule, pieces: int, file: str | None) -> list[Chosen]:
    """The piece that `file` names, or that many that the seed draws from both sides of the split.

    Raises ConfigError for a file that is not there or cannot be used.
    """
    if file is not None:
        return _named(data, file, pieces)
    rows = np.flatnonzero(data.store.has_pieces)
    order = np.random.default_rng([data.seed, _DRAW]).permutation(len(rows))  # more pieces: the same, and others
    return [_of_source(data, int(row)) for row in rows[order[:pieces]]]


def _of_source(data: MidiDataModule, row: int) -> Chosen:
    store = data.store
    sequences = store.sequences(row)
    return Chosen(
        name=data.corpus.names[row],
        side="val" if data.split.validation[row] else "train",
        midi=data.corpus.midi[row].tobytes(),
        lowest=int(store.lowest[row]),
        highest=int(store.highest[row]),
        stored=[np.array(store.tokens[number]) for number in sequences],
        tracks=[int(store.track[number]) for number in sequences],
    )


def _named(data: MidiDataModule, file: str, pieces: int) -> list[Chosen]:
    path = Path(file).expanduser()
    within = _names_within(data, file, path)
    usable = {name: row for row, name in enumerate(data.corpus.names.all()) if data.store.has_pieces[row]}
    # a file of several tunes stands for all of them
    found = [row for name, row in usable.items() if name in within or name.rpartition("#")[0] in within]
    if found:
        return [_of_source(data, row) for row in found[:pieces]]
    for entry in data.quarantined:
        same = entry.file in within or entry.file.rpartition("#")[0] in within
        if same and "the same bytes as" not in entry.reason:
            raise ConfigError(f"preview.file={file}: it cannot be used: {entry.reason}; give another file")
    if not path.is_file():
        raise ConfigError(f"preview.file={file}: no such file, and no piece of that name in the source; give another")
    return _outside(data, file, path, pieces)


def _names_within(data: MidiDataModule, file: str, path: Path) -> set[str]:
    """What the file may be called within the source."""
    if data.path is None or data.source != "folder":
        return {file}
    root = Path(data.path).expanduser()
    if not path.is_file():
        return {file}
    if root.is_file():
        return {root.name} if root.resolve() == path.resolve() else set()
    inside = [root.absolute(), path.absolute()], [root.resolve(), path.resolve()]
    return {other.relative_to(top).as_posix() for top, other in inside if other.is_relative_to(top)}


def _outside(data: MidiDataModule, file: str, path: Path, pieces: int) -> list[Chosen]:
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"preview.file={file}: not a .mid .midi .kar .abc file; give another")
    chosen: list[Chosen] = []
    reason = "nothing in it"
    for entry in folder(path):
        if len(chosen) == pieces:
            break
        try:
            midi = read_midi_bytes(entry)
            score, _ = without_unwritable(parse(midi, data.limits), data.tokenizer)
            span = pitch_span(score)
            if span is None:
                raise QuarantinedFile("no note within the pitches that the tokenizer writes")
        except QuarantinedFile as error:
            reason = str(error)
            continue
        lowest, highest = room_of(span, written_range(data.tokenizer))
        chosen.append(Chosen(entry.name, "none", midi, lowest, highest, None, []))
    if not chosen:
        raise ConfigError(f"preview.file={file}: it cannot be used: {reason}; give another file")
    return chosen
