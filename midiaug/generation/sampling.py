"""Draws tokens from a model, many pieces side by side: the state is carried, nothing is read twice."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from midiaug.generation.cursor import Cursor
from midiaug.generation.grammar import Grammar
from midiaug.generation.hearing import likeliest_shift
from midiaug.generation.progress import Watch
from midiaug.model import RecurrentLM, State, device_of

_NOISE_STEPS = 1024


@dataclass(frozen=True)
class Choice:
    """How a token is drawn: the keys of the same names."""

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None


@dataclass(frozen=True)
class Sample:
    """One piece as tokens. ids: the prompt's and the new ones, without BOS and EOS.

    ended: the model ended it itself. limit: the tick at which the last bar that it may have ends.
    told: by how many semitones the model was told that the piece is shifted.
    """

    ids: list[int]
    ended: bool
    limit: int
    told: int = 0


@dataclass(frozen=True)
class Sampled:
    """The pieces, and how many new tokens a second came, prompts and files apart.

    sound: whether all that the model said was numbers; it is not where a weight is none, or far too large.
    """

    samples: list[Sample]
    tokens_per_second: float
    sound: bool


def probabilities(logits: Tensor, allowed: Tensor, choice: Choice) -> Tensor:
    """(n, vocabulary) float64: what each token's chance is, 0 where it is not allowed or cut off.

    top_k keeps the k likeliest (Fan et al. 2018, arXiv 1805.04833), top_p the fewest that hold this share of what is
    left (Holtzman et al. 2020, arXiv 1904.09751). Both are taken after the temperature, among the allowed.
    """
    scores = logits.double().masked_fill(~allowed, -torch.inf)
    scores = (scores - scores.amax(1, keepdim=True)) / choice.temperature  # however low, the likeliest stays at 0
    if choice.top_k is not None and choice.top_k < scores.shape[1]:
        scores = scores.masked_fill(scores < scores.topk(choice.top_k, 1).values[:, -1:], -torch.inf)
    shares = scores.softmax(1)
    if choice.top_p is not None and choice.top_p < 1:
        ordered, order = shares.sort(dim=1, descending=True, stable=True)
        beyond = ordered.cumsum(1) - ordered >= choice.top_p
        shares = shares.masked_fill(torch.zeros_like(beyond).scatter(1, order, beyond), 0)
        shares = shares / shares.sum(1, keepdim=True)
    return shares


def draw(shares: Tensor, noise: Tensor) -> Tensor:
    """One token a row. shares: (n, vocabulary) chances; noise: (n,) from 0 to below 1. Returns (n,) int64."""
    rising = shares.cumsum(1)
    token = torch.searchsorted(rising, (noise[:, None] * rising[:, -1:]), right=True)[:, 0]
    last = (shares > 0).long().mul(torch.arange(shares.shape[1], device=shares.device)).amax(1)
    return torch.minimum(token, last)  # rounding may leave a number just beyond the last chance


def noise_of(seed: int, n: int, steps: int, before: int = 0) -> Tensor:
    """(n, steps) float64 from 0 to below 1; a row depends on the seed and its number alone, not on n.

    before: how many steps of the row come before these.
    """
    rows = [np.random.default_rng([seed, row]) for row in range(n)]
    for generator in rows:
        generator.bit_generator.advance(before)  # type: ignore[attr-defined]  # of PCG64; a number is one draw
    return torch.from_numpy(np.stack([generator.random(steps) for generator in rows]))


@torch.inference_mode()
def sample(
    model: RecurrentLM,
    grammar: Grammar,
    prompts: Sequence[Sequence[int]],
    bars: int,
    choice: Choice,
    *,
    max_tokens: int = 2048,
    seed: int = 0,
    signatures: Sequence[int | None] | None = None,
    watch: Watch | None = None,
) -> Sampled:
    """Continue each prompt by so many bars, or until the model ends the piece.

    prompts: the ids of each piece to begin with; an empty one is a piece from nothing. bars: as many new ones at most.
    max_tokens: the most new tokens a piece. watch: is told of each step.
    signatures: rows of the time signatures that the prompts' tokens do not name.
    A model that was told of shifts is told the one that makes a prompt likeliest.
    The n-th piece comes out the same whatever the others are, up to the last digits of the model's sums, which may
    depend on how many pieces are computed at once.
    """
    logits, state, cursor, shifts = _begin(model, grammar, prompts, signatures or [None] * len(prompts))
    cursor.stop = stop = cursor.bar.clamp(min=0) + bars
    live = torch.ones(len(prompts), dtype=torch.bool, device=logits.device)
    tokens, lengths, sound, started = [], torch.zeros_like(stop), live.clone(), time.perf_counter()
    for step in range(max_tokens):
        if step % _NOISE_STEPS == 0:
            noise = noise_of(seed, len(prompts), min(_NOISE_STEPS, max_tokens - step), step).to(logits.device)
        sound &= torch.isfinite(logits).all(1) | ~live
        token = draw(probabilities(logits, cursor.allowed(), choice), noise[:, step % _NOISE_STEPS])
        cursor.advance(token, live)
        tokens.append(token)
        lengths += live
        if watch is not None:
            watch(step + 1, cursor, live)
        live = live & ~cursor.ended() & (cursor.bar < stop)
        if not live.any():
            break
        output, state = model(token[:, None], state, shifts)
        logits = output[:, -1]
    seconds = time.perf_counter() - started
    new, counts = torch.stack(tokens, 1).tolist(), lengths.tolist()
    told = shifts.tolist()
    samples = [_sample(cursor, row, prompts[row], new[row][: counts[row]], stop, told[row]) for row in range(len(new))]
    return Sampled(samples, sum(counts) / max(seconds, 1e-9), bool(sound.all()))


def _sample(cursor: Cursor, row: int, prompt: Sequence[int], new: list[int], stop: Tensor, told: int) -> Sample:
    ended = bool(cursor.ended()[row])
    bar = int(cursor.bar[row])
    ticks = int(cursor.grammar.signature_table[cursor.signature[row], 0])
    limit = int(cursor.bar_start[row]) + (int(stop[row]) - max(bar, 0)) * ticks
    kept = new[: len(new) - _open_end(cursor.grammar, new)]
    return Sample([*prompt, *kept], ended, limit, told)


def _open_end(grammar: Grammar, ids: list[int]) -> int:
    """How many tokens at the end belong to a note that was not finished, to a bar without one, or are EOS."""
    count = 0
    closed = grammar.closed.tolist()
    last = grammar.last_type.tolist()
    while count < len(ids) and not closed[last[ids[-1 - count]]]:
        count += 1
    return count


def _begin(
    model: RecurrentLM, grammar: Grammar, prompts: Sequence[Sequence[int]], signatures: Sequence[int | None]
) -> tuple[Tensor, State | None, Cursor, Tensor]:
    """The logits for the first new token of each piece (n, vocabulary), the states, where they stand, and the shifts.

    The shifts are (n,) int64, those that the model is told.
    """
    keys = [(tuple(ids), signature) for ids, signature in zip(prompts, signatures, strict=True)]
    once = {key: _read_prompt(model, grammar, *key) for key in keys}
    found, states, cursors, told = zip(*(once[key] for key in keys), strict=True)
    logits, cursor = torch.cat(found), Cursor.stacked(list(cursors))
    shifts = torch.tensor(told, device=logits.device)
    pairs = [state for state in states if isinstance(state, tuple)]
    single = [state for state in states if isinstance(state, Tensor)]
    if pairs:
        hidden, cell = (torch.cat([pair[part] for pair in pairs], 1).contiguous() for part in (0, 1))
        return logits, (hidden, cell), cursor, shifts
    # None: the first token begins it
    return logits, torch.cat(single, 1).contiguous() if single else None, cursor, shifts


def _read_prompt(
    model: RecurrentLM, grammar: Grammar, prompt: Sequence[int], signature: int | None
) -> tuple[Tensor, State | None, Cursor, int]:
    device = device_of(model)
    cursor = Cursor(grammar, 1, signature)
    for token in prompt:
        cursor.advance(torch.tensor([token], device=device))
    cursor.notes.zero_()
    ids = [*([] if grammar.bos is None else [grammar.bos]), *prompt]
    if not ids:  # without a BOS token, all that the model knows of a beginning is how frequent each token is
        return model.output.bias[None], None, cursor, 0
    shift = likeliest_shift(model, ids) if prompt else 0
    output, state = model(torch.tensor([ids], device=device), shifts=torch.tensor([shift], device=device))
    return output[:, -1], state, cursor, shift
