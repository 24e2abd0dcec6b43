"""The first bars of a file, as the model reads them."""

import music
import pytest
import torch
from generating import KINDS, NAMES, tokenizer_of, tune_file
from miditok import REMI, TSD, Structured, TokenizerConfig
from symusic import Note, TimeSignature

from midiaug.data.meter import Meter
from midiaug.data.transpose import shifted_key
from midiaug.errors import ConfigError
from midiaug.generation.cursor import Cursor
from midiaug.generation.grammar import Grammar
from midiaug.generation.prompts import bar_line, between, make_prompt, read_prompt

ABC = "X:1\nT:A tune\nM:3/4\nL:1/4\nQ:1/4=100\nK:G\nG A B | c d e | g2 f | e d c |\n"


def in_three(bars: int):
    """A tune in 3/4."""
    score = music.tune(1, bars=bars)
    score.time_signatures[0].numerator = 3
    return score


def test_bars_are_counted_by_the_time_signatures():
    score = music.tune(1, bars=8)
    score.time_signatures.append(TimeSignature(2 * music.BAR, 3, 4, "tick"))
    score.time_signatures.append(TimeSignature(2 * music.BAR + 3 * 3 * music.QUARTER, 6, 8, "tick"))
    lines = [bar_line(score, bars) / music.QUARTER for bars in range(8)]
    assert lines == [0, 4, 8, 11, 14, 17, 20, 23]


def test_a_change_of_meter_within_a_bar_ends_it():
    score = music.tune(1, bars=8)
    score.time_signatures.append(TimeSignature(2 * music.BAR + music.QUARTER, 3, 4, "tick"))
    lines = [bar_line(score, bars) for bars in range(6)]
    assert [line / music.QUARTER for line in lines] == [0, 4, 8, 9, 12, 15]
    assert [Meter(score).bar_at(line).start for line in lines] == lines


def test_a_part_keeps_what_holds_in_it_and_its_notes_end_with_it():
    score = music.tune(2, bars=4, chords=True)
    part = between(score, music.BAR, 3 * music.BAR)
    assert part.start() == 0
    assert part.end() <= 2 * music.BAR
    assert part.tempos[0].qpm == score.tempos[0].qpm
    assert (part.time_signatures[0].time, part.time_signatures[0].numerator) == (0, 4)
    expected = [
        (note.time - music.BAR, note.pitch) for note in score.tracks[0].notes if music.BAR <= note.time < 3 * music.BAR
    ]
    assert [(note.time, note.pitch) for note in part.tracks[0].notes] == expected
    assert score.end() > 3 * music.BAR


@pytest.mark.parametrize("make", [music.tune, lambda seed, bars: in_three(bars)], ids=["4/4", "3/4"])
@pytest.mark.parametrize(("kind", "programs"), KINDS, ids=NAMES)
def test_a_prompt_ends_at_its_bar_line(kind, programs, make):
    tokenizer = tokenizer_of(kind, programs)
    grammar = Grammar(tokenizer)
    prompt = make_prompt("a", make(3, bars=8), 3, grammar)
    cursor = Cursor(grammar, 1, prompt.signature)
    for token in prompt.ids:
        cursor.advance(torch.tensor([token]))
    assert int(cursor.time) == prompt.beats * tokenizer.time_division
    assert int(cursor.bar) == 3
    assert int(cursor.notes) == prompt.score.note_num()


def test_a_merging_tokenizer_reads_the_same_prompt_in_fewer_tokens(trained):
    score = music.tune(400, bars=8)
    merged, plain = (make_prompt("a", score, 4, Grammar(tokenizer)) for tokenizer in (trained, REMI()))
    grammar = Grammar(trained)
    names = [name for number in merged.ids for name in grammar.parts[number]]
    assert names == [Grammar(REMI()).parts[number][0] for number in plain.ids]
    assert len(merged.ids) < len(plain.ids)


def test_a_prompt_shorter_than_asked_for_is_followed_by_empty_bars():
    grammar = Grammar(REMI())
    prompt = make_prompt("a", music.tune(1, bars=2), 5, grammar)
    names = [grammar.parts[number][0] for number in prompt.ids]
    assert names.count("Bar_None") == 6
    assert prompt.beats == 20


def test_the_first_pitched_track_is_continued_where_each_is_a_sequence():
    score = music.tune(1, bars=4, chords=True, drums=True)
    score.tracks = type(score.tracks)([score.tracks[2], score.tracks[1], score.tracks[0]])
    prompt = make_prompt("a", score, 2, Grammar(TSD()))
    assert prompt.track == 1
    assert make_prompt("a", score, 2, Grammar(TSD(TokenizerConfig(use_programs=True)))).track is None


def test_notes_that_cannot_be_written_are_counted_and_a_prompt_of_none_is_refused():
    score = music.tune(1, bars=4)
    grammar = Grammar(Structured())
    score.tracks[0].notes.append(Note(0, 480, 5, 80, "tick"))
    assert make_prompt("a", score, 2, grammar).lost == 1
    score.tracks[0].notes = type(score.tracks[0].notes)([score.tracks[0].notes[-1]])
    with pytest.raises(ConfigError, match=r"b: nothing to go on from in its first 2 bars \(1 notes there are outside"):
        make_prompt("b", score, 2, grammar)
    late = music.tune(1, bars=4).shift_time(4 * music.BAR)
    with pytest.raises(ConfigError, match="no pitched note there"):
        make_prompt("b", late, 2, grammar)


@pytest.fixture
def book(tmp_path):
    """An ABC file of three tunes that begin on G, A and B."""
    tunes = [ABC.replace("X:1", f"X:{number}").replace("G A B", f"{note} A B") for number, note in enumerate("GAB", 1)]
    (tmp_path / "book.abc").write_text("\n".join(tunes))
    return tmp_path / "book.abc"


@pytest.mark.parametrize(("tune", "pitch"), [(None, 67), (1, 67), (2, 69), (3, 71)])
def test_of_an_abc_file_of_several_the_tune_that_is_taken_is_said(book, tune, pitch, caplog):
    caplog.set_level("INFO", "midiaug")
    assert read_prompt(str(book), tune).tracks[0].notes[0].pitch == pitch
    assert f"{tune or 1} of the 3 in book.abc" in caplog.text
    assert ("tune=N takes another" in caplog.text) == (tune is None)


def test_a_tune_that_is_not_there_is_refused(book, tmp_path):
    with pytest.raises(ConfigError, match=r"tune=4: .*book.abc has tunes 1 to 3; give one of them"):
        read_prompt(str(book), 4)
    file = tune_file(tmp_path)
    assert read_prompt(str(file), 1).note_num() == read_prompt(str(file)).note_num()
    with pytest.raises(ConfigError, match=r"tune=2: .* has only a tune 1"):
        read_prompt(str(file), 2)


def test_a_folder_as_a_prompt_is_called_one(tmp_path):
    with pytest.raises(ConfigError, match=r"that is a folder; give a file in it"):
        read_prompt(str(tmp_path))


def test_a_prompt_may_be_moved_and_its_key_signature_goes_along(book):
    plain, moved = (read_prompt(str(book), 1, shift) for shift in (0, -4))
    assert [note.pitch for note in moved.tracks[0].notes] == [note.pitch - 4 for note in plain.tracks[0].notes]
    assert (
        [sign.key for sign in moved.key_signatures]
        == [shifted_key(sign.key, -4) for sign in plain.key_signatures]
        != [sign.key for sign in plain.key_signatures]
    )
    with pytest.raises(ConfigError, match=r"shift=100: .*book.abc: track 0 has pitches .*; give a smaller one"):
        read_prompt(str(book), 1, 100)


def test_midi_and_abc_files_are_read_and_anything_else_is_named(tmp_path):
    assert read_prompt(str(tune_file(tmp_path))).note_num() > 8
    (tmp_path / "a.abc").write_text(ABC)
    prompt = make_prompt("a", read_prompt(str(tmp_path / "a.abc")), 2, Grammar(REMI()))
    assert [note.pitch for note in prompt.score.tracks[0].notes] == [67, 69, 71, 72, 74, 76]
    assert prompt.beats == 6
    (tmp_path / "a.txt").write_text("no music")
    (tmp_path / "b.mid").write_bytes(b"no music")
    for name, named in (("a.txt", "no MIDI or ABC file"), ("b.mid", "not readable as MIDI"), ("c.mid", "no such file")):
        with pytest.raises(ConfigError, match=named):
            read_prompt(str(tmp_path / name))
