"""The command that writes the corpus to disk: what it says, how it is stopped, and that it goes on."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import music
import pytest
from training import command, finished, running

from midiaug import materialize

WIDE = "aug.shifts=[-20,20]"  # thousands of files, so that there is time to stop it


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A working directory with 96 tunes in a folder with a space and brackets in its name."""
    here = tmp_path_factory.mktemp("here")
    music.corpus(here / "my [tunes]", 96, bars=48, chords=True)
    status, output = materialized(here, "out=whole copies", WIDE)
    assert status == 0, output
    return here


def materialized(place: Path, *words: str, **how: bool) -> tuple[int, str]:
    return finished(place, "data.path=my [tunes]", "data.cache_dir=cache", *words, name="materialize", **how)


def files_below(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_says_what_it_wrote_and_how_to_train_on_it(place):
    status, output = materialized(place, "out=first", "aug.shifts=[0,2,4]", "tokenizer=tsd", anew=True)
    assert status == 0, output
    labels = [line.split()[0] for line in output.splitlines() if line[:1].isalpha()]
    assert labels == ["source", "pieces", "tunes", "split", "shifts", "files", "copies", "to"], output
    assert "files       288 written, 0 were there already" in output
    (run,) = (place / "runs").glob("*_materialize_*tsd*")
    figures = json.loads((run / "materialize.json").read_text())
    assert figures["written"] == sum(side["files"] for side in figures["sides"].values()) == 288
    assert json.loads((run / "quarantine.json").read_text()) == []
    line = next(line for line in output.splitlines() if line.startswith("to train"))
    words = shlex.split(line.partition("python -m midiaug.")[2])
    assert words[0] == "train"
    assert {"tokenizer=tsd", "data.cache_dir=cache"} <= set(words)
    small = ("model.hidden=8", "model.embed=8", "trainer.max_steps=1", "trainer.accelerator=cpu", "data.window=32")
    status, trained = finished(place, *words[1:], *small)
    assert status == 0, trained
    sides = [entry["side"] for entry in json.loads((place / "first" / "split.json").read_text())["pieces"].values()]
    assert f"{sides.count('train'):,} pieces to train on, {sides.count('val')} to validate on" in trained


@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGINT])
def test_stopped_in_the_middle_and_started_again_it_ends_with_the_same_bytes(place, kind):
    out = place / f"copies {kind.name}"
    words = ("data.path=my [tunes]", "data.cache_dir=cache", WIDE, f"out={out.name}")
    process = command(place, *words, name="materialize", start_new_session=True)
    while process.poll() is None and not (out / "book_0" / "tune_003_+0.mid").exists():
        time.sleep(0.001)
    os.kill(process.pid, kind)
    output = process.communicate(timeout=600)[0]
    assert not (out / "manifest.json").exists(), "it was stopped too late"
    journal = [json.loads(line) for line in (out / ".materialize" / "journal.jsonl").read_text().splitlines()[1:]]
    if kind == signal.SIGINT:
        assert process.returncode == 130, output
        there = re.search(r"stopped     ([\d,]+) files, all of ([\d,]+) of the 96 pieces", output)
        assert there is not None, output
        files, pieces = (int(number.replace(",", "")) for number in there.groups())
        assert len(journal) - pieces in (0, 1)  # it may be stopped just after it noted one
        assert files == sum(len(row["copies"]) for row in journal[:pieces])
        assert len(files_below(out)) >= files
        assert f"to go on: python -m midiaug.materialize {shlex.join(words)}" in output
        assert "Traceback" not in output
    status, output = materialized(place, f"out={out.name}", WIDE)
    assert status == 0, output
    assert files_below(out) == files_below(place / "whole copies")


def test_what_was_left_out_is_in_the_manifest_of_a_run_that_was_stopped_too(place):
    """A tokenizer of high pitches alone has no note left of a tune that is shifted far down."""
    words = (WIDE, "aug.out_of_range=drop", "data.limit=60", "+tokenizer.params.pitch_range=[58,120]")
    status, output = materialized(place, *words, "out=lacking")
    assert status == 0, output
    expected = (place / "lacking" / "manifest.json").read_bytes()
    assert len(json.loads(expected)["left_out"]) > 100
    out = place / "lacking stopped"
    source = ("data.path=my [tunes]", "data.cache_dir=cache")
    one = running(place, *source, *words, f"out={out.name}", name="materialize")
    journal = out / ".materialize" / "journal.jsonl"
    deadline = time.monotonic() + 120
    while not (journal.exists() and journal.read_bytes().count(b"\n") > 1):
        assert time.monotonic() < deadline
        time.sleep(0.001)
    os.killpg(one.process, signal.SIGKILL)
    assert one.ended(600)[0] == -signal.SIGKILL
    assert not (out / "manifest.json").exists(), "it was stopped too late"
    status, output = materialized(place, *words, f"out={out.name}")
    assert status == 0, output
    assert (out / "manifest.json").read_bytes() == expected


def test_four_at_once_into_one_folder_lose_nothing(place):
    words = ("data.path=my [tunes]", "data.cache_dir=cache", WIDE, "out=at once")
    four = [running(place, *words, name="materialize") for _ in range(4)]
    ends = [one.ended(600) for one in four]
    refused = [output for status, output in ends if status]
    assert len(refused) < 4, ends
    for output in refused:
        assert "OutputError: out=at once: another run writes there; wait for its end" in output
    assert files_below(place / "at once") == files_below(place / "whole copies")


def test_a_disk_that_fills_up_keeps_whole_files_alone_and_the_next_run_goes_on(place, disk):
    words = (f"out={disk.path}/copies", "aug.shifts=[0,2,4]")
    disk.fill(leave=(1 << 20) + (1 << 16))
    status, output = materialized(place, *words)
    assert status == 1, output
    assert output.splitlines()[-1].startswith(f"OutputError: out={disk.path}/copies: cannot be written (No space left")
    assert "Traceback" not in output
    copies, whole = files_below(disk.path / "copies"), files_below(place / "whole copies")
    music = {name for name in copies if name.endswith(".mid")}
    assert music
    assert all(copies[name] == whole[name] for name in music)
    assert copies.keys() - music <= {".materialize/journal.jsonl", ".materialize/lock"}
    disk.empty()
    status, output = materialized(place, *words)
    assert status == 0, output
    assert "files of a stopped run" in output
    copies = files_below(disk.path / "copies")
    assert {name for name in copies if name.endswith(".mid")} > music
    assert copies.keys() >= {"manifest.json", "split.json"}
    assert not (disk.path / "copies" / ".materialize").exists()


def test_a_disk_that_takes_no_more_leaves_no_half_of_a_file(tmp_path):
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (900, 900)); "
    limit += "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    code = limit + "from midiaug.offline.copies import place; "
    code += "place('big.mid', bytes(2000))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "OSError" in done.stderr
    assert list(tmp_path.iterdir()) == []  # nothing half-written is left


@pytest.fixture
def sentence(refusal, tmp_path):
    """Runs the command with these words and returns the one line on stderr."""

    def run(*words: str) -> str:
        line = refusal(materialize.main, "materialize", "hydra.run.dir=run", *words)
        assert not (tmp_path / "run").exists()
        return line

    return run


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ([], "ConfigError: out is missing"),
        (["out=x", "data.path=nowhere"], "CorpusError: data.path=nowhere"),
        (["out=x", "aug.out_of_range=clip"], "aug.out_of_range=clip: use limit or drop"),
        (["out=x", "model=gru"], "model: there is no such key"),
        (["out=x", "data.window=64"], "data.window: there is no such key; it belongs to another command"),
        (["out=x", "data.batch_size=8"], "data.batch_size: there is no such key; it belongs to another command"),
        (["out=x", "data.route=midi"], "data.route: there is no such key; it belongs to another command"),
        (["out=x", "aug.draw=balanced"], "aug.draw: there is no such key; it belongs to another command"),
        (["outt=x"], "did you mean out?"),
        (["out=x", "aug.shifts=[-50,50]"], "use numbers from -24 to 24"),
    ],
)
def test_a_wrong_word_is_refused_by_name(sentence, words, named):
    assert named in sentence(*words)


def test_a_file_in_the_way_is_refused_by_name(sentence, place, tmp_path):
    (tmp_path / "x" / "book_0").mkdir(parents=True)
    (tmp_path / "x" / "book_0" / "tune_003_+3.mid").write_bytes(b"mine")
    words = (f"data.path={place / 'my [tunes]'}", f"data.cache_dir={place / 'cache'}", "out=x")
    assert "OutputError: x/book_0/tune_003_+3.mid: in the way" in sentence(*words)
    assert list(files_below(tmp_path / "x")) == ["book_0/tune_003_+3.mid"]
