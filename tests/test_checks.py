"""The checks of a preview: they pass on what midiaug does, and fail on each thing that is spoiled on purpose."""

import music
import pytest
from miditok import REMI, TSD, MIDILike, Structured, TokenizerConfig
from symusic import Score

from midiaug.data.pieces import Limits
from midiaug.data.transpose import TokenTransposer, transpose, written_range
from midiaug.inspection import checks, written
from midiaug.inspection.checks import Plan, check_pieces
from midiaug.inspection.choice import Chosen

SHIFTS = (-5, 0, 3)
MELODY = music.tune(8, bars=6).tracks[0].notes
TOKENIZERS = [
    REMI(),
    TSD(),
    MIDILike(),
    Structured(),
    REMI(TokenizerConfig(use_programs=True, use_pitchdrum_tokens=False)),
    REMI(TokenizerConfig(use_chords=True, use_rests=True, use_tempos=True, use_time_signatures=True)),
]


def piece(lowest: int = -30, highest: int = 30, **options) -> Chosen:
    score = music.tune(8, bars=6, chords=True, drums=True, **options)
    return Chosen("band.mid", "train", bytes(score.dumps_midi()), lowest, highest, None, [])


def checked(tmp_path, tokenizer=None, *, one=None, drop=False):
    plan = Plan(tmp_path, tokenizer or REMI(), Limits(), SHIFTS, not drop, drop)
    return check_pieces([(one or piece(), "band")], plan)[0]


@pytest.mark.parametrize("tokenizer", TOKENIZERS, ids=range(len(TOKENIZERS)))
def test_each_check_passes_in_each_shift(tmp_path, tokenizer):
    result = checked(tmp_path, tokenizer)
    assert result.failures == []
    assert result.cases == {"score": 3, "file": 3, "table": 3, "decode": 3}
    assert result.faithful
    assert sorted(path.name for path in tmp_path.iterdir()) == ["band_+0.mid", "band_+3.mid", "band_-5.mid"]
    assert result.bytes == sum(path.stat().st_size for path in tmp_path.iterdir())
    assert Score(tmp_path / "band_+3.mid").tracks[0].notes[0].pitch == MELODY[0].pitch + 3


def spoiled(change):
    def wrong(score, shift):
        shifted = transpose(score, shift)
        if shift:
            change(shifted)
        return shifted

    return wrong


def drums_up(score):
    score.tracks[2].shift_pitch(2, inplace=True)


def a_note_late(score):
    score.tracks[0].notes[2].time += 7


def a_note_softer(score):
    score.tracks[0].notes[2].velocity -= 5


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (drums_up, "track 3, bar 1, beat 1, a note's pitch"),
        (a_note_late, "track 1, bar 1"),
        (a_note_softer, "a note's velocity"),
    ],
)
def test_a_wrong_transposition_fails_with_the_piece_and_the_place(tmp_path, monkeypatch, change, named):
    monkeypatch.setattr(checks, "transpose", spoiled(change))
    failures = checked(tmp_path).failures
    assert {(failure.shift, failure.check) for failure in failures} >= {(-5, "score"), (3, "score"), (3, "file")}
    assert not [failure for failure in failures if failure.shift == 0]
    assert str(failures[0]).startswith("band.mid, shift -5, the transposed score: ")
    assert named in str(failures[0])


def test_a_table_that_is_a_semitone_off_fails_both_token_checks(tmp_path, monkeypatch):
    right = TokenTransposer.__call__

    def off(self, ids, semitones):
        shifted = right(self, ids, semitones)
        names = [self.name_of(int(number)) for number in shifted]
        if semitones == 3 and any(name.startswith("Pitch_") for name in names):  # the second note alone
            at = [place for place, name in enumerate(names) if name.startswith("Pitch_")][1]
            shifted[at] += 1
        return shifted

    monkeypatch.setattr(TokenTransposer, "__call__", off)
    failures = checked(tmp_path).failures
    assert {(failure.shift, failure.check) for failure in failures} == {(3, "table"), (3, "decode")}
    second = MELODY[1]
    by_table = next(failure.difference for failure in failures if failure.check == "table")
    assert (by_table.expected, by_table.found) == (f"Pitch_{second.pitch + 3}", f"Pitch_{second.pitch + 4}")
    assert (by_table.track, by_table.bar) == (1, 1)
    assert by_table.beat == pytest.approx(1 + second.time / music.QUARTER, abs=0.13)


def test_a_store_that_holds_another_piece_fails(tmp_path):
    right = piece()
    other = REMI()(music.tune(9, bars=6))[0].ids
    one = Chosen(right.name, "train", right.midi, -30, 30, [other], [0])
    failures = checked(tmp_path, one=one).failures
    assert {failure.check for failure in failures if failure.shift == 0} >= {"table"}


def test_a_file_that_was_not_written_as_it_should_be_fails(tmp_path, monkeypatch):
    def lossy(score, path):
        score = score.copy()
        score.tracks[0].notes = list(score.tracks[0].notes)[:-1]
        return written.write_midi(score, path)

    monkeypatch.setattr(checks, "write_midi", lossy)
    failures = checked(tmp_path).failures
    assert {failure.check for failure in failures} == {"file"}
    assert "number of notes" in str(failures[0])


def test_a_shift_that_limit_takes_away_is_not_made_and_says_why(tmp_path):
    highest = written_range(REMI())[1] - max(note.pitch for note in music.tune(8, bars=6, low=91).tracks[0].notes)
    assert highest < 3
    one = piece(-30, highest, low=91)
    result = checked(tmp_path, one=one)
    assert list(result.files) == [-5, 0]
    assert "above C♯8" in result.away[3]
    assert not (tmp_path / "band_+3.mid").exists()


def test_with_drop_the_notes_that_leave_are_counted_and_the_others_checked(tmp_path):
    result = checked(tmp_path, one=piece(-30, 0, low=91), drop=True)
    top = written_range(REMI())[1]
    leaving = sum(note.pitch + 3 > top for note in music.tune(8, bars=6, low=91).tracks[0].notes)
    assert leaving > 0
    assert result.lost == {3: leaving}
    assert result.failures == []
    assert result.cases == {"score": 3, "file": 3}
