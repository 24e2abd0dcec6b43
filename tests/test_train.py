"""The command, as a person types it: in a process of its own, from another directory."""

import json
import math
import os
import re
import shlex
import shutil
import signal
import time
from pathlib import Path

import music
import pytest
import torch
from training import command, finished, overrides, running

from midiaug import Learner


@pytest.fixture(scope="module")
def place(tmp_path_factory, folder_of_tunes):
    """A working directory with a space in its name, holding the tunes in another one."""
    here = tmp_path_factory.mktemp("my evening")
    shutil.copytree(folder_of_tunes, here / "my tunes")
    return here


def words(place: Path, *more: str) -> list[str]:
    return overrides(place / "my tunes", place / "cache", *more)


def test_a_run_prints_the_shifts_it_resolved_and_where_things_are(place, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # as in Jupyter; no bar may be drawn into a pipe
    status, output = finished(place, *words(place, "aug.shifts=[-2,1]", "trainer.max_epochs=2"), anew=True)
    assert status == 0, output
    assert "\x1b" not in output
    assert "shifts      [-2, -1, 0, +1] semitones" in output
    assert len(re.findall(r"epoch \d +train \d", output)) == 2
    run = place / re.search(r"run +(runs/\S+)", output)[1]
    assert "aug.shifts=-2..1" in run.name
    assert (run / "summary.json").is_file()
    assert f"best model  {run.relative_to(place)}/checkpoints/best.ckpt" in output
    assert "tensorboard --logdir runs" in output
    assert not [line for line in output.splitlines() if "Warning" in line or "Tip" in line], output


def test_a_sweep_trains_one_run_a_combination_each_named_by_what_differs(place):
    more = words(place, "model=lstm,gru", "aug=none,moderate", "trainer.max_epochs=1", "hydra.sweep.dir=sweep")
    status, output = finished(place, "--multirun", *more)
    assert status == 0, output
    runs = {path.name: json.loads((path / "summary.json").read_text()) for path in (place / "sweep").glob("*/")}
    kinds = [f"aug={aug},model={model}" for model in ("lstm", "gru") for aug in ("none", "moderate")]
    assert set(runs) == {f"{number}_{kind}" for number, kind in enumerate(kinds)}
    assert {(summary["cell"], len(summary["shifts"])) for summary in runs.values()} == {
        ("lstm", 1),
        ("lstm", 5),
        ("gru", 1),
        ("gru", 5),
    }
    splits = {(path / "split.json").read_text() for path in (place / "sweep").glob("*/")}
    assert len(splits) == 1, "all runs of a sweep are judged on the same pieces"


def test_a_killed_run_goes_on_with_ckpt_last_and_ends_as_an_unbroken_one(place):
    more = words(place, "trainer.max_epochs=6", "aug.shifts=[-2,2]", "checkpoint.minutes=0.0005")
    assert finished(place, *more, "hydra.run.dir=whole")[0] == 0
    one = running(place, *more, "hydra.run.dir=runs/killed")
    last = place / "runs" / "killed" / "checkpoints" / "last.ckpt"
    deadline = time.monotonic() + 120
    while not (last.is_file() and torch.load(last, weights_only=True)["global_step"] > 25):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(one.process, signal.SIGKILL)
    assert one.ended(600)[0] == -signal.SIGKILL
    os.utime(last)  # the newest of all runs
    assert torch.load(last, weights_only=True)["global_step"] < 6 * 24
    status, output = finished(place, *more, "ckpt=last")
    assert status == 0, output
    assert "resuming    from runs/killed/checkpoints/last.ckpt" in output
    for name in ("best.ckpt", "last.ckpt"):
        whole, resumed = (
            torch.load(path / "checkpoints" / name, weights_only=True)
            for path in (place / "whole", place / "runs" / "killed")
        )
        assert whole["global_step"] == resumed["global_step"]
        for key, weight in whole["state_dict"].items():
            assert torch.equal(weight, resumed["state_dict"][key]), (name, key)


def interrupted(place: Path, beginning: str, *more: str) -> tuple[int, list[str]]:
    """Ctrl-C for a training without end, at a line that has this in it; its status, and the lines that it printed."""
    one = running(place, *words(place, *more, "trainer.max_epochs=5000", "early_stopping.patience=5000"))
    one.until(beginning)
    os.kill(one.process, signal.SIGINT)
    status, output = one.ended(600)
    return status, output.splitlines()


def test_a_run_whose_loss_still_fell_at_its_end_says_how_to_go_on_and_that_goes_on(place):
    status, output = finished(place, *words(place, "trainer.max_epochs=2", "hydra.run.dir=short"))
    assert status == 0, output
    (line,) = re.findall(
        r"^still fell +the validation loss, to the end; three times as long: (.*)$", output, re.MULTILINE
    )
    goes_on = shlex.split(line)
    assert goes_on[:3] == ["python", "-m", "midiaug.train"]
    assert [word for word in goes_on if "max_epochs" in word] == ["trainer.max_epochs=6"]
    status, output = finished(place, *goes_on[3:])
    assert status == 0, output
    assert json.loads((place / "short" / "summary.json").read_text())["epochs"] == 6


def test_ctrl_c_ends_with_how_to_go_on(place):
    status, printed = interrupted(place, "epoch 2 ")
    assert status == 130, printed[-12:]
    assert "Traceback" not in "".join(printed)
    goes_on = shlex.split(printed[-1].partition(": ")[2])
    assert goes_on[:3] == ["python", "-m", "midiaug.train"], printed[-5:]
    run = Path(goes_on[-1].removeprefix("ckpt=")).parents[1]
    assert (place / run / "gap.png").is_file(), "what was trained can be seen"
    status, output = finished(place, *goes_on[3:], "trainer.max_epochs=3", "hydra.run.dir=elsewhere")
    assert status == 0, output
    assert "Warning" not in output
    rows = (place / "elsewhere" / "metrics.csv").read_text().splitlines()
    assert len(rows) == 1 + max(3, len((place / run / "metrics.csv").read_text().splitlines()) - 1)
    assert (place / "elsewhere" / "checkpoints" / "best.ckpt").is_file()


def test_ctrl_c_in_a_sweep_that_resumes_says_that_the_same_command_goes_on(place):
    status, printed = interrupted(place, "epoch 1 ", "--multirun", "seed=0,1", "resume=true", "hydra.sweep.dir=stopped")
    assert status == 130, printed[-5:]
    assert "The same command again goes on with the whole sweep" in printed[-1]
    assert not (place / "stopped" / "seed=1").exists()


def test_a_disk_that_fills_up_while_a_run_trains_ends_it_with_a_sentence_and_it_goes_on(place, disk):
    more = words(place, "trainer.max_epochs=5000", "early_stopping.patience=5000", f"hydra.run.dir={disk.path}/run")
    one = running(place, *more)
    one.until("epoch 2 ")
    for _ in range(50):  # what is being replaced gives room once more
        disk.fill()
        time.sleep(0.02)
    status, output = one.ended(600)
    assert status == 1, output
    assert "Traceback" not in output
    line = output.splitlines()[-1]
    assert line.startswith(f"OutputError: {disk.path}/run"), output
    assert "cannot be written (No space left on device); free space there. To go on from its last checkpoint:" in line
    assert not [name for name in disk.files() if "/." in name.replace("/.hydra", "")]
    assert torch.load(disk.path / "run" / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] > 0
    disk.empty()
    status, output = finished(place, *shlex.split(line.partition("checkpoint: ")[2])[3:], "trainer.max_epochs=3")
    assert status == 0, output
    assert (disk.path / "run" / "summary.json").is_file()


def test_a_run_without_room_for_its_checkpoints_ends_before_any_music_is_read(place, disk, tmp_path):
    chosen = overrides(place / "my tunes", tmp_path / "cache", "model.hidden=256", f"hydra.run.dir={disk.path}/run")
    status, output = finished(place, *chosen)
    assert status == 1
    assert output.startswith(f"OutputError: {disk.path}/run: no room for 3 checkpoints of "), output
    assert output.count("\n") == 1
    assert disk.files() == set()
    assert not (tmp_path / "cache").exists()


def test_ctrl_c_before_the_first_checkpoint_says_that_nothing_is_kept(place):
    process = command(place, *words(place, "data.batch_size=1", "data.window=3", "hydra.run.dir=early"))
    for line in process.stdout:
        if line.startswith("run "):
            time.sleep(1)
            process.send_signal(signal.SIGINT)
            break
    assert "the same command begins anew" in process.communicate(timeout=600)[0]
    assert process.returncode == 130


def test_a_refused_run_leaves_no_folder_and_a_path_alone_means_a_folder(place):
    before = set((place / "runs").iterdir())
    status, output = finished(place, "data.path=my tunes", "data.val_split=2")
    assert (status, output.count("\n")) == (1, 1), output
    assert set((place / "runs").iterdir()) == before
    status, output = finished(place, "data.path=my tunes", *words(place)[2:], "trainer.max_epochs=1")
    assert status == 0, output
    assert "source      my tunes: 24 files and tunes" in output


def test_last_is_refused_in_a_sweep(place):
    status, output = finished(place, *words(place, "model=lstm,gru", "ckpt=last", "--multirun"))
    assert status == 1
    assert "resume one run at a time" in output


@pytest.mark.parametrize("first_ends", [signal.SIGCONT, signal.SIGKILL], ids=["goes on", "is killed"])
def test_of_four_runs_at_once_one_builds_the_cache_and_three_wait_for_it_or_take_over(place, tmp_path, first_ends):
    cache = tmp_path / "cache"
    more = [*overrides(place / "my tunes", cache), "trainer.max_epochs=1", "trainer.limit_train_batches=2"]
    first = running(place, *more, f"hydra.run.dir='{tmp_path / '0'}'")
    while not (begun := list(cache.glob("corpora/.*/"))):
        time.sleep(0.001)
    os.kill(first.process, signal.SIGSTOP)  # the process that has begun; those that read for it are its children
    others = [running(place, *more, f"hydra.run.dir='{tmp_path / str(number)}'") for number in range(1, 4)]
    for one in others:
        one.until("waiting for another process that builds")
    assert list(cache.glob("corpora/.*/")) == begun
    os.kill(first.process, first_ends)
    ends = [one.ended(600) for one in (first, *others)]
    killed = first_ends == signal.SIGKILL
    assert [status for status, _ in ends] == [-signal.SIGKILL if killed else 0, 0, 0, 0], ends
    assert list(cache.rglob(".*")) == []
    assert len(list(cache.glob("corpora/*/"))) == len(list(cache.glob("stores/*/"))) == 1
    summaries = [json.loads((tmp_path / str(number) / "summary.json").read_text()) for number in range(killed, 4)]
    assert len({summary["loss"]["val"] for summary in summaries}) == 1


def test_two_ranks_train_one_model_and_each_validation_piece_counts_once(place):
    if not torch.distributed.is_available():
        pytest.skip("this build of torch has no distributed package")
    more = ("trainer.devices=2", "trainer.strategy=ddp", "trainer.max_epochs=2", "aug.shifts=[-2,2]")
    status, output = finished(place, *words(place, *more, "hydra.run.dir=ranks"), anew=True)
    assert status == 0, output
    assert output.count("windows  ") == 1, "one rank speaks for all"
    assert finished(place, *words(place, "aug.shifts=[-2,2]", "trainer.max_epochs=2", "hydra.run.dir=alone"))[0] == 0
    tokens = []
    for name in ("ranks", "alone"):
        rows = (place / name / "val_pieces.csv").read_text().splitlines()
        tokens.append([(row.split(",")[0], row.split(",")[4]) for row in rows])
        summary = json.loads((place / name / "summary.json").read_text())
        held_out = [row.split(",") for row in rows[1:]]
        total = sum(float(row[3]) for row in held_out) / sum(int(row[4]) for row in held_out)
        assert summary["loss"]["val"] == pytest.approx(total, rel=1e-5)
    assert tokens[0] == tokens[1]


def test_no_readable_piece_is_one_sentence_and_a_status(place):
    (place / "junk").mkdir()
    (place / "junk" / "a.mid").write_bytes(b"not music")
    status, output = finished(place, "data=folder", "data.path=junk", f"data.cache_dir='{place / 'cache'}'")
    assert status == 1
    assert output.splitlines()[0] == "source      junk: 1 file or tune"
    assert output.splitlines()[1].startswith(
        "CorpusError: no file can be used, of 1; the first, a.mid: not readable as MIDI"
    )
    assert output.count("\n") == 2


def test_a_sweep_over_folders_keeps_each_run(place):
    shutil.copytree(place / "my tunes" / "plain", place / "more" / "second")
    more = ("data.path=my tunes,more/second", "data.window=48", "model.hidden=8", "trainer.max_epochs=1")
    status, output = finished(place, "-m", *more, f"data.cache_dir={place / 'cache'}", "hydra.sweep.dir=folders")
    assert status == 0, output
    summaries = {path.parent.name: json.loads(path.read_text()) for path in (place / "folders").glob("*/summary.json")}
    assert set(summaries) == {"0_data.path=my_tunes", "1_data.path=second"}
    assert [summaries[name]["source"] for name in sorted(summaries)] == ["my tunes", "second"]


def test_a_loss_that_is_not_a_number_is_an_error_with_its_cure(place):
    more = ("optim.lr=1e30", "trainer.gradient_clip_val=null", "trainer.max_epochs=2", "hydra.run.dir=diverged")
    status, output = finished(place, *words(place, *more))
    assert status == 1, output
    assert "TrainingError: the loss is not a number" in output
    assert not (place / "diverged" / "summary.json").exists()


def test_two_ranks_whose_loss_is_not_a_number_end_with_the_same_sentence(place):
    more = ("trainer.devices=2", "trainer.strategy=ddp", "optim.lr=1e30", "hydra.run.dir=diverged ranks")
    status, output = finished(place, *words(place, *more))  # the second rank is a Python that is started
    assert status == 1, output
    assert "TrainingError: the loss is not a number" in output
    assert "Traceback" not in output


def test_a_refusal_never_takes_what_was_there_before(place):
    (place / "logs").mkdir()
    (place / "logs" / "server.log").write_text("mine")
    assert finished(place, "hydra.run.dir=logs", "optim.lr=0")[0] == 1
    assert (place / "logs" / "server.log").read_text() == "mine"


@pytest.mark.parametrize("name", ["cpword", "octuple", "mumidi"])
def test_a_tokenizer_of_several_vocabularies_is_trained_on_and_comes_back_with_its_checkpoint(place, name):
    keys = ("model.embed=32", "model.hidden=48", "aug.starts=random", f"hydra.run.dir=runs/{name}")
    status, output = finished(place, *words(place, f"tokenizer={name}", *keys))
    assert status == 0, output
    assert "both routes gave identical ids" in output
    losses = [float(loss) for loss in re.findall(r"val (\d\.\d+)", output)]
    assert len(losses) == 3
    assert losses[2] < losses[0]
    summary = json.loads((place / "runs" / name / "summary.json").read_text())
    assert (summary["tokenizer"].lower(), summary["route"]) == (name, "tokens")
    assert summary["nats_per_note"]["val"] > summary["loss"]["val"]
    assert summary["equivariance"] is not None
    learner = Learner.load(place / "runs" / name / "checkpoints" / "best.ckpt")
    tune = learner.tokenizer(music.tune(0, bars=4))
    ids = torch.from_numpy((tune[0] if isinstance(tune, list) else tune).ids)[None]
    assert learner(ids).shape == (*ids.shape, len(learner.tokenizer))
    assert losses[2] < 0.7 * math.log(len(learner.tokenizer)), "far below what guessing costs"


def test_merges_of_a_tokenizer_of_several_vocabularies_are_refused_in_one_sentence(place):
    more = words(place, "tokenizer=octuple", "tokenizer.train=BPE", "tokenizer.vocab_size=900", "hydra.run.dir=runs/m")
    status, output = finished(place, *more)
    assert status == 1
    assert output.startswith("ConfigError: tokenizer.train: Octuple has several vocabularies")
    assert len(output.splitlines()) == 1
    assert not (place / "runs" / "m").exists()
