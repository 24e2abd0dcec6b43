"""What a corpus is like: how much there is of it, its pitches, its lengths and its keys."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midiaug.data.cache import cache_key, kept_arrays
from midiaug.data.corpus import Corpus
from midiaug.data.flat import Ragged
from midiaug.data.module import MidiDataModule
from midiaug.data.pieces import Limits, parse
from midiaug.data.transpose import MAX_SHIFT, TokenTransposer, base_vocabulary
from midiaug.data.workers import in_processes
from midiaug.errors import QuarantinedFile, RouteError
from midiaug.keys import Key, key_of, pitch_class_weights

_FORMAT = 1
_PITCHES = 128
KEYS = [str(Key(tonic, mode)) for mode in ("major", "minor") for tonic in range(12)]
_UNKNOWN_KEY = -1
_Counted = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Notes:
    """What the scores of a corpus hold; each array has a row for each piece.

    pitches: (pieces, 128) notes of the pitched tracks. drums: (pieces,) notes of the drum tracks. tracks: (pieces,)
    that hold notes. beats: (pieces,) how long, in quarter notes. key: (pieces,) a place in KEYS, -1 where unknown.
    """

    pitches: NDArray[np.integer]
    drums: NDArray[np.integer]
    tracks: NDArray[np.integer]
    beats: NDArray[np.floating]
    key: NDArray[np.integer]


def count_notes(corpus: Corpus, limits: Limits, cache_dir: Path) -> Notes:
    """Count the notes of all pieces in parallel, or find them counted in the cache."""
    directory = cache_dir / "notes" / cache_key([_FORMAT, corpus.key])
    return Notes(**kept_arrays(directory, partial(_count, corpus, limits)))


def _count(corpus: Corpus, limits: Limits) -> _Counted:
    work = partial(_of_pieces, directory=corpus.directory, limits=limits)
    weights = corpus.midi.lengths().tolist()
    pieces = list(in_processes(work, list(range(len(corpus))), weights, lambda *_: _nothing(), label="counting notes"))
    return {name: np.stack([piece[name] for piece in pieces]) for name in _nothing()}


def _nothing() -> _Counted:
    """Stands for a piece that cannot be counted: no note."""
    counts = {"drums": np.int64(0), "tracks": np.int32(0), "beats": np.float64(0), "key": np.int8(_UNKNOWN_KEY)}
    return {"pitches": np.zeros(_PITCHES, np.int32), **{name: np.asarray(value) for name, value in counts.items()}}


def _of_pieces(rows: list[int], directory: Path, limits: Limits) -> list[_Counted]:
    midi = Ragged(directory, "midi", np.uint8)
    counted: list[_Counted] = []
    for row in rows:
        found = _nothing()
        try:
            score = parse(midi[row].tobytes(), limits)
        except QuarantinedFile:  # it was readable when the corpus was built, and is counted as having no notes
            counted.append(found)
            continue
        for track in score.tracks:
            pitches = track.notes.numpy()["pitch"]
            if track.is_drum:
                found["drums"] = found["drums"] + len(pitches)
            else:
                found["pitches"] += np.bincount(pitches, minlength=_PITCHES).astype(np.int32)
            found["tracks"] = found["tracks"] + bool(len(pitches))
        found["beats"] = np.asarray(score.end() / max(1, score.ticks_per_quarter))
        key = key_of(pitch_class_weights(score))
        found["key"] = np.asarray(KEYS.index(str(key)) if key else _UNKNOWN_KEY, np.int8)
        counted.append(found)
    return counted


def corpus_statistics(data: MidiDataModule, notes: Notes, windows: int) -> dict[str, Any]:
    """The figures of a corpus, as compare.json has them. windows: how many samples there are to train on.

    Only pieces that have tokens count, as in training; the vocabulary is used by the training pieces alone.
    """
    store, used = data.store, data.store.has_pieces
    lengths = np.asarray(store.tokens.lengths())
    tokens = np.bincount(store.piece, lengths, len(used))[used].astype(np.int64)
    pitched, drums = np.asarray(notes.pitches).sum(1, dtype=np.int64)[used], np.asarray(notes.drums)[used]
    counts = token_counts(data, ~data.split.validation)
    keys = np.asarray(notes.key)[used]
    return {
        "pieces": {"read": int(used.sum()), "left_out": len(data.quarantined)}
        | {side: int((part & used).sum()) for side, part in _sides(data).items()},
        "tunes": len(np.unique(data.split.group)),
        "tracks": int(np.asarray(notes.tracks)[used].sum()),
        "sequences": len(store.piece),
        "notes": int(pitched.sum() + drums.sum()),
        "drum_notes": int(drums.sum()),
        "tokens": int(tokens.sum()),
        "vocabulary": {
            "entries": len(base_vocabulary(data.tokenizer)) if not data.tokenizer.is_trained else len(data.tokenizer),
            "used": int((counts > 0).sum()),
        },
        "windows": windows,
        "windows_per_entry": windows / max(1, len(counts)),
        "tokens_per_entry": float(counts.sum() / max(1, len(counts))),
        "median_tokens_of_used_entries": float(np.median(counts[counts > 0])) if counts.any() else 0.0,
        "pitches": np.asarray(notes.pitches)[used].sum(0, dtype=np.int64).tolist(),
        "tokens_a_piece": histogram(tokens),
        "notes_a_piece": histogram(pitched + drums),
        "quarter_notes_a_piece": histogram(np.asarray(notes.beats)[used]),
        "keys": {name: int((keys == place).sum()) for place, name in enumerate(KEYS) if (keys == place).any()},
        "keys_unknown": int((keys == _UNKNOWN_KEY).sum()),
    }


def _sides(data: MidiDataModule) -> dict[str, NDArray[np.bool_]]:
    return {"train": ~data.split.validation, "val": data.split.validation}


def token_counts(data: MidiDataModule, pieces: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(vocabulary,) how often each token comes in the sequences of some pieces, (pieces,) of the corpus.

    Drum notes that the store marks are counted with the tokens that they stand for.
    """
    return _folded(data, raw_token_counts(data, np.where(pieces, 0, -1), 1)[0])


def raw_token_counts(data: MidiDataModule, kind: NDArray[np.integer], kinds: int) -> NDArray[np.int64]:
    """(kinds, ids of the store) how often each token comes in the pieces of a kind, with drums by themselves.

    kind: (pieces,) of each piece of the corpus, from 0; negative where it does not count.
    """
    tokens, rows = data.store.tokens, kind[data.store.piece]
    counts = np.zeros((kinds, int(tokens.data.max(initial=0)) + 1), np.int64)
    for row in np.flatnonzero(rows >= 0).tolist():
        found = np.bincount(tokens[row])
        counts[rows[row], : len(found)] += found
    return counts


def _folded(data: MidiDataModule, counts: NDArray[np.int64]) -> NDArray[np.int64]:
    try:
        table = TokenTransposer(data.tokenizer).table[MAX_SHIFT]
    except RouteError:  # its ids stand for themselves
        return np.bincount(np.arange(len(counts)), counts, len(data.tokenizer)).astype(np.int64)
    return np.bincount(table[: len(counts)], counts, len(data.tokenizer)).astype(np.int64)


def histogram(values: NDArray[Any]) -> dict[str, Any]:
    """How values are spread: their least, middle and largest, and how many lie between edges.

    The last edge is the 99 % quantile, and what lies beyond it counts with the last bar, so that a single long piece
    does not hide the rest.
    """
    if not len(values):
        return {"least": None, "median": None, "largest": None, "edges": [], "counts": []}
    top = max(float(np.quantile(values, 0.99)), float(values.min()) + 1)
    counts, edges = np.histogram(np.minimum(values, top), bins=24, range=(float(values.min()), top))
    shape = {"edges": [round(float(edge), 3) for edge in edges], "counts": counts.tolist()}
    return {"least": float(values.min()), "median": float(np.median(values)), "largest": float(values.max())} | shape
