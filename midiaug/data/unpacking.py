"""A zip archive from elsewhere, taken apart into one folder that nothing in it can leave, and its files' checksum."""

import hashlib
import re
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from midiaug.errors import CorpusError, one_line

_CHUNK_BYTES = 1 << 20
# what zipfile raises for junk; RuntimeError where a member has a password
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


def unpack(archive: Path, folder: Path, wanted: str, most_bytes: int) -> str:
    """Write the wanted files into the folder, without the one folder that all of the archive lies in.

    wanted: a pattern that the whole path of a file below that folder fits. most_bytes: of all files together.
    Returns what `listing_sha256` makes of them. Raises CorpusError for what is no zip archive, a name that leads
    out of the folder, a link, more bytes than that, or no wanted file; the text says what, without the archive's name.
    """
    hashes: dict[str, str] = {}
    try:
        with zipfile.ZipFile(archive) as opened:
            for member in opened.infolist():
                path = _safe_path(member)
                name = "/".join(path.parts[1:])
                if member.is_dir() or not re.fullmatch(wanted, name):
                    continue
                if name in hashes:
                    raise CorpusError(f"it holds {name} twice")
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                hashes[name], size = _write(opened, member, target, most_bytes)
                most_bytes -= size
    except _BROKEN as error:
        raise CorpusError(f"it is not a whole zip archive ({one_line(error)})") from error
    if not hashes:
        raise CorpusError("none of the music is in it")
    return listing_sha256(hashes)


def listing_sha256(hashes: dict[str, str]) -> str:
    """The SHA-256 of what `LC_ALL=C sha256sum` prints of the files in the order of their paths.

    hashes: the SHA-256 of each file, as hexadecimal digits, by its path.
    """
    lines = (f"{hashes[name]}  {name}\n".encode() for name in sorted(hashes, key=str.encode))
    return hashlib.sha256(b"".join(lines)).hexdigest()


def _safe_path(member: zipfile.ZipInfo) -> PurePosixPath:
    """The path of a member. Raises CorpusError where it is a link or a device, or leads out of a folder."""
    name, kind = member.filename, stat.S_IFMT(member.external_attr >> 16)
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        raise CorpusError(f"{name} in it leads out of its folder")
    if kind and not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        raise CorpusError(f"{name} in it is a link or no file")
    return path


def _write(opened: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, most_bytes: int) -> tuple[str, int]:
    """Write a member; returns its SHA-256 and its size, which is counted, as the archive may say anything."""
    content, size = hashlib.sha256(), 0
    with opened.open(member) as source, target.open("xb") as file:
        while chunk := source.read(_CHUNK_BYTES):
            size += len(chunk)
            if size > most_bytes:
                raise CorpusError("what it holds is larger than the music ever was")
            content.update(chunk)
            file.write(chunk)
    return content.hexdigest(), size
