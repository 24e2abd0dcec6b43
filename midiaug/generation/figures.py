"""What generated music is held against: variety, copying and keys, beside the same of the validation pieces."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.table import Table
from symusic.core import ScoreTick

from midiaug.copying import Copying, TrainingPassages, summary
from midiaug.data.fingerprint import NGRAM
from midiaug.data.module import MidiDataModule
from midiaug.data.pieces import NO_LIMITS, parse
from midiaug.generation.counterpart import NOTHING, Counterpart, as_written, continuations, openings
from midiaug.generation.grammar import Grammar
from midiaug.generation.spread import FEWEST, against_spread
from midiaug.metrics import FIGURES, OF_PAIRS, Variety, keys_of, pair_similarities, summary_of, variety
from midiaug.text_tables import as_text

_MOST_WRITTEN = 4000  # training pieces that are rewritten as the tokenizer writes them, some milliseconds each
_OF_PASSAGES = ("distinct_ngrams", OF_PAIRS)  # figures that music of fewer than 13 onsets has not
_LABELS = {
    "pitch_class_entropy": ("pitch classes, entropy in bits", "{:.2f}"),
    "distinct_pitches": ("different pitches", "{:.1f}"),
    "pitch_range": ("range, semitones", "{:.1f}"),
    "distinct_ngrams": ("13-note passages that are no repeat", "{:.0%}"),
    OF_PAIRS: ("passages that two of them share", "{:.2%}"),
    "groove_consistency": ("rhythm alike from bar to bar, 0 to 1", "{:.3f}"),
    "scale_consistency": ("notes within one scale", "{:.0%}"),
}
_COPIED = {
    "share_of_12grams": ("13-note passages found in training", "{:.1%}"),
    "longest_median": ("longest copied passage, notes (median)", "{:g}"),
    "longest_notes": ("longest of all", "{:.0f}"),
}
_SIDES = ("generated", "validation")


@dataclass(frozen=True)
class RealMusic:
    """The music of the checkpoint, for comparison. counterpart: what of the validation pieces is held against.

    pieces: whole validation pieces, by name. passages: those of the training pieces.
    """

    counterpart: Counterpart
    pieces: list[tuple[str, ScoreTick]]
    passages: TrainingPassages

    @property
    def validation(self) -> list[ScoreTick]:
        """The real music that is held against the generated."""
        return self.counterpart.scores


def open_corpus(data: MidiDataModule, grammar: Grammar, bars: int, seed: int, given: int | None = 0) -> RealMusic:
    """Read the validation and the training pieces of a run, and take of each validation piece what compares.

    bars: how many are generated at most. given: how many bars of a prompt come before them; None where the validation
    pieces are the prompts, and so chosen first: then nothing compares yet.
    """
    corpus, split = data.corpus, data.split
    rows = np.flatnonzero(split.validation)
    rows = rows[np.random.default_rng([seed, 0x67656E]).permutation(len(rows))]
    pieces = [(corpus.names[int(row)], parse(corpus.midi[int(row)].tobytes(), NO_LIMITS)) for row in rows]
    training = np.flatnonzero(~split.validation)
    written = (lambda score: as_written(score, grammar)) if len(training) <= _MOST_WRITTEN else None
    passages = TrainingPassages.of(corpus, training, written)
    if given is None:
        return RealMusic(NOTHING, pieces, passages)
    real = continuations(pieces, given, bars, grammar) if given else openings(pieces, bars, grammar)
    return RealMusic(real, pieces, passages)


@dataclass(frozen=True)
class _Side:
    """The figures of a set of pieces: of each, of each two, and what of each is in the training pieces."""

    pieces: list[Variety]
    pairs: list[float]
    copying: list[Copying]

    @classmethod
    def of(cls, scores: Sequence[ScoreTick], corpus: RealMusic | None) -> "_Side":
        copying = [] if corpus is None else [corpus.passages.copying_of(score) for score in scores]
        return cls([variety(score) for score in scores], pair_similarities(scores).tolist(), copying)

    def values(self, name: str) -> list[float | None]:
        """One figure of each piece, or of each two."""
        if name in _COPIED:
            attribute = "share_of_12grams" if name == "share_of_12grams" else "longest_notes"
            return [getattr(one, attribute) for one in self.copying]
        return [*self.pairs] if name == OF_PAIRS else [getattr(one, name) for one in self.pieces]


def figures(new: Sequence[ScoreTick], corpus: RealMusic | None) -> dict[str, Any]:
    """Variety, copying and keys of the generated pieces and of the validation pieces, as generate.json has them.

    Of each generated piece under `pieces`. Under `spread`, for each figure, what `against_spread` says of it.
    Without the corpus, the generated pieces' variety and keys alone.
    """
    generated = _Side.of(new, corpus)
    copying = [one.as_json() for one in generated.copying] if corpus is not None else [None] * len(new)
    result: dict[str, Any] = {
        "pieces": [
            {"key": one.key, "variety": one.as_json(), "copying": copied}
            for one, copied in zip(generated.pieces, copying, strict=True)
        ],
        "against": corpus.counterpart.words if corpus is not None else None,
        "variety": dict.fromkeys(_SIDES),
        "copying": dict.fromkeys(_SIDES),
        "keys": dict.fromkeys(_SIDES),
        "spread": None,
    }
    sides = {"generated": generated}
    if corpus is not None:
        sides["validation"] = real = _Side.of(corpus.validation, corpus)
        result["spread"] = {
            name: against_spread(
                generated.values(name), real.values(name), pieces=len(new) if name == OF_PAIRS else None
            )
            for name in (*FIGURES, "share_of_12grams", "longest_median")
        }
    for name, side in sides.items():
        result["variety"][name] = summary_of(side.pieces, np.array(side.pairs))
        result["copying"][name] = summary(side.copying) if corpus is not None else None
        result["keys"][name] = keys_of(side.pieces)
    return result


def table_of(result: dict[str, Any]) -> str:
    """The figures as a small table: generated beside validation, each as mean ± standard deviation over pieces.

    The last column says whether the generated ones lie where 95 % of the validation pieces do, and how many.
    """
    table = Table(show_header=True, header_style="bold")
    for head in ("a piece, mean ± sd", *_SIDES, "generated is"):
        table.add_column(head, justify="right" if head in _SIDES else "left")
    for name, (label, form) in _LABELS.items():
        table.add_row(label, *(_shown(result["variety"][side], name, form) for side in _SIDES), _verdict(result, name))
    for name, (label, form) in _COPIED.items():
        table.add_row(label, *(_copied(result["copying"][side], name, form) for side in _SIDES), _verdict(result, name))
    return as_text(table)


def notes_below(result: dict[str, Any]) -> list[str]:
    """The lines below the table: what its last column means, and how many pieces are too short for a passage."""
    lines, found = [], [one for one in (result["spread"] or {}).values() if one is not None][:1]
    for one in found:
        lines.append("within: they lie where 95 % of the validation pieces do, but for as many as chance puts outside;")
        count, inside = f"{one['n']:,}", f"{one['inside']:,}"
        lines.append(
            f"else where most of the others are; ({inside}/{count}): of {count} generated pieces {inside} lie there"
        )
    if not found and result["against"] is not None:
        lines.append(f"what is usual is not known of fewer than {FEWEST} validation pieces: the last column is empty")
    figures_of = result["variety"]["generated"]
    pieces = figures_of["notes"]["n"]
    short = pieces - figures_of["distinct_ngrams"]["n"]
    if short:
        which = f"{short:,} of {pieces:,} generated pieces {'is' if short == 1 else 'are'} too short for a passage"
        lines.append(f"{which}: fewer than {NGRAM + 1} onsets")
    return lines


def _verdict(result: dict[str, Any], name: str) -> str:
    found = (result["spread"] or {}).get(name)
    return "" if found is None else f"{found['verdict']} ({found['inside']:,}/{found['n']:,})"


def _shown(side: dict[str, Any] | None, name: str, form: str) -> str:
    figure = (side or {}).get(name) or {}
    if side is None or figure.get("mean") is None:
        pieces = 0 if side is None else side["notes"]["n"]
        return "too short" if name in _OF_PASSAGES and pieces > (name == OF_PAIRS) else ""
    sd = figure["sd"]
    return form.format(figure["mean"]) + ("" if sd is None else f" ± {form.format(sd)}")


def _copied(side: dict[str, Any] | None, name: str, form: str) -> str:
    if side is None or not side["n"] + side["too_short"]:
        return ""
    return "too short" if side[name] is None else form.format(side[name])


def copied_much(result: dict[str, Any]) -> str | None:
    """A sentence where the generated pieces share clearly more with the training pieces than validation pieces do."""
    sides = [result["copying"][side] or {} for side in _SIDES]
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
