"""What the copies are called: `a/tune.mid` becomes `a/tune_+3.mid`, and no two copies share a name."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from midiaug.data.digests import digest

_ENDING = re.compile(r"\.(?:mid|midi|kar|abc|parquet)(?=(?:#\d+)?$)", re.IGNORECASE)
_COPY = re.compile(r"_[+-]\d+\.mid$", re.IGNORECASE)
_LONGEST_BYTES = 240  # most disks take names of 255 bytes; `_+24.mid` follows


def copy_name(stem: str, shift: int) -> str:
    """The file of a copy: its stem, the shift in semitones with its sign, and `.mid`."""
    return f"{stem}_{shift:+d}.mid"


def is_copy(name: str) -> bool:
    """Whether a file is called as a copy is."""
    return bool(_COPY.search(name))


def copy_stems(names: Sequence[str]) -> list[str]:
    """What the copies of each piece begin with: its name within the source without its ending, `book#3` for a tune
    of book.abc.

    Pieces whose copies would share a name, also where a disk takes upper and lower case for the same, keep their
    ending: `tune.kar_+3.mid`. Where that is not enough, `~2`, `~3` and so on follow, in the order of the names.
    The names alone decide, not their order.
    """
    short = {name: _shortened(_ENDING.sub("", name)) for name in names}
    often = Counter(_folded(stem) for stem in short.values())
    folders = {name[: match.start()] for name in names for match in re.finditer("/", name)}
    taken = {_folded(_COPY.sub("", folder)) for folder in folders if _COPY.search(folder)}
    stems: dict[str, str] = {}
    for name in sorted(names):
        unique = often[_folded(short[name])] == 1
        stem = first = short[name] if unique else _shortened(name)
        number = 1
        while _folded(stem) in taken:
            number += 1
            stem = f"{first}~{number}"
        taken.add(_folded(stem))
        stems[name] = stem
    return [stems[name] for name in names]


def _folded(name: str) -> str:
    """The same for names that some disks take for one."""
    return unicodedata.normalize("NFC", name).casefold()


def _shortened(stem: str) -> str:
    folder, slash, last = stem.rpartition("/")
    content = last.encode(errors="surrogateescape")
    if len(content) <= _LONGEST_BYTES:
        return stem
    return f"{folder}{slash}{content[:200].decode(errors='ignore')}~{digest(content).hex()[:8]}"
