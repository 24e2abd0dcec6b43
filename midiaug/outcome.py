"""What came of a run: what summary.json holds, and the figures by which the runs of a sweep are compared."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from midiaug import __version__
from midiaug.callbacks import History
from midiaug.data.columns import kind_of
from midiaug.data.module import MidiDataModule
from midiaug.equivariance import OverKeys
from midiaug.monitor import key_spread, mean_over_keys
from midiaug.settings import TrainSettings, source_name

_LOADER_S = 1.0


def summary_of(
    settings: TrainSettings, data: MidiDataModule, history: History, in_keys: OverKeys, told: OverKeys
) -> dict[str, Any]:
    """What summary.json holds. in_keys: the losses in each key. told: likewise where the model was told of it."""
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


def final_figures(history: History, in_keys: OverKeys) -> dict[str, float]:
    """The best epoch's, for TensorBoard's HParams tab."""
    spread = key_spread(in_keys.losses)
    figures = {f"best/{side}": history.best[f"loss/{side}"] for side in ("gap", "val", "train")}
    figures |= {"best/nats_per_note": history.best["nats_per_note/val"]}
    figures |= {"best/key_spread": spread} if spread is not None else {}
    figures |= {"best/equivariance": in_keys.equivariance} if in_keys.equivariance is not None else {}
    return figures


def compared(settings: TrainSettings, data: MidiDataModule) -> dict[str, Any]:
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
