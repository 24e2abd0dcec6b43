"""Reading one file into a score, or the reason why not."""

import re
import struct
from pathlib import Path
from types import SimpleNamespace

import fuzzing
import music
import pytest
from fuzzing import HORRORS
from hypothesis import given, settings
from hypothesis import strategies as st
from symusic import Note, Score, TimeSignature, Track
from symusic.core import ScoreTick

from midiaug.data.pieces import Limits, count_bars, meaning_of, parse, read_midi_bytes
from midiaug.data.sources import Entry, folder
from midiaug.errors import PassingFault, QuarantinedFile

LIMITS = Limits()
OUTCOMES = r"score of [1-9]\d*|(not readable as MIDI|no notes|drums only|too long).+"
GOOD_ABC = "X:1\nT:Air\nM:4/4\nL:1/4\nK:C\nC D E F|G A B c|\n"
# abc2midi complains of the 2 behind ], reads on, and gives notes of the wrong length
BAD_ABC = "X:1\nT:Air\nM:4/4\nL:1/4\nK:C\n|:C D E F|G A B c:|]2 [C D (3 CD\n"


def quantity(number: int) -> bytes:
    """A number as MIDI writes it in a file: seven bits a byte, all but the last marked."""
    digits = [number & 127]
    while number := number >> 7:
        digits.insert(0, 128 | number & 127)
    return bytes(digits)


def midi_file(*events: tuple[int, bytes], ticks_per_quarter: int = 480) -> bytes:
    """A MIDI file of one track, byte by byte: each event is the ticks to wait before it, and its bytes."""
    track = b"".join(quantity(wait) + event for wait, event in [*events, (0, b"\xff\x2f\x00")])
    header = b"MThd" + struct.pack(">IHHH", 6, 0, 1, ticks_per_quarter)
    return header + b"MTrk" + struct.pack(">I", len(track)) + track


ON, OFF = b"\x90\x3c\x40", b"\x80\x3c\x00"
DRUM_ON, DRUM_OFF = b"\x99\x24\x40", b"\x89\x24\x00"
WHOLE = fuzzing.midi(b"\x00\x90\x3c\x50\x60\x80\x3c\x40\x00\xff\x2f\x00")
LONGEST_WAIT = 0x0FFFFFFF  # the largest number of ticks that a MIDI file can write


def with_event(event: bytes) -> bytes:
    return fuzzing.midi(b"\x00" + event + b"\x00\x90\x3c\x50\x60\x80\x3c\x40\x00\xff\x2f\x00")


def outcome(data: bytes) -> str:
    try:
        return f"score of {parse(data, LIMITS).note_num()}"
    except QuarantinedFile as reason:
        return str(reason)


def abc(path: Path, text: str) -> Entry:
    path.write_text(text)
    return folder(path)[0]


def test_a_good_file_gives_the_notes_that_were_written(tmp_path):
    score = music.tune(1, chords=True, drums=True)
    path = music.write(score, tmp_path / "tune.mid")
    read = parse(read_midi_bytes(Entry("tune.mid", path)), LIMITS)
    assert read.ticks_per_quarter == score.ticks_per_quarter
    assert [track.is_drum for track in read.tracks] == [False, False, True]
    for track, written in zip(read.tracks, score.tracks, strict=True):
        assert [(n.time, n.duration, n.pitch, n.velocity) for n in track.notes] == [
            (n.time, n.duration, n.pitch, n.velocity) for n in written.notes
        ]


def test_an_empty_file_is_named_as_empty(tmp_path):
    (tmp_path / "tune.mid").touch()
    with pytest.raises(QuarantinedFile, match=r"^the file is empty$"):
        read_midi_bytes(Entry("tune.mid", tmp_path / "tune.mid"))


def test_a_file_that_cannot_be_opened_is_named_with_the_systems_reason(tmp_path):
    (tmp_path / "folder.mid").mkdir()
    (tmp_path / "link.mid").symlink_to(tmp_path / "gone.mid")
    with pytest.raises(QuarantinedFile, match=r"^the file could not be opened \(Is a directory\)$"):
        read_midi_bytes(Entry("folder.mid", tmp_path / "folder.mid"))
    with pytest.raises(QuarantinedFile, match=r"^the file could not be opened \(No such file or directory\)$"):
        read_midi_bytes(Entry("link.mid", tmp_path / "link.mid"))


@pytest.mark.parametrize("content", [b"hello", b"<html>" * 99, b"\x00" * 50], ids=["text", "page", "zeros"])
def test_what_is_not_midi_is_named_by_its_missing_header(content):
    with pytest.raises(QuarantinedFile, match=r"^not readable as MIDI \(it does not begin with the MThd header\)$"):
        parse(content, LIMITS)


@pytest.mark.parametrize("share", [0.05, 0.25, 0.5, 0.75, 0.99])
def test_a_file_cut_in_the_middle_is_not_readable(share):
    whole = music.tune(2).dumps_midi()
    with pytest.raises(QuarantinedFile, match=r"^not readable as MIDI \(.+\)$"):
        parse(whole[: int(share * len(whole))], LIMITS)


def test_a_byte_that_midi_does_not_allow_is_not_readable():
    with pytest.raises(QuarantinedFile, match=r"^not readable as MIDI \(.*188.*\)$"):
        parse(midi_file((0, b"\x90\xbc\x40"), (480, OFF)), LIMITS)


@pytest.mark.parametrize("division", [0, 0xE728], ids=["no ticks", "film frames"])
def test_a_file_whose_times_are_not_in_ticks_a_quarter_is_not_readable(division):
    with pytest.raises(QuarantinedFile, match=r"^not readable as MIDI \(it counts (no ticks|time in film frames).*\)$"):
        parse(midi_file((0, ON), (480, OFF), ticks_per_quarter=division), LIMITS)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (with_event(b"\x90\x3c\xf5"), "a note of it has the velocity 245, and MIDI's end at 127"),
        (with_event(b"\x90\xc8\x50\x60\x80\xc8\x40"), "a note of it has the pitch 200"),
        (with_event(b"\xc0\xc8"), "it asks for instrument 200"),
        (with_event(b"\xb0\xc8\x01"), "a controller in it is set to 200"),
        (with_event(b"\xb0\x01\xc8"), "a controller in it is set to 200"),
        (with_event(b"\xe0\x7f\xff"), "it bends a pitch by "),
        (WHOLE[:-5], "a track should be longer than the rest of the file: the file is cut short"),
        (HORRORS["meta_longer_than_the_file"], "it ends in the middle of something"),
        (HORRORS["sysex_without_end"], "it ends in the middle of something"),
        (WHOLE.replace(b"\x00\x00\x00\x06", b"\x00\x00\x00\x07", 1), "its header is not one of MIDI"),
        (b"MThd\x00", "its header is not one of MIDI"),
        (HORRORS["format_9"], "its header names the format 9, and there are 0, 1 and 2"),
        (HORRORS["smpte_time"], "it counts time in film frames (SMPTE)"),
        (HORRORS["running_status_from_nothing"], "a track holds something that is no music"),
        (with_event(b"\xf4\x00"), "a track holds something that is no music"),
    ],
)
def test_a_damaged_file_has_its_reason_in_words(content, words):
    assert outcome(content).startswith(f"not readable as MIDI ({words}")
    assert "MiniMidi" not in outcome(content)


def test_what_is_not_known_is_said_as_it_is():
    assert meaning_of("Something new: 7") == "Something new: 7"


@pytest.mark.parametrize(
    "events", [(), [(0, b"\xff\x01\x05hello")], [(0, b"\xb0\x07\x64")]], ids=["nothing", "text", "volume"]
)
def test_a_file_without_notes_is_named_so(events):
    with pytest.raises(QuarantinedFile, match=r"^no notes in it$"):
        parse(midi_file(*events), LIMITS)


def test_a_file_of_drums_only_is_named_so():
    with pytest.raises(QuarantinedFile, match=r"^drums only"):
        parse(midi_file((0, DRUM_ON), (480, DRUM_OFF)), LIMITS)


def test_drums_with_an_empty_pitched_track_are_drums_only():
    score = music.tune(3, drums=True)
    del score.tracks[0].notes[:]
    with pytest.raises(QuarantinedFile, match=r"^drums only"):
        parse(score.dumps_midi(), LIMITS)


def test_one_pitched_note_beside_the_drums_is_music():
    data = midi_file((0, DRUM_ON), (480, DRUM_OFF), (0, ON), (480, OFF))
    assert parse(data, LIMITS).note_num() == 2


def test_a_few_bytes_that_claim_a_billion_bars_are_too_long():
    data = midi_file(
        (0, b"\xff\x58\x04\x01\x02\x18\x08"),  # 1/4, so that each tick is a bar
        *[(0, ON), (LONGEST_WAIT, OFF), (LONGEST_WAIT, ON), (LONGEST_WAIT, OFF), (LONGEST_WAIT, ON), (1, OFF)],
        ticks_per_quarter=1,
    )
    assert len(data) < 80
    with pytest.raises(QuarantinedFile, match=r"^too long: 1,073,741,821 bars, and data\.max_bars is 10,000$"):
        parse(data, LIMITS)


def test_a_note_so_late_that_its_time_no_longer_fits_is_not_readable():
    # twelve of the longest waits are more ticks than 32 bits hold: the note would come before the beginning
    data = midi_file(*[(LONGEST_WAIT, b"\xff\x01\x00")] * 12, (0, ON), (480, OFF))
    with pytest.raises(QuarantinedFile):
        parse(data, LIMITS)


def test_the_limit_of_bars_is_the_last_that_passes():
    data = music.tune(4, bars=8).dumps_midi()
    assert parse(data, Limits(max_bars=8)).note_num()
    with pytest.raises(QuarantinedFile, match=r"^too long: 8 bars, and data\.max_bars is 7$"):
        parse(data, Limits(max_bars=7))


def test_the_limit_of_notes_is_the_last_that_passes():
    data = midi_file(*[(0, ON), (480, OFF)] * 12)
    assert parse(data, Limits(max_tokens=12)).note_num() == 12
    with pytest.raises(QuarantinedFile, match=r"^too long: 12 notes, and data\.max_tokens is 11$"):
        parse(data, Limits(max_tokens=11))


def score_of(quarters: int, *signatures: tuple[int, int, int]) -> ScoreTick:
    """One note of so many quarters, and time signatures: the quarter from which each holds, and its two numbers."""
    score = Score(24)
    for start, numerator, denominator in signatures:
        score.time_signatures.append(TimeSignature(24 * start, numerator, denominator, "tick"))
    score.tracks.append(Track("", 0, False))
    score.tracks[0].notes.append(Note(0, 24 * quarters, 60, 64, "tick"))
    return score


@pytest.mark.parametrize(
    ("score", "bars"),
    [
        (score_of(12), 3),
        (score_of(13), 4),
        (score_of(12, (0, 3, 4)), 4),
        (score_of(12, (0, 6, 8)), 4),
        (score_of(12, (0, 2, 2)), 3),
        (score_of(14, (0, 4, 4), (8, 3, 4)), 4),
        (score_of(14, (8, 3, 4)), 4),
    ],
    ids=["4/4", "begun", "3/4", "6/8", "2/2", "changing", "4/4 until told"],
)
def test_bars_are_counted_by_the_time_signatures(score, bars):
    assert count_bars(score) == bars


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(0, 600), st.randoms(use_true_random=False))
def test_any_damage_gives_a_score_or_a_reason(junk, position, random):
    data = bytearray(music.tune(5, bars=4, drums=True).dumps_midi())
    data[position : position + len(junk) // 8] = junk[: len(junk) // 8]
    data[random.randrange(14, len(data))] ^= 1 << random.randrange(8)
    for content in (bytes(data), b"MThd" + junk, junk):
        assert re.fullmatch(
            r"score of [1-9]\d*|(not readable as MIDI|no notes|drums only|too long).*", outcome(content)
        )


def test_an_abc_tune_is_read_with_its_pitches_and_rhythm(tmp_path, capfd):
    text = "X:1\nT:Air\nM:4/4\nL:1/4\nK:G\nG A B F|c/2d/2 e2 _B|\n"
    score = parse(read_midi_bytes(abc(tmp_path / "air.abc", text)), LIMITS)
    notes = [note for track in score.tracks for note in track.notes]
    assert [note.pitch for note in notes] == [67, 69, 71, 66, 72, 74, 76, 70]  # F is sharp in G major
    quarter = score.ticks_per_quarter
    assert [(note.time - notes[0].time) / quarter for note in notes] == [0, 1, 2, 3, 4, 4.5, 5, 7]
    assert capfd.readouterr() == ("", "")


def test_each_tune_of_an_abc_file_is_its_own_piece(tmp_path):
    (tmp_path / "book.abc").write_text(GOOD_ABC + "\n" + GOOD_ABC.replace("X:1", "X:2").replace("K:C", "K:D"))
    first, second = (parse(read_midi_bytes(entry), LIMITS) for entry in folder(tmp_path))
    assert [note.pitch for note in first.tracks[0].notes] == [60, 62, 64, 65, 67, 69, 71, 72]
    assert [note.pitch for note in second.tracks[0].notes] == [61, 62, 64, 66, 67, 69, 71, 73]


def test_what_stands_before_the_first_tune_of_an_abc_file_holds_for_all(tmp_path):
    # section 2.2.2 of the ABC standard 2.1: the file header sets defaults for the tunes
    text = "%abc-2.1\nL:1/2\n\n" + GOOD_ABC.replace("L:1/4\n", "")
    notes = parse(read_midi_bytes(abc(tmp_path / "book.abc", text)), LIMITS).tracks[0].notes
    assert notes[1].time - notes[0].time == 2 * 480


def test_an_abc_tune_that_the_reader_complains_of_is_left_out_with_its_line_and_nothing_is_printed(tmp_path, capfd):
    entry = abc(tmp_path / "bad.abc", BAD_ABC)
    with pytest.raises(QuarantinedFile, match=r"^not readable as ABC \(Error in line-char 6-20 : .+\)$"):
        read_midi_bytes(entry)
    assert capfd.readouterr() == ("", "")
    assert ScoreTick.from_abc(BAD_ABC).note_num() > 0  # left out though it gives notes
    assert "Error" in capfd.readouterr().out


def test_output_goes_where_it_went_before_once_a_tune_is_read(tmp_path, capfd):
    read_midi_bytes(abc(tmp_path / "air.abc", GOOD_ABC))
    print("still here")  # noqa: T201
    assert capfd.readouterr().out == "still here\n"


def test_a_warning_leaves_no_tune_out_though_it_quotes_the_word_error(tmp_path, capfd):
    text = GOOD_ABC.replace("G A B c", "!Error!G A B c")
    assert parse(read_midi_bytes(abc(tmp_path / "air.abc", text)), LIMITS).note_num() == 8
    ScoreTick.from_abc(text)
    assert "Warning in line-char 6-8 : instruction !Error! ignored" in capfd.readouterr().out


@pytest.mark.parametrize(
    "text", ["X:1\nT:Air\nM:4/4\nL:1/4\nC D E F|\n", "X:1\n", "X:1\nK:C\nzzzz|\n"], ids=["no key", "no tune", "rests"]
)
def test_an_abc_tune_without_notes_is_left_out_for_the_same_reason_each_time(tmp_path, text):
    entry = abc(tmp_path / "air.abc", text)
    reasons = set()
    for _ in range(2):
        with pytest.raises(QuarantinedFile, match=r"not readable as ABC|no notes in it") as caught:
            parse(read_midi_bytes(entry), LIMITS)
        reasons.add(str(caught.value))
    assert len(reasons) == 1
    assert "/tmp" not in reasons.pop()  # noqa: S108


def test_an_abc_file_without_a_tune_says_what_is_missing(tmp_path):
    (tmp_path / "air.abc").write_text("T:Air\nK:C\nCDEF|\n")
    with pytest.raises(QuarantinedFile, match=r"^not readable as ABC \(no line that begins a tune with X:\)$"):
        read_midi_bytes(Entry("air.abc", tmp_path / "air.abc", 0))


def test_abc_that_fails_for_lack_of_a_temporary_folder_may_be_read_the_next_time(tmp_path, monkeypatch):
    entry = abc(tmp_path / "air.abc", GOOD_ABC)

    def full(_: str) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "not there"))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("midiaug.data.pieces.ScoreTick", SimpleNamespace(from_abc=full))
    with pytest.raises(PassingFault, match="not there, which cannot be written"):
        read_midi_bytes(entry)
