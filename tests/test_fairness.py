"""Losses that do not compare are named, with the reason."""

import pytest
from comparing import write_log, write_run

from midiaug.comparison.fairness import fairness
from midiaug.comparison.finding import find_runs
from midiaug.comparison.groups import describe
from midiaug.comparison.runs import read_runs


def remarks(path):
    return fairness(describe(read_runs(find_runs([str(path)]))[0]))


def test_runs_that_differ_by_model_and_level_alone_compare(tmp_path):
    write_run(tmp_path / "a", [(1.0, 1.5)], "model=gru")
    write_run(tmp_path / "b", [(1.0, 1.4)], "aug=none")
    assert remarks(tmp_path) == []


@pytest.mark.parametrize(
    ("words", "more", "said"),
    [
        (["tokenizer=tsd"], {}, "different tokenizers (REMI, TSD): compare nats a note"),
        ([], {"summary": {"source": "other tunes"}}, "different music (aird, other tunes)"),
        ([], {"pieces": {"x.mid": 1.0}}, "the pieces of these runs are not all the same"),
    ],
)
def test_other_music_tokenizers_and_pieces_do_not(tmp_path, words, more, said):
    write_run(tmp_path / "a", [(1.0, 1.5)])
    write_run(tmp_path / "b", [(1.0, 1.4)], *words, **more)
    (remark,) = remarks(tmp_path)
    assert said in remark


def test_neither_do_other_sides_of_the_same_pieces(tmp_path):
    for name in ("a", "b"):
        run = write_run(tmp_path / name, [(1.0, 1.5 if name == "a" else 1.6)], pieces={"a": 1.0, "b": 2.0})
        split = (run / "split.json").read_text()
        (run / "split.json").write_text(split.replace('"val"', '"train"', 1) if name == "a" else split)
    (remark,) = remarks(tmp_path)
    assert "2 different sets of validation pieces" in remark


def test_folds_compare_where_all_groups_have_the_same(tmp_path):
    for level in ("none", "moderate"):
        for fold in (0, 1):
            words = (f"aug={level}", "data.folds=2", f"data.fold={fold}")
            losses = [(1.0, 1.5 + fold + (level == "none") / 10)]
            both = {"pieces": {f"{fold}": 1.0}, "training": [f"{1 - fold}"]}
            write_run(tmp_path / f"{level}{fold}", losses, *words, **both)
    assert remarks(tmp_path) == []
    (tmp_path / "none1" / "metrics.csv").unlink()
    (tmp_path / "none1" / "summary.json").unlink()
    assert remarks(tmp_path) == [
        "these runs were not all validated on the same folds: their means over the folds compare roughly"
    ]


def test_nor_do_the_losses_of_other_programs(tmp_path):
    write_run(tmp_path / "a", [(1.0, 1.5)])
    write_log(tmp_path / "b", {"val_loss": [(1, 1.0)]})
    assert remarks(tmp_path) == [
        "losses of other programs are shown as they logged them; they need not be nats a token"
    ]


def test_copies_on_disk_are_not_set_against_what_is_transposed_while_loading(tmp_path):
    write_run(tmp_path / "a", [(1.0, 1.5)])
    names = {f"a_{shift:+d}.mid": 1.0 for shift in (-1, 0, 1)}
    write_run(tmp_path / "b", [(1.0, 1.4)], "aug=none", pieces=names, training=["z_+0.mid"])
    assert any("1 run learned copies that materialize wrote" in remark for remark in remarks(tmp_path))
    assert not any("copies" in remark for remark in remarks(tmp_path / "b"))


def test_runs_that_learned_merges_of_their_own_do_not(tmp_path):
    for name in ("a", "b"):
        run = write_run(tmp_path / name, [(1.0, 1.5 if name == "a" else 1.4)], "tokenizer.train=BPE")
        (run / "tokenizer.json").write_text("{}")
    assert remarks(tmp_path) == []
    (tmp_path / "b" / "tokenizer.json").write_text('{"other": 1}')
    (remark,) = remarks(tmp_path)
    assert remark.startswith("these runs learned merges of their own, so their tokens differ: compare nats a note")
