"""The copies of one piece: which shifts, which notes, which bytes, and what may be written over."""

import hashlib
import json
from pathlib import Path

import music
import numpy as np
import pytest
from symusic import KeySignature, Note, TextMeta, Track
from symusic.core import ScoreTick

from midiaug.data.corpus import Corpus, read_corpus
from midiaug.data.pieces import Limits
from midiaug.data.shifts import Shifts
from midiaug.data.sources import folder
from midiaug.data.transpose import transpose
from midiaug.errors import OutputError
from midiaug.offline.copies import Copies, LeftOut, Piece, Writing, place, write_copies
from midiaug.offline.names import copy_name

SHIFTS = Shifts.of(-5, -3, -1, 0, 1, 3, 5)


def read(tmp_path: Path, *scores: ScoreTick) -> Corpus:
    for number, score in enumerate(scores):
        music.write(score, tmp_path / "in" / f"tune_{number}.mid")
    return read_corpus(folder(tmp_path / "in"), Limits(), tmp_path / "cache", processes=1)


def written(
    tmp_path: Path, corpus: Corpus, shifts: Shifts = SHIFTS, out_of_range: str = "limit", pitches=(21, 108), former=None
) -> list[Copies]:
    (tmp_path / "out").mkdir(exist_ok=True)
    how = Writing(tmp_path / "out", pitches, shifts, out_of_range)
    pieces = [Piece(row, name, Path(name).stem, "val", 7, former) for row, name in enumerate(corpus.names.all())]
    return write_copies(pieces, corpus.directory, how)


def rows_of(copies: Copies) -> list[dict]:
    return [json.loads(line.rstrip(",")) for line in copies.rows.splitlines()]


def notes_of(score: ScoreTick, drums: bool) -> list[tuple]:
    return [
        (note.time, note.duration, note.pitch, note.velocity)
        for track in score.tracks
        if track.is_drum == drums
        for note in track.notes
    ]


@pytest.mark.parametrize("shift", list(SHIFTS))
def test_a_copy_has_each_note_shifted_and_the_drums_and_the_key_signatures_with_it(tmp_path, shift):
    score = music.tune(3, chords=True, drums=True)
    score.key_signatures.append(KeySignature(music.BAR, -3, 1, "tick"))
    (copies,) = written(tmp_path, read(tmp_path, score))
    copy = ScoreTick.from_midi((tmp_path / "out" / f"tune_0_{shift:+d}.mid").read_bytes())
    expected = [(time, length, pitch + shift, loud) for time, length, pitch, loud in notes_of(score, False)]
    assert notes_of(copy, False) == expected
    assert notes_of(copy, True) == notes_of(score, True)
    assert [sign.key % 12 for sign in copy.key_signatures] == [7 * shift % 12, (7 * shift - 3) % 12]
    assert copy.tempos == score.tempos
    assert copies.written == copies.files == 7


def test_the_own_key_is_the_piece_byte_by_byte(tmp_path):
    corpus = read(tmp_path, music.tune(4))
    written(tmp_path, corpus)
    assert (tmp_path / "out" / "tune_0_+0.mid").read_bytes() == (tmp_path / "in" / "tune_0.mid").read_bytes()


def with_keys(score: ScoreTick, keys: list[tuple[int, int]]) -> ScoreTick:
    """The score with these key signatures, a bar apart: their sharps, and 1 for minor."""
    score.key_signatures = [KeySignature(bar * music.BAR, *key, "tick") for bar, key in enumerate(keys)]
    return score


OCTAVES = [[shift for shift in range(-24, 25) if shift % 12 in (0, others)] for others in range(12)]


@pytest.mark.parametrize(
    "shifts", [*OCTAVES, [-12, 0, 3, 12], [0, 12, 14, 24], [-24, 24], list(range(-24, 25))], ids=str
)
@pytest.mark.parametrize(
    "keys",
    [[], [(2, 0)], [(key, mode) for key in range(-7, 8) for mode in (0, 1)]],
    ids=["none", "D major", "all"],
)
def test_every_file_has_the_key_signatures_of_the_whole_score_transposed(tmp_path, shifts, keys):
    score = with_keys(music.tune(5, bars=4, chords=True, drums=True), keys)
    score.tracks[0].lyrics.append(TextMeta(0, "Y\2\3", "tick"))  # in bytes like a key signature but for the first
    (copies,) = written(tmp_path, read(tmp_path, score), Shifts.of(*shifts), pitches=(0, 127))
    assert [row["shift"] for row in rows_of(copies)] == shifts
    score = ScoreTick.from_midi((tmp_path / "in" / "tune_0.mid").read_bytes())
    for row in rows_of(copies):
        content = (tmp_path / "out" / row["file"]).read_bytes()
        expected = transpose(score, row["shift"])
        assert row["shift"] == 0 or content == bytes(expected.dumps_midi())
        assert ScoreTick.from_midi(content).key_signatures == expected.key_signatures


def test_the_shifts_that_a_piece_has_room_for_may_lie_whole_octaves_apart(tmp_path):
    """Of these the piece takes all but the last: its first two and its last one give the same key."""
    score = with_keys(high(94), [(2, 0), (-3, 1)])
    (copies,) = written(tmp_path, read(tmp_path, score), Shifts.of(-10, 2, 5, 14, 15), pitches=(36, 108))
    assert [row["shift"] for row in rows_of(copies)] == [-10, 2, 5, 14]
    for row in rows_of(copies):
        copy = ScoreTick.from_midi((tmp_path / "out" / row["file"]).read_bytes())
        assert copy.key_signatures == transpose(score, row["shift"]).key_signatures


def test_a_piece_that_lacks_notes_has_its_own_key_signatures_in_its_own_key(tmp_path):
    """Seven sharps stay seven sharps, and do not become the five flats that a transposition would write."""
    score = with_keys(high(120, 100), [(7, 0), (-7, 1)])
    (copies,) = written(tmp_path, read(tmp_path, score), Shifts.of(-3, -1, 0, 1, 3))
    assert all(row["dropped"] == 1 for row in rows_of(copies))
    for row in rows_of(copies):
        copy = ScoreTick.from_midi((tmp_path / "out" / row["file"]).read_bytes())
        assert copy.key_signatures == transpose(score, row["shift"]).key_signatures


def test_a_row_of_the_manifest_says_what_the_file_is(tmp_path):
    score = music.tune(6)
    (copies,) = written(tmp_path, read(tmp_path, score))
    rows = rows_of(copies)
    assert [row["shift"] for row in rows] == list(SHIFTS)
    for row in rows:
        content = (tmp_path / "out" / row["file"]).read_bytes()
        assert row["sha256"] == hashlib.sha256(content).hexdigest()
        assert row["bytes"] == len(content)
        assert row["notes"] == ScoreTick.from_midi(content).note_num() == score.note_num()
        assert (row["source"], row["dropped"], row["side"], row["group"]) == ("tune_0.mid", 0, "val", 7)


def high(*pitches: int) -> ScoreTick:
    score = music.tune(7, drums=True)
    track = Track("High", 0, False)
    for number, pitch in enumerate(pitches):
        track.notes.append(Note(number * 480, 240, pitch, 80, "tick"))
    score.tracks.append(track)
    return score


def test_limit_takes_the_shifts_that_keep_each_note(tmp_path):
    (copies,) = written(tmp_path, read(tmp_path, high(107)))
    assert [row["shift"] for row in rows_of(copies)] == [-5, -3, -1, 0, 1]
    assert copies.dropped == 0


def test_a_piece_without_room_is_written_in_its_own_key(tmp_path):
    (copies,) = written(tmp_path, read(tmp_path, high(108)), Shifts.of(3, 5))
    assert json.loads(f"{{{copies.sides}}}") == {"tune_0_+0.mid": {"side": "val", "group": 7}}


def test_limit_goes_by_the_notes_that_have_a_token(tmp_path):
    """A note at 120 has none in any key, as in training: it is left out everywhere and takes no room."""
    score = high(120, 100)
    (copies,) = written(tmp_path, read(tmp_path, score))
    assert [(row["shift"], row["dropped"]) for row in rows_of(copies)] == [(shift, 1) for shift in SHIFTS]
    for row in rows_of(copies):
        copy = ScoreTick.from_midi((tmp_path / "out" / row["file"]).read_bytes())
        assert row["notes"] == copy.note_num() == score.note_num() - 1


def test_drop_leaves_out_and_counts_the_notes_that_leave(tmp_path):
    score = high(108, 106, 104)
    (copies,) = written(tmp_path, read(tmp_path, score), out_of_range="drop")
    assert [row["dropped"] for row in rows_of(copies)] == [0, 0, 0, 0, 1, 2, 3]
    for row in rows_of(copies):
        copy = ScoreTick.from_midi((tmp_path / "out" / row["file"]).read_bytes())
        pitches = np.concatenate([track.notes.numpy()["pitch"] for track in copy.tracks if not track.is_drum])
        assert pitches.max() <= 108
        assert row["notes"] == copy.note_num() == score.note_num() - row["dropped"]
        assert len(notes_of(copy, True)) == len(notes_of(score, True))


def test_a_copy_without_a_note_and_a_piece_without_one_are_left_out_with_the_reason(tmp_path):
    corpus = read(tmp_path, music.tune(8, low=60))
    (copies,) = written(tmp_path, corpus, Shifts.of(-24, 0), "drop", (60, 127))
    assert json.loads(f"{{{copies.sides}}}") == {"tune_0_+0.mid": {"side": "val", "group": 7}}
    assert copies.left_out == [
        LeftOut("tune_0.mid", -24, "in this key no note is within the pitches that the tokenizer writes")
    ]
    (copies,) = written(tmp_path, corpus, pitches=(0, 20))
    assert copies.left_out == [LeftOut("tune_0.mid", None, "no note within the pitches that the tokenizer writes")]


def test_what_was_written_before_is_kept_and_what_is_gone_is_written_again(tmp_path):
    corpus = read(tmp_path, music.tune(9))
    (first,) = written(tmp_path, corpus)
    (tmp_path / "out" / "tune_0_-3.mid").unlink()
    (again,) = written(tmp_path, corpus, former=rows_of(first))
    assert again.written == 1
    assert again.rows == first.rows
    (third,) = written(tmp_path, corpus, former=rows_of(again))
    assert third.written == 0
    assert third.rows == first.rows


def test_a_folder_in_the_place_of_what_was_written_before_is_named(tmp_path):
    corpus = read(tmp_path, music.tune(9))
    (first,) = written(tmp_path, corpus)
    (tmp_path / "out" / "tune_0_-3.mid").unlink()
    (tmp_path / "out" / "tune_0_-3.mid").mkdir()
    with pytest.raises(OutputError, match=r"tune_0_-3\.mid: in the way"):
        written(tmp_path, corpus, former=rows_of(first))


@pytest.mark.parametrize("there", [b"", b"MThd", b"MThd\0\0\0\0", b"\0" * 9])
def test_a_torn_file_is_written_again(tmp_path, there):
    path = tmp_path / "tune.mid"
    path.write_bytes(there)
    assert place(str(path), b"MThd and so on")
    assert path.read_bytes() == b"MThd and so on"
    assert not place(str(path), b"MThd and so on")


@pytest.mark.parametrize("there", [b"mine", b"MThd and so on, and more", b"MThd and so ON"])
def test_another_file_is_never_written_over(tmp_path, there):
    path = tmp_path / "tune.mid"
    path.write_bytes(there)
    with pytest.raises(OutputError, match="in the way"):
        place(str(path), b"MThd and so on")
    assert path.read_bytes() == there


def test_a_folder_and_a_link_are_never_written_over(tmp_path):
    (tmp_path / "a.mid").mkdir()
    (tmp_path / "empty").touch()
    (tmp_path / "b.mid").symlink_to(tmp_path / "empty")
    (tmp_path / "c.mid").symlink_to(tmp_path / "nowhere")
    for name in ("a.mid", "b.mid", "c.mid"):
        with pytest.raises(OutputError, match="in the way"):
            place(str(tmp_path / name), b"MThd")
    assert (tmp_path / "empty").read_bytes() == b""
    assert not (tmp_path / "nowhere").exists()


def test_the_rows_are_the_json_that_pythons_own_writer_gives(tmp_path):
    name = 'a "tune", é \\ {0} \udcff'
    sha256 = hashlib.sha256(b"a copy").hexdigest()
    rows = [
        {"file": copy_name(name, shift), "source": name, "shift": shift, "notes": 12, "dropped": 0, "bytes": 6}
        | {"sha256": sha256, "side": "val", "group": 7}
        for shift in (-3, 0)
    ]
    for row in rows:
        (tmp_path / row["file"]).write_bytes(b"a copy")
    corpus = read(tmp_path, music.tune(1))
    how = Writing(tmp_path, (21, 108), SHIFTS, "limit")
    (copies,) = write_copies([Piece(0, name, name, "val", 7, rows)], corpus.directory, how)
    assert copies.rows == ",\n".join(json.dumps(row) for row in rows)
