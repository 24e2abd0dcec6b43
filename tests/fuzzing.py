"""MIDI files as nobody should write them: real ones damaged at random, decided by a seed, and horrors made by hand."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

Damage = Callable[[bytearray, np.random.Generator], bytearray]
_HEADER, _TRACK = b"MThd", b"MTrk"
_NUMBERS = (b"\x00\x00", b"\x00\x01", b"\x00\x02", b"\xe7\x28", b"\xff\xff")
_LONGEST = b"\xff\xff\xff\x7f"  # the largest number that MIDI writes in variable length


def mutated(content: bytes, generator: np.random.Generator) -> bytes:
    """The content damaged in one to three of the ways of DAMAGES; in every other, tracks are as long as they say.

    Where a length is wrong a reader stops at once; where it is right the damage goes deeper.
    """
    damaged = bytearray(content)
    for way in generator.choice(len(DAMAGES), int(generator.integers(1, 4))):
        damaged = DAMAGES[way](damaged, generator)
    return bytes(_with_true_lengths(damaged) if generator.random() < 0.5 else damaged)


def _with_true_lengths(content: bytearray) -> bytearray:
    begin = content.find(_TRACK)
    while begin >= 0:
        after = content.find(_TRACK, begin + 4)
        end = len(content) if after < 0 else after
        if end - begin >= 8:
            content[begin + 4 : begin + 8] = (end - begin - 8).to_bytes(4, "big")
        begin = after
    return content


def corpus_of_damage(sources: list[Path], folder: Path, count: int, seed: int) -> list[Path]:
    """Write so many damaged copies of the sources below the folder, 500 to a folder; returns their paths."""
    generator = np.random.default_rng([seed, 0x66757A7A])
    contents = [path.read_bytes() for path in sources]
    paths = []
    for number in range(count):
        path = folder / f"{number // 500:03d}" / f"{number:06d}.mid"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(mutated(contents[int(generator.integers(len(contents)))], generator))
        paths.append(path)
    return paths


def _flip(content: bytearray, generator: np.random.Generator) -> bytearray:
    for place in generator.integers(len(content) or 1, size=int(generator.integers(1, 17))):
        if place < len(content):
            content[place] ^= 1 << int(generator.integers(8))
    return content


def _noise(content: bytearray, generator: np.random.Generator) -> bytearray:
    begin, end = _part(content, generator)
    content[begin:end] = generator.bytes(end - begin)
    return content


def _cut(content: bytearray, generator: np.random.Generator) -> bytearray:
    return content[: int(generator.integers(len(content) + 1))]


def _take_out(content: bytearray, generator: np.random.Generator) -> bytearray:
    begin, end = _part(content, generator)
    del content[begin:end]
    return content


def _insert(content: bytearray, generator: np.random.Generator) -> bytearray:
    begin, _ = _part(content, generator)
    content[begin:begin] = generator.bytes(int(generator.integers(1, 64)))
    return content


def _double(content: bytearray, generator: np.random.Generator) -> bytearray:
    begin, end = _part(content, generator)
    content[end:end] = content[begin:end]
    return content


def _long_number(content: bytearray, generator: np.random.Generator) -> bytearray:
    begin, _ = _part(content, generator)
    content[begin : begin + 4] = _LONGEST
    return content


def _header(content: bytearray, generator: np.random.Generator) -> bytearray:
    """Another length, format, number of tracks or division: zero, SMPTE time and the largest among them."""
    at = content.find(_HEADER)
    place = at + int(generator.choice([4, 8, 10, 12]))
    content[place : place + 2] = [b"\x00\x00", b"\x00\x02", b"\xe7\x28", b"\xff\xff", b"\x00\x01"][
        generator.integers(5)
    ]
    return content


def _track_length(content: bytearray, generator: np.random.Generator) -> bytearray:
    at = content.find(_TRACK, int(generator.integers(len(content) + 1)))
    if at >= 0:
        length = [b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", generator.bytes(4)]
        content[at + 4 : at + 8] = length[generator.integers(4)]
    return content


def _part(content: bytearray, generator: np.random.Generator) -> tuple[int, int]:
    begin = int(generator.integers(len(content) + 1))
    return begin, min(len(content), begin + int(generator.integers(1, 65)))


DAMAGES: tuple[Damage, ...] = (
    *(_flip, _noise, _cut, _take_out, _insert, _double, _long_number, _header, _track_length),
)


def midi(*tracks: bytes, division: bytes = b"\x01\xe0", kind: int = 1) -> bytes:
    """A MIDI file of these tracks, each given as its events. division: two bytes, 480 ticks a quarter by default."""
    head = _HEADER + (6).to_bytes(4, "big") + kind.to_bytes(2, "big") + len(tracks).to_bytes(2, "big") + division
    return head + b"".join(_TRACK + len(events).to_bytes(4, "big") + events for events in tracks)


_END = b"\x00\xff\x2f\x00"
_NOTE = b"\x00\x90\x3c\x50\x83\x60\x80\x3c\x40"  # a C of one quarter note
_FOR_EVER = _LONGEST + b"\x90\x3c\x50" + _LONGEST + b"\x80\x3c\x40"
_METER = b"\x00\xff\x58\x04%b\x18\x08"  # a time signature: two bytes

HORRORS: dict[str, bytes] = {
    "empty": b"",
    "only_a_header": midi(),
    "no_end_of_track": midi(_NOTE),
    "zero_ticks": midi(_NOTE + _END, division=b"\x00\x00"),
    "smpte_time": midi(_NOTE + _END, division=b"\xe7\x28"),
    "smpte_of_nothing": midi(_NOTE + _END, division=b"\x80\x00"),
    "format_2": midi(_NOTE + _END, _NOTE + _END, kind=2),
    "format_9": midi(_NOTE + _END, kind=9),
    "running_status_from_nothing": midi(b"\x00\x3c\x50\x00\x3e\x50" + _END),
    "running_status_after_sysex": midi(b"\x00\x90\x3c\x50\x00\xf0\x02\x01\xf7\x60\x3c\x00" + _END),
    "note_without_end": midi(b"\x00\x90\x3c\x50" + _END),
    "end_without_note": midi(b"\x00\x80\x3c\x40" + _END),
    "gigantic_gap": midi(b"\x00\x90\x3c\x50" + _LONGEST + b"\x80\x3c\x40" + _END),
    "times_beyond_32_bits": midi(
        b"".join(_LONGEST + b"\x90\x3c\x50" + _LONGEST + b"\x80\x3c\x40" for _ in range(40)) + _END
    ),
    "a_billion_bars": midi(
        _METER % b"\x01\x06" + b"\x00\x90\x3c\x50" + _LONGEST + b"\x80\x3c\x40" + _END, division=b"\x00\x01"
    ),
    "meter_of_nothing": midi(_METER % b"\x00\x02" + _NOTE + _END),
    "meter_of_255": midi(_METER % b"\xff\xff" + _NOTE + _END),
    "tempo_zero": midi(b"\x00\xff\x51\x03\x00\x00\x00" + _NOTE + _END),
    "key_of_99_flats": midi(b"\x00\xff\x59\x02\x9d\x07" + _NOTE + _END),
    "text_not_unicode": midi(b"\x00\xff\x03\x04\xff\xfe\x80\x81" + _NOTE + _END),
    "meta_longer_than_the_file": midi(b"\x00\xff\x03" + _LONGEST + _NOTE + _END),
    "sysex_without_end": midi(b"\x00\xf0" + _LONGEST + _NOTE),
    "track_longer_than_the_file": midi(_NOTE + _END)[:18] + b"\x7f\xff\xff\xff" + _NOTE,
    "more_tracks_than_there_are": midi(_NOTE + _END).replace(b"\x00\x01\x00\x01", b"\x00\x01\xff\xff", 1),
    "thousands_of_tracks": midi(*[_NOTE + _END] * 3000),
    "a_million_notes_at_once": midi(
        b"\x00\x90\x3c\x50" + b"\x00\x3c\x50" * 999_999 + b"\x60\x3c\x00" + b"\x00\x3c\x00" * 999_999 + _END
    ),
    "riff": b"RIFF\x00\x00\x00\x00RMIDdata" + midi(_NOTE + _END),
    "html": b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
    "zeros": bytes(1 << 20),
}
