"""What the reader complains of is put into words; what it complains of is what it says now, not what it once said."""

import fuzzing
import pytest
from fuzzing import HORRORS

from midiaug.data.faults import in_words
from midiaug.data.pieces import Limits, parse
from midiaug.errors import QuarantinedFile

WHOLE = fuzzing.midi(b"\x00\x90\x3c\x50\x60\x80\x3c\x40\x00\xff\x2f\x00")


def reason(content: bytes) -> str:
    with pytest.raises(QuarantinedFile) as caught:
        parse(content, Limits())
    return str(caught.value)


def with_event(event: bytes) -> bytes:
    return fuzzing.midi(b"\x00" + event + b"\x00\x90\x3c\x50\x60\x80\x3c\x40\x00\xff\x2f\x00")


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
    assert reason(content).startswith(f"not readable as MIDI ({words}")
    assert "MiniMidi" not in reason(content)


def test_what_is_not_known_is_said_as_it_is():
    assert in_words("Something new: 7") == "Something new: 7"
