"""The split into training and validation pieces: no tune is on both sides, in any key, tempo or arrangement."""

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import music
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from music import grouped
from numpy.typing import NDArray
from symusic.core import ScoreTick
from twins import TWINS, only

from midiaug.data.corpus import read_corpus
from midiaug.data.flat import Ragged, RaggedWriter
from midiaug.data.pieces import Limits
from midiaug.data.sources import folder
from midiaug.data.split import Split, draw_split, limited, read_split, twin_groups
from midiaug.errors import SplitError

SEEDS = range(100)
TWIN_SHARE = 0.5


def library(tunes: int, versions: dict[str, Callable[[ScoreTick], ScoreTick]]) -> tuple[list[str], list[NDArray]]:
    """Names and fingerprints of tunes with chords, each as it is and in these versions; a name begins with its tune."""
    names, ngrams = [], []
    for seed in range(tunes):
        score = music.tune(seed, chords=True)
        for version, make in {"": lambda score: score, **versions}.items():
            names.append(f"tune {seed:02d}/{version}.mid")
            ngrams.append(music.ngrams_of(make(score)))
    return names, ngrams


def tunes_of(names: list[str]) -> set[str]:
    return {name.split("/")[0] for name in names}


def sides(split: Split) -> tuple[list[str], list[str]]:
    """Names of the training and of the validation pieces."""
    validation = [name for name, val in zip(split.names, split.validation, strict=True) if val]
    return [name for name in split.names if name not in set(validation)], validation


def no_tune_on_both_sides(names: list[str], ngrams: list[NDArray]) -> None:
    group = twin_groups(ngrams, TWIN_SHARE)
    for seed in SEEDS:
        train, validation = sides(draw_split(names, group, 0.2, seed))
        assert train
        assert validation
        assert not tunes_of(train) & tunes_of(validation)


@pytest.mark.parametrize("version", TWINS)
def test_no_version_of_a_tune_is_on_the_other_side(version):
    names, ngrams = library(6, {version: TWINS[version]})
    assert len(set(twin_groups(ngrams, TWIN_SHARE))) == 6  # and different tunes are not one group
    no_tune_on_both_sides(names, ngrams)


def test_no_tune_is_on_both_sides_with_all_its_versions_at_once():
    no_tune_on_both_sides(*library(5, TWINS))


def test_a_tune_in_three_folders_whole_melody_and_chords_stays_on_one_side(tmp_path, cache):
    # as the Nottingham collection is published, with MIDI/melody and MIDI/chords inside MIDI
    for seed in range(8):
        score = music.tune(seed, chords=True)
        music.write(score, tmp_path / f"MIDI/tune_{seed}.mid")
        music.write(only(score, 0), tmp_path / f"MIDI/melody/tune_{seed}.mid")
        music.write(only(score, 1), tmp_path / f"MIDI/chords/tune_{seed}.mid")
    corpus = read_corpus(folder(tmp_path / "MIDI"), Limits(), cache, processes=2)
    assert len(corpus) == 24
    group = twin_groups(corpus.ngrams, TWIN_SHARE)
    for seed in SEEDS:
        train, validation = sides(draw_split(corpus.names.all(), group, 0.1, seed))
        assert train
        assert validation
        assert not {Path(name).name for name in train} & {Path(name).name for name in validation}


def by_brute_force(ngrams: list[NDArray], twin_share: float) -> NDArray[np.int64]:
    """Twin groups by comparing each with each, in exact arithmetic; each group is called by its first piece."""
    share = Fraction(str(twin_share))
    sets = [set(row.tolist()) for row in ngrams]
    label = list(range(len(sets)))
    for one in range(len(sets)):
        for other in range(one):
            common, smaller = len(sets[one] & sets[other]), min(len(sets[one]), len(sets[other]))
            if common and common >= share * smaller:
                low, high = sorted((label[one], label[other]))
                label = [low if name == high else name for name in label]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(label))}
    return np.array([numbers[name] for name in label], np.int64)


def rows(sets: list[set[int]]) -> list[NDArray[np.uint64]]:
    return [np.array(sorted(row), np.uint64) for row in sets]


@pytest.mark.parametrize("twin_share", [0.1, 0.3, 0.5, 0.55, 0.75, 1.0])
@settings(deadline=None)
@given(sets=st.lists(st.sets(st.integers(0, 15), max_size=10), min_size=1, max_size=12))
def test_groups_are_those_of_comparing_each_with_each(twin_share, sets):
    assert np.array_equal(twin_groups(rows(sets), twin_share), by_brute_force(rows(sets), twin_share))


@pytest.mark.parametrize("twin_share", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("seed", range(4))
def test_groups_of_larger_fingerprints_are_those_of_comparing_each_with_each(seed, twin_share):
    generator = np.random.default_rng(seed)
    ancestors = generator.integers(0, 2**63, (6, 80), np.uint64)
    ngrams = []
    for _ in range(60):
        mixed = np.concatenate([row[generator.random(80) < generator.choice([0, 0.1, 0.6])] for row in ancestors])
        ngrams.append(np.unique(np.append(mixed, generator.integers(0, 2**63, 8, np.uint64))))
    expected = by_brute_force(ngrams, twin_share)
    assert len(set(expected.tolist())) > 1 or twin_share < 0.5
    assert np.array_equal(twin_groups(ngrams, twin_share), expected)


@pytest.mark.parametrize(
    ("twin_share", "smaller", "common"), [(0.5, 4, 2), (0.3, 10, 3), (0.55, 20, 11), (0.07, 100, 7), (1.0, 3, 3)]
)
def test_pieces_that_share_exactly_the_twin_share_are_twins_and_with_one_n_gram_less_they_are_not(
    twin_share, smaller, common
):
    one = set(range(smaller))
    other = set(range(common)) | set(range(1000, 1000 + smaller))
    assert twin_groups(rows([one, other]), twin_share).tolist() == [0, 0]
    assert twin_groups(rows([one, other - {0}]), twin_share).tolist() == [0, 1]


def test_twins_of_twins_are_one_group():
    assert twin_groups(rows([{1, 2}, {9}, {2, 3}, {3, 4}]), 0.5).tolist() == [0, 1, 0, 0]


def test_pieces_without_n_grams_are_each_alone():
    assert twin_groups(rows([set(), {1, 2}, set(), {1, 2}]), 0.5).tolist() == [0, 1, 2, 1]
    assert twin_groups(rows([set(), set()]), 0.5).tolist() == [0, 1]


def test_fingerprints_in_files_group_as_those_in_memory(tmp_path):
    ngrams = library(4, {"up": TWINS["up 5"]})[1]
    with RaggedWriter(tmp_path, "ngrams", np.uint64) as writer:
        for row in ngrams:
            writer.append(row)
    group = twin_groups(Ragged(tmp_path, "ngrams", np.uint64), TWIN_SHARE)
    assert group.tolist() == twin_groups(ngrams, TWIN_SHARE).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


@settings(deadline=None)
@given(sizes=st.lists(st.integers(1, 9), min_size=2, max_size=30), share=st.floats(0.01, 0.99), seed=st.integers(0, 99))
def test_neither_side_is_ever_empty_and_no_group_is_on_both(sizes, share, seed):
    names, group = grouped(sizes)
    split = draw_split(names, group, share, seed)
    assert 0 < split.validation.sum() < len(names)
    assert not set(group[split.validation]) & set(group[~split.validation])


@settings(deadline=None)
@given(sizes=st.lists(st.integers(1, 5), min_size=20, max_size=40), share=st.floats(0.1, 0.5), seed=st.integers(0, 99))
def test_the_validation_side_holds_about_its_share_to_within_half_a_group(sizes, share, seed):
    names, group = grouped(sizes)
    assert abs(draw_split(names, group, share, seed).validation.sum() - share * len(names)) <= max(1, max(sizes) / 2)


@pytest.mark.parametrize(("share", "pieces"), [(0.1, 10), (0.25, 25), (0.5, 50)])
def test_single_pieces_are_split_to_the_piece(share, pieces):
    for seed in SEEDS:
        assert draw_split(*grouped([1] * 100), share, seed).validation.sum() == pieces


def test_the_seed_decides_and_each_tune_gets_its_turn():
    names, group = grouped([1, 2, 1, 3, 1, 1, 2, 1])
    drawn = [tuple(sides(draw_split(names, group, 0.2, seed))[1]) for seed in SEEDS]
    assert drawn == [tuple(sides(draw_split(names, group, 0.2, seed))[1]) for seed in SEEDS]
    assert len(set(drawn)) > 10
    assert set().union(*drawn) == set(names)


@pytest.mark.parametrize(("seed", "drawn"), list(enumerate([[7, 8, 11], [1, 2, 11], [4, 5, 6], [8, 9, 10]])))
def test_what_a_seed_draws_stays_as_it_is(seed, drawn):
    split = draw_split(*grouped([1, 2, 1, 3, 1, 1, 2, 1]), 0.25, seed)
    assert np.flatnonzero(split.validation).tolist() == drawn
    assert list(split.content()) == ["seed", "val_split", "pieces"]


@pytest.mark.parametrize("sizes", [[1, 2, 1, 3, 1, 1, 2, 1], [3, 3], [4, 4, 4]], ids=str)
def test_the_order_of_the_files_does_not_decide(sizes):
    names, group = grouped(sizes)
    grams = rows([{number} for number in group])
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(len(names))
        shuffled = [names[index] for index in order]
        groups = twin_groups([grams[index] for index in order], TWIN_SHARE)
        split = draw_split(shuffled, groups, 0.2, seed)
        assert sorted(sides(split)[1]) == sides(draw_split(names, twin_groups(grams, TWIN_SHARE), 0.2, seed))[1]


def test_the_seed_decides_also_between_tunes_that_all_have_many_copies():
    names, group = grouped([7, 7, 7])
    assert len({tuple(sides(draw_split(names, group, 0.1, seed))[1]) for seed in SEEDS}) == 3


@pytest.mark.parametrize(
    ("sizes", "words"), [([1], "1 piece of 1 tune"), ([5], "5 pieces of 1 tune")], ids=["one piece", "one tune"]
)
def test_fewer_than_two_tunes_are_refused_with_what_to_add(sizes, words):
    with pytest.raises(SplitError, match=rf"^{words}: .*at least two different tunes; add some$"):
        draw_split(*grouped(sizes), 0.1, 0)


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, float("nan")])
def test_a_share_that_leaves_a_side_empty_is_refused_with_its_key(share):
    with pytest.raises(SplitError, match=r"^data\.val_split=.*between 0 and 1, such as 0\.1$"):
        draw_split(*grouped([1, 1, 1]), share, 0)


def test_split_json_names_each_piece_with_its_side_and_group(tmp_path):
    names, group = grouped([1, 2, 1])
    split = draw_split(names, group, 0.25, 7)
    split.write(tmp_path / "split.json")
    content = json.loads((tmp_path / "split.json").read_text())
    assert (content["seed"], content["val_split"]) == (7, 0.25)
    assert list(content["pieces"]) == names
    assert [piece["group"] for piece in content["pieces"].values()] == [0, 1, 1, 2]
    assert [piece["side"] == "val" for piece in content["pieces"].values()] == split.validation.tolist()
    assert {piece["side"] for piece in content["pieces"].values()} == {"train", "val"}


def test_a_split_read_again_is_the_same_also_with_names_that_are_not_unicode(tmp_path):
    names, group = grouped([1, 2, 1, 1])
    names[2] = "caf\udce9.mid"
    split = draw_split(names, group, 0.3, 3)
    split.write(tmp_path / "split.json")
    again, remarks = read_split(tmp_path / "split.json", names, group)
    assert remarks == []
    assert (again.names, again.val_split, again.seed) == (split.names, 0.3, 3)
    assert np.array_equal(again.validation, split.validation)
    assert np.array_equal(again.group, split.group)


def test_new_pieces_go_where_their_twins_are_and_new_tunes_into_training(tmp_path):
    names, ngrams = library(6, {})
    for seed in range(20):
        split = draw_split(names, twin_groups(ngrams, TWIN_SHARE), 0.3, seed)
        split.write(tmp_path / "split.json")
        more, more_ngrams = library(8, {"up": TWINS["up 5"], "melody": TWINS["melody only"]})
        again, remarks = read_split(tmp_path / "split.json", more, twin_groups(more_ngrams, TWIN_SHARE))
        assert tunes_of(sides(again)[1]) == tunes_of(sides(split)[1])
        assert len(sides(again)[1]) == 3 * len(sides(split)[1])
        assert remarks == [
            f"data.split={tmp_path / 'split.json'} does not name 18 pieces: "
            "each goes where its twins are, or into training"
        ]


def test_pieces_that_are_gone_change_no_side(tmp_path):
    names, group = grouped([1] * 10)
    split = draw_split(names, group, 0.4, 0)
    split.write(tmp_path / "split.json")
    kept = [0, 1, *range(4, 10)]
    again, _ = read_split(tmp_path / "split.json", [names[index] for index in kept], np.arange(len(kept)))
    assert again.validation.tolist() == split.validation[kept].tolist()


def test_a_former_split_that_has_a_tune_on_both_sides_is_used_with_a_warning(tmp_path):
    names, group = grouped([1, 1, 1, 1])
    draw_split(names, group, 0.5, 0).write(tmp_path / "split.json")
    split, remarks = read_split(tmp_path / "split.json", names, np.array([0, 0, 0, 0]))
    assert split.validation.sum() == 2
    (remark,) = remarks
    assert "1 tune on both sides: the validation loss will flatter" in remark


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "not json",
        "[]",
        "{}",
        '{"seed": 0, "val_split": 0.1, "pieces": {"piece 000": {}}}',
        '{"seed": "x", "val_split": 0.1, "pieces": {}}',
        '{"seed": 0, "val_split": 0.1, "pieces": {"piece 000": {"side": "test", "group": 0}}}',
    ],
    ids=["missing", "empty", "text", "a list", "no keys", "no side", "no seed", "a third side"],
)
def test_a_split_that_cannot_be_read_is_refused_with_its_key(tmp_path, content):
    if content is not None:
        (tmp_path / "split.json").write_text(content)
    said = (
        r"^data\.split=.*split\.json: (no such file; give a|not a readable split\.json \(.*\); give one).* a run wrote$"
    )
    with pytest.raises(SplitError, match=said):
        read_split(tmp_path / "split.json", *grouped([1, 1]))


def test_a_former_split_of_other_pieces_is_refused_as_it_leaves_a_side_empty(tmp_path):
    draw_split(*grouped([1, 1, 1]), 0.3, 0).write(tmp_path / "split.json")
    with pytest.raises(SplitError, match=r"^data\.split=.*: one side is empty for these 2 pieces; use another"):
        read_split(tmp_path / "split.json", ["other 0", "other 1"], np.array([0, 1]))


def test_so_many_of_the_training_pieces_are_drawn_by_the_seed_and_fewer_are_a_part_of_more():
    pieces = np.random.default_rng(0).random(200) < 0.8
    drawn = {count: limited(pieces, count, 3) for count in (1, 20, 60, 500)}
    assert [int(drawn[count].sum()) for count in drawn] == [1, 20, 60, int(pieces.sum())]
    assert not (drawn[20] & ~drawn[60]).any()
    assert not (drawn[60] & ~pieces).any()
    assert (limited(pieces, None, 3) == pieces).all()
    assert (limited(pieces, 20, 3) == drawn[20]).all()
    assert (limited(pieces, 20, 4) != drawn[20]).any()
