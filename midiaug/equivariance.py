"""Does a model predict alike in all keys? What a shift makes of each token, two figures, and a loss term."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from midiaug.data.dataset import IGNORED, Batch
from midiaug.data.module import MidiDataModule
from midiaug.data.transpose import MAX_SHIFT, OUT_OF_RANGE, MusicTokenizer, TokenTransposer
from midiaug.errors import ConfigError, RouteError
from midiaug.model import RecurrentLM, device_of, token_losses
from midiaug.monitor import TWELVE_KEYS, loss_by_key, rows_with_room

_NEVER = torch.finfo(torch.float32).min  # the logit of a token without an image: finite, so that no sum is undefined


class Permutations(nn.Module):
    """For each shift, which token is which in the shifted music: one to one, so that predictions can be mapped back.

    A token has an image under a shift where the shift back leads to the token again. Tokens that name no pitch are
    their own. A pitch that would leave the tokenizer's has none. Of two key signatures of the same sound, which a
    shift turns into one, that of six flats or of seven signs has none. Where predictions in two keys are compared,
    they are taken over the tokens with an image alone, each made to sum to 1 over these; a model that has learned
    anything gives the others next to nothing.

    images: (2 * MAX_SHIFT + 1, vocabulary) int64 by semitones + MAX_SHIFT, the token itself where it would leave the
    pitches; has_image: the same shape, bool.
    Raises RouteError for a tokenizer without such a table: a trained one, one of several vocabularies, or one that
    writes drums with the pitch tokens, so that a shift moves some of a token's notes and not the others.
    """

    images: Tensor
    has_image: Tensor

    def __init__(self, tokenizer: MusicTokenizer) -> None:
        super().__init__()
        transposer = TokenTransposer(tokenizer)
        if len(transposer.drum_aliases):
            raise RouteError("a tokenizer that writes drums with the pitch tokens has no single image of a token")
        table, own = transposer.table, np.arange(transposer.vocab_size)
        images = np.where(table == OUT_OF_RANGE, own, table)
        back = np.take_along_axis(table[::-1], images, axis=1)
        self.register_buffer("images", torch.from_numpy(images), persistent=False)
        self.register_buffer("has_image", torch.from_numpy((table != OUT_OF_RANGE) & (back == own)), persistent=False)

    def shifted(self, ids: Tensor, shifts: Tensor) -> Tensor:
        """ids: (batch, time) int64; shifts: (batch,) int64 semitones -> (batch, time), transposed by table."""
        return self.images[shifts + MAX_SHIFT].gather(1, ids)

    def kept(self, logits: Tensor, shifts: Tensor) -> Tensor:
        """What the model says of the tokens that have an image under the shift.

        logits: (batch, time, vocabulary) in a window's own key. shifts: (batch,) int64 semitones.
        Returns float32 log-probabilities of the same shape, next to none for the other tokens.
        """
        return logits.float().masked_fill(~self.has_image[shifts + MAX_SHIFT][:, None], _NEVER).log_softmax(-1)

    def mapped_back(self, logits: Tensor, shifts: Tensor) -> Tensor:
        """The same of logits for the shifted window, in the vocabulary of the window's own key.

        An equivariant model's are equal to `kept` of what it says of the window in its own key.
        """
        places = self.images[shifts + MAX_SHIFT][:, None].expand(logits.shape)
        return self.kept(logits.gather(-1, places), shifts)

    def with_divergence(self, model: RecurrentLM, batch: Batch) -> tuple[Tensor, Tensor]:
        """The logits of a batch, and how far they are from what the model says of the same windows un-shifted.

        The un-shifted windows are the batch's, shifted back by table. That is exact, as all notes of a window stayed
        in range, but for key signatures, which may come back as others of the same sound.
        The distance is half the sum of both Kullback-Leibler divergences, and both sides are trained by it, as in
        R-Drop (Liang et al. 2021, arXiv 2106.14448), which compares two passes of dropout. Consistency training (Xie
        et al. 2020, arXiv 1904.12848) holds the prediction for the original fixed instead; here no key is the better
        teacher.
        batch: with `shifts`; a model that is told hears of each side's own.
        Returns (batch, time - 1, vocabulary) logits and (batch, time - 1) nats.
        """
        ids, shifts = batch["input_ids"][:, :-1], batch["shifts"]
        windows = torch.cat([ids, self.shifted(ids, -shifts)])
        logits, _ = model(windows, shifts=torch.cat([shifts, torch.zeros_like(shifts)]))
        moved, original = logits.chunk(2)
        one, other = self.mapped_back(moved, shifts), self.kept(original, shifts)
        return moved, ((one.exp() - other.exp()) * (one - other)).sum(-1) / 2


def divergence(one: Tensor, other: Tensor) -> Tensor:
    """KL(one || other) in nats of log-probabilities (..., vocabulary) -> (...)."""
    return (one.exp() * (one - other)).sum(-1)


@dataclass(frozen=True)
class OverKeys:
    """How a model does with the validation pieces in twelve keys, in nats a token.

    losses: by semitones, -6 to 5, as loss_by_key has them. equivariance: the mean over tokens and over the 11 other
    keys of KL(what it says in the own key || what it says in the other, mapped back); 0 for a model that treats all
    keys alike. averaged: the loss of the mean of all twelve predictions, each mapped back, which is that of asking the
    model twelve times; it compares with the loss of the own key, losses[0]. A token without an image counts in its
    own key alone.
    Both are None where the music is not shifted by table.
    """

    losses: dict[int, float]
    equivariance: float | None = None
    averaged: float | None = None


@torch.no_grad()
def over_keys(model: RecurrentLM, data: MidiDataModule, told: bool = False) -> OverKeys:
    """Run the model over the validation pieces that have room for all twelve keys, once in each.

    told: whether a model that can be told of shifts is, of each; a shift that it never met is to it as none.
    """
    table = _permutations(data)
    rows = rows_with_room(data)
    if table is None or not len(rows):
        return OverKeys(loss_by_key(model, data, told))
    device, was_training = device_of(model), model.training
    model.eval()
    table.to(device)
    loader = data.fixed_dataloader(data.validation, rows, shared=False)
    sums, tokens = torch.zeros(len(TWELVE_KEYS) + 2, dtype=torch.float64), 0
    for batch in loader:
        labels = batch["labels"].to(device)
        sums += _sums(model, table, batch["input_ids"].to(device), labels, told)
        tokens += int((labels[:, 1:] != IGNORED).sum())
    loader.close()
    model.train(was_training)
    *losses, diverging, averaged = (sums / max(1, tokens)).tolist()
    return OverKeys(dict(zip(TWELVE_KEYS, losses, strict=True)), diverging / (len(TWELVE_KEYS) - 1), averaged)


def _sums(model: RecurrentLM, table: Permutations, ids: Tensor, labels: Tensor, told: bool) -> Tensor:
    """(14,) float64 nats: the loss in each key, the divergence of all other keys, the loss of the mean prediction."""
    targets, counted = labels.clamp(min=0), labels[:, 1:] != IGNORED
    losses: dict[int, float] = {}
    diverging, of_target, original = 0.0, [], None
    for shift in sorted(TWELVE_KEYS, key=abs):  # the own key first
        shifts = torch.full((len(ids),), shift, device=ids.device)
        logits = model(table.shifted(ids, shifts)[:, :-1], shifts=shifts if told else None)[0]
        wanted = table.shifted(targets, shifts).masked_fill(labels == IGNORED, IGNORED)
        losses[shift] = float(token_losses(logits, wanted).sum())
        original = logits if original is None else original
        back = table.mapped_back(logits, shifts)
        of_target.append(back.gather(-1, targets[:, 1:, None])[..., 0])
        if shift:
            diverging += float((divergence(table.kept(original, shifts), back) * counted).sum())
    mean = torch.stack(of_target).logsumexp(0) - math.log(len(TWELVE_KEYS))
    figures = [*(losses[shift] for shift in TWELVE_KEYS), diverging, -float((mean * counted).sum())]
    return torch.tensor(figures, dtype=torch.float64)


def _permutations(data: MidiDataModule) -> Permutations | None:
    if data.route_name != "tokens":
        return None
    try:
        return Permutations(data.tokenizer)
    except RouteError:  # drums that share the pitch tokens
        return None


def permutations_to_train_with(tokenizer: MusicTokenizer, weight: float) -> Permutations | None:
    """What the loss term needs; None for a weight of 0. Raises ConfigError where there can be no such term."""
    if not 0 <= weight < math.inf:
        raise ConfigError(f"optim.equivariance={weight}: give a weight of 0 or more, such as 1")
    if not weight:
        return None
    try:
        return Permutations(tokenizer)
    except RouteError as error:
        raise ConfigError(f"optim.equivariance={weight}: {error}; use 0, or another tokenizer") from error


def check_data(data: MidiDataModule, weight: float) -> None:
    """Raise ConfigError for a data module whose batches the loss term cannot use."""
    if weight and data.route_name != "tokens":
        raise ConfigError(f"optim.equivariance={weight}: works on data.route=tokens alone, and this is midi; use 0")
    if weight and not data.tell_shifts:
        raise ConfigError(f"optim.equivariance={weight}: give MidiDataModule tell_shifts=True")
