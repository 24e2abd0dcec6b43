"""The MIDI files of a preview: written, and read again as any program reads them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from symusic.core import ScoreTick

from midiaug.inspection.scores import Difference, difference_of

_HEARD = ("notes", "controls", "pitch_bends", "pedals", "lyrics")


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Give a failure of the disk the name of the file, where the system left it out."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def write_midi(score: ScoreTick, path: Path) -> int:
    """Write a score as a MIDI file, in folders made as needed; returns its bytes."""
    data = bytes(score.dumps_midi())
    path.parent.mkdir(parents=True, exist_ok=True)
    with named(path):
        path.write_bytes(data)
    return len(data)


def file_difference(original: ScoreTick, path: Path, shift: int) -> Difference | None:
    """The first thing in a MIDI file, read as any program reads it, that is not the original moved by the shift.

    The original is the score as it was before any writing. Tracks without anything in them are left aside: a MIDI file
    has none.
    """
    try:
        found = ScoreTick.from_midi(path.read_bytes())
    except RuntimeError as error:  # symusic's own, for a file that is none
        return Difference("the file", "one that can be read", str(error))
    return difference_of(_heard(original), _heard(found), shift)


def _heard(score: ScoreTick) -> ScoreTick:
    kept = score.copy()
    tracks = [track for track in score.tracks if any(len(getattr(track, name)) for name in _HEARD)]
    kept.tracks = type(score.tracks)(tracks)
    return kept
