"""The LightningModule around RecurrentLM: loss, optimizer, schedule, and what is measured after each epoch."""

import math
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import LightningModule
from torch import Tensor
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from midiaug.checkpoint_reading import read_checkpoint
from midiaug.data.columns import flattened
from midiaug.data.dataset import IGNORED, Batch
from midiaug.data.module import MidiDataModule
from midiaug.data.sampler import TransposingLoader
from midiaug.data.transpose import MusicTokenizer, notes_per_token, settings_of
from midiaug.equivariance import check_data, permutations_to_train_with
from midiaug.errors import CheckpointError, ConfigError
from midiaug.model import RecurrentLM, token_losses
from midiaug.monitor import Guesses, PieceLosses
from midiaug.tokenizers import tokenizer_from

_NEWER = {"equivariance": 0.0}  # what checkpoints that lack a setting were trained with
_WARMUP_STEPS = 500  # where the number of steps is not known


class Learner(LightningModule):
    """Trains a RecurrentLM on the batches of a MidiDataModule.

    tokenizer: gives the vocabulary, and stays in the checkpoint with the model's settings.
    lr: peak rate of AdamW, reached after the share `warmup` of all steps, then falling as a cosine to a hundredth.
    label_smoothing: the share of each target that training spreads evenly over the vocabulary (Szegedy et al. 2016,
    arXiv 1512.00567). A model that is told takes each window's shift from the batch's `shifts`.
    equivariance: the weight of a second loss, how far the prediction for a window is from that for the window
    un-shifted, as Permutations.with_divergence has it; the data module needs tell_shifts.
    After each epoch it logs `loss/val` and `loss/train`, in nats a token, both in eval mode and without
    augmentation, `loss/gap`, the difference, and `nats_per_note/val`. Padding never counts.
    Raises ConfigError for a setting that cannot be, or where the tokenizer has no table and `equivariance` needs one.
    """

    def __init__(
        self,
        tokenizer: MusicTokenizer,
        model: dict[str, Any] | None = None,
        lr: float = 4e-3,
        weight_decay: float = 0.01,
        warmup: float = 0.1,
        label_smoothing: float = 0.0,
        equivariance: float = 0.0,
    ) -> None:
        super().__init__()
        if not 0 < lr < math.inf:
            raise ConfigError(f"optim.lr={lr}: give a learning rate above 0, such as 0.004")
        if not 0 <= weight_decay < math.inf:
            raise ConfigError(f"optim.weight_decay={weight_decay}: give 0 or more")
        if not 0 <= warmup < 1:
            raise ConfigError(f"optim.warmup={warmup}: give the share of steps, from 0 to below 1")
        if not 0 <= label_smoothing < 1:
            raise ConfigError(f"optim.label_smoothing={label_smoothing}: give a share from 0 to below 1")
        self.tokenizer = tokenizer = flattened(tokenizer)
        self.permutations = permutations_to_train_with(tokenizer, equivariance)
        self.model = RecurrentLM(len(tokenizer), **(model or {}))
        optim = {"lr": lr, "weight_decay": weight_decay, "warmup": warmup, "label_smoothing": label_smoothing}
        optim["equivariance"] = equivariance
        self.recipe = {"model": dict(model or {}), "optim": optim, "tokenizer": settings_of(tokenizer)}
        self.lr, self.weight_decay, self.warmup, self.label_smoothing = lr, weight_decay, warmup, label_smoothing
        self.equivariance = equivariance
        self.notes_per_token: Tensor
        self.register_buffer("notes_per_token", torch.from_numpy(notes_per_token(tokenizer)), persistent=False)
        self.guesses = Guesses()
        self.losses: dict[str, PieceLosses] = {}
        self._logged = 0  # the last step whose loss the loggers have
        self._random_state: dict[str, Any] | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "_current_fx_name":  # Lightning sets it some fifty times a step; torch's way takes a microsecond
            self.__dict__[name] = value
        else:
            super().__setattr__(name, value)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The learner of a checkpoint, ready to predict, with its tokenizer as `tokenizer`; no code is loaded.

        Raises CheckpointError for a file that no run wrote, or a damaged one.
        """
        return cls.of(read_checkpoint(path))

    @classmethod
    def of(cls, content: dict[str, Any]) -> Self:
        """The same from what `read_checkpoint` returned. Raises CheckpointError for weights of another vocabulary."""
        learner = cls(tokenizer_from(content["recipe"]["tokenizer"]), content["recipe"]["model"])
        try:
            learner.load_state_dict(content["state_dict"])
        except RuntimeError as error:  # of other sizes, or of other names
            raise CheckpointError(
                f"ckpt: its weights are of another vocabulary than its tokenizer's {len(learner.tokenizer):,} tokens, "
                "or of another model; use a checkpoint as a run wrote it"
            ) from error
        return learner.eval()

    def forward(self, input_ids: Tensor) -> Tensor:
        """input_ids (batch, time) -> logits (batch, time, vocabulary)."""
        logits: Tensor = self.model(input_ids)[0]
        return logits

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The mean loss in nats of the batch's tokens."""
        counted = batch["labels"][:, 1:] != IGNORED
        if self.permutations is None:
            logits = self.model(batch["input_ids"][:, :-1], shifts=batch.get("shifts"))[0]
            losses = token_losses(logits, batch["labels"], self.label_smoothing)
        else:
            logits, distances = self.permutations.with_divergence(self.model, batch)
            losses = token_losses(logits, batch["labels"], self.label_smoothing)
            losses = losses + self.equivariance * distances * counted
        return losses.sum() / counted.sum().clamp(min=1)

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        """Hand the step's loss to the loggers, every so many steps.

        Straight to them: self.log costs a third of a millisecond in every step, also in those that are not logged.
        """
        trainer = self.trainer
        step, every = trainer.global_step, trainer.log_every_n_steps  # type: ignore[attr-defined]
        if step == self._logged or not every or step % every:
            return
        self._logged = step  # batches whose gradients wait for more stay at the same step
        loss = outputs["loss"] * trainer.accumulate_grad_batches  # Lightning's share of the sum of gradients
        for logger in trainer.loggers:
            logger.log_metrics({"loss/step": float(loss), "epoch": trainer.current_epoch}, step=step - 1)

    def on_validation_epoch_start(self) -> None:
        """Forget the sums of the epoch before."""
        if not self.losses:
            pieces = len(self._data.corpus)
            self.losses = {side: PieceLosses(pieces).to(self.device) for side in ("val", "train")}
        for losses in self.losses.values():
            losses.reset()
        self.guesses.reset()

    @property
    def _data(self) -> MidiDataModule:
        data: MidiDataModule = self.trainer.datamodule  # type: ignore[attr-defined]
        return data

    @cached_property
    def _probe(self) -> TransposingLoader:
        return self._data.probe_dataloader()

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Add the batch to the validation losses and to the guesses."""
        loader: Any = self.trainer.val_dataloaders
        self.guesses.update(*self._evaluate("val", batch, loader.sampler.batch(batch_idx)))

    def on_validation_epoch_end(self) -> None:
        """Take the training pieces' loss in the same way, with the same weights, and log both and the gap."""
        for number, batch in enumerate(islice(self._probe, int(self.trainer.num_val_batches[0]))):
            on_device = {name: tensor.to(self.device) for name, tensor in batch.items()}
            self._evaluate("train", on_device, self._probe.sampler.batch(number))
        totals = {side: losses.totals() for side, losses in self.losses.items()}
        self.log("loss/val", totals["val"].nats_per_token, sync_dist=True)
        self.log("loss/train", totals["train"].nats_per_token, sync_dist=True)
        self.log("loss/gap", totals["val"].nats_per_token - totals["train"].nats_per_token, sync_dist=True)
        for side, total in totals.items():
            self.log(f"nats_per_note/{side}", total.nats_per_note, sync_dist=True)
        self.log("perplexity/val", totals["val"].perplexity, sync_dist=True)
        self.log_dict(self.guesses.compute(), sync_dist=True)

    def _evaluate(self, side: str, batch: Batch, windows: NDArray[np.integer]) -> tuple[Tensor, Tensor]:
        logits, targets = self(batch["input_ids"][:, :-1]), batch["labels"][:, 1:]
        losses = token_losses(logits, batch["labels"])
        counted = targets != IGNORED
        notes = self.notes_per_token[targets.clamp(min=0)] * counted
        dataset = self._data.validation if side == "val" else self._data.train
        pieces = torch.from_numpy(dataset.pieces[windows].astype(np.int64)).to(self.device)
        self.losses[side].update(pieces, losses.sum(1), counted.sum(1), notes.sum(1))
        return logits, targets

    def configure_optimizers(self) -> Any:
        """AdamW, its rate warmed up and then let down along a cosine."""
        # on a GPU one kernel instead of dozens; Lightning cannot clip gradients for it under mixed precision
        fused = self.device.type == "cuda" and "mixed" not in str(self.trainer.precision)
        optimizer = AdamW(self.parameters(), lr=self.lr, weight_decay=self.weight_decay, fused=fused or None)
        steps = max(1.0, float(self.trainer.estimated_stepping_batches))  # infinite where nothing ends the training
        rising = self.warmup * steps if math.isfinite(steps) else _WARMUP_STEPS

        def share(step: int) -> float:
            if step < rising:
                return (step + 1) / (rising + 1)
            fallen = min(1.0, (step - rising) / max(1.0, steps - rising))
            return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * fallen))

        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": LambdaLR(optimizer, share), "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep what dropout draws from, and what is needed to build this model again."""
        cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
        checkpoint["random_state"] = {"torch": torch.get_rng_state(), "cuda": cuda}
        checkpoint["recipe"] = self.recipe

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse the weights of another model: ConfigError names the first setting that differs."""
        self.check_same(checkpoint)
        self._random_state = checkpoint["random_state"]

    def check_same(self, checkpoint: dict[str, Any]) -> None:
        """Raise ConfigError for a checkpoint of another model, tokenizer or schedule."""
        if checkpoint["recipe"]["tokenizer"]["config"] != self.recipe["tokenizer"]["config"]:
            raise ConfigError("ckpt: the tokenizer is not what the checkpoint was trained on; resume with the same")
        for group in ("model", "optim"):
            before = checkpoint["recipe"][group]
            for name, value in self.recipe[group].items():
                given = before.get(name, _NEWER.get(name))
                if given != value:
                    was = f"{group}.{name}={given}"
                    raise ConfigError(f"ckpt: it was trained with {was}, and this run has {value}; use the same")

    def on_fit_start(self) -> None:
        """Refuse, with a ConfigError, batches that the losses cannot use."""
        check_data(self._data, self.equivariance)

    def on_train_start(self) -> None:
        """Take up the random numbers where the checkpoint left them."""
        if self._random_state is not None:  # last of all, so that nothing draws between here and the first batch
            torch.set_rng_state(self._random_state["torch"].cpu())
            if self._random_state["cuda"] and torch.cuda.is_available():
                torch.cuda.set_rng_state_all([state.cpu() for state in self._random_state["cuda"]])
            self._random_state = None
