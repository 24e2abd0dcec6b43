"""Like is held against like: the same kind of part, over as many bars."""

import music
import pytest
from generating import KINDS, NAMES, random_model, tokenizer_of
from miditok import REMI, TokenizerConfig

from midiaug.generation.counterpart import as_written, continuations, openings, real_continuations
from midiaug.generation.grammar import Grammar
from midiaug.generation.prompts import make_prompt
from midiaug.generation.sampling import Choice, sample
from midiaug.generation.songs import Song, make_song

BAND = [(f"{seed}.mid", music.tune(seed, bars=8, chords=True, drums=True)) for seed in range(4)]
BEATS = 4


def onsets(score) -> list[tuple[float, int]]:
    """Onset in quarter notes and pitch of each note that has one, in order."""
    notes = [note for track in score.tracks if not track.is_drum for note in track.notes]
    return sorted((note.time / score.ticks_per_quarter, note.pitch) for note in notes)


def part(score, tracks: tuple[int, ...], first: float, last: float) -> list[tuple[float, int]]:
    """The same of some tracks from one bar to before another, the first bar at 0."""
    notes = [note for track in tracks for note in score.tracks[track].notes]
    found = [(note.time / music.QUARTER - BEATS * first, note.pitch) for note in notes]
    return sorted(one for one in found if 0 <= one[0] < BEATS * (last - first))


def song_of(prompt, end_beat: float) -> Song:
    return Song(prompt.whole, prompt.whole, prompt.beats, 0, False, end_beat)


def test_music_from_nothing_is_held_against_the_beginnings_of_each_pitched_track():
    found = openings(BAND, 3, Grammar(REMI()))
    expected = [part(score, (track,), 0, 3) for _, score in BAND for track in (0, 1)]
    assert [onsets(score) for score in found.scores] == expected
    assert found.words == "the first 3 bars of 4 validation pieces, each pitched track by itself"


def test_one_stream_of_all_tracks_is_held_against_whole_pieces():
    grammar = Grammar(REMI(TokenizerConfig(use_programs=True)))
    begin, behind = openings(BAND, 3, grammar), continuations(BAND, 3, 2, grammar)
    assert [onsets(score) for score in begin.scores] == [part(score, (0, 1), 0, 3) for _, score in BAND]
    assert [onsets(score) for score in behind.scores] == [part(score, (0, 1), 3, 5) for _, score in BAND]
    assert "track" not in begin.words + behind.words


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in KINDS}, key=str), ids=lambda kind: kind.__name__)
def test_a_continuation_is_held_against_what_follows_as_many_bars_in_the_first_pitched_track(kind):
    late = music.tune(9, bars=8, chords=True)
    late.tracks[0].notes = type(late.tracks[0].notes)([note for note in late.tracks[0].notes if note.time >= music.BAR])
    short = music.tune(8, bars=1)
    found = continuations([*BAND, ("late.mid", late), ("short.mid", short)], 1, 4, Grammar(kind()))
    expected = [part(score, (0,), 1, 5) for _, score in BAND] + [part(late, (1,), 1, 5)]
    assert [onsets(score) for score in found.scores] == expected
    assert found.words == "the 4 bars behind the first bar of 5 validation pieces, of each the first pitched track"


@pytest.mark.parametrize(("kind", "programs"), KINDS, ids=NAMES)
def test_continued_validation_pieces_are_held_against_themselves(kind, programs):
    grammar = Grammar(tokenizer_of(kind, programs))
    prompts = [make_prompt(name, score, 2, grammar) for name, score in BAND[:3]]
    found = real_continuations(prompts, [song_of(prompt, 16) for prompt in prompts], grammar)
    tracks = (0, 1) if programs else (0,)
    assert [onsets(score) for score in found.scores] == [part(score, tracks, 2, 4) for _, score in BAND[:3]]
    assert found.words.startswith("how the same 3 validation pieces go on behind their first 2 bars")


def test_bars_of_another_time_signature_are_as_long_on_both_sides():
    waltz = music.tune(3, bars=8)
    waltz.time_signatures[0].numerator = 3
    grammar = Grammar(REMI(TokenizerConfig(use_time_signatures=False)))
    prompt = make_prompt("waltz.mid", waltz, 4, grammar)
    (one,) = sample(random_model(grammar.tokenizer), grammar, [prompt.ids], 2, Choice(), max_tokens=60).samples
    song = make_song(one, grammar, prompt)
    assert (song.start_beat, song.end_beat) == (12, 20)
    (real,) = real_continuations([prompt], [song], grammar).scores
    assert onsets(real) == part(waltz, (0,), 3, 5)  # bars of four quarter notes, as the tokenizer counts them


def test_a_score_is_written_as_the_tokenizer_would():
    score = music.tune(1, chords=True, drums=True)
    for programs in (False, True):
        written = as_written(score, Grammar(REMI(TokenizerConfig(use_programs=programs))))
        assert written.note_num() == score.note_num()
        assert sum(track.is_drum for track in written.tracks) == 1
