"""A checkpoint's file opened: tensors and plain data, never code, and every byte as it was written."""

from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import torch

from midiaug.directories import shown
from midiaug.errors import CheckpointError

_OF_A_RUN = ("last.ckpt", "best.ckpt")
_PARTS = {"recipe", "loops", "state_dict", "global_step", "random_state", "MidiDataModule"}


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """What a checkpoint holds. Raises CheckpointError for any other file, and for a damaged one."""
    path = Path(path)
    try:
        _check_sums(path)
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise CheckpointError(f"ckpt={path}: cannot be read ({error.strerror or error}); use another") from error
    except Exception as error:  # a damaged file fails in every way
        raise CheckpointError(f"ckpt={path}: not a checkpoint, or a damaged one; {_instead(path)}") from error
    if not isinstance(content, dict) or not set(content) >= _PARTS:
        raise CheckpointError(f"ckpt={path}: no run of midiaug.train wrote it; give a run's last.ckpt or best.ckpt")
    return content


def _check_sums(path: Path) -> None:
    """Raise BadZipFile where a byte is not what was written; torch itself does not look at the checksums it writes."""
    with ZipFile(path) as file:
        if (part := file.testzip()) is not None:
            raise BadZipFile(f"{part} is not what was written")


def _instead(path: Path) -> str:
    """What to use in place of a damaged checkpoint: the run's other one, where that is not damaged too."""
    for other in (path.with_name(name) for name in _OF_A_RUN if name != path.name):
        try:
            _check_sums(other)
        except Exception:  # noqa: S112  # it fails in every way too, or is not there: no advice then
            continue
        return f"the run has another that is whole: ckpt={shown(other)}"
    return "use another"
