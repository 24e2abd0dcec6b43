"""The music of a comparison: what the command line asks for, or what the runs learned."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from midiaug.comparison.augmented import Counted, augmented
from midiaug.comparison.contents import read_noted
from midiaug.comparison.groups import NONE, Described, known_levels
from midiaug.comparison.settings import CompareSettings
from midiaug.comparison.statistics import corpus_statistics, count_notes
from midiaug.comparison.yardstick import measure, tokenizer_of
from midiaug.data.columns import kind_of
from midiaug.data.merges import Merges
from midiaug.data.module import MidiDataModule
from midiaug.data.shifts import Shifts
from midiaug.data.sides import windows_of
from midiaug.errors import ConfigError
from midiaug.schemas import typed
from midiaug.settings import DataSettings, TokenizerSettings, source_name
from midiaug.tokenizers import make_tokenizer

_KEYS = ("collection", "column", "limit", "val_split", "twin_share", "window", "max_bars", "max_tokens")


def look_at_music(settings: CompareSettings, described: list[Described]) -> tuple[dict[str, Any], list[str]]:
    """The statistics of the corpus, and what each set of shifts makes of it, and what was left out, with remarks.
    Runs that learned this music are given their yardstick by it.

    Raises MidiaugError where the music cannot be read; ConfigError where the runs do not say which it was.
    """
    if settings.asks_for_music:
        data, name, split = _asked_for(settings), source_name(settings), None
        remarks: list[str] = []
    else:
        first, split, remarks = _shown_run(described)
        data, name = _of_run(settings, first), str(first.settings["source"])
    measure(data, described)
    notes = count_notes(data.corpus, data.limits, data.cache_dir)
    training = ~data.split.validation & data.store.has_pieces
    windows, of_window = windows_of(data.store, training, data.arguments["window"], data.cache_dir)
    levels = known_levels()
    content: dict[str, Any] = {"source": name, "title": _title(name, data.arguments["path"]), "split": split}
    content |= {"tokenizer": kind_of(data.tokenizer), "window": windows.size}
    content["quarantined"] = [asdict(entry) for entry in data.quarantined]
    content["statistics"] = corpus_statistics(data, notes, len(windows))
    counted = Counted.of(data, notes, windows, of_window)
    content["augmented"] = [
        {"level": levels.get(values, Shifts(values).in_short) + (", drop" if out_of_range == "drop" else "")}
        | augmented(data, counted, Shifts(values), out_of_range)
        for values, out_of_range in _levels(settings, described)
    ]
    return content, remarks


def _levels(settings: CompareSettings, described: list[Described]) -> list[tuple[tuple[int, ...], str]]:
    """The shifts and aug.out_of_range of each set: the original, and then what is asked for, or what the runs had, or
    every level; the fewest shifts first.
    """
    asked = settings.aug.out_of_range
    if settings.aug.shifts is not None:
        several = {(Shifts.parse(settings.aug.shifts).values, asked or "limit")}
    else:
        of_runs = [(one.shifts, asked or one.run.config.get("aug", {}).get("out_of_range")) for one in described]
        several = {(shifts, kind or "limit") for shifts, kind in of_runs if shifts is not None}
        several = several or {(values, asked or "limit") for values in known_levels()}
    moved = {(values, kind) for values, kind in several if values != NONE}
    return sorted({(NONE, "limit"), *moved}, key=lambda level: (len(level[0]), level))


def _asked_for(settings: CompareSettings) -> MidiDataModule:
    keys: dict[str, Any] = vars(settings.data).copy()
    chosen, shifts = settings.tokenizer, settings.aug.shifts
    keys["tokenizer"] = make_tokenizer(chosen.name or "REMI", chosen.params, chosen.file)
    keys["merges"] = Merges.of(chosen.train, chosen.vocab_size)
    return MidiDataModule(shifts=Shifts.of(0) if shifts is None else Shifts.parse(shifts), seed=settings.seed, **keys)


def _title(name: str, path: str | Path | None) -> str:
    """What the music is called in a heading: a folder's name alone would be taken for a word."""
    if path is None:
        return name
    return f"the {'folder' if Path(path).expanduser().is_dir() else 'file'} {name}"


def _shown_run(described: list[Described]) -> tuple[Described, str | None, list[str]]:
    """The best run of the music that most of them learned, with what its split is called where there are several.

    Raises ConfigError where none says which music that was.
    """
    known = [one for one in described if "path" in one.run.config.get("data", {})]
    if not known:
        raise ConfigError("the runs do not say which music they learned; data.path=DIR shows it")
    music = [str(one.settings["music"]) for one in known]
    most = max(dict.fromkeys(music), key=music.count)
    first = known[music.index(most)]
    remarks = []
    if music.count(most) < len(described):
        remarks.append(f"the music that is shown is that of {music.count(most)} of the {len(described)} runs")
    splits = {one.run.split_key for one, key in zip(known, music, strict=True) if key == most}
    if len(splits) == 1:
        return first, None, remarks
    split = "the split of " + (
        f"run {first.run.name}" if first.seed is None else f"{first.draw} (run {first.run.name})"
    )
    return first, split, [*remarks, f"the music is shown with {split}; other runs have other validation pieces"]


def _of_run(settings: CompareSettings, first: Described) -> MidiDataModule:
    """The music that a run learned, split as it has it."""
    given, config = first.run.config["data"], first.run.config
    keys = asdict(_typed(DataSettings, {key: given[key] for key in _KEYS if key in given}))
    keys = {key: keys[key] for key in _KEYS}
    path, split = _path(first, given.get("path")), first.run.path / "split.json"
    source = "folder" if path is not None and given.get("source") == "bundled" else given.get("source")
    asked = settings.tokenizer
    if asked.name is None and asked.file is None:
        tokenizer = tokenizer_of(first.run, _typed(TokenizerSettings, config["tokenizer"]))
    else:
        tokenizer = make_tokenizer(asked.name or "REMI", asked.params, asked.file)
    return MidiDataModule(
        path,
        tokenizer,
        Shifts.of(0),
        source=source,  # type: ignore[arg-type]  # checked there, with a sentence
        split=split if first.run.sides else None,
        cache_dir=settings.data.cache_dir or given.get("cache_dir"),
        seed=first.seed or 0,
        **keys,
    )


def _typed(schema: type, content: dict[str, Any]) -> Any:
    """Settings as a run's configuration has them. Raises ConfigError where one is of the wrong type."""
    try:
        return typed(schema, OmegaConf.create(content))
    except ConfigError as error:
        raise ConfigError(f"the settings of the runs: {error}") from error


def _cwd_of(run: Path) -> Any:
    """The working directory that Hydra noted; None where it did not."""
    noted = read_noted(run, "hydra.yaml")
    try:
        return None if noted is None else OmegaConf.select(noted, "hydra.runtime.cwd")
    except OmegaConfBaseException:
        return None


def _path(one: Described, path: str | None) -> str | None:
    """The run's data.path, which counts from where it was started."""
    if path is None or Path(path).expanduser().is_absolute() or Path(path).exists():
        return path
    started = one.run.summary.get("started_in")  # beside the path, which is of the summary too
    if started is None:
        started = _cwd_of(one.run.path)
    if not isinstance(started, str):  # then it is looked for from here
        return path
    return str(Path(started) / path)
