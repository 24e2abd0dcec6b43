"""What a person sees while a model trains: a bar, a line an epoch, and a table at the end."""

import logging
import threading
import time
import warnings
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from midiaug.callbacks import History
from midiaug.curves import quiet_thread
from midiaug.data.dataset import Batch
from midiaug.printable import short
from midiaug.text_tables import as_text

log = logging.getLogger("midiaug")
_REFRESH_S = 0.25


def keep_quiet() -> None:
    """Keep Lightning's device lines, tips and advice off the screen; its errors still show."""
    threading.excepthook = quiet_thread
    for name in ("pytorch_lightning", "lightning_fabric", "lightning.pytorch", "lightning.fabric", "matplotlib"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # readers of the table run in this process by design; a short run logs less often than it has steps
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*LeafSpec.*is deprecated.*")  # torch's, of Lightning's code
    warnings.filterwarnings("ignore", message=".*Early stopping conditioned on metric.*")  # an epoch not validated
    warnings.filterwarnings("ignore", message=".*exists and is not empty.*")  # a resumed run goes on in its directory
    warnings.filterwarnings("ignore", message=".*smaller than the logging interval.*")


class Screen(Callback):
    """A bar with the step's loss and the speed while an epoch runs, and a line with the losses when it ends."""

    def __init__(self, history: History, bar: bool = True) -> None:
        self._history = history
        self._shown = bar
        self._bar: Progress | None = None
        self._drawn = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin with the epoch's bar, also within an epoch that is resumed."""
        self._start(trainer)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin the epoch's bar."""
        self._start(trainer)

    def _start(self, trainer: Trainer) -> None:
        self._stop()
        console = Console(stderr=True)
        if not (self._shown and console.is_terminal and trainer.is_global_zero):
            return
        columns = [TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn()]
        self._bar = Progress(
            *columns, TimeRemainingColumn(), TextColumn("{task.fields[figures]}"), console=console, transient=True
        )
        last = trainer.max_epochs if trainer.max_epochs and trainer.max_epochs > 0 else "?"
        batches = trainer.num_training_batches
        self._bar.add_task(f"epoch {trainer.current_epoch + 1} of {last}", total=batches, figures="")
        self._bar.start()

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Move the bar on, a few times a second."""
        if self._bar is None or time.monotonic() - self._drawn < _REFRESH_S:
            return
        self._drawn = time.monotonic()
        figures = f"loss {float(outputs['loss']):.3f}"
        if self._history.rows:
            last = self._history.rows[-1]
            figures += f"  val {last['loss/val']:.3f}  gap {last['loss/gap']:.3f}"
        figures += f"  {short(self._history.tokens_per_second)} tokens/s"
        self._bar.update(self._bar.task_ids[0], completed=batch_idx + 1, figures=figures)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say that the bar has not stopped for nothing."""
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=trainer.num_training_batches, figures="validating")

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print the epoch's line."""
        if trainer.sanity_checking or not trainer.is_global_zero or not self._history.rows:
            return
        self._stop()
        row = self._history.rows[-1]
        lowest = row is self._history.best and len(self._history.rows) > 1
        best = "  lowest so far" if lowest else ""
        log.info(
            "%s %-5d train %.3f  val %.3f  gap %+.3f  %s tokens/s%s",
            self._history.unit,
            row[self._history.unit],
            row["loss/train"],
            row["loss/val"],
            row["loss/gap"],
            short(row["tokens_per_second"]),
            best,
        )

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Take the bar away."""
        self._stop()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Take the bar away before anything is said of the failure."""
        self._stop()


def result_table(history: History, spread: float | None, told: float | None = None) -> str:
    """The run's figures as a small table. spread: between keys. told: the same of the model told of the shift."""
    best, unit = history.best, history.unit
    table = Table(show_header=True, header_style="bold", title_justify="left")
    heads = ["", "train", "val", "gap"]
    for head in heads:
        table.add_column(head, justify="left" if not head else "right")
    table.add_row(
        f"loss, nats a token, {unit} {best[unit]:,} of {history.rows[-1][unit]:,}",
        *(f"{best[f'loss/{side}']:.3f}" for side in ("train", "val", "gap")),
    )
    notes = [best[f"nats_per_note/{side}"] for side in ("train", "val")]
    table.add_row("loss, nats a note", *(f"{value:.3f}" for value in (*notes, notes[1] - notes[0])))
    table.add_row("right at the first guess", "", f"{best['accuracy/top1']:.1%}", "")
    if spread is not None:
        table.add_row("hardest key less easiest, nats a token", "", f"{spread:.3f}", "")
    if told is not None:
        table.add_row("the same, told of the shift", "", f"{told:.3f}", "")
    return as_text(table)
