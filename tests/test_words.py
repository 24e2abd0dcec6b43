"""Paths on the command line are taken as they were typed."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis.strategies import sampled_from, text

from midiaug.words import PATH_KEYS, as_typed, last_values, prepared, split_paths


def parsed(word: str) -> object:
    return OverridesParser.create().parse_override(word).value()


@pytest.mark.parametrize("key", PATH_KEYS)
@pytest.mark.parametrize(
    "path",
    [
        *("~/Music", "Tänze für Klavier", "Bob's", "R&B", "No. #1", "a!b", "/srv/a=b", "x [old]", "Songs (live)"),
        *("Bach, J. S", "runs/2026_a=1,b=2/last.ckpt", "a\\b", "a\\'b", "ends in \\", "two''quotes", 'a"b', "日本"),
    ],
)
def test_a_path_comes_out_of_hydra_as_it_was_typed(key, path):
    (word,) = prepared([f"{key}={path}"])
    assert parsed(word) == path
    assert as_typed(word) == f"{key}={path}"


@given(
    key=sampled_from(PATH_KEYS), path=text(min_size=1).filter(lambda path: path[0] not in "'\"" and "${" not in path)
)
def test_any_path_does(key, path):
    (word,) = prepared([f"{key}={path}"])
    if not path.isascii() or not path.replace("/", "").replace(".", "").isalnum():
        value = parsed(word)
        assert value == path or str(value) == path or path == "???"


def test_what_is_no_path_stays_as_it_is():
    words = [
        "aug.shifts=[-5,5]",
        "model=lstm,gru",
        "data.path='a b'",
        "data.path=${oc.env:HOME}",
        "ckpt=null",
        "ckpt=last",
    ]
    assert prepared(words) == words


def test_flags_may_stand_anywhere():
    assert prepared(["model=lstm,gru", "--multirun"]) == ["--multirun", "model=lstm,gru"]


def test_a_sweep_over_folders_stays_a_sweep_and_a_folder_with_a_comma_a_folder(tmp_path):
    (tmp_path / "Bach, J. S").mkdir()
    assert prepared(["-m", "data.path=one,two"])[1] == "data.path=one,two"
    assert parsed(prepared(["-m", f"data.path={tmp_path}/Bach, J. S"])[1]) == f"{tmp_path}/Bach, J. S"


def test_a_sweep_over_checkpoints_takes_the_programs_own_folder_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = [f"{SWEPT.replace('seed=0', f'seed={seed}')}/checkpoints/best.ckpt" for seed in (0, 1)]
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_bytes(b"")
    _, word = prepared([f"ckpt={files[0]},{files[1]}", "-m"])
    override = OverridesParser.create().parse_override(word)
    assert override.is_sweep_override()
    assert [str(value.text if hasattr(value, "text") else value) for value in override.value().list] == files
    assert prepared(["-m", "ckpt=best,last"])[1] == "ckpt=best,last"
    assert prepared(["-m", "data.path=choice(a,b=c)"])[1] == "data.path=choice(a,b=c)"


def test_the_last_value_of_a_key_counts():
    assert last_values(["a=1", "--multirun", "+b=x=y", "a=2"]) == {"a": "2", "b": "x=y"}


SWEPT = "runs/2026-11-25_04-02_sweep/0_aug=none,model=lstm,seed=0"


@pytest.mark.parametrize("path", [SWEPT, "my runs", "runs/*,seed=0", "Bob's [old] runs", "~/runs"])
def test_a_folder_of_runs_comes_out_of_hydra_as_it_was_typed(path):
    assert parsed(prepared([f"runs={path}"])[0]) == path


def test_a_list_of_folders_is_cut_at_commas_so_that_each_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    other = SWEPT.replace("seed=0", "seed=1")
    for folder in (SWEPT, other, "my runs"):
        (tmp_path / folder).mkdir(parents=True)
    assert parsed(prepared([f"runs=[{SWEPT},{other}, my runs,gone]"])[0]) == [SWEPT, other, "my runs", "gone"]
    assert parsed(prepared(["runs=[runs/*/0_aug=none,model=*,my*]"])[0]) == ["runs/*/0_aug=none,model=*", "my*"]
    assert parsed(prepared([f"runs=['{SWEPT}',gone]"])[0]) == [SWEPT, "gone"]
    assert split_paths("gone,too") == ["gone", "too"]


def test_a_folder_whose_name_is_in_brackets_is_one_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "[a,b]").mkdir()
    assert parsed(prepared(["runs=[a,b]"])[0]) == "[a,b]"


def test_a_list_longer_than_a_path_may_be_is_cut_all_the_same():
    names = [f"runs/{number:04d}_aug=none" for number in range(400)]
    assert parsed(prepared([f"runs=[{','.join(names)}]"])[0]) == names
