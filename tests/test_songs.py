"""From tokens to music: the prompt is in front, and all ends with the last bar."""

import music
import pytest
from generating import KINDS, NAMES, random_model, tokenizer_of
from miditok import MIDILike, Structured

from midiaug.generation.grammar import Grammar
from midiaug.generation.prompts import make_prompt
from midiaug.generation.sampling import Choice, Sample, sample
from midiaug.generation.songs import make_song


def notes_of(score, until: float) -> set[tuple[float, float, int]]:
    """Beginning and end in quarter notes, and pitch, of the notes that begin before."""
    quarter = score.ticks_per_quarter
    return {
        (note.time / quarter, note.end / quarter, note.pitch)
        for track in score.tracks
        for note in track.notes
        if note.time / quarter < until
    }


@pytest.mark.parametrize(("kind", "programs"), KINDS, ids=NAMES)
def test_the_file_begins_with_the_prompt_its_tempo_time_signature_and_tracks(kind, programs, tmp_path):
    tokenizer = tokenizer_of(kind, programs)
    grammar, source = Grammar(tokenizer), music.tune(7, bars=8, chords=True, program=73)
    prompt = make_prompt("a", source, 2, grammar)
    given = {"signatures": [prompt.signature] * 3, "max_tokens": 200}
    for one in sample(random_model(tokenizer), grammar, [prompt.ids] * 3, 3, Choice(), **given).samples:
        song = make_song(one, grammar, prompt)
        song.score.dump_midi(tmp_path / "a.mid")
        again = type(song.score)(tmp_path / "a.mid")
        # notes of another instrument may have the same pitch, so what is given is looked for among them
        assert notes_of(prompt.score, 8) == notes_of(again, 8)
        assert again.tempos[0].qpm == pytest.approx(source.tempos[0].qpm, abs=0.01)
        assert (again.time_signatures[0].numerator, again.time_signatures[0].denominator) == (4, 4)
        assert {track.program for track in again.tracks} >= {73, 48}
        assert song.start_beat == 8
        assert song.new.note_num() == song.score.note_num() - prompt.score.note_num()
        assert song.new.end() <= 3 * 12 * song.new.ticks_per_quarter


def test_a_note_that_never_ends_is_ended():
    grammar = Grammar(MIDILike())
    names = ["TimeSig_4/4", "NoteOn_60", "Velocity_91", "TimeShift_2.0.8", "NoteOn_64", "Velocity_91"]
    ids = [grammar.tokenizer.vocab[name] for name in names]
    quarter = grammar.tokenizer.time_division
    song = make_song(Sample(ids, False, 4 * quarter), grammar)
    assert notes_of(song.score, 4) == {(0, 3, 60), (2, 3, 64)}


def test_a_note_ends_with_the_last_bar_at_the_latest_and_none_begins_behind_it():
    grammar = Grammar(Structured())
    names = [
        "Pitch_60",
        "Velocity_91",
        "Duration_8.0.4",
        "TimeShift_4.0.4",
        "Pitch_62",
        "Velocity_91",
        "Duration_1.0.8",
    ]
    ids = [grammar.tokenizer.vocab[name] for name in names]
    song = make_song(Sample(ids, False, 4 * grammar.tokenizer.time_division), grammar)
    assert notes_of(song.score, 99) == {(0, 4, 60)}
    assert (song.bars, song.ended) == (1, False)
