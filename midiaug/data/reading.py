"""Entries read into MIDI bytes and fingerprints: what a process of its own does for the corpus."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from symusic.core import ScoreTick

from midiaug.data.fingerprint import ngrams_of_scores
from midiaug.data.pieces import Limits, parse, read_midi_bytes
from midiaug.data.sources import Entry
from midiaug.data.workers import Passing
from midiaug.errors import PassingFault, QuarantinedFile

_NOTES_AT_ONCE = 1 << 14  # of scores that are kept for their fingerprints, which many pieces at once get sooner
Candidate = tuple[Entry, bytes]  # and the digest of its file


@dataclass(frozen=True)
class ReadPiece:
    """A piece as the corpus keeps it. ngrams: its fingerprint, sorted uint64. notes: how many."""

    midi: bytes
    ngrams: NDArray[np.uint64]
    notes: int


def read_entries(entries: list[Candidate], limits: Limits) -> list[ReadPiece | str]:
    """Each entry as a piece, or the reason why it is none."""
    results: dict[int, ReadPiece | str] = {}
    waiting: dict[int, tuple[bytes, ScoreTick]] = {}
    notes = 0
    # rows of a Parquet file in their order, in which it is read once
    for number in sorted(
        range(len(entries)), key=lambda number: (entries[number][0].path, entries[number][0].row or 0)
    ):
        try:
            midi = read_midi_bytes(*entries[number])
            waiting[number] = midi, parse(midi, limits)
        except PassingFault as reason:
            results[number] = Passing(reason)
        except QuarantinedFile as reason:
            results[number] = str(reason)
        else:
            notes += waiting[number][1].note_num()
            if notes >= _NOTES_AT_ONCE:
                results |= _pieces(waiting)
                waiting, notes = {}, 0
    results |= _pieces(waiting)
    return [results[number] for number in range(len(entries))]


def _pieces(read: dict[int, tuple[bytes, ScoreTick]]) -> dict[int, ReadPiece]:
    ngrams = ngrams_of_scores([score for _, score in read.values()])
    return {
        number: ReadPiece(midi, of_score, score.note_num())
        for (number, (midi, score)), of_score in zip(read.items(), ngrams, strict=True)
    }
