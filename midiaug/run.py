"""One training run: from settings to a trained model and the files that it leaves in its directory."""

import logging
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Trainer, seed_everything
from pytorch_lightning.loggers import TensorBoardLogger

from midiaug import __version__
from midiaug.callbacks import History, rehearsal
from midiaug.checkpoint_reading import read_checkpoint
from midiaug.checkpoints import check_room_for_checkpoints
from midiaug.data.columns import kind_of
from midiaug.data.merges import Merges
from midiaug.data.module import MidiDataModule
from midiaug.data.report import say
from midiaug.data.shifts import Shifts
from midiaug.data.transpose import MusicTokenizer, settings_of
from midiaug.directories import program, shown
from midiaug.equivariance import OverKeys, check_data, over_keys
from midiaug.errors import ConfigError
from midiaug.files import remove_leftovers, write_json
from midiaug.fitting import check_same, fit, place_written
from midiaug.learner import Learner
from midiaug.monitor import CHARTS, key_spread, mean_over_keys
from midiaug.plots import plot_gap, plot_keys
from midiaug.screen import keep_quiet, result_table
from midiaug.settings import SharedSettings, TrainSettings, source_name
from midiaug.tokenizers import TOKENIZER_FILE, make_tokenizer
from midiaug.trainer import make_trainer

log = logging.getLogger("midiaug")
_LOADER_S = 1.0
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
    if (
        ckpt is not None and content is not None
    ):  # before anything is written: a refused run may stand in the folder of a good one
        check_same(learner, data, content, ckpt)
    if trainer.is_global_zero and not rehearsal(trainer):
        _begin(data, directory)
    say("model", f"{_shape(settings)}, {learner.model.parameter_count:,} weights, on {_device_name(trainer)}")
    say("run", shown(directory))
    if isinstance(trainer.logger, TensorBoardLogger) and trainer.is_global_zero:
        trainer.logger.experiment.add_custom_scalars(CHARTS)
        trainer.logger.log_hyperparams(_compared(settings, data))
    with place_written(directory), _drawing(partial(_draw, trainer, history, _title(settings, data), directory)):
        fit(trainer, learner, data, ckpt)
    if not history.rows:
        raise ConfigError(
            "nothing was trained: trainer.max_epochs, trainer.max_steps, trainer.limit_train_batches or "
            "trainer.limit_val_batches leave no whole epoch; give more"
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
    spread, summary = key_spread(in_keys.losses), _summary(settings, data, history, in_keys, told)
    data.teardown()
    if in_keys.losses:
        plot_keys(in_keys.losses, told.losses, list(data.shifts), _title(settings, data), directory / "keys.png")
    if isinstance(trainer.logger, TensorBoardLogger):
        figures = {f"best/{side}": history.best[f"loss/{side}"] for side in ("gap", "val", "train")}
        figures |= {"best/nats_per_note": history.best["nats_per_note/val"]}
        figures |= {"best/key_spread": spread} if spread is not None else {}
        figures |= {"best/equivariance": in_keys.equivariance} if in_keys.equivariance is not None else {}
        trainer.logger.log_hyperparams(_compared(settings, data), figures)
        trainer.logger.finalize("success")
    write_json(directory / "summary.json", summary)  # the last file: with it the run counts as finished
    log.info("\n%s", result_table(history, spread, key_spread(told.losses)))
    say("picture", shown(directory / "gap.png"))
    if best.is_file():
        say("best model", shown(best))
    inside = directory.is_relative_to(Path.cwd())
    folder = (Path(shown(directory)).parts or (".",))[0] if inside else str(directory.parent)
    say("curves", f"{program('tensorboard')} --logdir {shlex.quote(folder)}")


def _summary(
    settings: TrainSettings, data: MidiDataModule, history: History, in_keys: OverKeys, told: OverKeys
) -> dict[str, Any]:
    best = history.best
    in_use = data.store.has_pieces
    return {
        "model": {key: value for key, value in asdict(settings.model).items() if key != "cell"},
        "cell": settings.model.cell,
        "tokenizer": kind_of(data.tokenizer),
        "source": source_name(settings),
        "shifts": list(data.shifts),
        "seed": settings.seed,
        "route": data.route_name,
        "epochs": history.rows[-1]["epoch"],
        "best_epoch": best["epoch"],
        "loss": {side: best[f"loss/{side}"] for side in ("train", "val", "gap")},
        "nats_per_note": {side: best[f"nats_per_note/{side}"] for side in ("train", "val")},
        **_of_keys(in_keys),
        "told": _of_keys(told) if told.losses else None,
        "pieces": {
            "train": len(set(data.train.pieces.tolist())),
            "val": int((in_use & data.split.validation).sum()),
            "quarantined": len(data.quarantined),
        },
        "tokens_per_second": sorted(row["tokens_per_second"] for row in history.rows)[len(history.rows) // 2],
        "loader_tokens_per_second": round(loader_speed(data)),
        "version": __version__,
        "settings": asdict(settings),
        "started_in": str(Path.cwd()),
    }


def _of_keys(found: OverKeys) -> dict[str, Any]:
    return {
        "key_spread": key_spread(found.losses),
        "loss_by_key": {str(shift): loss for shift, loss in found.losses.items()},
        "over_keys": mean_over_keys(found.losses),
        "equivariance": found.equivariance,
        "loss_averaged_over_keys": found.averaged,
    }


def loader_speed(data: MidiDataModule, seconds: float = _LOADER_S) -> float:
    """Tokens that the training loader hands out a second, when nothing waits for it; padding does not count."""
    loader, tokens, begin = data.train_dataloader(), 0, time.perf_counter()
    while True:
        for batch in loader:
            tokens += int(batch["attention_mask"].sum())
            if time.perf_counter() - begin > seconds:
                return tokens / (time.perf_counter() - begin)


def _compared(settings: TrainSettings, data: MidiDataModule) -> dict[str, Any]:
    """What a sweep's runs may differ by, for TensorBoard's HParams tab."""
    model = settings.model
    return {
        "aug draw": data.draw,  # the tab shows the first five in the order of the alphabet
        "aug shifts": str(data.shifts),
        "cell": model.cell,
        "dropout": model.dropout,
        "hidden": model.hidden,
        "embed": model.embed,
        "layers": model.layers,
        "lr": settings.optim.lr,
        "seed": settings.seed,
        "source": source_name(settings),
        "tokenizer": kind_of(data.tokenizer),
        "window": data.window,
    }


def _title(settings: TrainSettings, data: MidiDataModule) -> str:
    return f"{_shape(settings)} on {source_name(settings)}, shifts {data.shifts}"


def _shape(settings: TrainSettings) -> str:
    return f"{settings.model.cell.upper()} {settings.model.layers} x {settings.model.hidden}"


def _device_name(trainer: Trainer) -> str:
    device = trainer.strategy.root_device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type.upper()
    return f"{trainer.world_size} x {name}" if trainer.world_size > 1 else name
