"""Finished runs to compare, written by the code that writes those of a training run."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from composed import composed
from omegaconf import OmegaConf
from torch.utils.tensorboard import SummaryWriter

from midiaug.comparison.settings import CompareSettings, checked_compare
from midiaug.data.shifts import Shifts
from midiaug.files import write_csv, write_json
from midiaug.settings import checked, source_name

SUMMARY_KEYS = ("embed", "hidden", "layers", "dropout")

MUSIC = {
    "source": "my [bold]tunes[/]",
    "title": "the folder my [bold]tunes[/]",
    "split": None,
    "tokenizer": "REMI",
    "window": 256,
    "statistics": {
        "pieces": {"read": 10, "train": 9, "val": 1, "left_out": 2},
        "tunes": 9,
        "tracks": 20,
        "sequences": 20,
        "notes": 1234,
        "drum_notes": 34,
        "tokens": 5000,
        "tokens_a_piece": {"least": 100.0, "median": 500.0, "largest": 900.0},
        "windows": 25,
        "vocabulary": {"entries": 300, "used": 100},
        "windows_per_entry": 0.083,
        "tokens_per_entry": 16.0,
        "pitches": [0] * 60 + [5] + [0] * 67,
        "keys": {"G major": 6, "D major": 4},
    },
    "augmented": [
        {
            "level": "none",
            "shifts": [0],
            "samples": 25,
            "times": 1.0,
            "tokens": 5000,
            "pieces_with_fewer_shifts": 0,
            "vocabulary": None,
        }
    ],
}


def settings(*words: str) -> CompareSettings:
    """The settings of a comparison."""
    return checked_compare(composed("compare", *words))


def write_run(
    folder: Path,
    losses: list[tuple[float, float]],
    *words: str,
    pieces: dict[str, float] | None = None,
    training: Iterable[str] = ("z.mid",),
    first_group: int = 0,
    finished: bool = True,
    summary: dict[str, Any] | None = None,
) -> Path:
    """A run's folder without training: `words` as on train's command line.

    losses: (train, val) of each epoch, in nats a token. pieces: the loss of each validation piece in the best epoch;
    each has 100 tokens and is a group of its own, counted from first_group. training: names of further pieces.
    summary: further content of summary.json.
    """
    config = composed("train", *words)
    chosen = checked(config)
    (folder / ".hydra").mkdir(parents=True)
    OmegaConf.save(config, folder / ".hydra" / "config.yaml")
    rows = [_row(epoch, *pair) for epoch, pair in enumerate(losses, 1)]
    write_csv(folder / "metrics.csv", rows)
    best = min(rows, key=lambda row: row["loss/val"])
    pieces = {"a.mid": 1.0, "b.mid": 2.0, "c.mid": 1.5} if pieces is None else pieces
    named = {name: (number, loss) for number, (name, loss) in enumerate(pieces.items(), first_group)}
    if pieces:
        write_csv(folder / "val_pieces.csv", [_piece(name, *known) for name, known in named.items()])
    sides = {name: {"side": "val", "group": number} for name, (number, _) in named.items()}
    sides |= {name: {"side": "train", "group": 99} for name in training}
    write_json(folder / "split.json", {"seed": chosen.seed, "val_split": 0.1, "pieces": sides})
    if finished:
        model = {key: getattr(chosen.model, key) for key in SUMMARY_KEYS}
        content = {
            "model": model,
            "cell": chosen.model.cell,
            "tokenizer": chosen.tokenizer.name,
            "source": source_name(chosen),
        }
        content |= {"shifts": list(Shifts.parse(chosen.aug.shifts)), "seed": chosen.seed, "best_epoch": best["epoch"]}
        content |= {"loss": {side: best[f"loss/{side}"] for side in ("train", "val", "gap")}, "key_spread": 0.5}
        content |= {"nats_per_note": {side: best[f"nats_per_note/{side}"] for side in ("train", "val")}}
        write_json(folder / "summary.json", content | {"tokens_per_second": 1000} | (summary or {}))
    return folder


def _row(epoch: int, train: float, val: float) -> dict[str, float]:
    losses = {"loss/train": train, "loss/val": val, "loss/gap": val - train}
    notes = {"nats_per_note/train": 4 * train, "nats_per_note/val": 4 * val}
    return {"epoch": epoch, "step": 10 * epoch, **losses, **notes, "tokens_per_second": 1000 + epoch}


def _piece(name: str, group: int, loss: float) -> dict[str, Any]:
    return {"piece": name, "group": group, "loss": loss, "nats": 100 * loss, "tokens": 100, "notes": 25}


def write_log(folder: Path, tags: dict[str, list[tuple[int, float]]]) -> Path:
    """A TensorBoard log as another program writes it: (step, value) for each tag."""
    writer = SummaryWriter(folder)
    for tag, points in tags.items():
        for step, value in points:
            writer.add_scalar(tag, value, step)
    writer.close()
    return folder


def figures_of(directory: Path) -> dict[str, Any]:
    """What compare.json holds."""
    content: dict[str, Any] = json.loads((directory / "compare.json").read_text())
    return content
