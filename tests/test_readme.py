"""Every command of the README runs as it stands there, only smaller, and its troubleshooting is what commands say.

The commands are an evening: some need what those before them left.
"""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import music
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from disks import small_disk
from readme import TEXT
from training import finished

from midiaug.data.sources import files_below

ROOT = Path(__file__).parents[1]
MAKE = shutil.which("make") or "make"
COMMAND = re.compile(r"^    ((?:\.venv/bin/)?(?:python|make|tensorboard|eval|autoload|midiaug)\b.*)$", re.MULTILINE)
TINY = "model.embed=16 model.hidden=16 model.layers=1 data.window=32 trainer.max_epochs=1 trainer.limit_train_batches=2"
STEPS = "trainer.max_steps=2 trainer.val_check_interval=1"
SWEPT = "model.embed=16 model.hidden=16 model.layers=1 data.window=32 trainer.limit_val_batches=1"

# each command as it stands in the README, and what makes it small: a word takes the place of that with the same key
SMALLER = {
    ".venv/bin/python -m midiaug.train data.path=my_midis": TINY,
    "python -m midiaug.train data.path=my_midis model=lstm 'aug.shifts=[-5,5]' aug.original=0.3 "
    "model.condition=true": TINY,
    "python -m midiaug.generate ckpt=best": "max_bars=1 n=2",
    "python -m midiaug.train --multirun data.path=my_midis model=lstm,gru aug=none,conservative,moderate,aggressive": (
        f"{TINY} model=lstm aug=none,aggressive"
    ),
    "python -m midiaug.compare runs=runs": "",
    "python -m midiaug.preview data.path=my_midis aug=aggressive": "",
    "python -m midiaug.train hparams=level data.path=DIR": f"{SWEPT} {STEPS} seed=0 aug=none,moderate",
    "python -m midiaug.train experiment=gap_short data.path=DIR": f"{SWEPT} {STEPS} seed=0 aug=none,moderate",
    "python -m midiaug.train experiment=gap data.path=DIR": (
        f"{SWEPT} {STEPS} data.train_limit=9,null model=gru seed=0 aug=none,keys12"
    ),
    "python -m midiaug.compare runs=runs/gap_short": "",
    "python -m midiaug.train experiment=before_after": f"{SWEPT} {STEPS} seed=0 data.limit=24 data.train_limit=9",
    "python -m midiaug.compare runs=runs/before_after": "",
    "python -m midiaug.train --multirun data.folds=5 data.fold=0,1,2,3,4 aug=none,aggressive data.path=DIR": (
        f"{TINY} data.fold=0,4"
    ),
    "python -m midiaug.compare data.path=my_midis": "",
    "python -m midiaug.generate ckpt=best prompt=tune.mid bars=4 n=4 max_bars=8 temperature=0.8": "max_bars=1",
    "python -m midiaug.generate ckpt=best prompts=val n=32 bars=4": "max_bars=1 n=2",
    "python -m midiaug.generate ckpt=best prompts=val n=32 bars=4 shift=6": "max_bars=1 n=2",
    "python -m midiaug.train data.path=my_midis tokenizer.train=BPE tokenizer.vocab_size=5000": (
        f"{TINY} tokenizer.vocab_size=380"
    ),
    "python -m midiaug.materialize data.path=my_midis aug=aggressive out=my_copies": "",
    "python -m midiaug.train data=parquet 'data.path=collection/*.parquet' data.column=music.bytes": TINY,
    "python -m midiaug.prepare data=parquet 'data.path=collection/*.parquet' data.column=music.bytes "
    "data.cache_dir=ca": "",
    "python -m midiaug.prepare --multirun data=parquet 'data.path=collection/*.parquet' data.column=music.bytes "
    "data.cache_dir=cb data.shards=4 'data.shard=range(0,4)' hydra/launcher=joblib hydra.launcher.n_jobs=2": (
        "hydra/launcher=basic hydra.launcher.n_jobs="  # side by side in test_launchers.py
    ),
    "python -m midiaug.train hparams=gap hydra.sweeper.n_trials=20 data.path=my_midis": (
        f"{TINY} hydra.sweeper.n_trials=1 model.hidden="
    ),
    "python -m midiaug.benchmark data.path=my_midis": "parts=[build] rounds=1 model.hidden=16 data.window=32",
    "python -m midiaug.benchmark 'parts=[loaders]' rounds=9": "rounds=1 seconds=0.05 data.limit=4 data.window=32",
}
# what other files try
ELSEWHERE = {
    "make train": "tests/test_readme.py",
    "make soak": "tests/test_soak.py",
    'make soak ARGS="--files 500 --kills 20 --seed 3"': "tests/test_soak.py",
    "make test": ".ci/run",
    "make install && . .venv/bin/activate": ".ci/run",
    "tensorboard --logdir runs": "tests/test_readme.py",
    "python -m midiaug.train data=nottingham": "tests/test_known_music.py",
    'eval "$(midiaug-train -sc install=bash)"': "tests/test___main__.py",
    "autoload -Uz compinit bashcompinit; compinit; bashcompinit": "tests/test___main__.py",
    "midiaug-train -sc install=fish | source": "tests/test___main__.py",
}


def commands() -> list[str]:
    """The commands in the README's blocks, in their order, without what is said beside them."""
    whole = re.sub(r" *\\\n +", " ", TEXT)
    return list(dict.fromkeys(re.sub(r" {2,}#.*$", "", line).strip() for line in COMMAND.findall(whole)))


def smaller(command: str, words: str) -> tuple[str, list[str]]:
    """The command's name and its words: of those given, `key=` alone takes the key away."""
    _, _, name, *stand = shlex.split(command)
    given = {word.partition("=")[0]: word for word in words.split()}
    kept = [given.pop(word.partition("=")[0], word) for word in stand]
    return name.removeprefix("midiaug."), [word for word in [*kept, *given.values()] if not word.endswith("=")]


@pytest.fixture(scope="module")
def place(tmp_path_factory, folder_of_tunes) -> Iterator[Path]:
    """A newcomer's folder: tunes, one tune, none, broken files, a Parquet collection; `new` has no runs."""
    here = tmp_path_factory.mktemp("evening")
    shutil.copytree(folder_of_tunes, here / "my_midis")
    shutil.copytree(folder_of_tunes, here / "DIR")
    music.write(music.tune(6, bars=8), here / "tune.mid")
    music.corpus(here / "one", 1)
    for name in ("empty", "broken", "collection", "new"):
        (here / name).mkdir()
    (here / "empty" / "notes.txt").touch()
    (here / "new" / "my_midis").symlink_to(here / "my_midis")
    for number in range(3):
        (here / "broken" / f"{number}.mid").write_bytes(b"MThd, and no music" * number)
    rows = [{"bytes": path.read_bytes()} for _, path in files_below(folder_of_tunes, (".mid",))]
    for number in range(4):
        pq.write_table(pa.table({"music": rows[number::4]}), here / "collection" / f"{number}.parquet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(here / "cache"))
        patch.setenv("NO_PROXY", "*")
        yield here


def test_every_command_of_the_readme_is_here_in_its_order():
    assert [command for command in commands() if command not in ELSEWHERE] == list(SMALLER)
    assert {command for command in commands() if command not in SMALLER} == set(ELSEWHERE)
    assert all((ROOT / path).is_file() for path in ELSEWHERE.values())


@pytest.mark.parametrize("command", SMALLER)
def test_a_command_of_the_readme_runs(place, command):
    name, words = smaller(command, SMALLER[command])
    status, output = finished(place, *words, name=name)
    assert status == 0, output


def test_make_train_trains_on_the_bundled_tunes(place):
    made = subprocess.run([MAKE, "-n", "train"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (command,) = re.findall(r"^\.venv/bin/(python -m midiaug\.train .*)$", made, re.MULTILINE)
    name, words = smaller(command, f"{TINY} data.limit=12")
    status, output = finished(place, *words, name=name)
    assert status == 0, output
    assert "12 read, 0 left out" in output


def test_tensorboard_finds_the_losses_below_runs(place):
    words = [Path(sys.executable).with_name("tensorboard"), "--inspect", "--logdir", "runs"]
    found = subprocess.run(words, cwd=place, capture_output=True, text=True, check=True).stdout
    assert "loss/val" in found


def trouble_rows() -> str:
    """The first table of the troubleshooting, without its head."""
    section = TEXT.partition("\n## Troubleshooting\n")[2].partition("\nWhat is no error")[0]
    return section.partition("|---|---|---|\n")[2]


def troubles() -> list[tuple[str, str]]:
    """Its rows: a command, and what it says."""
    return re.findall(r"^\| `(.+?)` \| `(.+?)` \|", trouble_rows(), re.MULTILINE)


def test_every_row_of_the_troubleshooting_is_tried():
    assert len(troubles()) == len(trouble_rows().strip().splitlines()) > 15


@contextmanager
def full_disk(where: Path) -> Iterator[None]:
    with small_disk(where, 4) as disk:
        disk.fill()
        yield


@pytest.mark.parametrize(("command", "says"), troubles())
def test_the_troubleshooting_is_what_commands_say(place, command, says):
    name, *words = command.split()
    tiny = [word for word in TINY.split() if name == "train" and word.partition("=")[0] not in command]
    here = place / "new" if "train first" in says else place
    with full_disk(place / "full") if "full/" in command else nullcontext():
        status, output = finished(here, *words, *tiny, name=name)
    assert status == 1, output
    assert says in output.splitlines()[-1]
    assert "Traceback" not in output
