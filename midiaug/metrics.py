"""The variety of music: figures of one piece and of a set, for generated pieces and for those of the corpus alike.

None of them is good when high or when low: a figure is held against the same one of the validation pieces. Over a
set, transposition raises pitch-class entropy by itself, so each figure is taken within a piece, and keys are counted
apart. Like is held against like: a piece of one track against `parts_of` the corpus, and a short one against as much
of them, as a longer piece has more pitches and repeats more of itself.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from symusic.core import ScoreTick

from midiaug.data.fingerprint import NGRAM, ngrams_of_steps, top_lines, whole_ngrams_of_lines
from midiaug.keys import Key, key_of, pitch_class_weights

OF_PAIRS = "self_similarity"  # of each two pieces, not of one
FIGURES = (
    "pitch_class_entropy",
    "distinct_pitches",
    "pitch_range",
    "distinct_ngrams",
    OF_PAIRS,
    "groove_consistency",
    "scale_consistency",
)
_OF_A_PIECE = tuple(name for name in FIGURES if name != OF_PAIRS)
# Wu and Yang (2020) divide a bar of 4/4 into 64 positions
_POSITIONS_A_QUARTER = 16
_MOST_COMPARED = 1000  # half a million pairs
# a natural minor scale has the notes of a major one, so these twelve are all
_SCALES = np.stack([Key(tonic, "major").scale for tonic in range(12)])


@dataclass(frozen=True)
class Variety:
    """The figures of one piece; None where the piece is too short to have one. Drums count for the groove alone.

    notes: how many pitched ones. pitch_class_entropy: of the notes over the twelve pitch classes, in bits, 0 for one
    pitch class to log2(12) = 3.58 for all alike (Wu and Yang 2020, "The Jazz Transformer on the Front Line"; over
    the whole piece as in MusPy, where theirs is over windows of one and of four bars).
    distinct_pitches, pitch_range: how many pitches, and semitones from the lowest to the highest (Dong et al. 2020,
    "MusPy: A Toolkit for Symbolic Music Generation", whose range also counts drums).
    distinct_ngrams: of the passages of 13 notes (12 steps of a top line, as in the fingerprint), the share that is
    not a repeat of another, whatever its key (distinct-n of Li et al. 2016, "A Diversity-Promoting Objective Function
    for Neural Conversation Models").
    groove_consistency: see `groove_consistency`. scale_consistency: the share of notes in the major or natural minor
    scale that has most of them (Mogren 2016, "C-RNN-GAN", with the scales that MusPy takes).
    key: what `key_of` hears.
    """

    notes: int
    pitch_class_entropy: float | None
    distinct_pitches: int
    pitch_range: int | None
    distinct_ngrams: float | None
    groove_consistency: float | None
    scale_consistency: float | None
    key: str | None

    def as_json(self) -> dict[str, Any]:
        """The figures by name, as JSON takes them."""
        return asdict(self)


def parts_of(score: ScoreTick) -> list[ScoreTick]:
    """Each pitched track that has notes as a piece of its own, with the time signatures of the whole.

    A model that is trained on one track at a time writes pieces of one track: hold them against these.
    """
    parts = []
    for track in score.tracks:
        if len(track.notes) and not track.is_drum:
            part = ScoreTick(score.ticks_per_quarter)
            part.time_signatures = score.time_signatures.copy()
            part.tracks.append(track.copy())
            parts.append(part)
    return parts


def variety(score: ScoreTick) -> Variety:
    """The figures of a piece."""
    pitches = np.concatenate(
        [np.zeros(0, np.int64), *(track.notes.numpy()["pitch"] for track in score.tracks if not track.is_drum)]
    ).astype(np.int64)
    classes = np.bincount(pitches % 12, minlength=12)
    key, some = key_of(pitch_class_weights(score)), len(pitches) > 0
    return Variety(
        notes=len(pitches),
        pitch_class_entropy=_entropy(classes) if some else None,
        distinct_pitches=len(np.unique(pitches)),
        pitch_range=int(np.ptp(pitches)) if some else None,
        distinct_ngrams=_distinct_ngrams(score),
        groove_consistency=groove_consistency(score),
        scale_consistency=float((_SCALES @ classes).max() / len(pitches)) if some else None,
        key=None if key is None else str(key),
    )


def groove_consistency(score: ScoreTick) -> float | None:
    """How alike the rhythms of the bars are, 0 to 1: 1 where each bar has its onsets where every other has them.

    The grooving pattern similarity of Wu and Yang (2020): one less the share of positions at which two
    bars differ in whether a note begins, as a mean over all pairs of bars; MusPy's groove_consistency takes the
    neighbours alone. A quarter note has 16 positions. Bars are those of the time signatures (4/4 where there are
    none), from the first onset to the last; only bars of the same length are compared. None where no two are. Most
    positions are empty in any bar, so the figure is seldom far below 1: what counts is how it differs from the corpus.
    """
    bars, positions, lengths = _onset_grid(score)
    agreement, pairs = 0.0, 0.0
    for length in np.unique(lengths[lengths > 0]):
        inside = lengths[bars] == length
        count = int((lengths == length).sum())
        _, onsets = np.unique(positions[inside], return_counts=True)
        # of the pairs of bars, those that differ at a position: one of the bars with an onset, one of those without
        differing = float((onsets * (count - onsets)).sum()) / length
        agreement += count * (count - 1) / 2 - differing
        pairs += count * (count - 1) / 2
    return float(agreement / pairs) if pairs else None


def pair_similarities(scores: Sequence[ScoreTick]) -> NDArray[np.float64]:
    """(pairs,) of each two pieces, the 12-grams that both have over those that either has (Jaccard 1901), in any key.

    12-grams are those of the fingerprint, of lines of 13 notes or more; a pair in which neither has any is left out.
    Pairs grow with the square of the pieces: of more than 1,000 pieces, 1,000 stand for all, spread evenly.
    """
    chosen = np.linspace(0, len(scores) - 1, min(len(scores), _MOST_COMPARED)).astype(int)
    rows = [whole_ngrams_of_lines(top_lines(scores[number])) for number in chosen]
    sizes = np.array([len(row) for row in rows], np.int64)
    if sizes.sum() == 0:
        return np.zeros(0)
    grams, columns = np.unique(np.concatenate(rows), return_inverse=True)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    has = csr_array((np.ones(len(columns), np.int32), columns, offsets), shape=(len(rows), len(grams)))
    first, second = np.triu_indices(len(rows), 1)
    common: NDArray[np.int64] = (has @ has.T).toarray()[first, second]
    either = sizes[first] + sizes[second] - common
    shares: NDArray[np.float64] = common[either > 0] / either[either > 0]
    return shares


def self_similarity(scores: Sequence[ScoreTick]) -> float | None:
    """The mean of `pair_similarities`, 0 where no two pieces share a passage to 1 where all are the same."""
    pairs = pair_similarities(scores)
    return float(pairs.mean()) if len(pairs) else None


def summary_of(pieces: Sequence[Variety], pairs: NDArray[np.float64] | None = None) -> dict[str, dict[str, Any]]:
    """Of each figure its mean, standard deviation and median over the n pieces that have it; also of `notes`.

    pairs: what `pair_similarities` gives, for self_similarity, whose n counts pairs.
    The standard deviation is that of a sample, None for a single one.
    """
    values = {name: [getattr(piece, name) for piece in pieces] for name in ("notes", *_OF_A_PIECE)}
    values["self_similarity"] = [] if pairs is None else pairs.tolist()
    return {name: _summary([value for value in values[name] if value is not None]) for name in ("notes", *FIGURES)}


def figures_of(scores: Sequence[ScoreTick]) -> tuple[list[Variety], dict[str, dict[str, Any]]]:
    """The figures of each piece, and their summary over the set with its self-similarity."""
    pieces = [variety(score) for score in scores]
    return pieces, summary_of(pieces, pair_similarities(scores))


def keys_of(pieces: Iterable[Variety]) -> dict[str, int]:
    """How many pieces seem to be in each key, the most frequent first; pieces without a key are left out."""
    counts = Counter(piece.key for piece in pieces if piece.key is not None)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _summary(values: Sequence[float]) -> dict[str, Any]:
    if not values:
        return {"mean": None, "sd": None, "median": None, "n": 0}
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": float(np.mean(values)), "sd": sd, "median": float(np.median(values)), "n": len(values)}


def _entropy(counts: NDArray[np.int64]) -> float:
    shares = counts[counts > 0] / counts.sum()
    return float((shares * -np.log2(shares)).sum())


def _distinct_ngrams(score: ScoreTick) -> float | None:
    lines = [line.steps for line in top_lines(score)]
    grams = [ngrams_of_steps(steps) for steps in lines if len(steps) >= NGRAM]
    if not grams:
        return None
    together = np.concatenate(grams)
    return len(np.unique(together)) / len(together)


def _onset_grid(score: ScoreTick) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Where the notes begin, each place once: (places,) the bar, (places,) the position in it, (bars,) positions a bar.

    A bar's length is 0 where it lies before the first onset.
    """
    quarter = int(score.ticks_per_quarter)
    onsets = np.concatenate([np.zeros(0, np.int64), *(track.notes.numpy()["time"] for track in score.tracks)])
    if len(onsets) == 0:
        return (np.zeros(0, np.int64),) * 3
    times = np.unique(np.rint(onsets.astype(np.int64) * _POSITIONS_A_QUARTER / quarter).astype(np.int64))
    signs = {0: 4 * _POSITIONS_A_QUARTER} | {
        round(sign.time * _POSITIONS_A_QUARTER / quarter): max(
            1, 4 * _POSITIONS_A_QUARTER * max(1, sign.numerator) // max(1, sign.denominator)
        )
        for sign in sorted(score.time_signatures, key=lambda sign: int(sign.time))
    }
    starts, sizes = np.array(sorted(signs)), np.array([signs[start] for start in sorted(signs)])
    ends = np.append(starts[1:], max(times[-1] + 1, starts[-1]))
    bars_in = -(-(np.maximum(ends - starts, 0)) // sizes)
    offsets = np.cumsum(bars_in) - bars_in
    segment = np.searchsorted(starts, times, side="right") - 1
    bar, position = np.divmod(times - starts[segment], sizes[segment])
    bar += offsets[segment]
    lengths = np.repeat(sizes, bars_in)
    lengths[: bar[0]] = 0
    return bar, position, lengths[: bar[-1] + 1]
