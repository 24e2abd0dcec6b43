"""What is published and downloaded by name, with each command; the collection is served by the test."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from forking import forked
from serving import Server, serving, zipped
from training import SMALL

from midiaug.data.sources import files_below

MAESTRO = ("data=maestro", "data.cache_dir=ca")
NON_COMMERCIAL = "CC BY-NC-SA 4.0, for non-commercial use only"

# a command, by its name, for which data=maestro is what the test serves
SERVED = """
import os, runpy, sys
from dataclasses import replace
from midiaug.data.published import PUBLISHED

here = {"url": os.environ["MAESTRO_URL"], "archive_sha256": os.environ["MAESTRO_SHA256"]}
PUBLISHED["maestro"] = replace(PUBLISHED["maestro"], **here)
runpy.run_module(f"midiaug.{sys.argv.pop(1)}", run_name="__main__", alter_sys=True)
"""


def finished(place: Path, *words: str, name: str = "train") -> tuple[int, str]:
    return forked("served", [name, *words], place, dict(os.environ), timeout=600)


@pytest.fixture(scope="module")
def place(tmp_path_factory, folder_of_tunes) -> Iterator[tuple[Path, Server]]:
    """A working directory in which one small model was trained on data=maestro, which a server here sends."""
    here = tmp_path_factory.mktemp("published")
    (here / "served.py").write_text(SERVED)
    files = {f"maestro-v3.0.0/{name}i": path.read_bytes() for name, path in files_below(folder_of_tunes, (".mid",))}
    content = zipped(files | {"maestro-v3.0.0/maestro-v3.0.0.csv": b"composer"})
    with pytest.MonkeyPatch.context() as patch, serving(content) as server:
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.delenv("HYDRA_FULL_ERROR", raising=False)
        patch.setenv("MAESTRO_URL", server.url)
        patch.setenv("MAESTRO_SHA256", hashlib.sha256(content).hexdigest())
        status, output = finished(here, *MAESTRO, *SMALL, "hydra.run.dir=runs/one", "data.val_split=0.25")
        assert status == 0, output
        assert f"download    MAESTRO v3.0.0, piano performances, from {server.url}\n" in output
        assert f"source      MAESTRO v3.0.0, piano performances: 24 files; licence: {NON_COMMERCIAL}\n" in output
        assert json.loads((here / "runs/one/summary.json").read_text())["source"] == "maestro"
        server.status = 404  # from now on
        yield here, server


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("train", (*MAESTRO, *SMALL, "trainer.max_epochs=1")),
        ("prepare", MAESTRO),
        ("preview", (*MAESTRO, "preview.pieces=1", "aug.shifts=[0,1]")),
        ("preview", (*MAESTRO, "preview.file=plain/book_0/tune_000.midi", "aug.shifts=[0,1]")),
        ("compare", MAESTRO),
        ("compare", ("runs=runs/one", "data.cache_dir=ca")),
        ("materialize", (*MAESTRO, "out=copies", "aug.shifts=[0,1]")),
        ("generate", ("ckpt=runs/one/checkpoints/best.ckpt", "n=2", "max_bars=1", "wav=false", "data.cache_dir=ca")),
    ],
)
def test_each_command_reads_a_published_collection_without_the_network(place, name, words):
    here, server = place
    status, output = finished(here, *words, name=name)
    assert status == 0, output
    assert server.asked == [None]
    assert "download" not in output
    if name != "compare":
        assert f"MAESTRO v3.0.0, piano performances: 24 files; licence: {NON_COMMERCIAL}" in output
    assert "none with the validation pieces" not in output


def test_copies_of_a_published_collection_say_what_they_are_of_and_may_not_lie_in_it(place):
    here, _ = place
    status, output = finished(here, *MAESTRO, "out=named", "aug.shifts=[0,1]", name="materialize")
    assert status == 0, output
    assert json.loads((here / "named" / "manifest.json").read_text())["source"] == "maestro"
    (music,) = (path for path in (here / "ca" / "collections").iterdir() if path.is_dir())
    status, output = finished(here, *MAESTRO, f"out={music}/copies", name="materialize")
    assert status == 1
    assert "inside the folder of the music" in output


def test_generate_takes_a_copy_of_what_was_downloaded(place):
    here, server = place
    (music,) = (path for path in (here / "ca" / "collections").iterdir() if path.is_dir())
    shutil.copytree(music, here / "copy", dirs_exist_ok=True)
    words = ("ckpt=runs/one/checkpoints/best.ckpt", "n=2", "max_bars=1", "wav=false", "data.cache_dir=cb")
    status, output = finished(here, *words, "data.path=copy", name="generate")
    assert status == 0, output
    assert "source      copy: 24 files" in output
    assert "not quite what" not in output
    status, output = finished(here, *words, name="generate")  # nothing in that cache, and the server has gone
    assert status == 0, output
    assert f"comparison  none with the validation pieces (data=maestro: {server.url}: the server answers 404" in output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("data.cache_dir=new",),
            "CorpusError: data=maestro: http.*: the server answers 404 Not Found; try again, .*",
        ),
        (
            ("data.path=copy",),
            "ConfigError: data.path=.*copy: data=maestro is downloaded; leave the path out, .*",
        ),
        (("data.column=midi",), "ConfigError: data.column=midi: only data=parquet has columns"),
    ],
)
@pytest.mark.parametrize("name", ["train", "prepare", "preview", "materialize"])
def test_what_cannot_be_is_one_sentence(place, name, words, sentence):
    here, _ = place
    more = ("out=other",) if name == "materialize" else ()
    status, output = finished(here, "data=maestro", *words, *more, name=name)
    assert (status, bool(re.fullmatch(sentence, output.splitlines()[-1]))) == (1, True), output
    assert "Traceback" not in output
    assert not (here / "other").exists()
