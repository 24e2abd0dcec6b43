"""Opening a checkpoint with its tokenizer, its music and its split."""

import numpy as np
import pytest
import torch
import training

from midiaug.data.split import unpacked
from midiaug.errors import CheckpointError
from midiaug.trained import load_trained


@pytest.fixture(scope="module")
def finished(folder_of_tunes, tmp_path_factory):
    root = tmp_path_factory.mktemp("finished run")
    chosen = training.settings(folder_of_tunes, root / "cache", "trainer.max_epochs=1", "aug.shifts=[-2,2]", "seed=5")
    _, learner, _ = training.run(chosen, root)
    learner.trainer.save_checkpoint(root / "a.ckpt")
    return root / "a.ckpt", learner, learner.trainer.datamodule


def test_a_checkpoint_brings_its_model_tokenizer_music_and_split(finished, tmp_path):
    path, learner, data = finished
    trained = load_trained(path)
    again = trained.data(cache_dir=tmp_path)
    assert again.tokenizer.vocab == data.tokenizer.vocab
    assert list(again.shifts) == [-2, -1, 0, 1, 2]
    assert trained.corpus == again.corpus.key == data.corpus.key
    assert trained.row["epoch"] == 1
    assert trained.row["loss/val"] == pytest.approx(float(learner.trainer.callback_metrics["loss/val"]))
    assert (again.split.validation == data.split.validation).all()
    assert trained.split == data.split.content() == unpacked(data.split.packed)
    ids = torch.as_tensor(np.arange(20)[None])
    assert torch.equal(trained.learner(ids), learner.cpu().eval()(ids))


def test_a_checkpoint_of_an_older_version_is_refused(finished, tmp_path):
    content = torch.load(finished[0], weights_only=True)
    del content["MidiDataModule"]["split"]
    torch.save(content, tmp_path / "old.ckpt")
    with pytest.raises(CheckpointError, match="older version"):
        load_trained(tmp_path / "old.ckpt")
