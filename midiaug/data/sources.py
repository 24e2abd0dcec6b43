"""Where pieces come from: a folder of MIDI and ABC files, or the tunes bundled with music21; parquet.py has a third.

A source is a sorted list of entries; nothing is read here but the lines that part an ABC file into tunes.
"""

import logging
import os
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from midiaug.errors import ConfigError, CorpusError
from midiaug.printable import many, printable

log = logging.getLogger("midiaug")
SUFFIXES = (".mid", ".midi", ".kar", ".abc")
COLLECTIONS = {
    "aird": ("airdsAirs", "Aird's Airs, 1778 to 1801"),
    "oneill": ("oneills1850", "O'Neill's Music of Ireland"),
    "ryan": ("ryansMammoth", "Ryan's Mammoth Collection"),
    "essen": ("essenFolksong", "Essen folk songs; their own licence permits non-commercial use only"),
}
_NO_MUSIC = {".hydra", "pyvenv.cfg"}  # a run's folder, with the music that its model wrote; a Python environment
_TUNE_START = re.compile(r"^X:", re.MULTILINE)
_HEADER_FIELD = re.compile(r"[LMQ]:")


@dataclass(frozen=True, slots=True)  # a large collection has millions
class Entry:
    """One candidate piece: a MIDI file, one tune of an ABC file, or one row of a Parquet file.

    name: its path within the source, with `#3` behind it for the third of several tunes of one file.
    tune: which tune of an ABC file, counted from 0; None for a file of another kind.
    row, column: which row of a Parquet file, counted from 0, and the column with the bytes; None likewise.
    """

    name: str
    path: Path
    tune: int | None = None
    row: int | None = None
    column: str | None = None


def folder(path: str | Path) -> list[Entry]:
    """List the pieces of a folder and all folders below it, sorted by name; or of a single file.

    Links to folders are followed once, so a loop of links ends. Raises CorpusError where there is
    no such folder or no file of a known ending in it.
    """
    root = Path(path).expanduser()
    try:
        root.stat()
    except OSError as error:
        raise CorpusError(f"data.path={path}: {error.strerror or error}; give a folder of music, or a file") from error
    if root.is_file():
        files = [(root.name, root)] if root.suffix.lower() in SUFFIXES else []
    elif root.is_dir():
        files = files_below(root, SUFFIXES)
    else:
        raise CorpusError(f"data.path={path}: no such folder; give a folder that holds {' '.join(SUFFIXES)} files")
    entries = [entry for name, file in files for entry in _entries_of(file, name)]
    if not entries and root.is_dir() and not os.access(root, os.R_OK | os.X_OK):
        raise CorpusError(f"data.path={path}: this folder may not be read (Permission denied); get the right to")
    if not entries:
        raise CorpusError(
            f"data.path={path}: no {' '.join(SUFFIXES)} file in it or in the folders below; give a folder of music"
            + ("; Parquet files are read with data=parquet" if _has_parquet(root) else "")
        )
    return entries


def bundled(collection: str = "aird") -> list[Entry]:
    """List the tunes of a collection that lies as ABC text inside the installed music21 package.

    collection: aird, oneill, ryan or essen. Raises ConfigError for another name, and CorpusError
    where music21 (the extra `tunes`) is not installed.
    """
    if collection not in COLLECTIONS:
        raise ConfigError(f"data.collection={collection}: no such collection; use one of {', '.join(COLLECTIONS)}")
    spec = find_spec("music21")  # finds the package without importing it, which would take seconds
    if spec is None or not spec.submodule_search_locations:
        raise CorpusError(
            "data=bundled: the bundled tunes come with music21, which is not installed; "
            "run pip install 'midiaug[tunes]', or use data=folder data.path=DIR for your own files"
        )
    return folder(Path(spec.submodule_search_locations[0]) / "corpus" / COLLECTIONS[collection][0])


def shuffled(entries: list[Entry], seed: int) -> list[Entry]:
    """The same entries in an order that only the seed decides."""
    order = np.random.default_rng([seed, 0x6C696D69]).permutation(len(entries))
    return [entries[i] for i in order]


def tunes_of(text: str) -> list[str]:
    """Part the text of an ABC file at its `X:` lines, one string a tune."""
    head, *tunes = _TUNE_START.split(text)
    header = "".join(line + "\n" for line in head.split("\n") if _HEADER_FIELD.match(line))
    return [_with_header("X:" + tune, header) for tune in tunes]


def abc_text(data: bytes) -> str:
    """The text of an ABC file, whatever its line ends and whether or not it begins with a byte order mark."""
    return data.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n")


def _with_header(tune: str, header: str) -> str:
    first, _, rest = tune.partition("\n")
    return f"{first}\n{header}{rest}" if header else tune


def _has_parquet(root: Path) -> bool:
    return root.suffix == ".parquet" if root.is_file() else bool(files_below(root, (".parquet",)))


def files_below(root: Path, suffixes: tuple[str, ...]) -> list[tuple[str, Path]]:
    """The files of these endings in a folder and all below it: their names within it, sorted, and their paths.

    Links to folders are followed once. Folders below it whose names begin with a dot, and those of runs and of Python
    environments, hold no music of the user's: they are passed over, and a line says so.
    """
    top = os.stat(root)
    seen, names, folders = {(top.st_dev, top.st_ino)}, [], [""]
    passed: list[str] = []
    while folders:
        folder = folders.pop()
        entries = _entries_in(os.path.join(root, folder))
        if folder and (os.path.basename(folder[:-1]).startswith(".") or any(one.name in _NO_MUSIC for one in entries)):
            passed.append(folder[:-1])
            continue
        for entry in entries:
            name = f"{folder}{entry.name}"
            status = _folder_status(entry)
            if status is not None:
                if (status.st_dev, status.st_ino) not in seen:
                    seen.add((status.st_dev, status.st_ino))
                    folders.append(f"{name}/")
            # a pipe or a device never ends; a link to nowhere is named in the quarantine
            elif name.lower().endswith(suffixes) and (_is_file(entry) or not os.path.exists(entry.path)):
                names.append(name)
    if passed:
        count, first = many(len(passed), "folder"), min(passed)
        log.warning("%s: passed over %s, hidden, of runs or of Python, such as %s", root, count, printable(first))
    names.sort(key=lambda name: name.split("/"))
    return [(name, Path(root, name)) for name in names]


def _folder_status(entry: "os.DirEntry[str]") -> os.stat_result | None:
    """The status of a folder, or of the one that a link leads to; None for anything else."""
    try:
        return entry.stat() if entry.is_dir() else None
    except OSError:  # a link that leads to itself
        return None


def _is_file(entry: "os.DirEntry[str]") -> bool:
    return entry.is_file(follow_symlinks=False) or os.path.isfile(entry.path)  # the first asks the disk nothing


def _entries_in(folder: str) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)  # so that of two links to a folder the first is taken
    except OSError as error:
        _say_left_out(error)
        return []


def _say_left_out(error: OSError) -> None:
    log.warning("%s: this folder could not be opened (%s) and was left out", error.filename, error.strerror)


def _entries_of(path: Path, name: str) -> list[Entry]:
    if not name.lower().endswith(".abc"):
        return [Entry(name, path)]
    try:
        count = len(tunes_of(abc_text(path.read_bytes())))
    except OSError:
        count = 1  # reading it again names the reason in the quarantine
    if count <= 1:
        return [Entry(name, path, 0)]
    return [Entry(f"{name}#{number + 1}", path, number) for number in range(count)]
