"""What several tests share: folders, and a trained tokenizer."""

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import music
import pytest
from disks import Disk, small_disk
from miditok import REMI

from midiaug.run_log import LogFile

# a shell that starts the tests in the background has Ctrl-C ignored, and commands that they start would ignore it too
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # as in an activated environment
signal.signal(signal.SIGINT, signal.default_int_handler)


# the files that take longest, which start first, so that no core waits for another's last one
_LONG = (
    *("train", "readme", "launchers", "soak", "contents", "run", "notebook", "prepare", "__main__", "compare"),
    *("generate", "materialize", "previewing", "known_music", "recommending", "benchmark", "measurements", "projects"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first; within a file the order stays."""
    place = {f"test_{name}.py": number for number, name in enumerate(_LONG)}
    assert all((Path(__file__).parent / name).is_file() for name in place)
    items.sort(key=lambda item: place.get(item.path.name, len(_LONG)))


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Set back what a command changes that is run in this process: it leaves its log open, and some say less in it."""
    yield
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a training that was interrupted here leaves it ignored
    logging.getLogger("midiaug").setLevel(logging.NOTSET)
    for handler in logging.getLogger().handlers[:]:
        if isinstance(handler, LogFile):
            logging.getLogger().removeHandler(handler)
            handler.close()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache folder of this test's own; it is not there yet."""
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder that the tests of a module share."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def folder_of_tunes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 24 different tunes in folders below it: 8 plain, 8 with chords, 8 with chords and drums."""
    root = tmp_path_factory.mktemp("tunes")
    music.corpus(root / "plain", 8, seed=1000)
    music.corpus(root / "chords", 8, seed=1008, chords=True)
    music.corpus(root / "band", 8, seed=1016, chords=True, drums=True)
    return root


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> REMI:
    """A tokenizer that merges tokens: byte pair encoding, trained on three tunes."""
    files = music.corpus(tmp_path_factory.mktemp("trained"), 3, seed=400, bars=8)
    tokenizer = REMI()
    tokenizer.train(vocab_size=len(tokenizer) + 30, model="BPE", files_paths=files)
    return tokenizer


@pytest.fixture
def refusal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., str]:
    """Runs a command's main with these words in a folder of the test's own; returns the one line on stderr."""

    def run(main: Callable[[], None], name: str, *words: str) -> str:
        monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *words])
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code == 1
        (line,) = capsys.readouterr().err.splitlines()
        return line

    return run


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk of 4 MB that can be filled and made read-only; the test is skipped where none can be mounted."""
    with small_disk(tmp_path / "disk", 4) as small:
        yield small


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    """A folder that this process may neither open nor write; an administrator's rights are laid down for the test."""
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0)
    administrator = os.geteuid() == 0
    if administrator:
        os.seteuid(65534)
    yield folder
    if administrator:
        os.seteuid(0)
    folder.chmod(0o700)
