"""Files that are written whole or not at all."""

import csv
import json
import os
from pathlib import Path

import pytest

from midiaug.files import all_or_none, remove_leftovers, write_csv, write_json, write_whole


def half_then(error: type[BaseException]):
    def write(path: Path) -> None:
        path.write_text("half")
        raise error

    return write


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, ValueError])
def test_an_interrupted_write_keeps_the_old_file_and_leaves_nothing_else(tmp_path, error):
    path = tmp_path / "summary.json"
    path.write_text("old")
    with pytest.raises(error):
        write_whole(path, half_then(error))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_first_write_that_is_interrupted_leaves_an_empty_folder(tmp_path):
    with pytest.raises(OSError, match="disk full"):
        write_whole(tmp_path / "new.json", lambda path: (_ for _ in ()).throw(OSError("disk full")))
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_right_after_the_temporary_file_was_made_leaves_none(tmp_path, monkeypatch):
    touch = Path.touch

    def interrupted(path, *arguments, **keys):
        touch(path, *arguments, **keys)
        assert list(tmp_path.iterdir()) == [path]
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "touch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "new.json", lambda path: None)
    assert list(tmp_path.iterdir()) == []


def test_the_new_content_takes_the_place_of_the_old_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "plot.png"
    path.write_bytes(b"old")
    write_whole(path, lambda temporary: temporary.write_bytes(b"new") and None)
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_the_old_content_stands_until_the_new_is_complete_and_the_ending_is_the_same(tmp_path):
    path = tmp_path / "plot.png"
    path.write_bytes(b"old")
    seen = []

    def write(temporary: Path) -> None:
        temporary.write_bytes(b"new")
        seen.append((path.read_bytes(), temporary.parent, temporary.suffix))

    write_whole(path, write)
    assert seen == [(b"old", tmp_path, ".png")]  # a plot's format follows its file's ending


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_others_may_read_a_file_as_the_users_mask_says(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        write_json(tmp_path / "a.json", {})
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == mode


def test_json_comes_back_as_it_was_also_with_names_that_are_not_unicode(tmp_path):
    content = {"pieces": {"caf\udce9.mid": {"side": "val", "group": 12}, "曲.mid": {}}, "loss": 0.1, "none": None}
    write_json(tmp_path / "split.json", content)
    assert json.loads((tmp_path / "split.json").read_bytes()) == content


def test_a_value_that_json_cannot_hold_keeps_the_old_file(tmp_path):
    write_json(tmp_path / "a.json", 1)
    with pytest.raises(TypeError):
        write_json(tmp_path / "a.json", {"path": tmp_path})
    assert json.loads((tmp_path / "a.json").read_text()) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_a_table_comes_back_with_its_header_and_awkward_names(tmp_path):
    rows = [{"file": 'a "jig", in\nD.mid', "loss": 1.25}, {"file": "曲.mid", "loss": 2.0}]
    write_csv(tmp_path / "val_pieces.csv", rows)
    with (tmp_path / "val_pieces.csv").open(newline="", encoding="utf-8") as file:
        read = list(csv.DictReader(file))
    assert read == [{"file": row["file"], "loss": str(row["loss"])} for row in rows]


def test_a_table_holds_the_bytes_of_a_file_name_that_is_not_unicode(tmp_path):
    write_csv(tmp_path / "a.csv", [{"file": os.fsdecode(b"caf\xe9.mid"), "loss": 1}])
    assert (tmp_path / "a.csv").read_bytes() == b"file,loss\ncaf\xe9.mid,1\n"


def test_a_table_whose_rows_differ_is_refused_and_the_old_one_stands(tmp_path):
    write_csv(tmp_path / "a.csv", [{"loss": 1}])
    with pytest.raises(ValueError, match="gap"):
        write_csv(tmp_path / "a.csv", [{"loss": 1}, {"loss": 2, "gap": 3}])
    assert (tmp_path / "a.csv").read_text() == "loss\n1\n"


def test_a_table_without_rows_is_a_file_without_rows(tmp_path):
    write_csv(tmp_path / "a.csv", [])
    with (tmp_path / "a.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == []


def test_what_killed_writers_left_is_removed_and_nothing_else(tmp_path):
    left = [".a.part0123abcd.json", ".b [1].part00000000.png", ".c.partffffffff"]
    kept = ["a.json", ".a.json", ".a.part0123abc.json", ".hidden", "a.part0123abcd.json", ".a.part0123abcg.json"]
    kept += [".env.20260101", ".a.20260101.json"]  # a user's, named by a day
    for name in (*left, *kept):
        (tmp_path / name).touch()
    remove_leftovers(tmp_path, "a")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted({*left, *kept} - {".a.part0123abcd.json"})
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)


def test_a_folder_is_filled_at_the_end(tmp_path):
    (tmp_path / "run" / "a").mkdir(parents=True)
    (tmp_path / "run" / "a" / "x").write_text("old")
    with all_or_none(tmp_path / "run", "me") as scratch:
        (scratch / "a").mkdir()
        (scratch / "a" / "x").write_text("new")
        assert (tmp_path / "run" / "a" / "x").read_text() == "old"
    assert [path.name for path in (tmp_path / "run").rglob("*")] == ["a", "x"]
    assert (tmp_path / "run" / "a" / "x").read_text() == "new"


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError])
def test_a_folder_that_is_not_finished_is_not_there(tmp_path, failure):
    def stopped():
        with all_or_none(tmp_path, "me") as scratch:
            (scratch / "half").write_text("half")
            raise failure

    with pytest.raises(failure):
        stopped()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_take_the_place_of_another_names_it(tmp_path):
    (tmp_path / "b" / "inside").mkdir(parents=True)

    def written():
        with all_or_none(tmp_path, "me") as scratch:
            (scratch / "b").write_text("new")

    with pytest.raises(OSError, match="b") as caught:
        written()
    assert caught.value.filename2 == str(tmp_path / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
