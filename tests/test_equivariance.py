"""Predictions in other keys: the vocabulary's permutations, two figures, and a loss term."""

import numpy as np
import pytest
import torch
from miditok import REMI, TSD, MIDILike, Structured, TokenizerConfig
from music import corpus
from pytorch_lightning import Trainer
from torch import Tensor, nn

from midiaug import Learner, MidiDataModule, Shifts, TokenTransposer
from midiaug.data.transpose import MAX_SHIFT
from midiaug.equivariance import Permutations, check_data, divergence, over_keys
from midiaug.errors import ConfigError, PitchOutOfRange, RouteError
from midiaug.model import RecurrentLM, token_losses
from midiaug.monitor import TWELVE_KEYS, key_spread, loss_by_key

RICH = TokenizerConfig(use_chords=True, chord_tokens_with_root_note=True, use_programs=True, use_rests=True)
SHARED_DRUMS = TokenizerConfig(use_programs=True, use_pitchdrum_tokens=False)
TOKENIZERS = {"REMI": REMI, "TSD": TSD, "MIDILike": MIDILike, "Structured": Structured, "rich": lambda: REMI(RICH)}


def names_of(tokenizer: object) -> list[str]:
    return [name for name, _ in sorted(tokenizer.vocab.items(), key=lambda item: item[1])]


def pitch_of(name: str) -> int | None:
    return int(name[6:]) if name.startswith("Pitch_") else None


class Relative(nn.Module):
    """Equivariant: it expects pitches near the one before, whatever that is, and other tokens as it finds them."""

    def __init__(self, tokenizer: REMI) -> None:
        super().__init__()
        pitches = [pitch_of(name) for name in names_of(tokenizer)]
        table = torch.zeros(len(pitches), len(pitches))
        for row, before in enumerate(pitches):
            for column, after in enumerate(pitches):
                if before is not None and after is not None:
                    table[row, column] = -abs(after - before - 1) / 3
                else:
                    table[row, column] = -20 if before is None and after is not None else (column % 7) / 5
        self.table = nn.Parameter(table)
        self.told: list[Tensor | None] = []

    def forward(self, input_ids: Tensor, shifts: Tensor | None = None) -> tuple[Tensor, None]:
        self.told.append(shifts)
        return self.table[input_ids], None


class DislikesC(nn.Module):
    """Finds C of any octave a tenth as likely as every other token, whatever came before."""

    def __init__(self, tokenizer: REMI) -> None:
        super().__init__()
        is_c = torch.tensor([(pitch_of(name) or 1) % 12 == 0 for name in names_of(tokenizer)])
        self.logits = nn.Parameter(torch.where(is_c, -np.log(10), 0.0).float())

    def forward(self, input_ids: Tensor, shifts: Tensor | None = None) -> tuple[Tensor, None]:
        return self.logits.expand(*input_ids.shape, -1), None


def expected_divergence(tokenizer: REMI, shift: int) -> float:
    """KL of DislikesC's prediction in the own key and in the shifted one, by counting."""
    pitches = [pitch_of(name) for name in names_of(tokenizer)]
    inside = {pitch for pitch in pitches if pitch is not None}
    kept = [pitch for pitch in pitches if pitch is None or pitch + shift in inside]
    own = np.array([0.1 if pitch is not None and pitch % 12 == 0 else 1.0 for pitch in kept])
    moved = np.array([0.1 if pitch is not None and (pitch + shift) % 12 == 0 else 1.0 for pitch in kept])
    own, moved = own / own.sum(), moved / moved.sum()
    return float((own * np.log(own / moved)).sum())


@pytest.fixture
def data(tmp_path, cache):
    corpus(tmp_path / "tunes", 8, chords=True)
    options = {"window": 48, "batch_size": 8, "cache_dir": cache, "tell_shifts": True}
    made = MidiDataModule(tmp_path / "tunes", REMI(), Shifts.of(-5, -2, 0, 3, 6), **options)
    made.setup()
    return made


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_a_permutation_is_the_transposers_and_the_shift_back_undoes_it(kind):
    tokenizer = TOKENIZERS[kind]()
    table, transposer, names = Permutations(tokenizer), TokenTransposer(tokenizer), names_of(tokenizer)
    moving = ("Pitch", "NoteOn", "NoteOff", "Chord", "KeySig")
    for shift in range(-MAX_SHIFT, MAX_SHIFT + 1):
        has = table.has_image[shift + MAX_SHIFT]
        ids = has.nonzero().T
        images = table.shifted(ids, torch.tensor([shift]))
        assert np.array_equal(images, transposer(ids, np.array([shift])))
        assert torch.equal(table.shifted(images, torch.tensor([-shift])), ids)
        assert len(images.unique()) == ids.shape[1]
        for number, name in enumerate(names):
            if name.partition("_")[0] not in moving:
                assert has[number]
                assert table.images[shift + MAX_SHIFT, number] == number
        for number in (~has).nonzero().flatten().tolist():
            with pytest.raises(PitchOutOfRange):
                transposer([number], shift)
        assert int((~has).sum()) == (2 if "MIDILike" in kind else 1) * abs(shift)


def test_of_two_key_signatures_that_a_shift_turns_into_one_neither_prediction_counts_twice():
    tokenizer = REMI(TokenizerConfig(use_key_signatures=True))
    table, ids = Permutations(tokenizer), tokenizer.vocab
    assert [table.has_image[MAX_SHIFT + 1, ids[f"KeySig_{key}:0"]].item() for key in (-7, -6, -5, 6, 7)] == [
        *(False, False, True, True, False)
    ]
    assert table.has_image[MAX_SHIFT].all()


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_batches_are_shifted_back_to_what_was_read(kind, folder_of_tunes, cache):
    options = {"window": 48, "batch_size": 16, "cache_dir": cache, "tell_shifts": True, "route": "tokens"}
    data = MidiDataModule(folder_of_tunes, TOKENIZERS[kind](), Shifts.between(-5, 6), **options)
    data.setup()
    table, loader, moved = Permutations(data.tokenizer), data.train_dataloader(), 0
    for number, batch in enumerate(loader):
        rows = loader.sampler.batch(number)
        still = data.train[rows, np.zeros(len(rows), np.int64)]["input_ids"]
        assert torch.equal(table.shifted(batch["input_ids"], -batch["shifts"]), still)
        moved += int((batch["input_ids"] != still).sum())
    assert moved > 1000


def test_a_model_that_knows_intervals_alone_is_equivariant(data):
    result = over_keys(Relative(data.tokenizer), data)
    assert result.equivariance == pytest.approx(0, abs=1e-6)
    # no pitch of these tunes is near the ends of the range, where the model would lose a part of what it expects
    assert result.averaged == pytest.approx(result.losses[0], abs=1e-4)
    assert key_spread(result.losses) < 1e-4


def test_a_model_that_avoids_one_pitch_class_differs_by_as_much_as_can_be_counted(data):
    expected = np.mean([expected_divergence(data.tokenizer, shift) for shift in TWELVE_KEYS if shift])
    assert expected > 0.01
    assert over_keys(DislikesC(data.tokenizer), data).equivariance == pytest.approx(expected, rel=1e-4)


def test_the_figures_are_those_of_each_key_by_itself(data):
    model = RecurrentLM(len(data.tokenizer), embed=8, hidden=12, layers=1, condition=True)
    for weight in model.parameters():
        nn.init.normal_(weight, std=0.7)
    result, table = over_keys(model.train(), data), TokenTransposer(data.tokenizer)
    assert model.training
    assert result.losses == pytest.approx(loss_by_key(model, data), rel=1e-5)
    model.eval()
    nats = diverging = tokens = 0
    for row in range(len(data.validation)):
        window = data.validation[row, 0]
        length = int(window["attention_mask"].sum())
        ids = window["input_ids"][:length].numpy()
        shares, own = [], {}
        for shift in TWELVE_KEYS:
            with torch.no_grad():
                said = model(torch.from_numpy(table(ids, shift))[None, :-1])[0][0].double().softmax(-1).numpy()
            images = table.table[shift + MAX_SHIFT]
            kept = images >= 0
            back = said[:, images[kept]] / said[:, images[kept]].sum(1, keepdims=True)
            shares.append(np.zeros_like(said))
            shares[-1][:, kept] = back
            own[shift] = back, kept
        for shift in TWELVE_KEYS:
            back, kept = own[shift]
            plain = own[0][0][:, kept] / own[0][0][:, kept].sum(1, keepdims=True)
            diverging += float((plain * np.log(plain / back)).sum()) / 11
        nats -= float(np.log(np.mean(shares, 0)[np.arange(length - 1), ids[1:]]).sum())
        tokens += length - 1
    assert result.averaged == pytest.approx(nats / tokens, rel=1e-5)
    assert result.equivariance == pytest.approx(diverging / tokens, rel=1e-4)
    assert result.averaged < np.mean(list(result.losses.values())), "the mean of predictions is no worse than they are"


def test_a_model_that_is_told_hears_of_each_shift_but_none_in_the_own_key(data):
    model = RecurrentLM(len(data.tokenizer), embed=8, hidden=12, layers=1, condition=True)
    for weight in model.parameters():
        nn.init.normal_(weight, std=0.7)
    nn.init.zeros_(model.shift_embedding.weight[MAX_SHIFT])
    plain, told = over_keys(model, data), over_keys(model, data, told=True)
    assert told.losses == pytest.approx(loss_by_key(model, data, told=True), rel=1e-5)
    assert told.losses[0] == pytest.approx(plain.losses[0])
    assert all(abs(told.losses[shift] - plain.losses[shift]) > 1e-3 for shift in TWELVE_KEYS if shift)
    ids = torch.stack([data.validation[row, 4]["input_ids"] for row in range(len(data.validation))])
    counted = torch.stack([data.validation[row, 4]["attention_mask"] for row in range(len(data.validation))])[:, 1:]
    model.eval()
    with torch.no_grad():
        said = model(ids[:, :-1], shifts=torch.full((len(ids),), 4))[0].log_softmax(-1)
    nats = -(said.gather(-1, ids[:, 1:, None])[..., 0] * counted).sum() / counted.sum()
    assert told.losses[4] == pytest.approx(float(nats), rel=1e-5)
    assert told.averaged != pytest.approx(plain.averaged, rel=1e-3)


@pytest.mark.parametrize("route", ["tokens", "midi"])
def test_where_there_is_no_table_or_no_room_there_are_no_figures(route, tmp_path, cache):
    corpus(tmp_path / "tunes" / "high", 4, low=60 if route == "midi" else 88)
    corpus(tmp_path / "tunes" / "low", 4, seed=50, low=60 if route == "midi" else 21)
    options = {"window": 48, "cache_dir": cache, "route": route, "val_split": 0.3}
    data = MidiDataModule(tmp_path / "tunes", REMI(), Shifts.of(0), **options)
    data.setup()
    result = over_keys(RecurrentLM(len(data.tokenizer), embed=8, hidden=8, layers=1), data)
    assert (result.equivariance, result.averaged) == (None, None)
    assert len(result.losses) == (12 if route == "midi" else 0)


def small_learner(tokenizer: object, **options: object) -> Learner:
    return Learner(tokenizer, {"embed": 8, "hidden": 12, "layers": 1, "dropout": 0.4}, **options)


def mean_loss(model: nn.Module, batch: dict[str, Tensor]) -> float:
    losses = token_losses(model(batch["input_ids"][:, :-1])[0].detach(), batch["labels"])
    return float(losses.sum() / (batch["labels"][:, 1:] != -100).sum())


def fitted(learner: Learner, data: MidiDataModule, epochs: int = 1) -> Learner:
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    quiet |= {"enable_model_summary": False, "num_sanity_val_steps": 0, "accelerator": "cpu"}
    Trainer(max_epochs=epochs, **quiet).fit(learner, datamodule=data)
    return learner


def test_the_term_is_0_for_an_equivariant_model_and_known_for_another(data):
    batch = next(iter(data.train_dataloader()))
    counted = batch["labels"][:, 1:] != -100
    learner = small_learner(data.tokenizer, equivariance=2.5)
    learner.model = Relative(data.tokenizer)
    plain = mean_loss(learner.model, batch)
    assert float(learner.training_step(batch, 0).detach()) == pytest.approx(plain, rel=1e-6)
    assert torch.equal(learner.model.told[-1], torch.cat([batch["shifts"], torch.zeros_like(batch["shifts"])]))
    learner.model = DislikesC(data.tokenizer)
    plain = mean_loss(learner.model, batch)
    known = {shift: expected_divergence(data.tokenizer, shift) for shift in data.shifts}
    table = learner.permutations
    logits, by = learner.model.logits.detach().expand(1, 1, -1), {s: torch.tensor([s]) for s in known}
    sides = {s: (table.kept(logits, by[s]), table.mapped_back(logits, by[s])) for s in known}
    for shift, (own, back) in sides.items():
        assert float(divergence(own, back)) == pytest.approx(known[shift], abs=1e-6)
    halves = {s: float(divergence(own, back) + divergence(back, own)) / 2 for s, (own, back) in sides.items()}
    of_window = torch.tensor([halves[int(shift)] for shift in batch["shifts"]])
    term = float((of_window[:, None] * counted).sum() / counted.sum())
    assert term > 0.01
    assert float(learner.training_step(batch, 0).detach()) == pytest.approx(plain + 2.5 * term, rel=1e-5)


def test_a_weight_of_0_trains_as_if_there_were_no_term(data):
    batch, learner = next(iter(data.train_dataloader())), small_learner(data.tokenizer)
    torch.manual_seed(5)
    loss, drawn = learner.training_step(batch, 0), torch.rand(3)
    torch.manual_seed(5)
    losses = token_losses(learner.model(batch["input_ids"][:, :-1], shifts=batch["shifts"])[0], batch["labels"])
    assert torch.equal(loss, losses.sum() / (batch["labels"][:, 1:] != -100).sum())
    assert torch.equal(drawn, torch.rand(3))
    assert list(learner.state_dict()) == list(small_learner(data.tokenizer, equivariance=1).state_dict())


def test_training_with_the_term_makes_keys_more_alike(data):
    found = {}
    for weight in (0, 4):
        torch.manual_seed(0)
        learner = fitted(small_learner(data.tokenizer, equivariance=weight, lr=0.03), data, 6)
        found[weight] = over_keys(learner.model, data).equivariance
    assert 0 < found[4] < 0.7 * found[0]


def test_what_the_term_cannot_work_with_is_refused_in_a_sentence(data, folder_of_tunes, cache):
    with pytest.raises(RouteError, match="drums with the pitch tokens"):
        Permutations(REMI(SHARED_DRUMS))
    for tokenizer, reason in ((REMI(SHARED_DRUMS), "drums"), (trained(folder_of_tunes), "trained")):
        with pytest.raises(ConfigError, match=rf"^optim\.equivariance=1: .*{reason}.*; use 0, or another tokenizer$"):
            small_learner(tokenizer, equivariance=1)
    for weight in (-1.0, np.inf, np.nan):
        with pytest.raises(ConfigError, match=rf"^optim\.equivariance={weight}: give a weight of 0 or more"):
            small_learner(data.tokenizer, equivariance=weight)
    silent = MidiDataModule(folder_of_tunes, REMI(), Shifts.of(-1, 1), window=48, cache_dir=cache)
    with pytest.raises(ConfigError, match=r"^optim\.equivariance=1: give MidiDataModule tell_shifts=True"):
        fitted(small_learner(silent.tokenizer, equivariance=1), silent)
    slow = MidiDataModule(folder_of_tunes, REMI(), Shifts.of(1), route="midi", cache_dir=cache, tell_shifts=True)
    with pytest.raises(ConfigError, match=r"^optim\.equivariance=1: works on data\.route=tokens alone"):
        check_data(slow, 1)
    check_data(slow, 0)


def trained(folder: object) -> REMI:
    tokenizer = REMI()
    tokenizer.train(vocab_size=len(tokenizer) + 20, files_paths=sorted(folder.rglob("*.mid"))[:4])
    return tokenizer
