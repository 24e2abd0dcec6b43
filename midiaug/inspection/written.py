"""The MIDI files of a preview: what they are called and how they are written."""

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from symusic.core import ScoreTick

from midiaug.data.sources import SUFFIXES
from midiaug.files import write_whole

_LONGEST = 200  # bytes; a name may have 255


def stems_of(names: Sequence[str]) -> list[str]:
    """What the files of each piece begin with: its path without its ending; with it where two would be the same."""
    taken: set[str] = set()
    stems = []
    for name in names:
        path = PurePosixPath(name)
        short = path.stem if path.suffix.lower() in SUFFIXES else path.name
        endings = ("", *(f"_{count}" for count in range(2, len(names) + 2)))
        for stem in (short, path.name, *(f"{_cut(short)}{ending}" for ending in endings)):
            whole = str(path.parent / _cut(stem))
            if whole not in taken:
                break
        taken.add(whole)
        stems.append(whole)
    return stems


def write_midi(score: ScoreTick, path: Path) -> int:
    """Write a score as a MIDI file, in folders made as needed; returns its bytes."""
    data = bytes(score.dumps_midi())
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, lambda temporary: _write(temporary, data))
    return len(data)


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _cut(name: str) -> str:
    data = os.fsencode(name)
    return name if len(data) <= _LONGEST else data[: _LONGEST - 8].decode("utf-8", "ignore")
