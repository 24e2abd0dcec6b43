"""In other people's projects: the README's examples run as they stand, and their batches are the same as midiaug's."""

import math
import re

import numpy as np
import pytest
import readme
import torch
from miditok import REMI, TokenizerConfig
from miditok.pytorch_data import DataCollator
from torch.nn.functional import cross_entropy

from midiaug import TransposedDataset

NAMES = ("plain", "lightning", "transformers", "collator", "columns", "tokenizer")
EXAMPLES = dict(zip(NAMES, readme.code_below("In your own project"), strict=True))


@pytest.fixture
def left(folder_of_tunes, tmp_path, tmp_path_factory, monkeypatch):
    """Runs an example in a folder of its own, and gives the names that it leaves."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "projects"))
    torch.manual_seed(0)
    return lambda name: readme.run(EXAMPLES[name], folder_of_tunes)


def test_no_python_in_the_readme_stands_where_no_test_runs_it():
    blocks = readme.code_below("In your own code") + readme.code_below("In your own project")
    assert blocks == re.findall(r"```python\n(.*?)```", readme.TEXT, re.DOTALL)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_short(name):
    assert len([line for line in EXAMPLES[name].splitlines() if line.strip()]) <= 15


def test_a_plain_loop_gets_the_batches_of_midiaugs_own_loader(left):
    names = left("plain")
    dm, sampler = names["dm"], names["sampler"]
    assert isinstance(dm.train, TransposedDataset)
    assert math.isfinite(names["loss"].item())
    dm.batch_size = 16
    for epoch in (0, 5):
        sampler.set_epoch(epoch)
        dm.train_dataloader().sampler.set_epoch(epoch)
        for ours, theirs in zip(dm.train_dataloader(), names["loader"], strict=True):
            assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_another_lightning_module_trains_on_the_data_module(left, monkeypatch):
    import pytorch_lightning as pl

    drawn, moved = [], []
    fit = pl.Trainer.fit

    class Watching(pl.Callback):
        def on_train_batch_start(self, trainer, module, batch, number):
            if number == 0:
                drawn.append((trainer.train_dataloader.sampler.epoch, batch["input_ids"].clone()))

    def watched(self, model, **more):
        self.callbacks.append(Watching())
        before = {name: weight.clone() for name, weight in model.state_dict().items()}
        fit(self, model, **more)
        moved.append(all(not torch.equal(before[name], weight) for name, weight in model.state_dict().items()))

    monkeypatch.setattr(pl.Trainer, "fit", watched)
    left("lightning")
    assert moved == [True]
    assert [epoch for epoch, _ in drawn] == [0, 1]
    assert not torch.equal(drawn[0][1], drawn[1][1]), "each epoch has a draw of its own"


def test_a_causal_model_of_transformers_takes_a_batch_as_it_is(left):
    pytest.importorskip("transformers")
    names = left("transformers")
    assert math.isfinite(names["loss"].item())
    assert type(names["model"]).__name__ == "LlamaForCausalLM"
    batches = [names["dm"].train_dataloader(), names["dm"].val_dataloader()]
    padded = next(batch for loader in batches for batch in loader if (batch["labels"] == -100).any())
    for config in (names["gpt2"], names["llama"]):
        model = names["AutoModelForCausalLM"].from_config(config).eval()
        with torch.no_grad():
            out = model(**padded)
        labels = padded["labels"][:, 1:]
        kept = labels != -100
        assert 0 < kept.sum() < labels.numel()
        expected = cross_entropy(out.logits[:, :-1][kept], labels[kept])
        assert torch.allclose(out.loss, expected, atol=1e-5)


def test_miditoks_collator_gives_the_same_ids_labels_and_mask(left):
    names = left("collator")
    dm = names["dm"]
    assert set(names["batch"]) == {"input_ids", "labels", "attention_mask"}
    rows = np.arange(len(dm.train))
    shifts = np.resize([0, 1, -1], len(rows))
    ours = dm.train[rows, shifts]
    samples = [dm.train[int(row), int(shift)] for row, shift in zip(rows, shifts, strict=True)]
    theirs = DataCollator(dm.tokenizer.pad_token_id)(samples)
    assert (ours["labels"] == -100).any()
    assert all(torch.equal(ours[key], theirs[key].long()) for key in ours)


def test_rows_of_several_vocabularies_are_those_that_miditok_reads_back(left):
    names = left("columns")
    rows, labels, original = names["rows"], names["labels"], names["dm"].tokenizer.original
    assert rows.shape == labels.shape == (16, 10, 6)
    assert (labels[:, 0] == -100).all()
    kept = labels != -100
    assert torch.equal(rows[kept], labels[kept])
    assert kept.any()
    music = original.decode([row.tolist() for row in rows])
    assert sum(len(track.notes) for track in music.tracks) == (rows[:, :, 0] == original[0, "Family_Note"]).sum()


def test_a_tokenizers_file_is_used_as_it_was_saved(left):
    dm = left("tokenizer")["dm"]
    assert dm.tokenizer == REMI(TokenizerConfig(use_programs=True))
    assert dm.tokenizer.config.use_programs
    assert dm.route_name == "tokens"
    names = [dm.tokenizer[int(number)] for number in dm.train[0, 0]["input_ids"]]
    assert any(name.startswith("Program_") for name in names)
