"""What a model that is told of shifts hears in a prompt."""

import pytest
import torch
from miditok import REMI
from test_sampling import random_model

from midiaug.data.transpose import MAX_SHIFT
from midiaug.generation.hearing import likeliest_shift

IDS = [1, 4, 190, 20, 100, 130, 25, 101, 131]


@pytest.fixture
def model():
    """One that was told of -2, 0, 1 and 5."""
    model = random_model(REMI(), condition=True)
    for shift in (-2, 1, 5):
        torch.nn.init.normal_(model.shift_embedding.weight[shift + MAX_SHIFT], std=2)
    return model


def test_it_is_the_shift_of_the_lowest_loss_of_those_that_the_model_met(model):
    assert model.known_shifts == [0, 1, -2, 5]
    heard = set()
    for first in range(4, 104, 4):
        ids = [first, *IDS]
        losses = {}
        for shift in (-2, 0, 1, 5):
            logits, _ = model(torch.tensor([ids[:-1]]), shifts=torch.tensor([shift]))
            losses[shift] = torch.nn.functional.cross_entropy(logits[0].detach(), torch.tensor(ids[1:])).item()
        assert likeliest_shift(model, ids) == min(losses, key=losses.get)
        heard.add(likeliest_shift(model, ids))
    assert len(heard) > 1


def test_nothing_is_heard_in_nothing_or_by_a_model_that_is_never_told(model):
    assert likeliest_shift(model, [1]) == likeliest_shift(model, []) == 0
    plain = random_model(REMI())
    assert plain.known_shifts == [0]
    assert likeliest_shift(plain, IDS) == 0
