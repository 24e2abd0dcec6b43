"""Which runs are of the same model, which of those of the same augmentation, and what all of them are called."""

import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from omegaconf import OmegaConf

from midiaug.comparison.contents import as_number
from midiaug.comparison.naming import differences_in_words
from midiaug.comparison.runs import Run
from midiaug.config_files import config_dir
from midiaug.data.alterations import range_of
from midiaug.data.shifts import Shifts
from midiaug.settings import collection_name, complete

# what changes where or how fast a run is, not what it comes to; and what is looked at by itself
_ASIDE = (
    *(
        "seed",
        "ckpt",
        "resume",
        "aug",
        "model.condition",
        "checkpoint",
        "data.path",
        "data.source",
        "data.split",
        "data.fold",
        "data.num_workers",
        "data.route",
    ),
    *("data.cache_dir", "data.verify", "model.cell", "trainer.accelerator", "trainer.devices", "trainer.strategy"),
    *("trainer.num_nodes", "trainer.log_every_n_steps", "trainer.deterministic", "trainer.benchmark"),
    *("trainer.profiler", "trainer.inference_mode", "trainer.barebones", "trainer.detect_anomaly"),
    *("trainer.enable_checkpointing", "trainer.enable_progress_bar", "trainer.enable_model_summary"),
)
NONE = (0,)
_WEIGHT = "optim.equivariance"
_USUAL = {
    **{"draw": "random", "out_of_range": "limit", "original": 0, "anneal": None, "starts": "fixed"},
    **{"velocity": None, "duration": None, "tempo": None, "condition": False, "equivariance": 0},
}
Figure = dict[str, float | int | None]


@dataclass(frozen=True)
class Described:
    """A run and what it is called.

    model: such as `LSTM 1 x 128`. level: such as `aggressive`. extra: what else differs from the other runs.
    settings: what makes its model, see `grouped`. shifts, seed: None where they are not known.
    """

    run: Run
    settings: dict[str, Any]
    model: str
    level: str
    extra: str
    shifts: tuple[int, ...] | None
    seed: int | None

    @property
    def of_model(self) -> str:
        """Runs of the same model, whatever their augmentation and seed, have the same text here."""
        return f"{self.model}, {self.extra}" if self.extra else self.model

    @cached_property
    def label(self) -> str:
        """What the run is called in a table."""
        return f"{self.of_model}, {self.level}" if self.level else self.of_model

    @property
    def draw(self) -> str:
        """What tells the run from the others of its group: `seed 0`, `seed 0, fold 2`; nothing where not known."""
        named = (("seed", self.seed), ("fold", self.run.fold))
        return ", ".join(f"{name} {number}" for name, number in named if number is not None)

    @property
    def losses_by_key(self) -> dict[str, float]:
        """The validation loss by shift, "-6" to "5", as summary.json has it; empty where it has none."""
        return losses_by_key(self.run)


@dataclass(frozen=True)
class Group:
    """Runs that differ by their seed alone, and by the fold that they were validated on."""

    members: list[Described]

    @property
    def label(self) -> str:
        """What the group is called."""
        return self.members[0].label

    def figures(self) -> dict[str, Figure]:
        """Mean and spread over the runs of each figure; sd is None for one run."""
        return {name: mean_and_sd([value(member.run) for member in self.members]) for name, value in FIGURES.items()}


def spread_over(groups: Iterable[Group]) -> str:
    """What the runs of a group differ by."""
    folds = any(one.run.fold is not None for group in groups for one in group.members)
    return "the seeds and folds" if folds else "the seeds"


def losses_by_key(run: Run) -> dict[str, float]:
    """As `Described.losses_by_key`."""
    return dict(run.summary.get("loss_by_key", {}))


FIGURES: dict[str, Callable[[Run], float | None]] = {
    "best_epoch": lambda run: run.best["epoch"],
    "train": lambda run: run.best.get("loss/train"),
    "val": lambda run: run.best.get("loss/val"),
    "gap": lambda run: run.best.get("loss/gap"),
    "corrected": lambda run: run.corrected,
    "nats_per_note": lambda run: run.best.get("nats_per_note/val"),
    "key_spread": lambda run: run.summary.get("key_spread"),
    "over_keys": lambda run: mean_and_sd(list(losses_by_key(run).values()))["mean"],  # of all twelve
    "equivariance": lambda run: run.summary.get("equivariance"),
    "loss_averaged_over_keys": lambda run: run.summary.get("loss_averaged_over_keys"),
    "seconds": lambda run: run.seconds,
    "tokens_per_second": lambda run: run.tokens_per_second,
}


def mean_and_sd(values: list[float | None]) -> Figure:
    """The mean, the standard deviation (None for fewer than two) and the count of the values that are there."""
    there = [float(value) for value in values if value is not None]
    sd = statistics.stdev(there) if len(there) > 1 else None
    return {"mean": statistics.fmean(there) if there else None, "sd": sd, "n": len(there)}


def describe(runs: list[Run]) -> list[Described]:
    """Every run with its name, sorted by validation loss; only settings that differ among the runs are named."""
    settings = [_settings(run) for run in runs]
    own = [number for number, run in enumerate(runs) if run.own and run.config]
    extras = dict(zip(own, differences_in_words([settings[number] for number in own], _IN_MODEL), strict=True))
    levels = known_levels()
    described = [
        _described(run, settings[number], extras.get(number, "settings not known"), levels)
        for number, run in enumerate(runs)
    ]
    return sorted(described, key=lambda one: float(one.run.best["loss/val"]))


def grouped(described: list[Described]) -> list[Group]:
    """Finished runs by all but their seed and fold, by mean validation loss; each of another program's is by itself."""
    groups: dict[Any, list[Described]] = {}
    for one in described:
        if one.run.finished:
            aug = tuple(sorted(aug_of(one.run).items())) if one.run.own else ()
            key = (repr(sorted(one.settings.items())), repr(aug)) if one.run.own else (one.run.name, "")
            groups.setdefault(key, []).append(one)
    found = [Group(members) for members in groups.values()]
    return sorted(found, key=lambda group: float(group.figures()["val"]["mean"] or 0))


@cache
def known_levels() -> dict[tuple[int, ...], str]:
    """The names of the levels of transposition, `aug=NAME`, by their shifts."""
    levels: dict[tuple[int, ...], str] = {}
    for path in sorted(config_dir().glob("aug/*.yaml")):
        levels[Shifts.parse(list(OmegaConf.load(path).shifts)).values] = path.stem
    return levels


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The keys by which two runs' settings differ, each with both values."""
    keys = [key for key in sorted({*one, *other}) if repr(one.get(key)) != repr(other.get(key))]
    return [f"{key} ({one.get(key)} against {other.get(key)})" for key in keys]


_IN_MODEL = ("cell", "model.layers", "model.hidden")


def _settings(run: Run) -> dict[str, Any]:
    """What makes a model: runs that agree in it differ by augmentation and seed alone."""
    if not run.own:
        return {"log": run.name}
    config = {key: value for key, value in complete(run.config).items() if not _aside(key)}
    # with shifts it is a part of the augmentation, without a plain regularizer
    if shifts_of(run) != NONE or not config.get(_WEIGHT):
        config.pop(_WEIGHT, None)
    sizes = {f"model.{key}": value for key, value in run.summary.get("model", {}).items() if key != "condition"}
    cell = run.summary.get("cell") or run.config.get("model", {}).get("cell") or "model"
    if not run.config:  # then nobody can tell which runs are of the same model
        known = {"tokenizer.name": run.summary.get("tokenizer"), "source": run.summary.get("source")}
        return {**sizes, **known, "cell": cell, "music": run.music_key, "run": run.name}
    data = run.config["data"]
    # the seed chooses which pieces are taken where only so many are, so that their names say nothing
    by_name = run.music_key and config.get("data.limit") is None
    music = run.music_key if by_name else repr([data.get("path"), _source(data)])
    return {**sizes, **config, "cell": cell, "music": music, "source": run.summary.get("source") or _source(data)}


def _source(data: dict[str, Any]) -> str:
    path = data.get("path")
    return str(path).rstrip("/").rpartition("/")[2] if path else collection_name(data)


def _aside(key: str) -> bool:
    return any(key == aside or key.startswith(f"{aside}.") for aside in _ASIDE)


def starts_of(group: Group) -> Any:
    """How a group's windows are cut, which may vary without augmentation too; None where that is not known."""
    return aug_of(group.members[0].run).get("starts")


def aug_of(run: Run) -> dict[str, Any]:
    """What augments a run, by keys without `aug.`; two that agree in it differ by their model and seed alone."""
    shifts, known = shifts_of(run), complete(run.config) if run.config else {}
    aug = {key.removeprefix("aug."): value for key, value in known.items() if key.startswith("aug.")}
    ranges = {key: range_of(aug.get(key)) for key in ("velocity", "duration", "tempo")}
    aug |= {key: list(steps) for key, steps in ranges.items() if isinstance(steps, tuple)}  # a level's by its name
    if shifts == NONE:  # nothing is drawn, and nothing leaves the range
        aug = {key: value for key, value in aug.items() if key == "starts"}
    else:
        aug["condition"] = known.get("model.condition") is True
        aug["equivariance"] = as_number(known.get(_WEIGHT)) or 0.0
    return aug | {"shifts": shifts}


def besides(aug: Mapping[str, Any]) -> dict[str, Any]:
    """What of an augmentation, as `aug_of` has it, the name of its shifts does not say: all that is not as usual."""
    return {key: aug[key] for key, usual in _USUAL.items() if aug.get(key, usual) not in (usual, None)}


def _in_words(key: str, value: Any) -> str:
    if key in ("draw", "out_of_range"):
        return str(value)
    if key == "condition":
        return "told of the shift"
    return f"{key} {value:g}" if key == "equivariance" else f"{key} {value}"


def shifts_of(run: Run) -> tuple[int, ...] | None:
    """The shifts that a run trained with, or None where they are not known."""
    if run.summary.get("shifts"):
        return Shifts.of(*run.summary["shifts"]).values
    numbers = run.config.get("aug", {}).get("shifts")
    return Shifts.parse(numbers).values if numbers else None


def _described(run: Run, settings: dict[str, Any], extra: str, levels: dict[tuple[int, ...], str]) -> Described:
    if not run.own:
        return Described(run, settings, run.name, "", "", None, None)
    cell = str(settings["cell"]).upper()
    known = "model.layers" in settings and "model.hidden" in settings
    model = f"{cell} {settings['model.layers']} x {settings['model.hidden']}" if known else cell
    aug, shifts = aug_of(run), shifts_of(run)
    level = "" if shifts is None else levels.get(shifts, Shifts(shifts).in_short)
    level += "".join(f", {_in_words(key, value)}" for key, value in besides(aug).items())
    return Described(run, settings, model, level, extra, shifts, run.config.get("seed", run.summary.get("seed")))
