"""By how many semitones a prompt is shifted to the ears of a model that was told of shifts in training."""

from collections.abc import Sequence

import torch
from torch import Tensor

from midiaug.model import RecurrentLM, device_of, token_losses


@torch.inference_mode()
def likeliest_shift(model: RecurrentLM, ids: Sequence[int]) -> int:
    """The shift that makes the tokens likeliest, of those that the model met; 0 for a model that is never told.

    In any other key than those of its training a model of model.condition=true is lost unless it is told; asked for
    the likelihood of what it reads under each shift, it knows by itself. ids: of a whole beginning.
    """
    shifts = model.known_shifts
    if len(shifts) == 1 or len(ids) < 2:
        return 0
    device = device_of(model)
    windows = torch.tensor([list(ids)], device=device).expand(len(shifts), -1)
    logits, _ = model(windows[:, :-1], shifts=torch.tensor(shifts, device=device))
    losses: Tensor = token_losses(logits, windows).double().sum(1)
    return shifts[int(losses.argmin())]
