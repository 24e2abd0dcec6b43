"""What symusic's complaints about a MIDI file mean, in words that need no knowledge of its bytes."""

import re

_DAMAGED = "the file is damaged"
_CUT = "the file is cut short, or damaged"
# the words of symusic 0.6 and of minimidi, which reads for it
_MEANINGS: tuple[tuple[str, str], ...] = (
    (r"Get velocity=(\d+)", rf"a note of it has the velocity \1, and MIDI's end at 127: {_DAMAGED}"),
    (r"Get pitch=(\d+)", rf"a note of it has the pitch \1, and MIDI's end at 127: {_DAMAGED}"),
    (r"Get program=(\d+)", rf"it asks for instrument \1, and MIDI's end at 127: {_DAMAGED}"),
    (r"Get control_(?:number|value)=(\d+)", rf"a controller in it is set to \1, and MIDI's end at 127: {_DAMAGED}"),
    (r"Get pitch_bend=(-?\d+)", rf"it bends a pitch by \1, beyond what MIDI has: {_DAMAGED}"),
    (r"Invalid chunk length", f"a track should be longer than the rest of the file: {_CUT}"),
    (r"Unexpected EOF", f"it ends in the middle of something: {_CUT}"),
    (r"(?:first chunk length|File size is less)", f"its header is not one of MIDI: {_DAMAGED}"),
    (r"Invaild midi format \((\d+)\)", rf"its header names the format \1, and there are 0, 1 and 2: {_DAMAGED}"),
    (r"Division type is not ticks", "it counts time in film frames (SMPTE), not in parts of a quarter note"),
    (r"Unexpected running status|unsupported status byte", f"a track holds something that is no music: {_DAMAGED}"),
)


def in_words(complaint: str) -> str:
    """The meaning of a complaint; the complaint itself where it is not known."""
    for pattern, meaning in _MEANINGS:
        found = re.search(pattern, complaint)
        if found is not None:
            return found.expand(meaning)
    return complaint
