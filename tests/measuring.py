"""The settings of small benchmarks, and the data that they measure."""

from pathlib import Path

from composed import composed
from training import overrides

from midiaug.measuring.settings import BenchmarkSettings, checked_benchmark
from midiaug.run import make_data

QUICK = ("seconds=0.01", "rounds=2", "repeats=1", "steps=1")


def words(folder: Path, cache: Path, *more: str) -> list[str]:
    """A small benchmark on a folder, as words of a command line."""
    return [word for word in overrides(folder, cache) if "max_epochs" not in word] + [*QUICK, *more]


def settings(folder: Path, cache: Path, *more: str) -> BenchmarkSettings:
    """The settings of a small benchmark on a folder."""
    return checked_benchmark(composed("benchmark", *words(folder, cache, *more)))


def prepared(chosen: BenchmarkSettings):
    """The data module of these settings, set up."""
    data = make_data(chosen)
    data.setup()
    return data
