"""Which token may follow which: MidiTok's graph of token types as tables over the vocabulary.

A token of a trained tokenizer is several tokens in one, its parts; the tables have a column for each.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from midiaug.data.spelling import DOUBLED
from midiaug.data.transpose import DRUMS

OTHER, BAR, POSITION, SHIFT, REST, TIME_SIGNATURE, ON, OFF, DURATION, PROGRAM, EOS = range(11)
_KINDS = {
    "Bar": BAR,
    "Position": POSITION,
    "TimeShift": SHIFT,
    "Rest": REST,
    "TimeSig": TIME_SIGNATURE,
    "Pitch": ON,
    "PitchDrum": ON,
    "NoteOn": ON,
    "DrumOn": ON,
    "NoteOff": OFF,
    "DrumOff": OFF,
    "Duration": DURATION,
    "Program": PROGRAM,
    "EOS": EOS,
}
_SPECIAL = ("PAD", "BOS", "MASK", "UNK", "SEP", "CLS")
# what stands within a note or belongs to what came before: no piece begins with it
_INNER = ("Velocity", "Duration", "NoteOff", "DrumOff", "Rest", "PedalOff", "EOS")
PROGRAMS, PITCHES = 129, 128
# for tokenizers that write neither bars nor time signatures: a prompt's is kept in mind, to count its bars
_UNWRITTEN = ("4/4", "2/4", "3/4", "5/4", "6/4", "2/2", "3/2", "3/8", "6/8", "9/8", "12/8")


@dataclass(frozen=True)
class Signature:
    """A time signature in the tokenizer's ticks: a bar's, a beat's, and those from one position to the next."""

    bar: int
    beat: int
    position: int


class Grammar:
    """The tables, for one tokenizer, on one device.

    parts: for each token its parts by name, such as ["Pitch_60"].
    follow: (types + 1, vocabulary) whether a token's first part may follow a part of this type; the last row is the
    start of a piece. last_type: (vocabulary,) the type of a token's last part.
    kind, value, drum: (vocabulary, parts) what a part is, its number (position, pitch, program + 1, signature), and
    whether it is a drum's. ticks: (beats, vocabulary, parts) how long it lasts, by `beat_row` of the signature.
    closed: (types + 1,) whether a piece may end behind this type.
    Limits: what pitch intervals, pedals and attribute controls stand for is not followed; the order of their types is.
    """

    def __init__(self, tokenizer: Any, device: torch.device | str = "cpu", *, merged: bool = True) -> None:
        """merged: of a trained tokenizer, whether its merged tokens are meant, and not those that it merges."""
        self.tokenizer, self.device = tokenizer, torch.device(device)
        self.one_stream = bool(tokenizer.config.one_token_stream_for_programs)
        self.with_programs = bool(tokenizer.config.use_programs)
        self.parts = parts_of(tokenizer, merged)
        self.width = max(len(names) for names in self.parts)
        self.types = sorted({name.partition("_")[0] for names in self.parts for name in names})
        self._row = {name: row for row, name in enumerate(self.types)}
        self.start = len(self.types)
        self.has_bars, self.has_offs = "Bar" in self._row, "NoteOff" in self._row
        self.names_signatures = "TimeSig" in self._row
        self.drum_tokens = any(name in self._row for name in DRUMS)
        self.bar_type = self._row.get("Bar", -1)
        self.eos_type = self._row.get("EOS", -1)
        self.bos = dict(tokenizer.vocab).get("BOS_None")
        self.eos = dict(tokenizer.vocab).get("EOS_None")
        self._fill_types()
        self._fill_parts()

    def _fill_types(self) -> None:
        graph = self.tokenizer.tokens_types_graph
        opening = {"Bar"} if self.has_bars else {"TimeSig"} if "TimeSig" in self._row else set()
        later = {*_INNER, *_SPECIAL, *(graph.get("Program", ()) if self.with_programs else ())}
        opening = opening or {name for name in self.types if name not in later}
        first = [names[0].partition("_")[0] for names in self.parts]
        follow = [[name in graph.get(before, ()) for name in first] for before in self.types]
        follow.append([name in opening for name in first])
        for number, names in enumerate(self.parts):
            kinds = {name.partition("_")[0] for name in names}
            if kinds & set(_SPECIAL) or (not self.with_programs and kinds & set(DRUMS)):
                for row in follow:
                    row[number] = False
        if self.has_bars and "Rest" in self._row:  # a rest moves the time, so a position follows, as MidiTok writes it
            row = follow[self._row["Rest"]]
            row[:] = [may and name in ("Position", "Rest", "Bar") for may, name in zip(row, first, strict=True)]
        self.follow = torch.tensor(follow, device=self.device)
        self.last_type = self._tensor([self._row[names[-1].partition("_")[0]] for names in self.parts])
        inside = {"Velocity", "Duration"}
        ends = [
            bool(set(graph.get(name, ())) - inside - {*_SPECIAL, "EOS"})
            and name not in ("Program", "Position", "Chord", *_SPECIAL)
            for name in self.types
        ]
        self.closed = torch.tensor([*ends, False], device=self.device)

    def _fill_parts(self) -> None:
        shape = (len(self.parts), self.width)
        kind, value, drum = torch.zeros(shape, dtype=torch.int64), torch.full(shape, -1), torch.zeros(shape).bool()
        ticks = torch.zeros((len(self.beats), *shape), dtype=torch.int64)
        for token, names in enumerate(self.parts):
            for column, name in enumerate(names):
                family, _, text = name.partition("_")
                kind[token, column] = _KINDS.get(family, OTHER) if name != "Bar_End" else OTHER
                drum[token, column] = family in DRUMS
                value[token, column] = self._value(family, text)
                if family in ("TimeShift", "Rest", "Duration"):
                    for row, beat in enumerate(self.beats):
                        ticks[row, token, column] = self._ticks(family, text, beat)
        self.kind, self.value = kind.to(self.device), value.to(self.device)
        self.drum, self.ticks = drum.to(self.device), ticks.to(self.device)

    @cached_property
    def base(self) -> "Grammar":
        """The same for the tokens before any merging, on the CPU."""
        return Grammar(self.tokenizer, merged=False)

    @cached_property
    def position_spans(self) -> tuple[Tensor, Tensor]:
        """(vocabulary,) the first and the last position that a token names before a bar of its own; -1 without."""
        here = (self.kind == POSITION) & ((self.kind == BAR).cumsum(1) == 0)
        last = torch.where(here, self.value, -1).amax(1)
        return torch.where(last < 0, -1, torch.where(here, self.value, 1 << 30).amin(1)), last

    @cached_property
    def bars_before_note(self) -> Tensor:
        """(vocabulary,) how many bars a token opens before its first note."""
        silent = (self.kind == ON).cumsum(1) == 0
        return ((self.kind == BAR) & silent).sum(1)

    @cached_property
    def checked(self) -> Tensor:
        """(vocabulary, parts) bool: the notes that what sounds decides on: the first of each pitch within a token."""
        note = (self.kind == ON) | (self.kind == OFF)
        moves = (self.kind == BAR) | (self.kind == POSITION) | (self.kind == REST)
        moves |= (self.kind == SHIFT) & (self.ticks.amax(0) > 0)
        first = torch.ones_like(note)
        for column in range(1, self.width):
            same = self.value[:, :column] == self.value[:, column, None]
            first[:, column] = ~(note[:, :column] & same).any(1)
        still = moves.cumsum(1) == 0
        return note & first & (still | self.has_offs)

    @cached_property
    def home(self) -> Tensor:
        """(vocabulary,) the program, plus 1, that a merged token needs to be in; -1 for any.

        It begins a note in the program that holds, and ends that note in one that it names.
        """
        needed = []
        for names in self.parts:
            program, opened, home = "", set(), -1
            for family, _, value in (name.partition("_") for name in names):
                program = value if family == "Program" else program
                if family in ("NoteOn", "DrumOn") and not program:
                    opened.add(value)
                elif family in ("NoteOff", "DrumOff") and program and value in opened:
                    home = int(program) + 1
            needed.append(home)
        return self._tensor(needed)

    def _value(self, family: str, text: str) -> int:
        if family == "TimeSig":
            return list(self.signatures).index(text)
        if family == "Program":
            return int(text) + 1
        return (
            int(text) if family in ("Position", "Pitch", "PitchDrum", "NoteOn", "DrumOn", "NoteOff", "DrumOff") else -1
        )

    def _ticks(self, family: str, text: str, beat: int) -> int:
        table = self.tokenizer._tpb_rests_to_ticks if family == "Rest" else self.tokenizer._tpb_tokens_to_ticks
        return int(table[beat].get(text, 0))  # Structured writes "at the same time" as a shift without a length

    @cached_property
    def signatures(self) -> dict[str, Signature]:
        """The time signatures that can be written, by name; where none can, 4/4, and without bars some others."""
        names = [name.partition("_")[2] for name in dict(self.tokenizer.vocab) if name.startswith("TimeSig_")]
        return {name: self._signature(name) for name in names or _UNWRITTEN[: 1 if self.has_bars else None]}

    def _signature(self, name: str) -> Signature:
        count, unit = (int(number) for number in name.split("/"))
        beats = self.tokenizer._tpb_per_ts
        beat = int(beats.get(unit, beats[4]))
        bar = 4 * int(self.tokenizer.time_division) * count // unit
        return Signature(bar, beat, max(1, beat // int(self.tokenizer.config.max_num_pos_per_beat)))

    @cached_property
    def default_signature(self) -> int:
        """The row of 4/4, which holds until another is written."""
        names = list(self.signatures)
        return names.index("4/4") if "4/4" in names else 0

    @cached_property
    def beats(self) -> list[int]:
        """Ticks a beat, each once; `beat_row` has the row of each signature's."""
        return sorted({signature.beat for signature in self.signatures.values()})

    @cached_property
    def signature_table(self) -> Tensor:
        """(signatures, 3) ticks a bar, ticks a position, and the row in `beats`."""
        rows = [[sign.bar, sign.position, self.beats.index(sign.beat)] for sign in self.signatures.values()]
        return self._tensor(rows)

    def _tensor(self, values: Any) -> Tensor:
        return torch.tensor(values, dtype=torch.int64, device=self.device)


def parts_of(tokenizer: Any, merged: bool = True) -> list[list[str]]:
    """The base tokens that each token stands for, by name; one for each token of an untrained tokenizer."""
    if not (merged and tokenizer.is_trained):
        names = [""] * len(tokenizer.vocab)
        for name, number in tokenizer.vocab.items():
            names[number] = name
        return [[name] for name in names]
    parts: list[list[str]] = [["PAD_None"] for _ in range(len(tokenizer))]
    for symbol, number in tokenizer.vocab_model.items():
        parts[number] = list(tokenizer._vocab_learned_bytes_to_tokens.get(symbol, [])) or ["PAD_None"]
    # a Unigram model has each special token a second time, in tokens of another shape; that of the vocabulary counts
    special = set(tokenizer.special_tokens)
    parts = [["PAD_None"] if special & set(names) else names for names in parts]
    for name in tokenizer.special_tokens:
        if tokenizer.vocab[name] < len(parts) and not name.endswith(DOUBLED):
            parts[tokenizer.vocab[name]] = [name]
    return parts
