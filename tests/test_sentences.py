"""A slip on the command line is answered with what to write."""

from functools import partial

import pytest

from midiaug import compare, generate, preview, train
from midiaug.sentences import refuse_slips


@pytest.fixture
def sentence(refusal):
    """Runs the command with these words and returns the one line on stderr."""
    return partial(refusal, train.main, "train", "hydra.run.dir=run")


@pytest.mark.parametrize(
    ("word", "named"),
    [
        ("aug.shift=[-5,5]", "aug.shift: there is no such key; did you mean aug.shifts?"),
        ("epochs=3", "epochs: there is no such key; did you mean trainer.max_epochs?"),
        ("steps=100", "steps: there is no such key; it belongs to another command; did you mean trainer.max_steps?"),
        ("shift=3", "shift: there is no such key; it belongs to another command; did you mean aug.shifts?"),
        ("lr=0.1", "lr: there is no such key; did you mean optim.lr?"),
        ("model.lr=0.1", "model.lr: there is no such key; did you mean optim.lr?"),
        ("hiden=64", "hiden: there is no such key; did you mean model.hidden?"),
        ("shifts=[-5,5]", "shifts: there is no such key; did you mean aug.shifts?"),
        ("data.pth=my (old) tunes", "data.pth: there is no such key; did you mean data.path?"),
        ("model.cell=a (b)", "model.cell=a (b): not readable; put quotes around the value, and others around the word"),
        ("aug.shifts=-5,5", "aug.shifts=-5,5: write a list in brackets, as in 'aug.shifts=[-5,5]'; to try each value"),
        ("--data", "--data: keys have no dashes before them; write key=value, as in data.path=DIR"),
        ("--model=gru", "--model=gru: keys have no dashes before them; write key=value, as in model=gru"),
        ("--steps", "write key=value, as in seed=3; did you mean trainer.max_steps? --help lists all"),
        ("--seed", "--seed: keys have no dashes before them; write key=value, as in seed=VALUE"),
        ("--batch-size=8", "write key=value, as in seed=3; did you mean data.batch_size? --help lists all"),
        ("-seed=3", "-seed=3: keys have no dashes before them; write key=value, as in seed=VALUE"),
        ("-path", "-path: keys have no dashes before them; write key=value, as in data.path=DIR"),
        ("-x", "-x: keys have no dashes before them; write key=value, as in seed=3; --help lists all"),
        ("-5,", "-5,: not readable; put quotes around a list, as in 'aug.shifts=[-5,5]'"),
        ("-s", "-s: for completion in a shell, write -sc install=bash"),
        ("", "'': no key; write key=value, and leave an empty word out"),
        ("=3", "'=3': no key; write key=value"),
        ("@=3", "'@=3': no key; write key=value"),
        ("~", "'~': no key; write key=value"),
        ("a\nb", r"a\nb: not readable; write key=value"),
        ("foo" * 100 + "=3", "...: there is no such key; --help lists them all"),
        ("x" * 100_000, "...: there is no such key; --help lists them all"),
        (f"data.path='{'x' * 100_000}", "...xxx"),
        (f"seed={'9' * 5000}", "seed: a number of more than 4300 digits cannot be read"),
        ("seed=${x}", "seed=${x}: interpolation key 'x' not found"),
        ("data.path=${oc.env:NOPE}", "data.path=${oc.env:NOPE}: keyError raised while resolving interpolation"),
        ("hydra=3", "hydra=3: there is no such option; --hydra-help lists them"),
        ("hydra.job.name=a/b", "the log cannot be written"),
        ("tokenizer.params={a: 1}", "tokenizer.params: a parameter of MidiTok is added by its name; write +tokenizer."),
    ],
)
def test_a_key_that_is_not_there_is_answered_with_the_nearest(sentence, word, named):
    assert named in sentence(word)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (
            ["aug=none,", "aggressive"],
            "aug=none,: not readable; leave the blank behind the comma out, as in --multirun aug=none,aggressive",
        ),
        (["model=lstm,", "gru"], "leave the blank behind the comma out, as in --multirun model=lstm,gru"),
        (
            ["trainer.max_epochs=3,", "model.hidden=32"],
            "between two settings stands a blank and no comma, as in trainer.max_epochs=3 model.hidden=32",
        ),
        (
            ["trainer.max_epochs=3,model.hidden=32"],
            "between two settings stands a blank and no comma, as in trainer.max_epochs=3 model.hidden=32",
        ),
        (["model=lstm,gru"], "ConfigError: model=lstm,gru: to try each value, add --multirun"),
        (["data.path = x y"], "write it without a blank beside the =, as in 'data.path=x y'"),
        (["--seed", "3"], "--seed: keys have no dashes before them; write key=value, as in seed=3"),
        (["aug.shifts=[-5,", "5]"], "leave the blank behind the comma out, as in 'aug.shifts=[-5,5]'"),
        (["my tunes"], "my tunes: not readable; write 'data.path=my tunes'"),
        (["best.ckpt"], "best.ckpt: not readable; write ckpt=best.ckpt"),
    ],
)
def test_a_slip_is_answered_with_what_to_write(sentence, tmp_path, monkeypatch, words, named):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my tunes").mkdir()
    (tmp_path / "best.ckpt").touch()
    assert named in sentence(*words)


@pytest.mark.parametrize(("module", "key"), [(generate, "prompt"), (preview, "preview.file"), (train, "data.path")])
def test_a_tune_without_its_key_is_answered_with_that_of_the_command(refusal, tmp_path, monkeypatch, module, key):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tune.mid").touch()
    name = f"midiaug-{module.__name__.rpartition('.')[2]}"
    assert f"tune.mid: not readable; write {key}=tune.mid" in refusal(module.main, name, "tune.mid")


def test_a_group_of_another_command_is_no_slip_of_a_key(refusal):
    said = refusal(generate.main, "midiaug-generate", "ckpt=best", "model=gru")
    assert "model: there is no such key; it belongs to another command; --help lists them all" in said


def test_two_options_of_hydra_that_exclude_each_other_are_answered_in_a_sentence(refusal):
    assert "ConfigError: Only one of --run, --multirun, --cfg" in refusal(train.main, "train", "--cfg", "job", "-m")


def test_a_folder_given_to_compare_without_its_key_is_answered_with_the_key(refusal, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    assert "runs: not readable; write runs=runs" in refusal(compare.main, "midiaug-compare", "runs")


@pytest.mark.parametrize(("name", "key"), [("a.mid", "prompt"), ("last.ckpt", "ckpt"), ("run", "ckpt")])
def test_a_file_given_to_generate_without_its_key_is_answered_with_a_key_that_it_has(refusal, tmp_path, name, key):
    (tmp_path / name).touch()
    assert f"write {key}={name}" in refusal(generate.main, "generate", name)


@pytest.mark.parametrize("words", [["-cn", "train"], ["-cjob"], ["-hh"], ["-p", "model"], ["--"], ["-m"]])
def test_what_hydra_takes_is_left_to_it(words):
    refuse_slips(words)


@pytest.mark.parametrize("word", ["seed=${x}", "data.path=${oc.env:NOPE}", "seed=${seed}"])
def test_a_value_that_names_no_other_is_answered_with_the_word(refusal, word):
    line = refusal(train.main, "train", word)
    assert line.startswith(f"ConfigError: {word}: ")
    assert "full_key" not in line
    assert line.endswith("between ${ and } write a key that --help lists, or oc.env:NAME")
