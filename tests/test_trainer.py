"""Lightning's Trainer as midiaug makes it: what it refuses, and what is in it."""

import inspect

import pytest
import torch
from omegaconf import OmegaConf
from pytorch_lightning import Trainer
from pytorch_lightning.profilers import SimpleProfiler
from training import settings

from midiaug.averaging import Averaging
from midiaug.callbacks import History
from midiaug.checkpoints import BestCheckpoint, LastCheckpoint, Patience, WholeCheckpoints
from midiaug.config_files import config_dir
from midiaug.errors import ConfigError
from midiaug.finite import FiniteLoss
from midiaug.trainer import NoProfiler, make_trainer


@pytest.fixture
def made(folder_of_tunes, shared_cache, tmp_path):
    """A function that makes a trainer from words of the command line."""

    def make(*words):
        return make_trainer(settings(folder_of_tunes, shared_cache, *words), tmp_path, History(tmp_path, None))

    return make


def test_lightnings_refusals_name_the_trainer(made):
    for more in ("trainer.max_epochs=many", "trainer.accelerator=abacus", "trainer.limit_val_batches=-1"):
        with pytest.raises(ConfigError, match="trainer"):
            made(more)


@pytest.mark.parametrize("name", ["val_check_interval", "check_val_every_n_epoch", "max_epochs"])
@pytest.mark.parametrize("value", ["true", "[1]"])
def test_how_often_and_how_long_are_no_truth_and_no_list(made, name, value):
    with pytest.raises(ConfigError, match=rf"trainer\.{name}=.*: give a whole number, 1 or more"):
        made(f"trainer.{name}={value}")


def test_every_trainer_argument_can_be_set_or_is_midiaugs_own():
    known = set(OmegaConf.load(config_dir() / "trainer" / "default.yaml"))
    own = {"callbacks", "logger", "default_root_dir", "plugins", "use_distributed_sampler", "enable_autolog_hparams"}
    never_used = {"limit_test_batches", "limit_predict_batches", "model_registry"}
    assert known == set(inspect.signature(Trainer).parameters) - own - never_used


def test_memory_is_not_filled_before_it_is_written(made, monkeypatch):
    monkeypatch.setattr(torch.utils.deterministic, "fill_uninitialized_memory", True)
    made()
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.utils.deterministic.fill_uninitialized_memory


def kinds(trainer):
    return [type(callback) for callback in trainer.callbacks]


def test_its_callbacks_are_those_of_the_settings_and_its_checkpoints_lie_in_the_runs_folder(made, tmp_path):
    trainer = made()
    assert {FiniteLoss, History, Patience, BestCheckpoint, LastCheckpoint} <= set(kinds(trainer))
    assert Averaging not in kinds(trainer)
    assert trainer.early_stopping_callback.patience == 4
    assert trainer.default_root_dir == str(tmp_path)
    assert trainer.checkpoint_callback.dirpath == str(tmp_path / "checkpoints")
    assert isinstance(trainer.strategy.checkpoint_io, WholeCheckpoints)


def test_without_patience_nothing_stops_it_and_an_average_is_there_before_what_keeps_the_weights(made):
    trainer = made("early_stopping.patience=null", "optim.average=0.9")
    assert trainer.early_stopping_callback is None
    places = [kinds(trainer).index(kind) for kind in (Averaging, BestCheckpoint, LastCheckpoint)]
    assert places[0] < min(places[1:])


def test_nothing_is_timed_but_where_it_is_asked_for(made):
    assert type(made().profiler) is NoProfiler
    assert isinstance(made("trainer.profiler=simple").profiler, SimpleProfiler)
    with NoProfiler().profile("a step"):
        pass
    assert not NoProfiler().summary()
