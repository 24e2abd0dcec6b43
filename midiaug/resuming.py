"""What a run's folder holds already: a finished run of the same settings counts as it is, a stopped one goes on."""

import json
import logging
from dataclasses import asdict
from pathlib import Path

from midiaug.directories import shown
from midiaug.errors import ConfigError
from midiaug.settings import TrainSettings, complete

log = logging.getLogger("midiaug")
_WITHOUT_EFFECT = {"resume", "ckpt", "data.num_workers", "data.cache_dir", "data.verify", "checkpoint.minutes"}


def finished(directory: Path, settings: TrainSettings) -> float | None:
    """As `loss_of`, and says that the run counts as it is."""
    loss = loss_of(directory, settings)
    if loss is not None:
        log.info("%-12s%s", "finished", f"before, with a validation loss of {loss:.3f}: {shown(directory)}")
    return loss


def loss_of(directory: Path, settings: TrainSettings) -> float | None:
    """The lowest validation loss of the finished run of these settings in the folder; None where there is none.

    Raises ConfigError where a run of other settings is, with the first key that differs.
    """
    path = directory / "summary.json"
    if not path.is_file():
        return None
    try:
        summary = json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
        before, loss = complete(summary["settings"]), float(summary["loss"]["val"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"resume=true: {shown(path)} is not readable, or of an older version; remove its folder, or give another"
        ) from error
    for key, value in complete(json.loads(json.dumps(asdict(settings)))).items():
        if key not in _WITHOUT_EFFECT and before.get(key) != value:
            raise ConfigError(
                f"resume=true: {shown(directory)} holds a run with {key}={before.get(key)}, and this one has {value}; "
                "remove that folder, or give another"
            )
    return loss
