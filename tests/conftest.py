"""What several tests share: a cache folder, and a folder of tunes."""

from pathlib import Path

import music
import pytest


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache folder of this test's own; it is not there yet."""
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def folder_of_tunes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 24 different tunes in folders below it: 8 plain, 8 with chords, 8 with chords and drums."""
    root = tmp_path_factory.mktemp("tunes")
    music.corpus(root / "plain", 8, seed=1000)
    music.corpus(root / "chords", 8, seed=1008, chords=True)
    music.corpus(root / "band", 8, seed=1016, chords=True, drums=True)
    return root
