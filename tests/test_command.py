"""Each wrong word on the command line gets one sentence that names the key, and a status that is not 0."""

import os
import subprocess
import sys
from functools import partial

import pytest

from midiaug import train
from midiaug.command import command
from midiaug.directories import checkpoint_file, newest_checkpoint, run_dir, run_name
from midiaug.errors import CheckpointError, CorpusError


@pytest.fixture
def sentence(refusal):
    """Runs the command with these words and returns the one line on stderr."""
    return partial(refusal, train.main, "train", "hydra.run.dir=run")


@pytest.mark.parametrize(
    ("word", "named"),
    [
        ("data.pth=3", "data.pth: there is no such key; did you mean data.path?"),
        ("zzzz=3", "zzzz: there is no such key; --help"),
        ("data.shards=3", "data.shards: there is no such key; it belongs to another command; --help"),
        ("hparams=lots", "hparams=lots: there is no such option; use one of gap, level"),
        ("data=parquet", "data.path is missing"),
        ("data.column=midi", "data.column=midi: only data=parquet has columns"),
        ("+zzzz=3", "zzzz: there is no such key; --help"),
        ("trainer.max_epoch=3", "did you mean trainer.max_epochs?"),
        ("model=xlstm", "model=xlstm: there is no such option; use one of gru, lstm"),
        ("aug=lots", "aug=lots: there is no such option; use one of aggressive, conservative"),
        ("model.hidden=abc", "model.hidden=abc: give a whole number"),
        ("model.hidden=0", "model.hidden=0: give a number of 1 or more"),
        ("model.dropout=1", "model.dropout=1.0: give a share"),
        ("aug.shifts=[]", "aug.shifts=[]: no shift to draw from"),
        ("aug.shifts=[-50,50]", "aug.shifts=[-50, 50]: a shift beyond 24 semitones"),
        ("aug.shifts=[5,-5]", "aug.shifts=[5, -5]: the range runs backwards; write [-5, 5]"),
        ("aug.shifts=[1.5,2]", "aug.shifts[0]=1.5"),
        ("aug.shifts=5", "aug.shifts=5: give a list of numbers in brackets"),
        ("nonsense", "nonsense: not readable; write key=value"),
        ("tokenizer.params.use_tempos=true", "to add a parameter of MidiTok, write +tokenizer.params.use_tempos"),
        ("model.dropout=x", "model.dropout=x: give a number"),
        ("aug.shifts=[-5", "aug.shifts=[-5: not readable; put quotes"),
        ("aug.draw=never", "aug.draw=never: use random or balanced"),
        ("data=folder", "data.path is missing"),
        ("data.val_split=1.5", "data.val_split=1.5: give a share between 0 and 1"),
        ("data.num_workers=lots", "data.num_workers=lots: use auto"),
        ("data.collection=bach", "data.collection=bach: no such collection; use one of aird"),
        ("tokenizer.name=Foo", "tokenizer.name=Foo: MidiTok has no such tokenizer"),
        ("+tokenizer.params.use_tempo=true", "tokenizer.params.use_tempo: MidiTok has no such parameter; did you mean"),
        ("trainer.max_epochs=x", "trainer.max_epochs=x: give a number"),
        ("trainer.limit_val_batches=0", "trainer.limit_val_batches=0: without validation"),
        ("trainer.overfit_batches=2", "trainer.overfit_batches: not with"),
        ("trainer.accumulate_grad_batches=0", "trainer.accumulate_grad_batches: give a number of batches"),
        ("+trainer.foo=bar", "trainer.foo: Lightning's Trainer has no such argument"),
        ("model=null", "model=null: there is no such option; use one of gru, lstm"),
        ("model=3", "model=3: there is no such option; use one of gru, lstm"),
        ("ckpt=3", "ckpt=3: no such file"),
        ("model.hidden=1000000000", "model.hidden=1000000000, model.layers=2"),
        ("trainer.max_epochs=1.5", "trainer.max_epochs=1.5: give a whole number"),
        ("trainer.check_val_every_n_epoch=0", "trainer.check_val_every_n_epoch=0: give a whole number"),
        ("trainer.check_val_every_n_epoch=20", "trainer.check_val_every_n_epoch=20: give no more than"),
        ("trainer.strategy=ddp_fork", "trainer.strategy=ddp_fork: use ddp"),
        ("trainer.gradient_clip_val=-1", "trainer.gradient_clip_val=-1: give a number above 0"),
        ("trainer.max_time=5", "trainer: Lightning refuses"),
        ("model.hidden=1e22", "model.hidden=1e+22: give a whole number"),
        ("optim.lr=nan", "optim.lr=nan: give a learning rate"),
        ("optim.lr=0", "optim.lr=0.0: give a learning rate above 0"),
        ("early_stopping.patience=0", "early_stopping.patience=0: give a number of validations"),
        ("checkpoint.minutes=0", "checkpoint.minutes=0.0: give a number of minutes"),
        ("checkpoint.minutes=inf", "checkpoint.minutes=inf: give a number of minutes"),
        ("seed=-1", "seed=-1: give a whole number"),
        ("ckpt=no such.ckpt", "ckpt=no such.ckpt: no such file"),
        ("ckpt=last", "ckpt=last: no checkpoints/last.ckpt below runs; train first"),
        ("data.split=none.json", "data.split=none.json: no such file; give a split.json that a run wrote"),
    ],
)
def test_a_wrong_word_is_refused_by_name(sentence, word, named):
    assert named in sentence(word)


def test_a_wrong_folder_is_named(sentence, tmp_path):
    line = sentence("data=folder", f"data.path='{tmp_path}/no where'")
    reason = "No such file or directory; give a folder of music, or a file"
    assert line == f"CorpusError: data.path={tmp_path}/no where: {reason}"


def test_a_folder_that_cannot_be_written_is_named(monkeypatch, capsys, tmp_path):
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(sys, "argv", ["train.py", "hydra.run.dir=file/run"])
    with pytest.raises(SystemExit) as stop:
        train.main()
    assert stop.value.code == 1
    assert "file/run: Not a directory; free space there, or write elsewhere" in capsys.readouterr().err


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="no folder here in which root cannot make one")
@pytest.mark.parametrize(
    ("words", "key"),
    [
        (["hydra.run.dir"], "hydra.run.dir"),
        (["-m", "hydra.sweep.dir"], "hydra.sweep.dir"),
        (["hparams=level", "hydra.sweep.dir"], "hydra.sweep.dir"),
    ],
)
def test_a_folder_that_cannot_be_made_is_named(monkeypatch, capsys, tmp_path, words, key):
    monkeypatch.chdir(tmp_path)
    *flags, place = words
    monkeypatch.setattr("sys.argv", ["train", *flags, f"{place}=/proc/midiaug/run"])
    with pytest.raises(SystemExit) as status:
        train.main()
    assert status.value.code == 1
    error = capsys.readouterr().err
    assert "/proc/midiaug: No such file" in error
    assert error.endswith(f"{key}=DIR\n")


@pytest.mark.parametrize("leave", [0, 1 << 15])
@pytest.mark.parametrize("started_as", ["train", "midiaug-train"])
def test_a_run_on_a_full_disk_ends_at_once_names_its_folder_and_leaves_none(refusal, disk, leave, started_as):
    disk.fill(leave)
    line = refusal(train.main, started_as, f"hydra.run.dir={disk.path}/run")
    advice = "free space there, or write elsewhere with hydra.run.dir=DIR"
    assert line == f"OSError: {disk.path}/run: No space left on device; {advice}"
    assert disk.files() == set()
    assert not (disk.path / "run").exists()


@pytest.mark.parametrize("there", [True, False])
def test_a_run_on_a_read_only_disk_ends_at_once_and_names_its_folder(sentence, disk, there):
    (disk.path / "run" if there else disk.path / "other").mkdir()
    disk.set_read_only()
    line = sentence(f"hydra.run.dir={disk.path}/run")
    assert f"{disk.path}/run{'/train.log' if there else ''}: Read-only file system; free space there, or write" in line


def test_the_folder_that_is_asked_for_is_resumed_first(tmp_path):
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    other = tmp_path / "runs" / "newer" / "checkpoints" / "last.ckpt"
    for path in (last, other):
        path.parent.mkdir(parents=True)
        path.write_text("")
    assert checkpoint_file("last", tmp_path / "run", tmp_path / "runs") == last
    assert checkpoint_file("last", tmp_path / "new", tmp_path / "runs") == other


def test_a_mistake_of_the_programs_own_is_not_dressed_up(monkeypatch, tmp_path):
    def broken(_: object) -> None:
        raise KeyError("a bug")

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    monkeypatch.setattr(sys, "argv", ["train.py", "hydra.run.dir=run"])
    with pytest.raises(KeyError, match="a bug"):
        command("train")(broken)()


def test_a_traceback_can_be_asked_for(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MIDIAUG_ONE_SENTENCE", raising=False)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    monkeypatch.setattr(sys, "argv", ["train.py", "hydra.run.dir=run", "data=folder", "data.path=nowhere"])
    with pytest.raises(CorpusError):
        train.main()


@pytest.mark.parametrize(
    ("words", "overrides", "name"),
    [
        ([], "", "default"),
        (["model=gru"], "model=gru", "model=gru"),
        (["aug.shifts=[-5,5]"], "aug.shifts=[-5,5],model=gru", "aug.shifts=-5..5,model=gru"),
        (["-m", "model=lstm,gru", "seed=3"], "model=gru,seed=3", "model=gru"),
        (["-m", "aug.shifts=[0],[-2,2]", "seed=3"], "aug.shifts=[-2,2],seed=3", "aug.shifts=-2..2"),
        (["-m", "data.folds=3", "data.fold=0,1,2"], "data.fold=2,data.folds=3", "data.fold=2"),
        (["x=a/b c"], "x=a/b c", "x=a_b_c"),
        (["aug.shifts=[-5,5]"], "aug.shifts=[-5, 5],seed=1", "aug.shifts=-5..5,seed=1"),
        (["aug.shifts=[0,4,7]"], "aug.shifts=[0,4,7],seed=1", "aug.shifts=0_4_7,seed=1"),
        (["-m", "aug.shifts=[0],[-5,5]"], "aug.shifts=[0]", "aug.shifts=0"),
        (["data.path='/my tunes'", "seed=1"], "data.path='/my tunes',seed=1", "seed=1"),
        (["-m", "data.path=a/b,a/c"], "data.path=a/c", "data.path=c"),
        (["seed=1", "seed=2"], "seed=1,seed=2", "seed=2"),
    ],
)
def test_a_run_is_named_by_what_differs(monkeypatch, words, overrides, name):
    monkeypatch.setattr(sys, "argv", ["train.py", *words])
    assert run_name(overrides) == name


def test_a_worker_of_a_launcher_names_a_run_by_the_command_line_that_started_it(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["_submit.py", "runs/.submitit/7"])
    assert run_name("model=gru,seed=3", ["model=lstm,gru", "seed=3"]) == "model=gru"


def test_the_folder_of_another_command_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["prepare.py"])
    assert run_dir(str(tmp_path), None, "", "prepare").endswith("_prepare")
    assert run_dir(str(tmp_path), None, "tokenizer=tsd", "prepare").endswith("_prepare_tokenizer=tsd")


def test_a_resumed_run_goes_on_in_its_own_folder(tmp_path):
    with pytest.raises(CheckpointError, match="train first"):
        newest_checkpoint(tmp_path)
    assert run_dir(str(tmp_path), "last", "") != run_dir(str(tmp_path), "last", "")
    for name in ("older", "newer"):
        (tmp_path / name / "checkpoints").mkdir(parents=True)
        (tmp_path / name / "checkpoints" / "last.ckpt").write_text(name)
    os.utime(tmp_path / "older" / "checkpoints" / "last.ckpt", (1, 1))
    assert run_dir(str(tmp_path), "last", "") == str(tmp_path / "newer")
    assert run_dir(str(tmp_path), None, "seed=1").endswith("_seed=1")


def test_a_command_lets_waiting_threads_sleep_before_it_does_anything(tmp_path):
    code = "import os, sys; from midiaug.command import command; "
    code += "command('train')(lambda _: print('torch' in sys.modules, os.environ['OMP_WAIT_POLICY']))()"
    chosen = ("OMP_WAIT_POLICY", "KMP_BLOCKTIME", "GOMP_SPINCOUNT")
    environment = {name: value for name, value in os.environ.items() if name not in chosen}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["False PASSIVE"]


def test_ctrl_c_within_an_exec_has_the_status_of_any_other(tmp_path):
    code = "import os, signal\nfrom midiaug.command import command\n"
    code += "def task(config):\n    exec('os.kill(os.getpid(), signal.SIGINT)\\nfor _ in range(1000): pass')\n"
    (tmp_path / "stopped.py").write_text(code + "command('train')(task)()\n")
    words = [sys.executable, "-m", "stopped", "hydra.run.dir=run"]
    assert subprocess.run(words, cwd=tmp_path, capture_output=True).returncode == 130
