"""hparams=level: counts the trainings before a sweep over levels, and recommends a level when it has ended.

What is heavy is imported where it is needed: the processes of a launcher load this module too.
"""

import math
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn, JobStatus
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, ListConfig, OmegaConf

from midiaug.comparison.contents import read_noted
from midiaug.directories import compare_command, shown
from midiaug.errors import ComparisonError, ConfigError, MidiaugError, OutputError, one_line
from midiaug.files import write_json
from midiaug.printable import printable
from midiaug.resuming import loss_of
from midiaug.sentences import sentence_of
from midiaug.settings import checked

if TYPE_CHECKING:
    from midiaug.comparison.runs import Run

FILE = "recommendation.json"


class Recommending(Callback):
    """Hydra's callback of configs/hparams/level.yaml."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Say how many trainings it will be."""
        jobs = jobs_of(config)
        steps = OmegaConf.select(config, "trainer.max_steps")
        swept = swept_of(jobs)
        known = isinstance(steps, int) and steps > 0 and "trainer.max_steps" not in swept
        each = f" of {steps:,} steps" if known else ""
        words = " ".join(f"{key}={','.join(values)}" for key, values in swept.items())
        _print(f"{'trainings':<12}{len(jobs)}{each}, in {config.hydra.sweep.dir}: {words}")

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Say why a training was refused, and let the others count: Hydra would end without a word on them."""
        error = job_return._return_value
        if job_return.status != JobStatus.FAILED or not isinstance(error, MidiaugError):
            return
        sentence = sentence_of(error)
        if sentence not in self._said:  # a reason of all trainings is said once
            print(sentence, file=sys.stderr, flush=True)  # noqa: T201
        self._said.add(sentence)
        job_return.status, job_return.return_value = JobStatus.COMPLETED, math.inf

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Print and write the recommendation; ends with status 1 where a training is missing or nothing can be said."""
        try:
            missing = recommend(Path(config.hydra.sweep.dir), jobs_of(config))
        except MidiaugError as error:
            print(sentence_of(error), file=sys.stderr)  # noqa: T201
            sys.exit(1)  # Hydra makes a warning of an exception
        if missing:
            sys.exit(1)


def jobs_of(config: DictConfig) -> list[list[str]]:
    """The overrides of each job of a sweep, as Hydra's own sweeper makes them."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

    params = config.hydra.sweeper.params or {}
    words = [*(f"{key}={value}" for key, value in params.items()), *config.hydra.overrides.task]
    loader = GlobalHydra.instance().config_loader() if GlobalHydra.instance().is_initialized() else None
    (jobs,) = BasicSweeper.split_arguments(OverridesParser.create(loader).parse_overrides(words), None)
    return jobs


def swept_of(jobs: list[list[str]]) -> dict[str, list[str]]:
    """The keys that take several values in the jobs, each with its values."""
    values: dict[str, list[str]] = {}
    for key, _, value in (word.partition("=") for job in jobs for word in job):
        if value not in values.setdefault(key, []):
            values[key].append(value)
    return {key: found for key, found in values.items() if len(found) > 1}


def recommend(directory: Path, jobs: list[list[str]]) -> list[str]:
    """Print a recommendation from the finished runs of these jobs in a sweep's folder, and write recommendation.json.

    Returns the jobs without a finished run, each by what tells it from the others. Raises ComparisonError where there
    is none; OutputError where the file cannot be written.
    """
    from midiaug.comparison.finding import find_runs
    from midiaug.comparison.groups import describe
    from midiaug.comparison.recommendation import recommendations
    from midiaug.comparison.runs import read_runs
    from midiaug.comparison.tables import recommendation_text

    swept = swept_of(jobs)
    wanted = {frozenset(job): _name(job, swept) for job in jobs}
    runs, _ = read_runs(find_runs([str(directory)]))
    finished = {overrides_of(run.path): run for run in runs if run.finished and _its_own(run)}
    missing = [name for job, name in wanted.items() if job not in finished]
    described = describe([run for job, run in finished.items() if job in wanted])
    if not described:
        raise ComparisonError(
            f"{shown(directory)}: none of the {len(jobs)} trainings came to its end, and there is nothing to recommend "
            "from; start it again"
        )
    found, remarks = recommendations(described)
    _print(recommendation_text(found))
    remarks += [f"{len(missing)} of {len(jobs)} trainings are missing: {'; '.join(missing)}"] if missing else []
    for remark in remarks:
        _print(printable(f"{'remark':<12}{remark}"))
    models = [asdict(one) | {"sentence": one.sentence} for one in found]
    content = {"runs": len(described), "missing": missing, "models": models, "remarks": remarks}
    try:
        write_json(directory / FILE, content)
    except OSError as error:
        reason = error.strerror or one_line(error)
        raise OutputError(f"{shown(directory / FILE)}: cannot be written ({reason}); free space there") from error
    _print(f"{'figures':<12}{shown(directory / FILE)}")
    _print(f"{'pictures':<12}{compare_command(directory)}")
    return missing


def _name(job: list[str], swept: dict[str, list[str]]) -> str:
    return ",".join(word for word in job if word.partition("=")[0] in swept) or "the only one"


def overrides_of(path: Path) -> frozenset[str]:
    """The overrides that a run was started with; empty where they are not known, as of a folder that is no run."""
    words = read_noted(path, "overrides.yaml")
    return frozenset(map(str, words)) if isinstance(words, ListConfig) else frozenset()


def _its_own(run: "Run") -> bool:
    """Whether a finished run has the settings beside it, which Hydra writes anew before a run is refused there."""
    config = read_noted(run.path, "config.yaml")
    try:
        return isinstance(config, DictConfig) and loss_of(run.path, checked(config)) is not None
    except ConfigError:
        return False


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # Hydra's log, which is on between the trainings, puts the time before a line
