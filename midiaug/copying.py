"""How much of a piece is copied from the training pieces, in any key and at any tempo.

Two figures: the share of its 12-grams that some training piece has, and the longest passage that stands note for note
in one of them. Both follow the fingerprint: a passage is the same where its intervals and the ratios of its onset
gaps are, so a tune that is recited three semitones up, or in notes of half the length, is found. Beside them belongs
the same figure of the validation pieces: tunes of one style have passages in common that nobody copied.
(The question is that of Yin, Reuben, Stepney and Collins 2022, "Measuring When a Music Generation Algorithm Copies Too
Much", who also hold it against what composers borrow from each other.)
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from symusic.core import ScoreTick

from midiaug.data.corpus import Corpus
from midiaug.data.fingerprint import TopLine, top_lines, whole_ngrams_of_lines
from midiaug.data.pieces import NO_LIMITS, parse
from midiaug.suffixes import END, Suffixes, letters_of


@dataclass(frozen=True)
class Copying:
    """What of one piece is in the training pieces.

    share_of_12grams: of the piece's 12-grams, those that a training piece has; None where no line is of 13 notes.
    longest_notes: the notes of the longest passage that one training piece has too, 0 where not even an interval is.
    longest_beats: quarter notes from its first onset to its last. at_beat: where it begins in the piece.
    piece: the training piece it is in. piece_beat: where it begins there. semitones: how far up it is from there.
    """

    share_of_12grams: float | None
    longest_notes: int
    longest_beats: float
    at_beat: float | None = None
    piece: str | None = None
    piece_beat: float | None = None
    semitones: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The figures by name, as JSON takes them."""
        return asdict(self)


class TrainingPassages:
    """Every passage of the training pieces, sorted, so that a piece is looked up in milliseconds."""

    def __init__(self, scores: Iterable[ScoreTick], names: Sequence[str]) -> None:
        """scores: the training pieces, and the name of each."""
        grams, lines, rows = [np.zeros(0, np.uint64)], [], []
        for row, score in enumerate(scores):
            of_score = top_lines(score)
            grams.append(whole_ngrams_of_lines(of_score))
            for line in of_score:
                if len(line.pitches) > 1:
                    lines.append(line)
                    rows.append(row)
        self._names = names
        self._ngrams = np.unique(np.concatenate(grams))
        self._suffixes = Suffixes([letters_of(line, END) for line in lines])
        self._rows = np.array(rows, np.int64)
        self._starts = np.cumsum([0] + [len(line.pitches) for line in lines])
        self._onsets = np.concatenate([np.zeros(0), *(line.onsets for line in lines)])
        self._pitches = np.concatenate([np.zeros(0, np.int64), *(line.pitches for line in lines)]).astype(np.int16)

    @classmethod
    def of(
        cls, corpus: Corpus, rows: Iterable[int], written: Callable[[ScoreTick], ScoreTick] | None = None
    ) -> "TrainingPassages":
        """The passages of these pieces of a corpus, such as `np.flatnonzero(~split.validation)`.

        written: what becomes of a piece in a tokenizer, `lambda score: tokenizer.decode(tokenizer.encode(score))`: a
        model can only recite that, and a coarse grid changes triplets. It costs some milliseconds a piece.
        """
        rows = [int(row) for row in rows]
        scores = (parse(corpus.midi[row].tobytes(), NO_LIMITS) for row in rows)
        return cls(scores if written is None else map(written, scores), [corpus.names[row] for row in rows])

    def copying_of(self, score: ScoreTick) -> Copying:
        """What of the piece is in the training pieces. Of passages of the same length, the first in the piece."""
        lines = top_lines(score)
        grams = whole_ngrams_of_lines(lines)
        share = float(self._has(grams).mean()) if len(grams) else None
        found = [(*self._suffixes.longest(line), line) for line in lines if len(line.pitches) > 1]
        notes, at, there, line = max(found, key=lambda one: one[0], default=(0, 0, 0, None))
        return Copying(share, 0, 0.0) if line is None or notes == 0 else self._described(share, notes, at, there, line)

    def _has(self, grams: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Which of the n-grams a training piece has."""
        if len(self._ngrams) == 0:
            return np.zeros(len(grams), bool)
        places = np.searchsorted(self._ngrams, grams)
        found: NDArray[np.bool_] = self._ngrams[np.minimum(places, len(self._ngrams) - 1)] == grams
        return found

    def _described(self, share: float | None, notes: int, at: int, there: int, line: TopLine) -> Copying:
        row = self._rows[np.searchsorted(self._starts, there, side="right") - 1]
        return Copying(
            share_of_12grams=share,
            longest_notes=notes,
            longest_beats=float(line.onsets[at + notes - 1] - line.onsets[at]),
            at_beat=float(line.onsets[at]),
            piece=self._names[int(row)],
            piece_beat=float(self._onsets[there]),
            semitones=int(line.pitches[at]) - int(self._pitches[there]),
        )


def summary(pieces: Sequence[Copying]) -> dict[str, Any]:
    """Over a set: the mean and median share of 12-grams; the longest passage and where it is from; their median.

    n: the pieces that have a share; too_short: the others. None where no piece has the figure. A few tunes with a
    common strain make the mean: in a folk corpus the median share is often 0.
    """
    shares = [piece.share_of_12grams for piece in pieces if piece.share_of_12grams is not None]
    longest = max(pieces, key=lambda piece: piece.longest_notes, default=Copying(None, 0, 0.0))
    return {
        "share_of_12grams": float(np.mean(shares)) if shares else None,
        "share_median": float(np.median(shares)) if shares else None,
        "longest_notes": longest.longest_notes if pieces else None,
        "longest_median": float(np.median([piece.longest_notes for piece in pieces])) if pieces else None,
        "longest_beats": longest.longest_beats if pieces else None,
        "piece": longest.piece,
        "semitones": longest.semitones,
        "n": len(shares),
        "too_short": len(pieces) - len(shares),
    }
