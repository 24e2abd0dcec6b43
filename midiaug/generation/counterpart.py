"""The real music that generated music is held against: the same kind of part, over as many bars.

Pieces from nothing are held against beginnings, continuations against continuations: what follows a beginning has
other pitches, repeats and rhythms than the beginning itself, and a melody others than its accompaniment.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from symusic.core import ScoreTick

from midiaug.data.transpose import without_unwritable
from midiaug.generation.grammar import Grammar
from midiaug.generation.prompts import Prompt, bar_line, between, pitched_tracks
from midiaug.generation.songs import Song
from midiaug.metrics import parts_of
from midiaug.printable import many

_MOST_PIECES = 256  # more make the figures no surer
Pieces = Sequence[tuple[str, ScoreTick]]


@dataclass(frozen=True)
class Counterpart:
    """Real music for comparison. scores: as the tokenizer writes them, each with a note. words: which they are."""

    scores: list[ScoreTick]
    words: str


NOTHING = Counterpart([], "")


def as_written(score: ScoreTick, grammar: Grammar) -> ScoreTick:
    """A score as the tokenizer writes it: its own grid of time, and no note that it has no token for."""
    tokenizer = grammar.tokenizer
    kept, _ = without_unwritable(score, tokenizer)
    sequences = tokenizer.encode(kept, encode_ids=False)
    if not isinstance(sequences, list):
        return tokenizer.decode(sequences)  # type: ignore[no-any-return]
    tracks = [(int(track.program), bool(track.is_drum)) for track in kept.tracks]
    if not sequences or len(sequences) != len(tracks):  # it writes tracks that have notes only
        kept.tracks = type(kept.tracks)([track for track in kept.tracks if len(track.notes)])
        tracks = [(int(track.program), bool(track.is_drum)) for track in kept.tracks]
    if not sequences or len(sequences) != len(tracks):
        return kept
    return tokenizer.decode(sequences, tracks)  # type: ignore[no-any-return]


def openings(pieces: Pieces, bars: int, grammar: Grammar) -> Counterpart:
    """The first bars of each piece, for music from nothing: whole, or where tracks are written apart, each track."""
    whole = [as_written(between(score, 0, bar_line(score, bars)), grammar) for _, score in pieces[:_MOST_PIECES]]
    parts = whole if grammar.one_stream else [part for score in whole for part in parts_of(score)]
    apart = "" if grammar.one_stream else ", each pitched track by itself"
    return Counterpart(_with_notes(parts), f"the first {_bars(bars)} of {many(len(whole), 'validation piece')}{apart}")


def continuations(pieces: Pieces, given: int, bars: int, grammar: Grammar) -> Counterpart:
    """What follows the first `given` bars of each piece, for continuations of a file: of the track likewise chosen."""
    parts = []
    for _, score in pieces[:_MOST_PIECES]:
        begin, end = bar_line(score, given), bar_line(score, given + bars)
        played = pitched_tracks(without_unwritable(between(score, 0, begin), grammar.tokenizer)[0])
        if played:
            track = None if grammar.one_stream else played[0]
            parts.append(as_written(_part_of(score, track, begin, end), grammar))
    kept = _with_notes(parts)
    words = f"the {_bars(bars)} behind the first {_bars(given)} of {many(len(kept), 'validation piece')}"
    return Counterpart(kept, words + ("" if grammar.one_stream else ", of each the first pitched track"))


def real_continuations(prompts: Sequence[Prompt], songs: Sequence[Song], grammar: Grammar) -> Counterpart:
    """How the pieces that were continued go on themselves, as far as each song was to go, in the same track."""
    pairs = zip(prompts, songs, strict=True)
    kept = _with_notes([as_written(continuation_beside(prompt, song), grammar) for prompt, song in pairs])
    pieces = many(len(kept), "validation piece")
    words = f"how the same {pieces} go on behind their first {_bars(prompts[0].bars)}, just as far"
    return Counterpart(kept, words + ("" if grammar.one_stream else ", in the same track"))


def real_continuation(prompt: Prompt, begin: int, end: int) -> ScoreTick:
    """What the piece itself has from one tick to another, of the track that is continued."""
    return _part_of(prompt.whole, prompt.track, begin, end)


def continuation_beside(prompt: Prompt, song: Song) -> ScoreTick:
    """What the piece itself has where the song goes on, as far as that was to go at most."""
    quarter = int(prompt.whole.ticks_per_quarter)
    return real_continuation(prompt, round(prompt.beats * quarter), round(song.end_beat * quarter))


def _part_of(score: ScoreTick, track: int | None, begin: int, end: int) -> ScoreTick:
    part = between(score, begin, end)
    if track is not None:
        part.tracks = type(part.tracks)([part.tracks[track]])
    return part


def _with_notes(scores: Sequence[ScoreTick]) -> list[ScoreTick]:
    return [score for score in scores if score.note_num()]


def _bars(count: int) -> str:
    return "bar" if count == 1 else f"{count} bars"
