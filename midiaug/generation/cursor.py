"""Where each of a batch of growing pieces stands: its bar, its time, what sounds; and so which token may come next."""

import torch
from torch import Tensor

from midiaug.generation.grammar import (
    BAR,
    DURATION,
    OFF,
    ON,
    PITCHES,
    POSITION,
    PROGRAM,
    PROGRAMS,
    REST,
    SHIFT,
    TIME_SIGNATURE,
    Grammar,
)

_NEVER = 1 << 30


class Cursor:
    """The state of n pieces, in tensors of n rows. All times are in the tokenizer's ticks.

    before: the type of the last token. time: now. earliest: what the next position must not lie before.
    bar: the number of the bar, from 0; -1 before the first. bar_start: where it begins. signature: its row.
    note_end: the latest end of a note so far. program: the last one named, plus 1. notes: begun so far, behind the
    prompt.
    busy: (n, programs, pitches) what sounds, for tokenizers that write note ends; else what began at this time.
    stop: the number of the first bar that is not to be written; set it to keep a piece from passing all in silence.
    """

    _NAMES = ("before", "time", "earliest", "bar", "bar_start", "signature", "note_end", "program", "notes", "busy")

    def __init__(self, grammar: Grammar, n: int, signature: int | None = None) -> None:
        """signature: the row of the time signature to begin with; 4/4 if None."""
        self.grammar = grammar
        zeros = torch.zeros(n, dtype=torch.int64, device=grammar.device)
        self.before = zeros + grammar.start
        self.time, self.earliest, self.bar_start, self.note_end, self.notes = (zeros.clone() for _ in range(5))
        self.bar = zeros - 1 if grammar.has_bars else zeros.clone()
        self.signature = zeros + (grammar.default_signature if signature is None else signature)
        self.program = zeros + 1
        self.stop = zeros + _NEVER
        self.busy = torch.zeros((n, PROGRAMS, PITCHES), dtype=torch.bool, device=grammar.device)
        self._rows = torch.arange(n, device=grammar.device)

    @classmethod
    def stacked(cls, cursors: list["Cursor"]) -> "Cursor":
        """Several cursors of one piece each as one."""
        together = cls(cursors[0].grammar, len(cursors))
        for name in cls._NAMES:
            setattr(together, name, torch.cat([getattr(cursor, name) for cursor in cursors]))
        return together

    def allowed(self) -> Tensor:
        """(n, vocabulary) bool: the tokens that may come next; at least one in each row.

        Of a token with several parts, its positions before its first bar are checked, and of its notes the
        first of each pitch.
        """
        grammar = self.grammar
        by_type = grammar.follow[self.before]
        allowed = by_type & self._positions() & self._notes()
        allowed &= ~(self._is_too_far() & (self.notes == 0)[:, None])
        first = grammar.kind[:, 0]
        on_line = self.before == grammar.bar_type if grammar.has_bars else self.time == self.bar_start
        allowed &= (first != TIME_SIGNATURE) | on_line[:, None]
        may_end = grammar.closed[self.before] & (self.notes > 0)
        if grammar.has_offs:
            may_end &= ~self.busy.flatten(1).any(1)
        if grammar.eos is not None:
            allowed[:, grammar.eos] = may_end
        # every pitch taken at once leaves a row empty: a doubled note is then better than none
        return torch.where(allowed.any(1, keepdim=True), allowed, by_type)

    def _positions(self) -> Tensor:
        lowest, highest = self.grammar.position_spans
        bar, position = (self.grammar.signature_table[self.signature, column][:, None] for column in (0, 1))
        late = self.bar_start[:, None] + lowest * position >= self.earliest[:, None]
        return (lowest < 0) | (late & (highest * position < bar))

    def _is_too_far(self) -> Tensor:
        """Whether a token goes on to the bar that is not to be written; a piece has its first note before that."""
        first = self.grammar.kind[:, 0]
        bar, _, beat = self.grammar.signature_table[self.signature].unbind(1)
        end = self.bar_start + (self.stop - self.bar.clamp(min=0)) * bar
        ticks = self.grammar.ticks[beat, :, 0]
        shifts = (first == SHIFT) & (ticks >= (end - self.time)[:, None])
        rests = (first == REST) & (ticks >= (end - torch.maximum(self.time, self.note_end))[:, None])
        opened = self.grammar.bars_before_note
        return shifts | rests | ((opened > 0) & (self.bar[:, None] + opened >= self.stop[:, None]))

    def _notes(self) -> Tensor:
        """Whether a token's notes may begin, or end, where each piece stands."""
        grammar = self.grammar
        fits = (grammar.home < 0) | (grammar.home == self.program[:, None])
        program = self.program[:, None].expand(-1, len(grammar.parts))
        for column in range(grammar.width):
            kind, value = grammar.kind[:, column], grammar.value[:, column].clamp(min=0)
            program = torch.where(kind == PROGRAM, value, program)
            begins, ends = (kind == ON) & grammar.checked[:, column], (kind == OFF) & grammar.checked[:, column]
            taken = self.busy[self._rows[:, None], program, value.clamp(max=PITCHES - 1)]
            fits = fits & ~(begins & taken) & ~(ends & ~taken)
            if grammar.with_programs and grammar.drum_tokens:
                fits = fits & (~(begins | ends) | (grammar.drum[:, column] == (program == 0)))
        return fits

    def advance(self, tokens: Tensor, live: Tensor | None = None) -> None:
        """Take in a token of each piece. tokens: (n,) int64; live: (n,) which pieces go on, all if None."""
        for column in range(self.grammar.width):
            kind = self.grammar.kind[tokens, column]
            self._advance_part(tokens, column, kind if live is None else torch.where(live, kind, 0))
        last = self.grammar.last_type[tokens]
        self.before = last if live is None else torch.where(live, last, self.before)

    def _advance_part(self, tokens: Tensor, column: int, kind: Tensor) -> None:
        grammar, value, was = self.grammar, self.grammar.value[tokens, column], self.time
        self.signature = torch.where(kind == TIME_SIGNATURE, value, self.signature)
        bar, position, beat = grammar.signature_table[self.signature].unbind(1)
        ticks = grammar.ticks[beat, tokens, column]
        opens = kind == BAR
        self.bar_start = self.bar_start + bar * (opens & (self.bar >= 0))
        self.bar = torch.where(kind == POSITION, self.bar.clamp(min=0), self.bar + opens.long())
        self.time = torch.where(opens, self.bar_start, self.time)
        self.time = torch.where(kind == POSITION, self.bar_start + value * position, self.time)
        self.time = self.time + ticks * (kind == SHIFT)
        self.time = torch.where(kind == REST, torch.maximum(self.time, self.note_end) + ticks, self.time)
        passed = ((self.time - self.bar_start) // bar) * ((kind == SHIFT) | (kind == REST))
        self.bar = torch.where(kind == REST, self.bar.clamp(min=0), self.bar) + passed
        self.bar_start = self.bar_start + passed * bar
        self.earliest = torch.where(opens | (kind == REST), self.time, self.earliest)
        self.earliest = torch.where(kind == POSITION, self.time + 1, self.earliest)
        end = torch.where(kind == OFF, self.time, self.time + ticks)
        rings = (kind == DURATION) | (kind == OFF)
        self.note_end = torch.where(rings, torch.maximum(self.note_end, end), self.note_end)
        self.program = torch.where(kind == PROGRAM, value, self.program)
        self._mark(kind, value, self.time != was)

    def _mark(self, kind: Tensor, pitch: Tensor, moved: Tensor) -> None:
        if not self.grammar.has_offs:
            self.busy &= ~moved[:, None, None]
        begins = kind == ON
        self.notes = self.notes + begins
        cell = self._rows, self.program, pitch.clamp(min=0, max=PITCHES - 1)
        self.busy[cell] = (self.busy[cell] | begins) & (kind != OFF)

    def ended(self) -> Tensor:
        """(n,) whether the last token was the end of the piece."""
        return self.before == self.grammar.eos_type
