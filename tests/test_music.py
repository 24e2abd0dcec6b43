"""The music of a comparison is that of the command line, or else that of most of the runs."""

import pytest
from comparing import settings, write_run

from midiaug.comparison.finding import find_runs
from midiaug.comparison.groups import describe
from midiaug.comparison.music import look_at_music
from midiaug.comparison.runs import read_runs
from midiaug.comparison.tables import music_rows
from midiaug.data.module import MidiDataModule
from midiaug.data.shifts import Shifts
from midiaug.errors import ConfigError
from midiaug.inspection.costs import training_view


def described(path):
    return describe(read_runs(find_runs([str(path)]))[0])


def test_a_run_that_is_split_otherwise_is_shown_with_its_own_split(folder_of_tunes, cache, tmp_path):
    words = ("data=folder", f"data.path='{folder_of_tunes}'", f"data.cache_dir='{cache}'", "tokenizer=tsd")
    names = sorted(path.relative_to(folder_of_tunes).as_posix() for path in folder_of_tunes.rglob("*.mid"))
    write_run(tmp_path / "a", [(1.0, 1.5)], *words, pieces=dict.fromkeys(names[:5], 1.0), training=names[5:])
    content, remarks = look_at_music(settings(f"runs='{tmp_path}'"), described(tmp_path))
    assert content["statistics"]["pieces"] == {"read": 24, "left_out": 0, "train": 19, "val": 5}
    assert (content["tokenizer"], content["source"], remarks) == ("TSD", folder_of_tunes.name, [])
    assert [part["level"] for part in content["augmented"]] == ["none", "aggressive"]


def test_of_several_collections_that_of_most_runs_is_shown_and_named(folder_of_tunes, cache, tmp_path):
    here = ("data=folder", f"data.path='{folder_of_tunes}'", f"data.cache_dir='{cache}'")
    gone = ("data=folder", f"data.path={tmp_path}/gone")
    for number, words in enumerate((here, here, gone)):
        run = write_run(tmp_path / str(number), [(1.0, 1.5 + number)], *words, f"seed={number}")
        (run / "split.json").unlink()
    content, remarks = look_at_music(settings(f"runs='{tmp_path}'"), described(tmp_path))
    assert content["statistics"]["pieces"]["read"] == 24
    assert remarks == ["the music that is shown is that of 2 of the 3 runs"]


def test_of_runs_with_several_splits_it_is_said_whose_is_shown(folder_of_tunes, cache, tmp_path):
    words = ("data=folder", f"data.path='{folder_of_tunes}'", f"data.cache_dir='{cache}'")
    names = sorted(path.relative_to(folder_of_tunes).as_posix() for path in folder_of_tunes.rglob("*.mid"))
    for seed, count in ((0, 4), (1, 6)):
        pieces = dict.fromkeys(names[:count], 1.0)
        losses = [(1.0, 1.5 - seed / 10)]
        write_run(tmp_path / f"s{seed}", losses, *words, f"seed={seed}", pieces=pieces, training=names[count:])
    content, remarks = look_at_music(settings(f"runs='{tmp_path}'"), described(tmp_path))
    assert content["statistics"]["pieces"]["val"] == 6
    assert content["split"] == "the split of seed 1 (run s1)"
    assert remarks == ["the music is shown with the split of seed 1 (run s1); other runs have other validation pieces"]
    assert dict(music_rows(content))["pieces"].endswith("6 to validate on), by the split of seed 1 (run s1)")
    one, none = look_at_music(settings(f"runs='{tmp_path}/s0'"), described(tmp_path / "s0"))
    assert (one["split"], none) == (None, [])


def test_a_folder_is_called_one(folder_of_tunes, cache, tmp_path):
    words = ("data=folder", f"data.path='{folder_of_tunes}'", f"data.cache_dir='{cache}'")
    name = f"the folder {folder_of_tunes.name}"
    assert look_at_music(settings(*words[1:]), [])[0]["title"] == name
    run = write_run(tmp_path / "a", [(1.0, 1.5)], *words)
    (run / "split.json").unlink()
    content, _ = look_at_music(settings(f"runs='{tmp_path}'"), described(tmp_path))
    assert (content["title"], content["source"]) == (name, folder_of_tunes.name)


def test_the_tokens_of_an_epoch_are_those_that_preview_counts(folder_of_tunes, cache):
    words = (f"data.path='{folder_of_tunes}'", f"data.cache_dir='{cache}'", "aug=none")
    content, _ = look_at_music(settings(*words), [])
    data = MidiDataModule(folder_of_tunes, shifts=Shifts.of(0), window=256, cache_dir=cache)
    data.setup()
    expected = training_view(data)["tokens_an_epoch"]
    assert content["augmented"][0]["tokens"] == expected
    assert dict(music_rows(content))["predicted tokens an epoch"] == f"{expected:,}"


def test_a_path_counts_from_where_the_run_was_started_not_from_where_another_was_refused(
    folder_of_tunes, cache, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    words = ("data=folder", f"data.path='{folder_of_tunes.name}'", f"data.cache_dir='{cache}'")
    names = sorted(path.relative_to(folder_of_tunes).as_posix() for path in folder_of_tunes.rglob("*.mid"))
    summary = {"started_in": str(folder_of_tunes.parent)}
    run = write_run(
        tmp_path / "a", [(1.0, 1.5)], *words, pieces=dict.fromkeys(names[:5], 1.0), training=names[5:], summary=summary
    )
    (run / ".hydra" / "hydra.yaml").write_text("hydra: {runtime: {cwd: /nowhere}}\n")
    content, remarks = look_at_music(settings("runs=a"), described(tmp_path / "a"))
    assert content["statistics"]["pieces"] == {"read": 24, "left_out": 0, "train": 19, "val": 5}
    assert remarks == []


def test_runs_that_do_not_say_which_music_they_learned(tmp_path):
    run = write_run(tmp_path / "a", [(1.0, 1.5)])
    (run / ".hydra" / "config.yaml").unlink()
    with pytest.raises(ConfigError, match=r"do not say which music they learned; data.path=DIR shows it"):
        look_at_music(settings("runs=a"), described(tmp_path))
