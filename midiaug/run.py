"""One training run: from settings to a trained model and the files that it leaves in its directory."""

import logging
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Trainer, seed_everything
from pytorch_lightning.loggers import TensorBoardLogger

from midiaug.callbacks import History, rehearsal
from midiaug.checkpoint_reading import read_checkpoint
from midiaug.checkpoints import check_room_for_checkpoints
from midiaug.data.merges import Merges
from midiaug.data.module import MidiDataModule
from midiaug.data.report import say
from midiaug.data.shifts import Shifts
from midiaug.data.transpose import MusicTokenizer, settings_of
from midiaug.directories import program, shown
from midiaug.equivariance import OverKeys, check_data, over_keys
from midiaug.errors import ConfigError
from midiaug.files import remove_leftovers, write_json
from midiaug.fitting import check_same, fit, place_written, say_how_to_go_on
from midiaug.learner import Learner
from midiaug.monitor import CHARTS, key_spread
from midiaug.outcome import compared, final_figures, summary_of
from midiaug.plots import plot_gap, plot_keys
from midiaug.screen import keep_quiet, result_table
from midiaug.settings import SharedSettings, TrainSettings, source_name
from midiaug.tokenizers import TOKENIZER_FILE, make_tokenizer
from midiaug.trainer import make_trainer

log = logging.getLogger("midiaug")
_SIZES = ("embed", "hidden", "layers")


def train_model(settings: TrainSettings, directory: Path, ckpt: Path | None = None) -> float:
    """Train one model, write everything that a run leaves into its directory, and return the lowest validation loss.

    ckpt: a checkpoint to go on from. Raises MidiaugError for settings, music or a checkpoint that cannot be used.
    """
    keep_quiet()
    seed_everything(settings.seed, verbose=False)
    data = make_data(settings)
    learner = make_learner(settings, data, data.given_tokenizer)
    history = History(directory, data)
    trainer = make_trainer(settings, directory, history)  # all settings are checked before any music is read
    if not trainer.is_global_zero:  # one rank speaks for all
        log.setLevel(logging.WARNING)
    content = read_checkpoint(ckpt) if ckpt else None
    check_room_for_checkpoints(trainer, directory, learner.model.parameter_count)
    data.setup()
    if data.tokenizer is not data.given_tokenizer:  # its vocabulary is known only now
        learner = make_learner(settings, data, data.tokenizer)
    check_data(data, settings.optim.equivariance)
    if ckpt is not None and content is not None:
        # before anything is written: a refused run may stand in the folder of a good one
        check_same(learner, data, content, ckpt)
    if trainer.is_global_zero and not rehearsal(trainer):
        _begin(data, directory)
    say("model", f"{_shape(settings)}, {learner.model.parameter_count:,} weights, on {_device_name(trainer)}")
    say("run", shown(directory))
    if isinstance(trainer.logger, TensorBoardLogger) and trainer.is_global_zero:
        trainer.logger.experiment.add_custom_scalars(CHARTS)
        trainer.logger.log_hyperparams(compared(settings, data))
    with place_written(directory), _drawing(partial(_draw, trainer, history, _title(settings, data), directory)):
        fit(trainer, learner, data, ckpt)
    if not history.rows:
        raise ConfigError(
            "the training ended before it was validated: trainer.max_epochs, trainer.max_steps, "
            "trainer.limit_train_batches or trainer.limit_val_batches leave no whole epoch; give more, "
            "or a trainer.val_check_interval that is shorter than the training"
        )
    if content is not None and trainer.global_step == content["global_step"]:
        say("finished", f"this run was at its end already, after {history.rows[-1]['epoch']} epochs")
    if trainer.is_global_zero and not rehearsal(trainer):
        with place_written(directory):
            _finish(trainer, learner, data, history, settings, directory)
    return float(history.best["loss/val"])


def _begin(data: MidiDataModule, directory: Path) -> None:
    (directory / "summary.json").unlink(missing_ok=True)  # of a former run here
    remove_leftovers(directory)
    data.split.write(directory / "split.json")
    if data.tokenizer.is_trained:  # for tokenizer.file of other runs
        write_json(directory / TOKENIZER_FILE, settings_of(data.tokenizer))
    write_json(directory / "quarantine.json", [asdict(entry) for entry in data.quarantined])


@contextmanager
def _drawing(draw: Callable[[], None]) -> Iterator[None]:
    """Draw at the end, and where a training fails too, so that what was trained can be seen."""
    try:
        yield
    except BaseException:
        with suppress(OSError):  # the first failure counts
            draw()
        raise
    draw()


def _draw(trainer: Trainer, history: History, title: str, directory: Path) -> None:
    if history.rows and trainer.is_global_zero and not rehearsal(trainer):
        plot_gap(history.rows, history.best, title, directory / "gap.png", history.unit)


def make_data(settings: SharedSettings) -> MidiDataModule:
    """The data module that the settings describe."""
    keys: dict[str, Any] = asdict(settings.data) | asdict(settings.aug)
    keys["shifts"], chosen = Shifts.parse(settings.aug.shifts), settings.tokenizer
    if isinstance(settings, TrainSettings):
        keys["tell_shifts"] = settings.model.condition or settings.optim.equivariance > 0
    return MidiDataModule(
        tokenizer=make_tokenizer(chosen.name, chosen.params, chosen.file),
        merges=Merges.of(chosen.train, chosen.vocab_size),
        seed=settings.seed,
        **keys,
    )


def make_learner(settings: TrainSettings, data: MidiDataModule, tokenizer: MusicTokenizer | None = None) -> Learner:
    """The learner that the settings describe. Raises ConfigError for sizes beyond memory.

    tokenizer: that of the music if it is left out, which reads the music first where it is to be trained on it.
    """
    optim = asdict(settings.optim)
    optim.pop("average")  # the trainer's
    try:
        return Learner(tokenizer or data.tokenizer, asdict(settings.model), **optim)
    except (RuntimeError, MemoryError, OverflowError, TypeError) as error:
        sizes = ", ".join(f"model.{name}={value}" for name, value in asdict(settings.model).items() if name in _SIZES)
        raise ConfigError(f"{sizes}: a model of these sizes does not fit into memory; use smaller ones") from error


def _finish(
    trainer: Trainer,
    learner: Learner,
    data: MidiDataModule,
    history: History,
    settings: TrainSettings,
    directory: Path,
) -> None:
    best = directory / "checkpoints" / "best.ckpt"
    if best.is_file():
        learner.load_state_dict(torch.load(best, map_location="cpu", weights_only=True)["state_dict"])
    learner.to(trainer.strategy.root_device)
    in_keys = over_keys(learner.model, data)
    told = over_keys(learner.model, data, told=True) if settings.model.condition else OverKeys({})
    summary = summary_of(settings, data, history, in_keys, told)
    data.teardown()
    if in_keys.losses:
        plot_keys(in_keys.losses, told.losses, list(data.shifts), _title(settings, data), directory / "keys.png")
    if isinstance(trainer.logger, TensorBoardLogger):
        trainer.logger.log_hyperparams(compared(settings, data), final_figures(history, in_keys))
        trainer.logger.finalize("success")
    write_json(directory / "summary.json", summary)  # the last file: with it the run counts as finished
    log.info("\n%s", result_table(history, key_spread(in_keys.losses), key_spread(told.losses)))
    say_how_to_go_on(trainer, history)
    say("picture", shown(directory / "gap.png"))
    if best.is_file():
        say("best model", shown(best))
    inside = directory.is_relative_to(Path.cwd())
    folder = (Path(shown(directory)).parts or (".",))[0] if inside else str(directory.parent)
    say("curves", f"{program('tensorboard')} --logdir {shlex.quote(folder)}")


def _title(settings: TrainSettings, data: MidiDataModule) -> str:
    return f"{_shape(settings)} on {source_name(settings)}, shifts {data.shifts}"


def _shape(settings: TrainSettings) -> str:
    return f"{settings.model.cell.upper()} {settings.model.layers} x {settings.model.hidden}"


def _device_name(trainer: Trainer) -> str:
    device = trainer.strategy.root_device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type.upper()
    return f"{trainer.world_size} x {name}" if trainer.world_size > 1 else name
