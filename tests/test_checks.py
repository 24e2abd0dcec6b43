"""The checks of a preview: they pass on what midiaug does, and fail on each thing that is spoiled on purpose."""

import music
import pytest
from miditok import REMI, TSD, MIDILike, Structured, TokenizerConfig
from symusic import Note, Score, Tempo

from midiaug.data.transpose import TokenTransposer, transpose, written_range
from midiaug.inspection import checks, written
from midiaug.inspection.checks import CheckPlan, check_pieces
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
    return Chosen("band.mid", "train", score, lowest, highest, None, [])


def checked(tmp_path, tokenizer=None, *, one=None, drop=False, table=True):
    plan = CheckPlan(tmp_path, tokenizer or REMI(), SHIFTS, table, drop)
    return check_pieces([(one or piece(), "band")], plan)[0]


@pytest.mark.parametrize("tokenizer", TOKENIZERS, ids=range(len(TOKENIZERS)))
def test_each_check_passes_in_each_shift(tmp_path, tokenizer):
    result = checked(tmp_path, tokenizer)
    assert result.failures == []
    assert result.cases == {"score": 3, "file": 3, "table": 3, "decode": 3}
    assert result.faithful
    assert sorted(path.name for path in tmp_path.iterdir()) == ["band_+0.mid", "band_+3.mid", "band_-5.mid"]
    assert result.notes == 3 * sum(len(track.notes) for track in piece().score.tracks)
    assert result.seconds > 0
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
    one = Chosen(right.name, "train", right.score, -30, 30, [other], [0])
    failures = checked(tmp_path, one=one).failures
    assert {failure.check for failure in failures if failure.shift == 0} >= {"table"}


def last_note_lost(score):
    score.tracks[0].notes = list(score.tracks[0].notes)[:-1]


def in_another_key(score):
    score.key_signatures[0].key += 1


def faster(score):
    score.tempos = [Tempo(0, 33, ttype="tick")]


@pytest.mark.parametrize(
    ("spoil", "named"), [(last_note_lost, "number of notes"), (in_another_key, "a key signature"), (faster, "tempos")]
)
def test_a_file_that_was_not_written_as_it_should_be_fails(tmp_path, monkeypatch, spoil, named):
    def lossy(score, path):
        score = score.copy()
        spoil(score)
        return written.write_midi(score, path)

    monkeypatch.setattr(checks, "write_midi", lossy)
    failures = checked(tmp_path).failures
    assert {failure.check for failure in failures} == {"file"}
    assert {failure.shift for failure in failures} == set(SHIFTS)
    assert named in str(failures[0])


def test_what_midi_itself_loses_fails(tmp_path):
    score = music.tune(8, bars=2)
    score.tracks[0].notes = [Note(0, 1920, 60, 80, "tick"), Note(480, 240, 60, 90, "tick")]
    failures = checked(tmp_path, one=Chosen("a.mid", "none", score, -30, 30, None, [])).failures
    assert {failure.shift for failure in failures if failure.check == "file"} == set(SHIFTS)


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
    assert result.cases == {"score": 3, "file": 3, "table": 3, "decode": 3}


def test_by_the_score_alone_the_kept_notes_are_decoded(tmp_path):
    result = checked(tmp_path, one=piece(-30, 0, low=91), drop=True, table=False)
    assert result.lost[3] > 0
    assert result.failures == []
    assert result.cases == {"score": 3, "file": 3, "decode": 3}


@pytest.mark.parametrize("table", [True, False])
def test_of_a_shift_that_loses_notes_the_others_are_checked_in_full(tmp_path, monkeypatch, table):
    right = checks.tokenize

    def softer(tokenizer, score):
        if score.tracks[0].notes[0].pitch != piece(low=91).score.tracks[0].notes[0].pitch + 3:
            return right(tokenizer, score)
        score = score.copy()
        score.tracks[1].notes[0].velocity = 20
        return right(tokenizer, score)

    monkeypatch.setattr(checks, "tokenize", softer)
    failures = checked(tmp_path, one=piece(-30, 0, low=91), drop=True, table=table).failures
    assert {(failure.shift, failure.check) for failure in failures} == {(3, "table" if table else "decode")}


def test_a_shift_that_takes_every_note_away_leaves_no_file(tmp_path):
    score = music.tune(8, bars=6, low=91)
    score.tracks[0].notes = [note for note in score.tracks[0].notes if note.pitch > 100]
    one = Chosen("high.mid", "none", score, -30, 0, None, [])
    plan = CheckPlan(tmp_path, REMI(), (0, 24), True, True)
    result = check_pieces([(one, "high")], plan)[0]
    assert result.lost == {24: len(score.tracks[0].notes)}
    assert list(result.files) == [0]
    assert result.failures == []


def test_a_piece_is_tokenized_once_in_each_shift(tmp_path, monkeypatch):
    calls = []
    call = REMI.__call__
    monkeypatch.setattr(REMI, "__call__", lambda self, score: calls.append(1) or call(self, score))
    assert checked(tmp_path).failures == []
    assert len(calls) == len(SHIFTS)


def test_a_tokenizer_that_fails_is_a_failed_check_and_no_crash(tmp_path, monkeypatch):
    def fail(*rest):
        raise KeyError("Pitch_300")

    monkeypatch.setattr(REMI, "__call__", fail)
    (failure,) = checked(tmp_path).failures
    assert "band.mid" in str(failure)
    assert "KeyError: 'Pitch_300'" in str(failure)


def test_a_trained_tokenizer_is_decoded_too(tmp_path, trained):
    result = checked(tmp_path, trained, table=False)
    assert result.failures == []
    assert result.cases == {"score": 3, "file": 3, "decode": 3}
