"""How much of a piece is copied from the training pieces."""

import json

import music
import numpy as np
import pytest
from symusic import Note, Score, Track
from symusic.core import ScoreTick

from midiaug.copying import Copying, TrainingPassages, summary
from midiaug.data.corpus import read_corpus
from midiaug.data.pieces import Limits
from midiaug.data.sources import folder

PIECES = 30


@pytest.fixture(scope="module")
def tunes() -> list[ScoreTick]:
    return [music.tune(seed, chords=seed % 2 == 0) for seed in range(PIECES)]


@pytest.fixture(scope="module")
def passages(tunes) -> TrainingPassages:
    return TrainingPassages(tunes, [f"tune_{number}.mid" for number in range(PIECES)])


def melody_of(score: ScoreTick) -> list[tuple[int, int]]:
    """Onset and pitch of each note of the first track."""
    notes = score.tracks[0].notes.numpy()
    return list(zip(notes["time"].tolist(), notes["pitch"].tolist(), strict=True))


def piece(notes: list[tuple[int, int]]) -> ScoreTick:
    score = Score(music.QUARTER)
    score.tracks.append(Track("", 0, False))
    score.tracks[0].notes = [Note(time, 100, pitch, 64, "tick") for time, pitch in notes]
    return score


def spliced(middle: list[tuple[int, int]]) -> ScoreTick:
    """The passage in the middle of a tune that is not in training, behind a leap and before one that nobody makes."""
    before, after = (melody_of(music.tune(seed, bars=8)) for seed in (900, 901))
    start = before[-1][0] + 777
    end = start + middle[-1][0] - middle[0][0] + 777
    notes = before + [(start + time - middle[0][0], pitch) for time, pitch in middle]
    return piece([*notes, (end, 127), *((end + 777 + time, pitch) for time, pitch in after)])


def test_a_training_tune_three_semitones_up_and_at_double_speed_is_caught_whole(tunes, passages):
    for number in (3, 4):
        recited = music.moved(tunes[number], 3)
        for track in recited.tracks:
            track.notes = [Note(n.time // 2, n.duration // 2, n.pitch, n.velocity, "tick") for n in track.notes]
        found = passages.copying_of(recited)
        assert found.share_of_12grams == 1
        assert found.longest_notes == len(recited.tracks[0].notes)
        assert (found.piece, found.semitones, found.at_beat) == (f"tune_{number}.mid", 3, 0)
        assert found.longest_beats == recited.tracks[0].notes[-1].time / music.QUARTER


def test_an_unrelated_tune_has_small_figures(tunes, passages):
    found = passages.copying_of(music.tune(500))
    assert found.share_of_12grams == 0
    assert 2 <= found.longest_notes <= 8


@pytest.mark.parametrize("length", [13, 20, 31])
@pytest.mark.parametrize("semitones", [-7, 0, 4])
def test_a_passage_in_the_middle_of_another_tune_is_found_with_exactly_its_length(tunes, passages, length, semitones):
    passage = [(time, pitch + semitones) for time, pitch in melody_of(tunes[5])[12 : 12 + length]]
    found = passages.copying_of(spliced(passage))
    assert (found.longest_notes, found.piece, found.semitones) == (length, "tune_5.mid", semitones)
    assert found.longest_beats == pytest.approx((passage[-1][0] - passage[0][0]) / music.QUARTER)
    assert found.piece_beat == melody_of(tunes[5])[12][0] / music.QUARTER
    assert found.at_beat == (melody_of(music.tune(900, bars=8))[-1][0] + 777) / music.QUARTER
    assert 0 <= found.share_of_12grams < 0.5


def test_one_wrong_note_divides_a_passage(tunes, passages):
    notes = melody_of(tunes[7])
    notes[20] = (notes[20][0], notes[20][1] + 1)
    found = passages.copying_of(piece(notes))
    assert found.longest_notes == max(20, len(notes) - 21)
    assert 0 < found.share_of_12grams < 1


def test_the_accompaniment_is_looked_up_as_the_melody_is(tunes, passages):
    chords = tunes[8].copy()
    chords.tracks = [chords.tracks[1]]
    found = passages.copying_of(chords)
    assert (found.share_of_12grams, found.piece) == (1, "tune_8.mid")
    below = music.tune(500)
    below.tracks.append(chords.tracks[0].copy())
    assert passages.copying_of(below).longest_notes == found.longest_notes == 32


@pytest.mark.parametrize("notes", [[], [(0, 60)], [(0, 60), (0, 64)]], ids=["no note", "one note", "one chord"])
def test_a_piece_without_an_interval_copies_nothing(passages, notes):
    assert passages.copying_of(piece(notes)) == Copying(None, 0, 0.0)


@pytest.mark.parametrize("notes", [2, 5, 8, 12])
def test_a_piece_of_fewer_than_thirteen_notes_has_no_share_though_it_is_an_exact_copy(tunes, passages, notes):
    found = passages.copying_of(piece(melody_of(tunes[5])[:notes]))
    assert (found.share_of_12grams, found.longest_notes) == (None, notes)
    assert passages.copying_of(piece(melody_of(tunes[5])[:13])).share_of_12grams == 1


def test_a_short_line_beside_a_long_one_does_not_count(tunes, passages):
    both = piece(melody_of(tunes[5])[:20])
    both.tracks.append(piece(melody_of(music.tune(900))[:6]).tracks[0])
    assert passages.copying_of(both).share_of_12grams == 1


def test_short_training_lines_hold_no_passage():
    short = TrainingPassages([piece(melody_of(music.tune(1))[:8])], ["short.mid"])
    assert short.copying_of(music.tune(1)).share_of_12grams == 0
    assert short.copying_of(piece(melody_of(music.tune(1))[:8])) == Copying(
        None, 8, melody_of(music.tune(1))[7][0] / music.QUARTER, 0, "short.mid", 0, 0
    )


def test_without_training_pieces_nothing_is_copied(tunes):
    assert TrainingPassages([], []).copying_of(tunes[0]) == Copying(0.0, 0, 0.0)


def test_the_passages_of_a_corpus_are_those_of_the_rows_that_are_asked_for(tmp_path):
    music.corpus(tmp_path / "midi", 6)
    corpus = read_corpus(folder(tmp_path / "midi"), Limits(), tmp_path / "cache")
    passages = TrainingPassages.of(corpus, np.array([0, 2]))
    shares = [passages.copying_of(music.tune(seed)) for seed in range(3)]
    assert [one.share_of_12grams for one in shares] == [1, 0, 1]
    assert [shares[row].piece for row in (0, 2)] == [corpus.names[0], corpus.names[2]]


def test_what_a_tokenizer_makes_of_the_pieces_can_stand_in_for_them(tmp_path):
    music.corpus(tmp_path / "midi", 3)
    corpus = read_corpus(folder(tmp_path / "midi"), Limits(), tmp_path / "cache")
    passages = TrainingPassages.of(corpus, range(3), written=lambda score: spliced(melody_of(score)[:20]))
    assert passages.copying_of(music.tune(1)).longest_notes == 20


def test_a_summary_names_the_piece_of_the_longest_passage(tunes, passages):
    pieces = [passages.copying_of(score) for score in (music.tune(500), tunes[2], piece([]), music.tune(501))]
    figures = summary(pieces)
    assert figures["share_of_12grams"] == pytest.approx((0 + 1 + 0) / 3)
    assert figures["share_median"] == 0
    assert figures["longest_notes"] == pieces[1].longest_notes > pieces[0].longest_notes > 0
    assert figures["longest_median"] == (pieces[0].longest_notes + pieces[3].longest_notes) / 2
    assert (figures["piece"], figures["semitones"], figures["n"]) == ("tune_2.mid", 0, 3)
    assert figures["too_short"] == 1
    assert json.loads(json.dumps([piece.as_json() for piece in pieces])) == [piece.as_json() for piece in pieces]


def test_a_summary_of_nothing_has_no_figures():
    assert summary([]) == dict.fromkeys(
        ["share_of_12grams", "share_median", "longest_notes", "longest_median", "longest_beats", "piece", "semitones"]
    ) | {"n": 0, "too_short": 0}
