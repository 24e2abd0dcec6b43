"""The pieces that a preview looks at: some that the seed draws, or one that the user names."""

from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISREG

import numpy as np
from numpy.typing import NDArray
from symusic.core import ScoreTick

from midiaug.data.module import MidiDataModule
from midiaug.data.music import entries_of
from midiaug.data.pieces import parse, read_midi_bytes
from midiaug.data.proof import tokenize
from midiaug.data.shifts import room_of
from midiaug.data.sources import SUFFIXES, folder
from midiaug.data.transpose import pitch_span, without_unwritable, written_range
from midiaug.errors import ConfigError, QuarantinedFile

_DRAW = 0x70726576


@dataclass(frozen=True)
class Chosen:
    """A piece to look at.

    name: its path within the source, or its file's name. side: train, val, or none for a file outside the source.
    score: without the notes that the tokenizer has no token for; unwritable: how many those are.
    lowest, highest: the shifts in semitones that keep each note.
    stored: what the token store has of it, (tokens,) for each of its tracks; None for a file outside the source.
    tracks: the place of each stored sequence in what the tokenizer returns. row: its row in the corpus.
    """

    name: str
    side: str
    score: ScoreTick
    lowest: int
    highest: int
    stored: list[NDArray[np.integer]] | None
    tracks: list[int]
    unwritable: int = 0
    row: int | None = None


def drawn_rows(data: MidiDataModule, count: int) -> list[int]:
    """The rows in the corpus of so many pieces, from both sides of the split; more pieces: the same, and others."""
    usable = np.flatnonzero(data.store.has_pieces)
    order = np.random.default_rng([data.seed, _DRAW]).permutation(len(usable))
    return [int(row) for row in usable[order[:count]]]


def choose(data: MidiDataModule, pieces: int, file: str | None, outside: list[Chosen] | None = None) -> list[Chosen]:
    """The piece that `file` names, or that many that the seed draws from both sides of the split.

    outside: what read_file returned. Raises ConfigError for a file that is not there or cannot be used.
    """
    if file is None:
        return [_of_source(data, row) for row in drawn_rows(data, pieces)]
    within = _names_within(data, file, Path(file).expanduser())
    usable = {name: row for row, name in enumerate(data.corpus.names.all()) if data.store.has_pieces[row]}
    # a file of several tunes stands for all of them
    found = [row for name, row in usable.items() if name in within or name.rpartition("#")[0] in within]
    if found:
        return [_of_source(data, row) for row in found[:pieces]]
    for entry in data.quarantined:
        same = entry.file in within or entry.file.rpartition("#")[0] in within
        if same and "the same bytes as" not in entry.reason:
            raise ConfigError(f"preview.file={file}: it cannot be used: {entry.reason}; give another file")
    outside = outside or read_file(data, pieces, file)
    if outside is None:
        raise ConfigError(
            f"preview.file={file}: among the pieces that data.limit leaves out; give another, or its path"
        )
    return outside


def read_file(data: MidiDataModule, pieces: int, file: str) -> list[Chosen] | None:
    """What is in the file, at most so many tunes; None for the name of a piece of the source that is no path here.

    Nothing of the source is read. Raises ConfigError for what is no music, and for what is neither.
    """
    path = Path(file).expanduser()
    try:
        kind = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        _check_named(data, file)
        return None
    except OSError as error:
        raise ConfigError(f"preview.file={file}: it cannot be opened ({error.strerror}); give another file") from error
    if S_ISDIR(kind):
        raise ConfigError(f"preview.file={file}: that is a folder; give a file in it, or data.path={file} for all")
    if path.suffix.lower() not in SUFFIXES or not S_ISREG(kind):
        raise ConfigError(f"preview.file={file}: not a {' '.join(SUFFIXES)} file; give another")
    chosen: list[Chosen] = []
    reason = "nothing in it"
    for entry in folder(path):
        if len(chosen) == pieces:
            break
        try:
            chosen.append(_chosen(entry.name, read_midi_bytes(entry), data))
        except QuarantinedFile as error:
            reason = str(error)
    if not chosen:
        raise ConfigError(f"preview.file={file}: it cannot be used: {reason}; give another file")
    return chosen


def _check_named(data: MidiDataModule, file: str) -> None:
    """Raise ConfigError where no piece of the source is called so."""
    if not any(file in (entry.name, entry.name.rpartition("#")[0]) for entry in entries_of(data.place)):
        raise ConfigError(f"preview.file={file}: no such file, and no piece of that name in the source; give another")


def _chosen(name: str, midi: bytes, data: MidiDataModule) -> Chosen:
    score, unwritable = without_unwritable(parse(midi, data.limits), data.given_tokenizer)
    span = pitch_span(score)
    if span is None:
        raise QuarantinedFile("no note within the pitches that the tokenizer writes")
    tokenize(data.given_tokenizer, score)  # which refuses what has too many bars for it
    return Chosen(name, "none", score, *room_of(span, written_range(data.given_tokenizer)), None, [], unwritable)


def _of_source(data: MidiDataModule, row: int) -> Chosen:
    store = data.store
    sequences = store.sequences(row)
    score, unwritable = without_unwritable(parse(data.corpus.midi[row].tobytes(), data.limits), data.given_tokenizer)
    return Chosen(
        name=data.corpus.names[row],
        side="val" if data.split.validation[row] else "train",
        score=score,
        lowest=int(store.lowest[row]),
        highest=int(store.highest[row]),
        stored=[np.array(store.tokens[number]) for number in sequences],
        tracks=[int(store.track[number]) for number in sequences],
        unwritable=unwritable,
        row=row,
    )


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
