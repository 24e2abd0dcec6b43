"""The honest gap and the key spread."""

import numpy as np
import pytest
import torch
from miditok import REMI
from music import corpus
from torch import Tensor, nn

from midiaug import MidiDataModule, Shifts
from midiaug.model import RecurrentLM
from midiaug.monitor import CHARTS, Guesses, Loss, PieceLosses, key_spread, loss_by_key


def test_losses_are_summed_by_piece_whatever_the_batches():
    generator = np.random.default_rng(0)
    pieces = generator.integers(0, 5, 40) * 10
    nats = torch.from_numpy(generator.random(40))
    counts = torch.from_numpy(generator.integers(1, 9, (2, 40)))
    losses = PieceLosses(60)
    for rows in np.array_split(generator.permutation(40), 7):
        losses.update(torch.from_numpy(pieces[rows]), nats[rows], counts[0][rows], counts[1][rows])
    by_piece = losses.by_piece()
    assert set(by_piece) == set(pieces.tolist())
    for piece, loss in by_piece.items():
        mine = pieces == piece
        assert loss.nats == pytest.approx(float(nats[mine].sum()), rel=1e-5)
        assert (loss.tokens, loss.notes) == (int(counts[0][mine].sum()), int(counts[1][mine].sum()))
    total = losses.totals()
    assert total.nats_per_token == pytest.approx(float(nats.sum() / counts[0].sum()), rel=1e-5)
    assert total.nats_per_note == pytest.approx(float(nats.sum() / counts[1].sum()), rel=1e-5)


def test_a_single_piece_has_a_loss_too():
    losses = PieceLosses(1)
    losses.update(torch.tensor([0, 0]), torch.tensor([1.0, 2.0]), torch.tensor([3, 3]), torch.tensor([1, 1]))
    assert losses.by_piece()[0].nats == 3.0


@pytest.mark.parametrize(("vocabulary", "dtype"), [(3, torch.float32), (700, torch.float32), (700, torch.bfloat16)])
def test_guesses_are_those_of_sorting_the_logits(vocabulary, dtype):
    generator = torch.Generator().manual_seed(0)
    guesses = Guesses()
    hits: list[torch.Tensor] = []
    for batch in (1, 4):
        logits = torch.randn(batch, 50, vocabulary, generator=generator)
        targets = torch.randint(0, vocabulary, (batch, 50), generator=generator)
        logits.scatter_add_(-1, targets[..., None], torch.full((batch, 50, 1), 2.5))
        targets[:, 30:40] = -100
        logits = logits.to(dtype)
        guesses.update(logits, targets)
        for _ in range(1 if dtype == torch.float32 else 300):  # equal ones in any order
            order = torch.randperm(vocabulary, generator=generator)
            likeliest = order[logits[..., order].float().sort(dim=-1, descending=True, stable=True).indices[..., :5]]
            hits.append((likeliest == targets[..., None])[targets >= 0])
    expected = torch.cat(hits).double()
    counted = {name: float(value) for name, value in guesses.compute().items()}
    exact = 1e-6 if dtype == torch.float32 else 2e-3
    assert counted["accuracy/top1"] == pytest.approx(float(expected[:, 0].mean()), abs=exact)
    assert counted["accuracy/top5"] == pytest.approx(float(expected.sum(-1).mean()), abs=exact)
    assert vocabulary < 5 or 0 < counted["accuracy/top1"] < counted["accuracy/top5"] < 1


def test_a_model_that_says_nothing_guesses_nothing():
    for target in (0, -100):
        guesses = Guesses()
        guesses.update(torch.full((1, 4, 9), torch.nan), torch.full((1, 4), target))
        assert {float(value) for value in guesses.compute().values()} == {0.0}


def test_the_perplexity_is_that_of_the_loss_and_infinite_where_it_is_beyond_numbers():
    assert Loss(3 * np.log(7), 3, 1).perplexity == pytest.approx(7)
    assert Loss(1e6, 1, 1).perplexity == np.inf


class LikesC(nn.Module):
    """A model that gives C of any octave a tenth of the probability of every other token."""

    def __init__(self, tokenizer: REMI) -> None:
        super().__init__()
        logits = torch.zeros(len(tokenizer))
        for name, number in tokenizer.vocab.items():
            if name.startswith("Pitch_") and int(name.removeprefix("Pitch_")) % 12 == 0:
                logits[number] = -np.log(10)
        self.logits = nn.Parameter(logits)

    def forward(self, input_ids: Tensor, shifts: Tensor | None = None) -> tuple[Tensor, None]:
        return self.logits.expand(*input_ids.shape, -1), None


@pytest.fixture
def data(tmp_path, cache):
    corpus(tmp_path / "tunes", 8, chords=True)
    made = MidiDataModule(tmp_path / "tunes", REMI(), Shifts.of(0), window=48, batch_size=8, cache_dir=cache)
    made.setup()
    return made


def test_the_loss_in_each_key_is_that_of_the_pieces_in_that_key(data):
    model = LikesC(data.tokenizer)
    losses = loss_by_key(model, data)
    assert list(losses) == list(range(-6, 6))
    names = {number: name for name, number in data.tokenizer.vocab.items()}
    labels = np.concatenate([batch["labels"][:, 1:].numpy().ravel() for batch in data.val_dataloader()])
    labels = labels[labels >= 0]
    pitches = np.array([int(names[i][6:]) if names[i].startswith("Pitch_") else -1 for i in labels])
    even = float(torch.logsumexp(model.logits.detach(), 0))
    for shift, loss in losses.items():
        share_of_c = np.mean((pitches >= 0) & ((pitches + shift) % 12 == 0))
        assert loss == pytest.approx(even + share_of_c * np.log(10), rel=1e-5)
    assert key_spread(losses) == pytest.approx(max(losses.values()) - min(losses.values()))


def test_measuring_leaves_the_model_as_it_was(data):
    model = RecurrentLM(len(data.tokenizer), embed=8, hidden=8, layers=1).train()
    loss_by_key(model, data)
    assert model.training


def test_without_room_there_is_no_spread(tmp_path, cache):
    corpus(tmp_path / "high", 4, low=88)
    corpus(tmp_path / "low", 4, seed=50, low=21)
    data = MidiDataModule(tmp_path, REMI(), Shifts.of(0), window=48, cache_dir=cache, val_split=0.3)
    data.setup()
    assert loss_by_key(LikesC(data.tokenizer), data) == {}
    assert key_spread({}) is None


def test_the_layout_puts_both_losses_on_one_chart():
    (charts,) = CHARTS.values()
    assert ["Multiline", ["loss/train", "loss/val"]] in charts.values()
    assert ["Multiline", ["loss/gap"]] in charts.values()


def test_a_model_that_finds_all_tokens_alike_is_right_as_often_as_by_chance():
    guesses = Guesses()
    guesses.update(torch.zeros(1, 50, 50), torch.arange(50)[None])
    assert {name: float(share) for name, share in guesses.compute().items()} == pytest.approx(
        {"accuracy/top1": 1 / 50, "accuracy/top5": 5 / 50}
    )


def test_a_logit_that_is_not_a_number_is_no_right_guess():
    guesses = Guesses()
    guesses.update(torch.full((1, 4, 9), torch.nan), torch.arange(4)[None])
    assert float(guesses.compute()["accuracy/top5"]) == 0
