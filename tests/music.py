"""Makes the tunes that the tests read: real MIDI files, each different, decided by a number alone."""

from pathlib import Path

import numpy as np
from miditok import REMI
from numpy.typing import NDArray
from symusic import KeySignature, Note, Score, Tempo, TimeSignature, Track
from symusic.core import ScoreTick, TrackTick

from midiaug.data.fingerprint import ngrams_of_scores

QUARTER = 480  # ticks
BAR = 4 * QUARTER
_DURATIONS = (120, 240, 360, 480, 720, 960)
_SCALE = (0, 2, 4, 5, 7, 9, 11)
_KICK, _SNARE, _HAT = 36, 38, 42


class Forbidden(REMI):
    """A tokenizer that fails once `allowed` is taken from it: a test that nothing is tokenized again."""

    allowed = True

    def __call__(self, *args, **kwargs):
        if not self.allowed:
            raise AssertionError("it was tokenized again")
        return super().__call__(*args, **kwargs)


def tune(
    seed: int, bars: int = 16, *, chords: bool = False, drums: bool = False, low: int = 60, program: int = 0
) -> ScoreTick:
    """A tune in 4/4, times in ticks: a melody of varied rhythm and intervals, with a tempo and a key signature.

    seed: which tune; the same seed has the same melody whatever else is asked for.
    chords, drums: add a track of triads below the melody, a track of drums.
    low: the lowest pitch the melody may have; it stays within low and low + 17, and chords from low - 14.
    program: the General MIDI instrument of the melody.
    """
    generator = np.random.default_rng([seed, 1])
    tonic = int(generator.integers(6))
    score = Score(QUARTER)
    score.tempos.append(Tempo(0, int(generator.integers(60, 180)), ttype="tick"))
    score.time_signatures.append(TimeSignature(0, 4, 4, "tick"))
    score.key_signatures.append(KeySignature(0, 0, 0, "tick"))
    score.tracks.append(_melody(generator, bars, low + tonic, program))
    if chords:
        score.tracks.append(_chords(np.random.default_rng([seed, 2]), bars, low + tonic - 14))
    if drums:
        score.tracks.append(_drums(np.random.default_rng([seed, 3]), bars))
    return score


def ngrams_of(score: ScoreTick) -> NDArray[np.uint64]:
    """The fingerprint of one piece."""
    return ngrams_of_scores([score])[0]


def write(score: ScoreTick, path: str | Path) -> Path:
    """Write a score as a MIDI file, with the folders that its path needs; returns the path."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    score.dump_midi(path)
    return path


def corpus(folder: str | Path, pieces: int, seed: int = 0, **options: int | bool) -> list[Path]:
    """Write that many different tunes into folders of eight below `folder`; returns the files, sorted.

    seed: the first tune's; the others follow it, so corpora whose seeds are `pieces` apart share no tune.
    options: what `tune` takes, for all of them.
    """
    return [
        write(tune(seed + number, **options), Path(folder) / f"book_{number // 8}" / f"tune_{number:03d}.mid")
        for number in range(pieces)
    ]


def moved(score: ScoreTick, semitones: int) -> ScoreTick:
    """A copy in another key, moved note by note; drums stay."""
    copy = score.copy()
    for track in copy.tracks:
        if not track.is_drum:
            track.notes = [
                Note(note.time, note.duration, note.pitch + semitones, note.velocity, "tick") for note in track.notes
            ]
    return copy


def stretched(score: ScoreTick, factor: int) -> ScoreTick:
    """A copy in which each note begins `factor` times as late and lasts `factor` times as long, in ticks."""
    copy = score.copy()
    for track in copy.tracks:
        track.notes = [
            Note(factor * note.time, factor * note.duration, note.pitch, note.velocity, "tick") for note in track.notes
        ]
    return copy


def _melody(generator: np.random.Generator, bars: int, tonic: int, program: int) -> TrackTick:
    track = Track("Melody", program, False)
    # the first bar holds five different gaps, so each tune's rhythm varies
    gaps = [int(gap) for gap in generator.permutation([120, 240, 360, 480, 720])]
    while sum(gaps) < bars * BAR:
        room = BAR - sum(gaps) % BAR
        gaps.append(int(generator.choice([gap for gap in _DURATIONS if gap <= room])))
    degree, time = int(generator.integers(8)), 0
    for gap in gaps:
        pitch = tonic + 12 * (degree // 7) + _SCALE[degree % 7]
        track.notes.append(Note(time, gap, pitch, int(generator.integers(60, 110)), "tick"))
        time += gap
        step = int(generator.integers(-4, 5))
        degree += step if 0 <= degree + step <= 7 else -step
    return track


def _chords(generator: np.random.Generator, bars: int, tonic: int) -> TrackTick:
    track = Track("Chords", 48, False)
    for time in range(0, bars * BAR, BAR // 2):
        root = int(generator.integers(7))
        for degree in (root, root + 2, root + 4):
            pitch = tonic + 12 * (degree // 7) + _SCALE[degree % 7]
            track.notes.append(Note(time, BAR // 2, pitch, 70, "tick"))
    return track


def _drums(generator: np.random.Generator, bars: int) -> TrackTick:
    track = Track("Drums", 0, True)
    for time in range(0, bars * BAR, QUARTER // 2):
        pitch = int(generator.choice([_KICK, _SNARE, _HAT]))
        track.notes.append(Note(time, QUARTER // 4, pitch, 90, "tick"))
    return track


def grouped(sizes: list[int]) -> tuple[list[str], NDArray[np.int64]]:
    """Names of pieces, and (pieces,) the group of each, for groups of look-alikes of these sizes."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    return [f"piece {number:03d}" for number in range(len(group))], group
