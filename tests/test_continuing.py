"""Continuations of validation pieces, and the key they stay in."""

import music
import pytest
from generating import random_model
from miditok import REMI
from symusic import Note

from midiaug.errors import ConfigError
from midiaug.generation.continuing import choose_prompts, key_report, share_in_scale
from midiaug.generation.grammar import Grammar
from midiaug.generation.sampling import Choice, sample
from midiaug.generation.songs import Song, make_song
from midiaug.keys import Key

PIECES = [(f"{seed}.mid", music.tune(seed, bars=8)) for seed in range(5)]


def test_the_share_counts_notes_of_the_scale():
    score = music.tune(1, bars=1)
    score.tracks[0].notes = type(score.tracks[0].notes)(
        [Note(480 * place, 480, pitch, 80, "tick") for place, pitch in enumerate((60, 62, 61, 65))]
    )
    assert share_in_scale(score, Key(0, "major")) == 0.75
    score.tracks[0].notes = type(score.tracks[0].notes)([])
    assert share_in_scale(score, Key(0, "major")) is None


def test_pieces_that_are_too_short_are_passed_over_and_fewer_are_said(caplog):
    grammar = Grammar(REMI())
    short = [("short.mid", music.tune(9, bars=2))]
    caplog.set_level("INFO", "midiaug")
    assert [prompt.name for prompt in choose_prompts(short + PIECES, 3, 2, 2, grammar)] == ["0.mid", "1.mid", "2.mid"]
    assert caplog.text == ""
    assert len(choose_prompts(short + PIECES, 9, 2, 2, grammar)) == 5
    assert "only 5 validation pieces" in caplog.text
    with pytest.raises(ConfigError, match="no validation piece has notes"):
        choose_prompts(short, 1, 2, 2, grammar)


def test_pieces_are_moved_before_the_model_meets_them_and_those_without_room_are_passed_over(caplog):
    grammar = Grammar(REMI())
    low = music.tune(7, bars=8)
    low.tracks[0].notes = type(low.tracks[0].notes)(
        [Note(note.time, note.duration, 23, 80, "tick") for note in low.tracks[0].notes]
    )
    pieces = [("low.mid", low), *PIECES]
    plain, moved = (choose_prompts(pieces[shift < 0 :], 3, 2, 2, grammar, shift) for shift in (0, -6))
    assert [prompt.name for prompt in moved] == ["0.mid", "1.mid", "2.mid"]
    assert [note.pitch for note in moved[0].whole.tracks[0].notes] == [
        note.pitch - 6 for note in PIECES[0][1].tracks[0].notes
    ]
    assert choose_prompts(pieces, 3, 2, 2, grammar, -6)[0].name == "0.mid", "low.mid has no room for it"
    assert plain[0].name == "low.mid"
    with caplog.at_level("INFO", "midiaug"):
        choose_prompts(pieces, 9, 2, 2, grammar, -6)
    assert "only 5 validation pieces are long enough and have room for a shift of -6" in caplog.text
    for shift in (-100, -6):
        with pytest.raises(ConfigError, match=f"and room for a shift of {shift}; try others"):
            choose_prompts(pieces[:1], 1, 2, 2, grammar, shift)


def test_a_piece_that_goes_on_as_it_does_has_the_share_of_the_real_one():
    grammar = Grammar(REMI())
    prompts = choose_prompts(PIECES, 4, 2, 2, grammar)
    songs = []
    for prompt in prompts:
        real = prompt.whole.copy()
        real.tracks[0].notes = type(real.tracks[0].notes)(
            [note for note in real.tracks[0].notes if 2 * music.BAR <= note.time < 4 * music.BAR]
        )
        songs.append(Song(real, real, 8, 2, False, 16))
    report = key_report(prompts, songs, 2)
    assert report["in_scale"]["generated"] == report["in_scale"]["real"] > 0.6
    assert (report["bars"], report["continued"], report["n"]) == (2, 2, 4)


def test_random_notes_are_less_in_key_than_the_pieces_own():
    tokenizer = REMI()
    grammar = Grammar(tokenizer)
    prompts = choose_prompts(PIECES, 5, 2, 2, grammar)
    found = sample(random_model(tokenizer), grammar, [prompt.ids for prompt in prompts], 2, Choice(), max_tokens=200)
    songs = [make_song(one, grammar, prompt) for one, prompt in zip(found.samples, prompts, strict=True)]
    shares = key_report(prompts, songs, 2)["in_scale"]
    assert shares["generated"] < shares["real"]
