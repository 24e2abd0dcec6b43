"""What a night does to midiaug, in an hour: damaged files, twins of pieces, and commands killed at random moments.

    make soak                                       # 10,000 files and 200 kills
    make soak ARGS="--files 500 --kills 20 --seed 3"

Each command is killed over and over, by SIGKILL, SIGTERM or Ctrl-C, alone or with all that it started, and started
again; in the end it must leave what an unbroken run leaves, byte for byte. Prints a table, and ends with status 1 where
anything was lost.
"""

import argparse
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import fuzzing
import music
import numpy as np
import torch
from forking import Stop
from miditok import REMI
from symusic import Score
from training import finished, overrides
from twins import TWINS

from midiaug.data.corpus import Corpus, read_corpus
from midiaug.data.fingerprint import ngrams_of_scores
from midiaug.data.pieces import Limits
from midiaug.data.sources import bundled, folder
from midiaug.data.split import draw_split, twin_groups
from midiaug.data.store import TokenStore, build_store

TWIN_SHARE, SPLITS = 0.5, 100
_SETTLED_S = 2.5  # the cache remembers no file that was changed in the last two seconds, so runs would differ
KEEP_THE_TUNE = ("up 5", "down 6", "retimed", "finer ticks", "renamed", "all at once")
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


@dataclass
class Tally:
    """What was tried, how often, and what was lost."""

    name: str
    tries: str = ""
    lost: list[str] = field(default_factory=list)


# Damaged files


def fuzz(count: int, seed: int, root: Path) -> Tally:
    """Build a corpus of damaged files beside good ones, and compare the good ones with a build of them alone."""
    good = root / "good"
    tunes = read_corpus(bundled("aird"), Limits(), root / "cache", limit=200)
    for row in range(len(tunes)):
        path = good / f"tune_{row:03d}.mid"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tunes.midi[row].tobytes())
    alone = _built(good, root / "cache")
    files = sorted(good.iterdir())
    fuzzing.corpus_of_damage(files, good / "with" / "damaged", count, seed)
    for name, content in fuzzing.HORRORS.items():
        (good / "with" / f"{name}.mid").write_bytes(content)
    started = time.monotonic()
    beside = _built(good, root / "cache")
    seconds, peak = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    names, left_out = set(beside[0].names.all()), {one.file for one in beside[0].quarantined}
    tally = Tally("damaged files read")
    tally.tries = (
        f"{count + len(fuzzing.HORRORS):,} files, {len(left_out):,} left out, in {seconds:.0f} s; "
        f"at most {peak:,.0f} MB a process"
    )
    expected, found = _tokens(*alone), _tokens(*beside)
    tally.lost += [name for name in expected if name not in names]
    tally.lost += [f"{name}: other tokens" for name in names & expected.keys() if expected[name] != found[name]]
    tally.lost += [one.name for one in folder(good) if one.name not in names | left_out]
    return tally


Built = tuple[Corpus, TokenStore]


def _built(path: Path, cache: Path) -> Built:
    corpus = read_corpus(folder(path), Limits(), cache)
    return corpus, build_store(corpus, REMI(), Limits(), cache)


def _tokens(corpus: Corpus, store: TokenStore) -> dict[str, list[list[int]]]:
    rows = enumerate(corpus.names.all())
    return {name: [store.tokens[one].tolist() for one in store.sequences(row)] for row, name in rows}


# Twins of pieces


def twins(count: int, seeds: int, root: Path) -> Tally:
    """Plant every version of real tunes, and draw the split with so many seeds: no tune may be on both sides."""
    tunes = read_corpus(bundled("aird"), Limits(), root / "cache", limit=count)
    names, ngrams = [], []
    for row in range(len(tunes)):
        score = Score.from_midi(tunes.midi[row].tobytes())
        versions = {"own": score} | {name: TWINS[name](score) for name in KEEP_THE_TUNE}
        names += [f"{row:04d}/{name}" for name in versions]
        ngrams += ngrams_of_scores(list(versions.values()))
    group = twin_groups(ngrams, TWIN_SHARE)
    tune = np.array([int(name.partition("/")[0]) for name in names])
    tally = Tally("twins of pieces planted")
    tally.tries = (
        f"{len(names) - len(tunes):,} twins of {len(tunes):,} tunes, {seeds} seeds; {len(set(group)):,} groups"
    )
    for seed in range(seeds):
        validation = draw_split(names, group, 0.1, seed).validation
        both = np.intersect1d(tune[validation], tune[~validation])
        tally.lost += [f"seed {seed}: {names[np.flatnonzero(tune == one)[0]]} is on both sides" for one in both]
    return tally


# Killed commands


@dataclass(frozen=True)
class Command:
    """A command that is killed. words: those of a run in a folder. left: what must be the same in the end."""

    label: str
    name: str
    words: Callable[[Path], list[str]]
    left: Callable[[Path], dict[str, object]]


def commands(tunes: Path, cache: Path) -> Iterator[Command]:
    """The commands, on a folder of tunes. cache: of those that are not to build it themselves."""
    yield Command(
        "cache built", "prepare", lambda at: [f"data.path='{tunes}'", f"data.cache_dir='{at / 'cache'}'"], _of_cache
    )
    for cell in ("lstm", "gru"):
        for workers in (0, 2):
            more = (f"model={cell}", f"data.num_workers={workers}", "resume=true", "checkpoint.minutes=1e-9")
            yield Command(
                f"trained, {cell}, {workers} workers",
                "train",
                lambda at, more=more: [*overrides(tunes, cache, *more), f"hydra.run.dir='{at / 'run'}'"],
                _of_run,
            )
    yield Command(
        "copies written",
        "materialize",
        lambda at: [f"data.path='{tunes}'", f"data.cache_dir='{cache}'", f"out={at / 'copies'}", "aug=keys12"],
        _of_copies,
    )


def _files(folder_: Path) -> dict[str, object]:
    paths = (path for path in folder_.rglob("*") if path.is_file())
    return {str(path.relative_to(folder_)): path.read_bytes() for path in paths}


def _differing(one: dict[str, object], other: dict[str, object]) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def _of_cache(at: Path) -> dict[str, object]:
    return {name: content for name, content in _files(at / "cache").items() if not name.endswith(".lock")}


def _of_copies(at: Path) -> dict[str, object]:
    return _files(at / "copies")


def _of_run(at: Path) -> dict[str, object]:
    """The weights of both checkpoints, the figures of each epoch but for speed, and the names of all files."""
    run = at / "run"
    kept: dict[str, object] = {path.name: True for path in run.rglob("*") if "tfevents" not in path.name}
    for name in ("best", "last"):
        state = torch.load(run / "checkpoints" / f"{name}.ckpt", weights_only=True)["state_dict"]
        kept[name] = {key: weight.numpy().tobytes() for key, weight in state.items()}
    lines = [line.split(",") for line in (run / "metrics.csv").read_text().splitlines()]
    speed = lines[0].index("tokens_per_second")
    kept["metrics"] = [[cell for place, cell in enumerate(line) if place != speed] for line in lines]
    return kept


def kill(command: Command, kills: int, seed: int, root: Path) -> Tally:
    """Kill the command so many times in all, up to four times in a row, and let it come to its end after each row."""
    generator = np.random.default_rng([seed, *command.label.encode()])
    whole, hit, rows = root / "whole", Counter[str](), 0
    whole.mkdir(parents=True)
    started = time.monotonic()
    status, output = finished(whole, *command.words(whole), name=command.name)
    seconds, expected, tally = time.monotonic() - started, command.left(whole), Tally(command.label)
    if status:
        tally.lost.append(f"an unbroken run ended with {status}: {output[-2000:]}")
    while hit.total() < kills and not tally.lost:
        at = root / f"{rows:04d}"
        at.mkdir()
        for _ in range(int(generator.integers(1, 5))):
            number = SIGNALS[generator.integers(len(SIGNALS))]
            stop = Stop(float(generator.uniform(0, seconds)), number, all=bool(generator.random() < 0.5))
            status, output = finished(at, *command.words(at), name=command.name, stop=stop)
            # a run that ends itself in order has 130, or 1 where it knows only that a process that reads was killed
            if status in (-number, 130) or (status == 1 and "a process that reads the music was killed" in output):
                hit[number.name] += 1
            elif status:
                tally.lost.append(f"{at}: ended with {status}: {output[-2000:]}")
            else:
                break
        status, output = finished(at, *command.words(at), name=command.name)
        if status:
            tally.lost.append(f"{at}: started again it ended with {status}: {output[-2000:]}")
        else:
            tally.lost += [f"{at}: {what} is not as in {whole}" for what in _differing(command.left(at), expected)]
        rows += 1
    tally.tries = f"{', '.join(f'{name} {count}' for name, count in sorted(hit.items()))}; {rows} times to the end"
    return tally


def soak(files: int, kills: int, seed: int, root: Path, only: str = "") -> list[Tally]:
    """All of it: so many damaged files, and so many kills spread over the commands."""
    tallies: list[Tally] = []
    if files:
        tallies += [_said(fuzz(files, seed, root / "fuzz")), _said(twins(files, SPLITS, root / "fuzz"))]
    music.corpus(root / "tunes", 24, seed=1000, bars=12, chords=True)
    time.sleep(_SETTLED_S)
    finished(root, "--help", name="prepare")  # starts the process that all others are forked from
    every = [one for one in commands(root / "tunes", root / "shared cache") if only in one.label]
    for number, command in enumerate(every):
        share = kills * (number + 1) // len(every) - kills * number // len(every)
        tallies.append(_said(kill(command, share, seed, root / f"killed {number}")))
    return tallies


def _said(tally: Tally) -> Tally:
    print(f"{tally.name:26}{tally.tries}{'; LOST' * bool(tally.lost)}", flush=True)
    return tally


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=10_000, help="damaged files")
    parser.add_argument("--kills", type=int, default=200, help="kills in all")
    parser.add_argument("--only", default="", help="the commands whose label has this in it")
    parser.add_argument("--seed", type=int, default=0, help="where all chance comes from")
    chosen = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts it in the background has it ignored
    with tempfile.TemporaryDirectory() as root:
        tallies = soak(chosen.files, chosen.kills, chosen.seed, Path(root), chosen.only)
    print()
    for tally in tallies:
        print(f"{tally.name:26}{tally.tries}; lost: {len(tally.lost) or 'nothing'}")
        for line in tally.lost[:10]:
            print(f"  {line}")
    return int(any(tally.lost for tally in tallies))


if __name__ == "__main__":
    sys.exit(main())
