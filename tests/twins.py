"""Versions of a tune that are the same tune to the split: in other keys, times, names and excerpts."""

from collections.abc import Callable

import music
from symusic import Note, Tempo
from symusic.core import ScoreTick


def retimed(score: ScoreTick) -> ScoreTick:
    """Another tempo, notes of twice the length, a bar of rest first."""
    copy = music.stretched(score, 2)
    copy.tempos = [Tempo(0, 57, ttype="tick")]
    for track in copy.tracks:
        track.notes = [Note(n.time + 3840, n.duration, n.pitch, n.velocity, "tick") for n in track.notes]
    return copy


def finer(score: ScoreTick) -> ScoreTick:
    """The same music written with twice the ticks."""
    copy = music.stretched(score, 2)
    copy.ticks_per_quarter *= 2
    return copy


def renamed(score: ScoreTick) -> ScoreTick:
    """Other track names, instruments, loudness and note lengths."""
    copy = score.copy()
    for track in copy.tracks:
        track.name, track.program = "x", track.program + 1
        track.notes = [Note(n.time, 30, n.pitch, 40, "tick") for n in track.notes]
    return copy


def only(score: ScoreTick, track: int) -> ScoreTick:
    copy = score.copy()
    copy.tracks = [copy.tracks[track]]
    return copy


def excerpt(score: ScoreTick) -> ScoreTick:
    """The second half."""
    copy = score.copy()
    for track in copy.tracks:
        track.notes = [note for note in track.notes if note.time >= 8 * music.BAR]
    return copy


TWINS: dict[str, Callable[[ScoreTick], ScoreTick]] = {
    "up 5": lambda score: music.moved(score, 5),
    "down 6": lambda score: music.moved(score, -6),
    "retimed": retimed,
    "finer ticks": finer,
    "renamed": renamed,
    "melody only": lambda score: only(score, 0),
    "chords only": lambda score: only(score, 1),
    "melody in another key": lambda score: music.moved(only(score, 0), 3),
    "second half": excerpt,
    "all at once": lambda score: renamed(retimed(music.moved(score, -2))),
}
