"""RecurrentLM: shapes, its state, and a loss that padding has no part in."""

import math

import pytest
import torch
from torch import nn

from midiaug.errors import ConfigError
from midiaug.model import Dropout, RecurrentLM, device_of, token_losses

VOCABULARY = 30


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Several threads only wait for each other on models this small."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def model_of(cell="lstm", **options):
    torch.manual_seed(0)
    return RecurrentLM(VOCABULARY, cell, **({"embed": 8, "hidden": 12, "layers": 2} | options)).eval()


def tokens(*shape):
    return torch.randint(VOCABULARY, shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_there_are_logits_for_the_token_after_each(cell, layers):
    logits, state = model_of(cell, layers=layers)(tokens(4, 7))
    assert logits.shape == (4, 7, VOCABULARY)
    assert isinstance(state, tuple) == (cell == "lstm")
    for part in state if cell == "lstm" else [state]:
        assert part.shape == (layers, 4, 12)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_cell_is_the_one_that_was_asked_for(cell):
    assert isinstance(model_of(cell).recurrent, {"lstm": nn.LSTM, "gru": nn.GRU}[cell])


@pytest.mark.parametrize("cut", [1, 5, 12])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_carrying_the_state_equals_one_pass(cell, cut):
    model, ids = model_of(cell), tokens(3, 13)
    whole, end = model(ids)
    first, state = model(ids[:, :cut])
    second, end_too = model(ids[:, cut:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), whole)
    torch.testing.assert_close(end_too, end)
    begun_anew, _ = model(ids[:, cut:])
    assert not torch.allclose(begun_anew, second)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_prediction_knows_nothing_of_what_comes_after(cell):
    model, ids = model_of(cell), tokens(2, 10)
    other = ids.clone()
    other[:, 6:] = (other[:, 6:] + 1) % VOCABULARY
    one, two = model(ids)[0], model(other)[0]
    torch.testing.assert_close(one[:, :6], two[:, :6])
    assert not torch.allclose(one[:, 6:], two[:, 6:])


def test_equal_sizes_share_their_weights_and_others_do_not():
    tied, free = model_of(embed=12, hidden=12), model_of(embed=8, hidden=12)
    assert tied.output.weight is tied.embedding.weight
    assert free.output.weight is not free.embedding.weight
    recurrent = sum(weight.numel() for weight in tied.recurrent.parameters())
    assert tied.parameter_count == recurrent + VOCABULARY * 12 + VOCABULARY
    recurrent = sum(weight.numel() for weight in free.recurrent.parameters())
    assert free.parameter_count == recurrent + VOCABULARY * 8 + VOCABULARY * 12 + VOCABULARY


def test_tied_weights_stay_tied_through_a_step():
    model = model_of(embed=12, hidden=12).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before = model.embedding.weight.clone()
    token_losses(model(tokens(2, 8)[:, :-1])[0], tokens(2, 8)).mean().backward()
    optimizer.step()
    assert not torch.equal(model.embedding.weight, before)
    assert torch.equal(model.output.weight, model.embedding.weight)


def test_dropout_works_in_training_alone():
    model, ids = model_of(dropout=0.5, layers=1), tokens(2, 6)
    torch.testing.assert_close(model(ids)[0], model(ids)[0])
    model.train()
    assert not torch.allclose(model(ids)[0], model(ids)[0])


def test_an_untrained_model_finds_all_tokens_about_alike():
    for options in ({"embed": 64, "hidden": 64}, {"embed": 32, "hidden": 64}):
        ids = tokens(16, 50)
        loss = token_losses(model_of(**options)(ids[:, :-1])[0], ids).mean().item()
        assert math.log(VOCABULARY) - 0.5 < loss < math.log(VOCABULARY) + 0.5


def test_a_model_learns_a_tune_by_heart():
    model, ids = model_of(hidden=24, dropout=0.0).train(), tokens(1, 12)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(120):
        optimizer.zero_grad()
        token_losses(model(ids[:, :-1])[0], ids).mean().backward()
        optimizer.step()
    assert model(ids[:, :-1])[0].argmax(-1).tolist() == ids[:, 1:].tolist()


# The loss


def test_a_loss_is_the_negative_logarithm_of_the_next_tokens_share():
    ids = tokens(3, 6)
    logits = torch.randn(3, 5, VOCABULARY, generator=torch.Generator().manual_seed(2))
    shares = logits.softmax(-1)
    losses = token_losses(logits, ids)
    assert losses.shape == (3, 5)
    for row in range(3):
        for place in range(5):
            wanted = -math.log(shares[row, place, ids[row, place + 1]].item())
            assert losses[row, place].item() == pytest.approx(wanted, rel=1e-4)


def test_padding_never_counts():
    ids = tokens(2, 9)
    labels = ids.clone()
    labels[0, 4:] = -100
    logits = torch.randn(2, 8, VOCABULARY, generator=torch.Generator().manual_seed(3), requires_grad=True)
    losses = token_losses(logits, labels)
    assert losses[0, 3:].tolist() == [0.0] * 5
    assert (losses[0, :3] > 0).all()
    torch.testing.assert_close(losses[1], token_losses(logits, ids)[1])
    torch.testing.assert_close(losses[0, :3], token_losses(logits, ids)[0, :3])
    losses.sum().backward()
    assert not logits.grad[0, 3:].any()
    assert logits.grad[0, :3].any()


def test_what_stands_behind_the_padding_changes_nothing():
    model, ids = model_of(), tokens(2, 9)
    labels = ids.clone()
    labels[:, 6:] = -100
    other = ids.clone()
    other[:, 6:] = 0
    one, two = (token_losses(model(padded[:, :-1])[0], labels) for padded in (ids, other))
    torch.testing.assert_close(one, two)


# Settings


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"embed": 0}, r"model\.embed=0: give a number of 1 or more"),
        ({"hidden": -3}, r"model\.hidden=-3: give a number of 1 or more"),
        ({"layers": 0}, r"model\.layers=0: give a number of 1 or more"),
        ({"dropout": 1.0}, r"model\.dropout=1\.0: give a share from 0 to below 1"),
        ({"dropout": -0.1}, r"model\.dropout=-0\.1: give a share"),
        ({"cell": "rnn"}, r"model\.cell=rnn: use lstm or gru"),
    ],
)
def test_sizes_that_cannot_be_are_refused_by_their_key(options, sentence):
    with pytest.raises(ConfigError, match=sentence):
        RecurrentLM(VOCABULARY, **options)


def test_an_empty_vocabulary_is_refused():
    with pytest.raises(ConfigError, match="vocab_size=0"):
        RecurrentLM(0)


def test_a_model_knows_where_it_lies():
    assert device_of(model_of()) == torch.device("cpu")
    assert device_of(model_of().to("meta")) == torch.device("meta")


def test_losses_are_in_full_precision_whatever_the_logits_are():
    logits = torch.randn(2, 5, 9).to(torch.bfloat16)
    labels = torch.randint(0, 9, (2, 6))
    losses = token_losses(logits, labels)
    assert losses.dtype == torch.float32
    assert torch.equal(losses, token_losses(logits.float(), labels))


@pytest.mark.parametrize("share", [0.001, 0.3, 0.5, 0.97])
def test_dropout_leaves_out_its_share_and_makes_the_rest_larger(share):
    torch.manual_seed(0)
    units = torch.randn(400, 501, requires_grad=True)  # not a multiple of four
    layer = Dropout(share)
    left = layer(units)
    kept = left != 0
    expected, spread = share * units.numel(), (share * (1 - share) * units.numel()) ** 0.5
    assert abs(int((~kept).sum()) - expected) < 5 * spread
    assert torch.allclose(left[kept], units[kept] / (1 - share))
    left.sum().backward()
    assert torch.allclose(units.grad, kept / (1 - share))
    for columns in (kept[:, 0::4], kept[:, 1::4], kept[:, 2::4], kept[:, 3::4]):  # the parts of one random number
        assert float(columns.float().mean()) == pytest.approx(1 - share, abs=5 * spread / units.numel() * 2)
    assert not torch.equal(layer(units) != 0, kept), "another draw each time"
    assert torch.equal(layer.eval()(units), units)


def test_dropout_draws_from_torchs_generator():
    units = torch.ones(1000)
    drawn = [(torch.manual_seed(seed), Dropout(0.5)(units))[1] for seed in (1, 1, 2)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


@pytest.mark.parametrize("share", [1e-9, 1e-6, 0.999999])
def test_dropout_of_nearly_nothing_and_of_nearly_all_is_what_it_says(share):
    torch.manual_seed(0)
    kept = float((Dropout(share)(torch.ones(200_000)) != 0).float().mean())
    assert kept == pytest.approx(1 - share, abs=1e-4)
