"""What a training step costs: in a plain loop, and through Lightning with everything that a run has on."""

import tempfile
import time
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer, seed_everything
from torch.nn.utils import clip_grad_norm_
from torch.optim import AdamW

from midiaug.callbacks import History
from midiaug.data.dataset import IGNORED, Batch
from midiaug.data.module import MidiDataModule
from midiaug.fitting import fit
from midiaug.measuring.timing import Figure, in_turns
from midiaug.model import device_of, token_losses
from midiaug.run import make_data, make_learner
from midiaug.settings import TrainSettings
from midiaug.trainer import make_trainer

# so many steps on one device and no validation, though a corpus of few batches has many epochs in them
_LENGTH = {
    "max_epochs": -1,
    "min_epochs": None,
    "min_steps": None,
    "max_time": None,
    "fast_dev_run": False,
    "limit_train_batches": None,
    "accumulate_grad_batches": 1,
    "check_val_every_n_epoch": 1 << 30,
    "val_check_interval": None,
    "devices": 1,
    "num_nodes": 1,
    "strategy": "auto",
}
_PREFIX = "midiaug steps "


@dataclass(frozen=True)
class StepTimes:
    """Seconds a step of both, in pairs that took turns, and the share of the plain steps spent on waiting for data."""

    plain: Figure
    lightning: Figure
    waiting: Figure
    device: str


def time_steps(settings: TrainSettings, rounds: int, steps: int) -> StepTimes:
    """Time so many steps in each round and way; one more before them, which prepares memory, is not counted."""
    waiting: list[float] = []
    devices: list[str] = []

    def plain() -> float:
        seconds, share, device = _plain(settings, steps)
        waiting.append(share)
        devices.append(device)
        return seconds

    figures = in_turns({"plain": plain, "lightning": lambda: _lightning(settings, steps)}, rounds, "s")
    return StepTimes(figures["plain"], figures["lightning"], Figure(waiting, "share"), devices[0])


def _plain(settings: TrainSettings, steps: int) -> tuple[float, float, str]:
    """Seconds a step in ten lines of PyTorch, the share of all steps spent on waiting for the batch, the device."""
    seed_everything(settings.seed, verbose=False)
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as folder:
        trainer, learner, data = _prepared(settings, Path(folder), steps)
        data.setup()
        learner.to(trainer.strategy.root_device).train()
    data.trainer = trainer  # for a GPU, batches are pinned as they are through Lightning
    on_gpu = device_of(learner).type == "cuda"
    rate, decay = settings.optim.lr, settings.optim.weight_decay
    optimizer = AdamW(learner.parameters(), lr=rate, weight_decay=decay, fused=on_gpu or None)
    batches, waited, ends, begin = _endless(data), 0.0, [], time.perf_counter()
    for _ in range(steps + 1):
        asked = time.perf_counter()
        batch = next(batches)
        waited += time.perf_counter() - asked
        _step(trainer, learner, optimizer, batch, settings.trainer.get("gradient_clip_val"))
        _wait(learner)
        ends.append(time.perf_counter())
    batches.close()
    data.teardown()
    return (ends[-1] - ends[0]) / steps, waited / (ends[-1] - begin), device_of(learner).type


def _step(trainer: Trainer, learner: Any, optimizer: AdamW, batch: Batch, clip: float | None) -> None:
    batch = {name: tensor.to(device_of(learner), non_blocking=True) for name, tensor in batch.items()}
    with trainer.precision_plugin.forward_context():  # trainer.precision
        losses = token_losses(learner(batch["input_ids"][:, :-1]), batch["labels"])
        loss = losses.sum() / (batch["labels"][:, 1:] != IGNORED).sum().clamp(min=1)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    if clip:
        clip_grad_norm_(learner.parameters(), clip)
    optimizer.step()


class _Ends(Callback):
    """When each step ended."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *rest: object) -> None:
        _wait(pl_module)
        self.seconds.append(time.perf_counter())


def _lightning(settings: TrainSettings, steps: int) -> float:
    """Seconds a step of `midiaug.train`'s own Trainer, with its logs, bar and checkpoints, in a temporary folder."""
    seed_everything(settings.seed, verbose=False)
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as folder:
        trainer, learner, data = _prepared(settings, Path(folder), steps)
        ends = _Ends()
        trainer.callbacks.append(ends)  # type: ignore[attr-defined]  # the last of them
        fit(trainer, learner, data, None)
        for logger in trainer.loggers:
            logger.finalize("success")  # else it goes on writing into a folder that is gone
    return (ends.seconds[-1] - ends.seconds[0]) / steps


def _prepared(settings: TrainSettings, folder: Path, steps: int) -> tuple[Trainer, Any, MidiDataModule]:
    logged = {"log_every_n_steps": min(settings.trainer.get("log_every_n_steps") or 10, max(1, steps // 2))}
    settings = replace(settings, trainer=settings.trainer | _LENGTH | logged | {"max_steps": steps + 1})
    data = make_data(settings)
    trainer = make_trainer(settings, folder, History(folder, data))
    return trainer, make_learner(settings, data), data


def _endless(data: MidiDataModule) -> Generator[Batch]:
    loader, epoch = data.train_dataloader(), 0
    while True:
        loader.sampler.set_epoch(epoch)
        yield from loader
        epoch += 1


def _wait(module: torch.nn.Module) -> None:
    if device_of(module).type == "cuda":
        torch.cuda.synchronize(device_of(module))
