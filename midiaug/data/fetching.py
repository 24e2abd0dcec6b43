"""The music of a published collection in the cache: downloaded once, checked, and then read as a folder."""

from pathlib import Path

from midiaug.data.cache import build_once, cache_key
from midiaug.data.download import check_file, download
from midiaug.data.published import Published
from midiaug.data.report import say
from midiaug.data.sources import Entry, folder
from midiaug.data.unpacking import unpack
from midiaug.errors import CorpusError

_KIND = "collections"  # the folder in the cache


def fetched(collection: Published, cache_dir: Path) -> list[Entry]:
    """The pieces of a collection, downloaded into the cache where they are not there yet.

    Raises CorpusError where they cannot be had, CacheError where they cannot be written.
    """
    return folder(fetched_folder(collection, cache_dir))


def fetched_folder(collection: Published, cache_dir: Path) -> Path:
    """The folder of its music in the cache; the network is asked only where it is not there.

    An archive that was put beside it by hand is taken in place of a download, and left there.
    """
    pin = cache_key([collection.archive_sha256, collection.music_sha256, collection.wanted])[:16]
    given = cache_dir / _KIND / collection.archive
    return build_once(cache_dir / _KIND / f"{collection.name}-{pin}", lambda place: _build(collection, place, given))


def _build(collection: Published, place: Path, given: Path) -> None:
    by_hand = given.is_file()
    archive = given if by_hand else place / collection.archive
    try:
        if by_hand:
            say("found", f"{archive}, put there by hand")
            check_file(archive, collection.archive_sha256)
        else:
            say("download", f"{collection.title}, from {collection.url}")
            part = given.with_name(f"{given.name}.part")
            download(collection.url, archive, part, collection.archive_sha256, collection.most_bytes)
        found = unpack(archive, place, collection.wanted, collection.most_bytes)
        if collection.music_sha256 not in (None, found):
            raise CorpusError("the music in it is not what was asked for: its SHA-256 differs")
    except CorpusError as error:
        where, advice = collection.url, f"try again, or get that file in another way and put it at {given}"
        if by_hand:
            where, advice = str(given), f"put there what {collection.url} gives, or remove it to have that downloaded"
        raise CorpusError(f"data={collection.name}: {where}: {error}; {advice}") from error
    if not by_hand:
        archive.unlink()
