"""Time things fairly: all contestants take turns, round by round, and the median of the rounds counts."""

import json
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from midiaug import __version__
from midiaug.data.workers import cores


@dataclass(frozen=True)
class Figure:
    """What was measured in each round, in one unit; its median is the figure."""

    rounds: list[float]
    unit: str

    @property
    def median(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.rounds)

    def as_json(self) -> dict[str, Any]:
        """The median with what it was taken from."""
        return {"median": self.median, "unit": self.unit, "rounds": self.rounds}


def ratio(one: Figure, other: Figure) -> float:
    """How many times the other's median the one's is. Raises ValueError for figures of different units."""
    if one.unit != other.unit:
        raise ValueError(f"{one.unit} and {other.unit} cannot be compared")
    return one.median / other.median


def in_turns(contestants: Mapping[str, Callable[[], float]], rounds: int, unit: str) -> dict[str, Figure]:
    """Measure each contestant once a round, so that what else the machine does meets all of them alike.

    contestants: by name, each returns its figure. Each round begins with the next one, so that none has always
    the same one before it.
    """
    names = list(contestants)
    values: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names) if names else 0
        for name in names[first:] + names[:first]:
            values[name].append(contestants[name]())
    return {name: Figure(values[name], unit) for name in names}


class Stopwatch:
    """Seconds from its making to `stop`."""

    def __init__(self) -> None:
        self._begin = time.perf_counter()
        self.seconds = 0.0

    def stop(self) -> None:
        """What comes from here on is not timed."""
        self.seconds = time.perf_counter() - self._begin


def machine() -> dict[str, Any]:
    """What the figures were measured on: the processor, its cores, and the versions that matter."""
    packages = ("torch", "numpy", "miditok", "symusic", "pytorch-lightning")
    return {
        "cpu": _cpu_name(),
        "cores": cores(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        "midiaug": __version__,
    }


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return (named or [platform.processor() or platform.machine()])[0]


def last_json(text: str) -> dict[str, Any]:
    """The value of the last line, which a process of its own prints behind whatever else it said."""
    value: dict[str, Any] = json.loads(text.strip().splitlines()[-1])
    return value
