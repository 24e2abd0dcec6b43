"""A whole comparison, on folders of runs that the code of a run wrote and on real music."""

import errno
import json
import logging
import os
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from comparing import figures_of, settings, write_log, write_run

from midiaug.comparison.report import compare
from midiaug.data.plan import Plan
from midiaug.data.report import report_shifts
from midiaug.data.shifts import Choices, Shifts
from midiaug.errors import ComparisonError, ConfigError, CorpusError, OutputError

NASTY = "<script>alert(1)<|script> $x_1^"


@pytest.fixture
def said(caplog):
    """What the screen said so far."""
    caplog.set_level(logging.INFO, "midiaug")
    return lambda: "\n".join(record.getMessage() for record in caplog.records)


def test_names_from_files_stay_text_in_everything_that_is_written(tmp_path, said):
    where = tmp_path / "runs"
    for level, loss in (("none", 1.5), ("moderate", 1.2)):
        pieces = {f"{NASTY}{number}.mid": loss + number / 10 for number in range(5)}
        by_key = {str(shift): 1.0 + abs(shift) / 100 for shift in range(-6, 6)}
        more = {"source": NASTY, "loss_by_key": by_key}
        run = write_run(
            where / f"{NASTY}{level}", [(1, loss + 1), (1, loss)], f"aug={level}", pieces=pieces, summary=more
        )
        (run / "generated" / NASTY).mkdir(parents=True)
        figures = {"variety": {"generated": {"pitch_range": {"mean": 1.5, "n": 2}}, "validation": {}}}
        (run / "generated" / NASTY / "generate.json").write_text(json.dumps(figures))
    write_log(where / f"{NASTY} log", {"val_loss": [(1, 1.0)]})
    compare(settings(f"runs='{where}'"), tmp_path)
    page = (tmp_path / "compare.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;|script&gt; $x_1^" in page
    assert "Generated music" in page
    assert "validation loss in each of twelve keys" in page
    assert "http" not in page.replace("http://www.w3.org/", "")
    content = figures_of(tmp_path)
    assert [run["level"] for run in content["runs"]] == ["", "moderate", "none"]
    assert content["gains"][0]["verdict"] == "helped"
    assert content["runs"][1]["loss_by_key"]["-6"] == 1.06
    assert "the music is not shown" in said()


def test_the_epochs_that_the_screen_names_are_those_in_which_the_shifts_narrow(said):
    plan, choices = Plan(anneal=(2, 5)), Choices.within(Shifts.between(-6, 5), np.full(900, -24), np.full(900, 24))
    store = SimpleNamespace(lowest=np.array([-24]), highest=np.array([24]))
    report_shifts(Shifts.between(-6, 5), plan, "limit", store, np.ones(1, bool))
    found = re.search(r"narrowing after epoch (\d+), and none from epoch (\d+) on", said())
    last_with_all, first_without = map(int, found.groups())  # counted from 1
    widest = [int(np.abs(plan.shifts(choices, 12, 0, epoch)[1]).max()) for epoch in range(8)]
    assert widest[last_with_all - 1] == 6 > widest[last_with_all]
    assert widest[first_without - 1] == 0 < widest[first_without - 2]


def test_runs_and_their_music_in_one_comparison(folder_of_tunes, cache, tmp_path, said):
    words = ("data=folder", f"data.path='{folder_of_tunes}'", f"data.cache_dir='{cache}'", "data.window=64")
    for level in ("none", "conservative"):
        run = write_run(tmp_path / "runs" / level, [(1.0, 1.5 if level == "none" else 1.4)], f"aug={level}", *words)
        (run / "split.json").unlink()  # that of the music decides
    compare(settings(f"runs='{tmp_path}/runs'"), tmp_path)
    music = figures_of(tmp_path)["music"]
    assert music["statistics"]["pieces"]["read"] == 24
    assert [part["level"] for part in music["augmented"]] == ["none", "conservative"]
    assert music["augmented"][1]["times"] == 3
    assert music["window"] == 64
    page = (tmp_path / "compare.html").read_text()
    assert "Original and transposed" in page
    assert "What augmentation gained" in page
    assert "24 (22 to train on, 2 to validate on)" in said()
    assert "LSTM 2 x 256" in said()


def test_music_alone_is_shown_with_every_level(folder_of_tunes, cache, tmp_path):
    words = (f"data.path='{folder_of_tunes}'", f"data.cache_dir='{cache}'", "tokenizer=tsd")
    compare(settings(*words), tmp_path)
    content = figures_of(tmp_path)
    assert content["runs"] == content["gains"] == []
    assert content["music"]["tokenizer"] == "TSD"
    assert json.loads((tmp_path / "quarantine.json").read_text()) == []
    page = (tmp_path / "compare.html").read_text()
    heads = [head for head in re.findall("<h[12]>(.*?)</h[12]>", page) if head.startswith("Music")]
    assert heads == [f"Music: the folder {folder_of_tunes.name}"]
    levels = [part["level"] for part in content["music"]["augmented"]]
    assert levels == ["none", "conservative", "moderate", "extreme", "aggressive", "keys12"]
    compare(settings(*words, "aug=moderate"), tmp_path)
    assert [part["level"] for part in figures_of(tmp_path)["music"]["augmented"]] == ["none", "moderate"]
    compare(settings(*words, "aug.shifts=[0,24]", "aug.out_of_range=drop"), tmp_path)
    dropped = figures_of(tmp_path)["music"]["augmented"][1]
    assert (dropped["out_of_range"], dropped["pieces_with_fewer_shifts"]) == ("drop", 0)
    assert dropped["level"].endswith(", drop")


def test_music_that_is_gone_is_a_remark_and_music_that_is_asked_for_an_error(tmp_path, said):
    write_run(tmp_path / "runs" / "a", [(1.0, 1.5)], "data=folder", f"data.path={tmp_path}/gone")
    compare(settings(f"runs='{tmp_path}/runs'"), tmp_path)
    assert figures_of(tmp_path)["music"] is None
    assert f"the music is not shown: data.path={tmp_path}/gone" in said()
    (tmp_path / "compare.json").unlink()
    with pytest.raises(CorpusError):
        compare(settings(f"runs='{tmp_path}/runs'", f"data.path={tmp_path}/gone"), tmp_path)
    assert not (tmp_path / "compare.json").exists()


def test_without_a_run_there_is_nothing_to_compare(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        ComparisonError, match=r"no run that can be compared \(.*empty: no run in this folder or below it"
    ):
        compare(settings(f"runs='{tmp_path}/empty'"), tmp_path)
    assert not list(tmp_path.glob("compare.*"))


def test_many_runs_are_all_on_the_page_and_the_best_on_the_screen(tmp_path, said):
    for seed in range(30):
        write_run(tmp_path / "runs" / f"seed={seed}", [(1.0, 1.5 + seed / 100)], f"seed={seed}")
    compare(settings(f"runs='{tmp_path}/runs'", "music=false"), tmp_path)
    assert (tmp_path / "compare.html").read_text().count("<svg") == 30
    assert "and 6 more with a higher loss" in said()
    assert all(len(line) <= 100 for line in said().splitlines() if "│" in line or "─" in line)


def test_music_of_a_run_is_found_from_where_the_run_was_started(folder_of_tunes, cache, tmp_path):
    shutil.copytree(folder_of_tunes, tmp_path / "there" / "tunes")
    run = write_run(
        tmp_path / "runs" / "a", [(1.0, 1.5)], "data=folder", "data.path=tunes", f"data.cache_dir='{cache}'"
    )
    (run / "split.json").unlink()
    (run / ".hydra" / "hydra.yaml").write_text(f"hydra: {{runtime: {{cwd: '{tmp_path}/there'}}}}\n")
    compare(settings(f"runs='{tmp_path}/runs'"), tmp_path)
    assert figures_of(tmp_path)["music"]["statistics"]["pieces"]["read"] == 24


def test_a_tokenizer_that_there_is_none_of_is_refused_before_anything_is_read(tmp_path):
    write_run(tmp_path / "runs" / "a", [(1.0, 1.5)])
    with pytest.raises(ConfigError, match=r"tokenizer.name=REMY: MidiTok has no such tokenizer"):
        compare(settings(f"runs='{tmp_path}/runs'", "tokenizer.name=REMY"), tmp_path)
    assert not list(tmp_path.glob("compare.*"))


def test_no_picture_of_a_comparison_there_before_stays_beside_the_new_one(tmp_path):
    write_run(tmp_path / "runs" / "a", [(1.0, 1.5), (0.9, 1.4)], "aug=none")
    write_run(tmp_path / "runs" / "b", [(1.0, 1.5), (0.9, 1.3)], "aug=moderate")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").touch()
    for runs, more in (("runs", {"gap.png"}), ("runs/a", set())):
        compare(settings(f"runs={tmp_path / runs}", "music=false"), tmp_path / "out")
        names = {path.name for path in (tmp_path / "out").iterdir()}
        assert names == {"compare.json", "compare.html", "mine.txt"} | more


def test_what_a_killed_run_left_is_removed_and_what_another_is_writing_is_not(tmp_path):
    write_run(tmp_path / "runs" / "a", [(1.0, 1.5)])
    for name in ("old", "new"):
        (tmp_path / "out" / f".compare.{name}").mkdir(parents=True)
    os.utime(tmp_path / "out" / ".compare.old", (1, 1))
    compare(settings(f"runs='{tmp_path}/runs'", "music=false"), tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {".compare.new", "compare.json", "compare.html"}


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path):
    write_run(tmp_path / "runs" / "a", [(1.0, 1.5)])
    (tmp_path / "out" / "compare.json" / "inside").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"out/compare.json: cannot be written \(Is a directory\)"):
        compare(settings(f"runs='{tmp_path}/runs'", "music=false"), tmp_path / "out")
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("failing", ["compare.json", "compare.html"])
def test_a_disk_that_fills_up_leaves_nothing_and_the_sentence_names_the_file(tmp_path, monkeypatch, failing):
    write_run(tmp_path / "runs" / "a", [(1.0, 1.5)])
    (tmp_path / "out").mkdir()
    whole = Path.write_bytes

    def full(path, content):
        if failing.partition(".")[0] in path.name and path.suffix == f".{failing.partition('.')[2]}":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return whole(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match=rf"out/{failing}: cannot be written \(No space left on device\); free space"):
        compare(settings(f"runs='{tmp_path}/runs'", "music=false"), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
