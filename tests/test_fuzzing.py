"""Damaged files and hand-made horrors beside good ones: none crashes, hangs or changes what becomes of the good ones.

`make soak` does the same with 10,000 files.
"""

import os
from pathlib import Path

import fuzzing
import music
import numpy as np
import pytest
from miditok import REMI

from midiaug.data.corpus import read_corpus
from midiaug.data.pieces import Limits
from midiaug.data.sources import folder
from midiaug.data.store import build_store

COUNT = 300


def built(path: Path, cache: Path):
    corpus = read_corpus(folder(path), Limits(), cache, processes=2)
    return corpus, build_store(corpus, REMI(), Limits(), cache, processes=2)


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Good files, some under names that are hard to take."""
    root = tmp_path_factory.mktemp("good")
    files = music.corpus(root, 8, seed=700, bars=8, chords=True, drums=True)
    for file, name in zip(files, ("茉莉花", "two\nlines", "'\"quotes\"'", "a,b=[c]{d}", " "), strict=False):
        file.rename(file.with_name(f"{name}.mid"))
    return root


@pytest.fixture(scope="module")
def beside(sources, tmp_path_factory):
    """The good ones beside damaged ones, horrors, and what only looks like a file."""
    root = tmp_path_factory.mktemp("beside")
    good = sorted(path for path in sources.rglob("*.mid"))
    for path in good:
        (root / path.relative_to(sources)).parent.mkdir(exist_ok=True)
        (root / path.relative_to(sources)).write_bytes(path.read_bytes())
    fuzzing.corpus_of_damage(good, root / "damaged", COUNT, seed=1)
    (root / "horrors").mkdir()
    for name, content in fuzzing.HORRORS.items():
        if "million" not in name:  # half a minute of tokenizing
            (root / "horrors" / f"{name}.mid").write_bytes(content)
    (root / "a_folder.mid").mkdir()
    (root / "endless.mid").symlink_to(root / "endless.mid")
    (root / "loop").symlink_to(root)
    (root / "zeros.mid").symlink_to("/dev/zero")
    os.mkfifo(root / "pipe.mid")
    return root


def test_bad_files_change_nothing_of_the_good_ones_and_each_has_its_reason(sources, beside, tmp_path):
    alone, its_store = built(sources, tmp_path / "alone")
    entries = [entry.name for entry in folder(beside)]
    corpus, store = built(beside, tmp_path / "beside")
    rows = {name: row for row, name in enumerate(corpus.names.all())}
    for row, name in enumerate(alone.names.all()):
        ours = [store.tokens[one] for one in store.sequences(rows[name])]
        theirs = [its_store.tokens[one] for one in its_store.sequences(row)]
        assert [one.tolist() for one in ours] == [one.tolist() for one in theirs]
        assert np.array_equal(corpus.ngrams[rows[name]], alone.ngrams[row])
    reasons = {one.file: one.reason for one in corpus.quarantined}
    assert set(rows) | set(reasons) == set(entries)
    assert len(rows) + len(reasons) == len(entries), "nothing is both, and nothing is lost"
    assert sum(name.startswith("damaged") for name in reasons) > COUNT / 2
    assert sum(name.startswith("damaged") for name in rows) > COUNT / 50, "some damage leaves music"
    for reason in reasons.values():
        assert not any(word in reason for word in ("MiniMidi", "Get ", "iostream", "crashed", "took longer")), reason
    assert reasons["endless.mid"].startswith("the file could not be opened")


def test_the_same_seed_damages_alike_and_another_does_not(sources, tmp_path):
    files = sorted(sources.rglob("*.mid"))
    one, again, other = (
        [path.read_bytes() for path in fuzzing.corpus_of_damage(files, tmp_path / name, 30, seed)]
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert one == again != other
    assert all(content not in one for content in (path.read_bytes() for path in files))


def test_a_file_that_vanishes_after_it_was_listed_costs_itself_alone(sources, tmp_path, cache):
    for path in sources.rglob("*.mid"):
        (tmp_path / "tunes" / path.parent.name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "tunes" / path.parent.name / path.name).write_bytes(path.read_bytes())
    entries = folder(tmp_path / "tunes")
    entries[3].path.unlink()
    corpus = read_corpus(entries, Limits(), cache, processes=2)
    assert [one.file for one in corpus.quarantined] == [entries[3].name]
    assert len(corpus) == len(entries) - 1
