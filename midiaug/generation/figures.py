"""What generated music is held against: variety, copying and keys, beside the same of the validation pieces."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.table import Table
from symusic.core import ScoreTick

from midiaug.copying import Copying, TrainingPassages, summary
from midiaug.data.module import MidiDataModule
from midiaug.data.pieces import NO_LIMITS, parse
from midiaug.data.transpose import without_unwritable
from midiaug.generation.grammar import Grammar
from midiaug.generation.prompts import bar_line, between
from midiaug.metrics import figures_of, keys_of, parts_of
from midiaug.text_tables import as_text

_MOST_PIECES = 256  # of the validation pieces; more make the figures no surer
_MOST_WRITTEN = 4000  # training pieces that are rewritten as the tokenizer writes them, some milliseconds each
_OF_PASSAGES = ("distinct_ngrams", "self_similarity")  # figures that music of fewer than 13 notes has not
_LABELS = {
    "pitch_class_entropy": ("pitch classes, entropy in bits", "{:.2f}"),
    "distinct_pitches": ("different pitches", "{:.1f}"),
    "pitch_range": ("range, semitones", "{:.1f}"),
    "distinct_ngrams": ("13-note passages that are no repeat", "{:.0%}"),
    "self_similarity": ("passages that two of them share", "{:.2%}"),
    "groove_consistency": ("rhythm alike from bar to bar, 0 to 1", "{:.3f}"),
    "scale_consistency": ("notes within one scale", "{:.0%}"),
}


@dataclass(frozen=True)
class Corpus:
    """The music of the checkpoint, for comparison. validation: pieces as the model would write them.

    pieces: whole validation pieces, by name. passages: those of the training pieces.
    """

    validation: list[ScoreTick]
    pieces: list[tuple[str, ScoreTick]]
    passages: TrainingPassages


def open_corpus(data: MidiDataModule, grammar: Grammar, bars: int, seed: int) -> Corpus:
    """Read the validation and the training pieces of a run; each validation piece is cut to `bars` bars."""
    corpus, split = data.corpus, data.split
    rows = np.flatnonzero(split.validation)
    rows = rows[np.random.default_rng([seed, 0x67656E]).permutation(len(rows))]
    pieces = [(corpus.names[int(row)], parse(corpus.midi[int(row)].tobytes(), NO_LIMITS)) for row in rows]
    training = np.flatnonzero(~split.validation)
    written = (lambda score: as_written(score, grammar)) if len(training) <= _MOST_WRITTEN else None
    passages = TrainingPassages.of(corpus, training, written)
    whole = [as_written(between(score, 0, bar_line(score, bars)), grammar) for _, score in pieces[:_MOST_PIECES]]
    parts = whole if grammar.one_stream else [part for score in whole for part in parts_of(score)]
    return Corpus([score for score in parts if score.note_num()], pieces, passages)


def as_written(score: ScoreTick, grammar: Grammar) -> ScoreTick:
    """A score as the tokenizer writes it: its own grid of time, and no note that it has no token for."""
    tokenizer = grammar.tokenizer
    kept, _ = without_unwritable(score, tokenizer)
    sequences = tokenizer.encode(kept, encode_ids=False)
    if not isinstance(sequences, list):
        return tokenizer.decode(sequences)  # type: ignore[no-any-return]
    tracks = [(int(track.program), bool(track.is_drum)) for track in kept.tracks]
    if not sequences or len(sequences) != len(tracks):  # it writes tracks that have notes only
        kept.tracks = type(kept.tracks)([track for track in kept.tracks if len(track.notes)])
        tracks = [(int(track.program), bool(track.is_drum)) for track in kept.tracks]
    if not sequences or len(sequences) != len(tracks):
        return kept
    return tokenizer.decode(sequences, tracks)  # type: ignore[no-any-return]


def figures(new: Sequence[ScoreTick], corpus: Corpus | None) -> dict[str, Any]:
    """Variety, copying and keys of the generated pieces and of the validation pieces, as generate.json has them.

    Of each generated piece under `pieces`. Without the corpus, the generated pieces' variety and keys alone.
    """
    pieces, generated = figures_of(new)
    copying = [] if corpus is None else [corpus.passages.copying_of(score) for score in new]
    result: dict[str, Any] = {
        "pieces": [
            {"key": one.key, "variety": one.as_json(), "copying": copying[row].as_json() if copying else None}
            for row, one in enumerate(pieces)
        ],
        "variety": {"generated": generated, "validation": None},
        "copying": {"generated": summary(copying) if copying else None, "validation": None},
        "keys": {"generated": keys_of(pieces), "validation": None},
    }
    if corpus is not None:
        known, of_validation = figures_of(corpus.validation)
        copied: list[Copying] = [corpus.passages.copying_of(score) for score in corpus.validation]
        result["variety"]["validation"] = of_validation
        result["copying"]["validation"] = summary(copied)
        result["keys"]["validation"] = keys_of(known)
    return result


def table_of(result: dict[str, Any]) -> str:
    """The figures as a small table: generated beside validation, each as mean ± standard deviation over pieces."""
    table = Table(show_header=True, header_style="bold")
    for head in ("a piece, mean ± sd", "generated", "validation"):
        table.add_column(head, justify="left" if head.startswith("a piece") else "right")
    for name, (label, form) in _LABELS.items():
        table.add_row(label, *(_shown(result["variety"][side], name, form) for side in ("generated", "validation")))
    for name, label, form in (
        ("share_of_12grams", "13-note passages found in training", "{:.1%}"),
        ("longest_median", "longest copied passage, notes (median)", "{:.0f}"),
        ("longest_notes", "longest of all", "{:.0f}"),
    ):
        table.add_row(label, *(_copied(result["copying"][side], name, form) for side in ("generated", "validation")))
    return as_text(table)


def _shown(side: dict[str, Any] | None, name: str, form: str) -> str:
    figure = (side or {}).get(name) or {}
    if figure.get("mean") is None:
        return "too short" if figure and name in _OF_PASSAGES else ""
    sd = figure["sd"]
    return form.format(figure["mean"]) + ("" if sd is None else f" ± {form.format(sd)}")


def _copied(side: dict[str, Any] | None, name: str, form: str) -> str:
    if side is None or not side["n"]:
        return ""
    return "too short" if side[name] is None else form.format(side[name])


def copied_much(result: dict[str, Any]) -> str | None:
    """A sentence where the generated pieces share clearly more with the training pieces than validation pieces do."""
    sides = [result["copying"][side] or {} for side in ("generated", "validation")]
    shares = [side["share_of_12grams"] for side in sides if side.get("share_of_12grams") is not None]
    longest = [side["longest_median"] for side in sides if side.get("longest_median") is not None]
    if len(shares) < 2 or len(longest) < 2:
        return None
    if shares[0] <= max(2 * shares[1], shares[1] + 0.1) and longest[0] <= 2 * longest[1]:
        return None
    return (
        f"much is copied: {shares[0]:.0%} of the 13-note passages stand in training pieces, of the validation pieces' "
        f"{shares[1]:.0%}; the longest is {sides[0]['longest_notes']} notes of {sides[0]['piece']}"
    )
