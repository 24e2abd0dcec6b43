"""midiaug: transposes MIDI while loading, so that small corpora last longer in training."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from midiaug.data.dataset import TransposedDataset
    from midiaug.data.module import MidiDataModule
    from midiaug.data.sampler import TransposingSampler
    from midiaug.data.shifts import Shifts
    from midiaug.data.transpose import TokenTransposer, transpose
    from midiaug.learner import Learner
    from midiaug.model import RecurrentLM

__version__ = "0.1.0"

_HOME = {
    "Learner": "midiaug.learner",
    "MidiDataModule": "midiaug.data.module",
    "RecurrentLM": "midiaug.model",
    "Shifts": "midiaug.data.shifts",
    "TokenTransposer": "midiaug.data.transpose",
    "TransposedDataset": "midiaug.data.dataset",
    "TransposingSampler": "midiaug.data.sampler",
    "transpose": "midiaug.data.transpose",
}

__all__ = [
    "Learner",
    "MidiDataModule",
    "RecurrentLM",
    "Shifts",
    "TokenTransposer",
    "TransposedDataset",
    "TransposingSampler",
    "transpose",
]


def __getattr__(name: str) -> object:
    # Public names load on first use: importing torch and lightning takes seconds, and neither
    # the command line's --help nor the processes that only tokenize need them.
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'midiaug' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
