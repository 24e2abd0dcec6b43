"""A score in many shifts: the same bytes as writing each of them."""

import music
import pytest
from symusic import KeySignature, TextMeta
from symusic.core import ScoreTick

from midiaug.data.transpose import transpose
from midiaug.offline.shifting import shifted_midi


@pytest.mark.parametrize("shifts", [[4], [-2, 2], [-24, -12, 0, 12, 24], [-4, -2, 0, 2], list(range(-6, 6))])
def test_addition_gives_what_writing_each_shift_gives(shifts):
    score = music.tune(5, chords=True, drums=True)
    for time in range(12):
        score.key_signatures.append(KeySignature(time, time - 5, time % 2, "tick"))
    expected = [bytes(transpose(score, shift).dumps_midi()) for shift in shifts]
    assert shifted_midi(score, shifts) == expected


@pytest.mark.parametrize("shifts", [[0, 12], [-12, 0, 3, 12], [-7, 5, 7, 17]])
def test_a_text_that_looks_like_a_key_signature_is_none(shifts):
    score = music.tune(6, bars=2)
    score.key_signatures[0].key = 2
    score.tracks[0].lyrics.append(TextMeta(0, "Y\2\3Y\2<", "tick"))
    expected = [bytes(transpose(score, shift).dumps_midi()) for shift in shifts]
    assert shifted_midi(score, shifts) == expected
    assert [ScoreTick.from_midi(content).key_signatures[0].key for content in expected] == [
        (2 + 7 * shift + 5) % 12 - 5 for shift in shifts
    ]


def test_a_score_that_is_other_music_once_it_is_read_again_is_not_written():
    score = music.tune(6, bars=2)
    score.tracks[0].notes[0].velocity = 0  # which in a MIDI file ends a note
    assert shifted_midi(score, [1, 2]) == ["written as MIDI and read again it is other music"] * 2
    assert shifted_midi(score, [3]) == ["written as MIDI and read again it is other music"]
