"""RecurrentLM: shapes, its state, and a loss that padding has no part in."""

import math

import pytest
import torch
from torch import nn

from midiaug.data.transpose import MAX_SHIFT
from midiaug.errors import ConfigError
from midiaug.model import Dropout, LockedDropout, RecurrentLM, device_of, token_losses

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


def tokens(*shape, seed=1):
    return torch.randint(VOCABULARY, shape, generator=torch.Generator().manual_seed(seed))


def flat(prediction):
    """The logits and the parts of the state, one behind the other."""
    logits, state = prediction
    return [logits, *(state if isinstance(state, tuple) else [state])]


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


# A model that is told of the shift


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_model_that_is_told_of_no_shift_is_the_plain_model(cell):
    told, ids = model_of(cell, condition=True), tokens(3, 8)
    with torch.no_grad():
        told.shift_embedding.weight[MAX_SHIFT + 2] += 1.0
    plain = model_of(cell)
    plain.load_state_dict({key: value for key, value in told.state_dict().items() if key != "shift_embedding.weight"})
    torch.testing.assert_close(told(ids)[0], plain(ids)[0])
    torch.testing.assert_close(told(ids, shifts=torch.tensor([0, 0, 0]))[0], plain(ids)[0])
    mixed = told(ids, shifts=torch.tensor([0, 2, 0]))[0]
    torch.testing.assert_close(mixed[[0, 2]], plain(ids)[0][[0, 2]])
    assert not torch.allclose(mixed[1], plain(ids)[0][1])


def test_training_moves_the_vectors_of_the_shifts_that_came_and_never_that_of_none():
    model, ids = model_of(condition=True).train(), tokens(3, 8)
    assert not model.shift_embedding.weight.any(), "at the start of training no shift makes a difference"
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        token_losses(model(ids[:, :-1], shifts=torch.tensor([-3, 0, 24]))[0], ids).mean().backward()
        optimizer.step()
    moved = model.shift_embedding.weight.abs().sum(1).nonzero().flatten() - MAX_SHIFT
    assert moved.tolist() == [-3, 24]


def test_a_plain_model_takes_no_notice_of_shifts():
    model, ids = model_of(), tokens(2, 6)
    torch.testing.assert_close(model(ids, shifts=torch.tensor([3, -3]))[0], model(ids)[0])


# Dropout of weights, and of whole windows


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("state", [False, True])
def test_layer_by_layer_is_what_torch_does_at_once(cell, state):
    model, ids = model_of(cell, layers=3, dropout=0.0, weight_drop=1e-12), tokens(4, 7)
    begin = model(tokens(4, 5, seed=3))[1] if state else None
    whole = model(ids, begin)
    by_layer = model.train()(ids, begin)
    for one, other in zip(flat(whole), flat(by_layer), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_dropped_weights_are_those_from_step_to_step_and_only_in_training(cell):
    model, ids = model_of(cell, dropout=0.0, weight_drop=0.5), tokens(2, 9)
    torch.testing.assert_close(model(ids)[0], model(ids)[0])
    model.train()
    one, two = model(ids)[0], model(ids)[0]
    assert torch.allclose(one[:, 0], two[:, 0]), "the first step has no step before it"
    assert not torch.allclose(one[:, 1:], two[:, 1:])


def test_a_weight_that_is_left_out_is_trained_by_no_step():
    model = model_of(layers=1, dropout=0.0, weight_drop=0.6).train()
    model(tokens(8, 9))[0].sum().backward()
    still = (model.recurrent.weight_hh_l0.grad == 0).float().mean().item()
    assert still == pytest.approx(0.6, abs=0.1)


def test_neither_changes_what_a_checkpoint_holds():
    plain, dropping = model_of(), model_of(locked=True, weight_drop=0.5)
    assert {name: weight.shape for name, weight in plain.state_dict().items()} == {
        name: weight.shape for name, weight in dropping.state_dict().items()
    }


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_locked_dropout_leaves_out_the_same_units_in_every_step_of_a_window(share):
    torch.manual_seed(0)
    units = torch.ones(200, 7, 50)
    left = LockedDropout(share)(units)
    kept = left[:, 0] != 0
    assert ((left != 0) == kept[:, None]).all()
    assert torch.allclose(left[left != 0], torch.tensor(1 / (1 - share)))
    assert float(kept.float().mean()) == pytest.approx(1 - share, abs=0.03)
    assert torch.equal(LockedDropout(share).eval()(units), units)


def test_locked_dropout_stands_between_layers_too():
    torch.manual_seed(0)
    model, ids = model_of(layers=2, dropout=0.5, locked=True).train(), tokens(2, 6)
    assert not torch.allclose(model(ids)[0], model(ids)[0])
    model.dropout.p = 0.0
    torch.testing.assert_close(model(ids)[0], model.eval()(ids)[0])


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


def test_a_smoothed_target_is_spread_evenly_over_the_vocabulary():
    ids = tokens(3, 6)
    logits = torch.randn(3, 5, VOCABULARY, generator=torch.Generator().manual_seed(2))
    spread = -logits.log_softmax(-1).mean(-1)
    torch.testing.assert_close(token_losses(logits, ids, 0.2), 0.8 * token_losses(logits, ids) + 0.2 * spread)
    padded = ids.clone()
    padded[1, 3:] = -100
    assert token_losses(logits, padded, 0.2)[1, 2:].tolist() == [0.0] * 3


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
        ({"weight_drop": 1.0}, r"model\.weight_drop=1\.0: give a share from 0 to below 1"),
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
