"""The honest gap: what training and validation pieces cost in nats, in eval mode and without augmentation."""

import math
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import Metric

from midiaug.data.dataset import IGNORED
from midiaug.data.module import MidiDataModule
from midiaug.model import RecurrentLM, device_of, token_losses

TWELVE_KEYS = range(-6, 6)
_LARGEST_EXPONENT = 709  # of e, in the numbers that Python has
CHARTS = {
    "overfitting": {
        "loss: training and validation (nats a token)": ["Multiline", ["loss/train", "loss/val"]],
        "gap: validation less training (nats a token)": ["Multiline", ["loss/gap"]],
    }
}


@dataclass(frozen=True)
class Loss:
    """A sum of losses in nats, over so many tokens and notes."""

    nats: float
    tokens: int
    notes: int

    @property
    def nats_per_token(self) -> float:
        """The mean over the tokens."""
        return self.nats / max(1, self.tokens)

    @property
    def nats_per_note(self) -> float:
        """Comparable across tokenizers, which spend different numbers of tokens on a note."""
        return self.nats / max(1, self.notes)

    @property
    def perplexity(self) -> float:
        """Among how many equally likely tokens the model chose, on average."""
        return math.inf if self.nats_per_token > _LARGEST_EXPONENT else math.exp(self.nats_per_token)


class PieceLosses(Metric):
    """Sums the loss of windows by their piece, over all batches and ranks. pieces: how many the corpus has."""

    full_state_update = False
    nats: Tensor
    tokens: Tensor
    notes: Tensor

    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.add_state("nats", torch.zeros(pieces), dist_reduce_fx="sum")
        self.add_state("tokens", torch.zeros(pieces, dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("notes", torch.zeros(pieces, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, pieces: Tensor, nats: Tensor, tokens: Tensor, notes: Tensor) -> None:
        """pieces: (n,) the piece of each window, a row of the corpus; nats, tokens, notes: (n,) their sums."""
        self.nats.index_add_(0, pieces, nats.float())
        self.tokens.index_add_(0, pieces, tokens)
        self.notes.index_add_(0, pieces, notes)

    def compute(self) -> tuple[Tensor, Tensor, Tensor]:
        """(pieces,) nats, tokens and notes."""
        return self.nats, self.tokens, self.notes

    def by_piece(self) -> dict[int, Loss]:
        """The loss of each piece that came up, by its row in the corpus."""
        # torchmetrics makes a number of a single piece's tensor
        nats, tokens, notes = (column.reshape(-1).cpu() for column in self.compute())
        seen = tokens.nonzero().reshape(-1)
        columns = (column.tolist() for column in (seen, nats[seen], tokens[seen], notes[seen]))
        return {piece: Loss(*sums) for piece, *sums in zip(*columns, strict=True)}

    def totals(self) -> Loss:
        """The loss over all pieces."""
        nats, tokens, notes = self.compute()
        return Loss(float(nats.cpu().double().sum()), int(tokens.sum()), int(notes.sum()))


class Guesses(Metric):
    """How often the token that came was the likeliest one, and how often among the five likeliest.

    Counted by the rank of its logit, in a fraction of the time of sorting out the five highest. Of equal ones, which
    comes first is taken as drawn by lot: the shares are those to be expected.
    """

    full_state_update = False
    right: Tensor
    among_five: Tensor
    tokens: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("right", "among_five"):
            self.add_state(name, torch.zeros(()), dist_reduce_fx="sum")
        self.add_state("tokens", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, logits: Tensor, targets: Tensor) -> None:
        """logits: (batch, time, vocabulary); targets: (batch, time), -100 where nothing counts."""
        logits, counted = logits.float(), targets != IGNORED
        of_target = logits.gather(-1, targets.clamp(min=0)[..., None])
        # as floats, which add up faster than truth values; what is not a number is neither below nor equal
        compared = torch.empty_like(logits)
        equal = torch.eq(logits, of_target, out=compared).sum(-1)
        beyond = logits.shape[-1] - torch.le(logits, of_target, out=compared).sum(-1)
        for places, state in ((1, self.right), (5, self.among_five)):
            share = ((places - beyond) / equal.clamp(min=1)).clamp(0, 1) * (equal > 0)
            state += (share * counted).sum()
        self.tokens += counted.sum()

    def compute(self) -> dict[str, Tensor]:
        """The shares, from 0 to 1."""
        tokens = self.tokens.clamp(min=1)
        return {"accuracy/top1": self.right / tokens, "accuracy/top5": self.among_five / tokens}


def loss_by_key(model: RecurrentLM, data: MidiDataModule, told: bool = False) -> dict[int, float]:
    """The validation loss in nats a token with every piece shifted by -6 to 5 semitones: all twelve keys.

    Only pieces that have room for all twelve count, so that each key is judged on the same music; none: empty.
    told: whether a model that can be told of shifts is.
    """
    rows = rows_with_room(data)
    return {shift: _loss(model, data, rows, shift, told) for shift in TWELVE_KEYS} if len(rows) else {}


def rows_with_room(data: MidiDataModule) -> NDArray[np.int64]:
    """The validation windows whose pieces can be shifted into all twelve keys: (n,) int64."""
    roomy = (data.store.lowest <= TWELVE_KEYS[0]) & (data.store.highest >= TWELVE_KEYS[-1])
    return np.flatnonzero(roomy[data.validation.pieces])


def key_spread(losses: dict[int, float]) -> float | None:
    """The loss in the worst key less the loss in the best: 0 for a model that knows all keys alike."""
    return max(losses.values()) - min(losses.values()) if losses else None


def mean_over_keys(losses: dict[int, float]) -> float | None:
    """The mean loss over all twelve keys."""
    return fmean(losses.values()) if losses else None


@torch.no_grad()
def _loss(model: RecurrentLM, data: MidiDataModule, rows: NDArray[np.int64], semitones: int, told: bool) -> float:
    device, was_training = device_of(model), model.training
    model.eval()
    nats, tokens = 0.0, 0
    loader = data.fixed_dataloader(data.validation, rows, semitones, shared=False)
    for batch in loader:
        labels = batch["labels"].to(device)
        shifts = torch.full((len(labels),), semitones, device=device) if told else None
        logits, _ = model(batch["input_ids"].to(device)[:, :-1], shifts=shifts)
        nats += float(token_losses(logits, labels).sum())
        tokens += int((labels[:, 1:] != IGNORED).sum())
    loader.close()
    model.train(was_training)
    return nats / max(1, tokens)
