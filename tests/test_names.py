"""What the copies are called."""

import pytest

from midiaug.offline.names import copy_name, copy_stems, is_copy


@pytest.mark.parametrize(
    ("name", "shift", "file"),
    [
        ("a/tune.mid", 3, "a/tune_+3.mid"),
        ("tune.MIDI", -1, "tune_-1.mid"),
        ("tune.kar", 0, "tune_+0.mid"),
        ("book.abc", 12, "book_+12.mid"),
        ("my [books]/book.abc#3", -5, "my [books]/book#3_-5.mid"),
        ("part-0.parquet#17", 5, "part-0#17_+5.mid"),
        ("no. 3.mid", 1, "no. 3_+1.mid"),
        ("take.mid.mid", 1, "take.mid_+1.mid"),
    ],
)
def test_a_copy_is_named_by_its_piece_and_its_shift(name, shift, file):
    (stem,) = copy_stems([name])
    assert copy_name(stem, shift) == file


def test_pieces_that_would_share_a_name_keep_their_endings():
    names = ["tune.mid", "tune.kar", "other.mid"]
    assert copy_stems(names) == ["tune.mid", "tune.kar", "other"]


@pytest.mark.parametrize(
    "names",
    [
        ["Tune.mid", "tune.mid", "TUNE.mid"],
        ["a/tune.mid", "A/tune.mid"],
        ["caf\u00e9.mid", "cafe\u0301.mid"],
        ["tune.mid", "tune.kar", "tune.mid.mid", "tune.mid~2.mid"],
        ["tune_+3.mid/x.mid", "tune.mid"],
        [f"{'x' * 250}{number}.mid" for number in range(3)],
    ],
)
def test_no_two_copies_share_a_name_on_a_disk_that_takes_upper_and_lower_case_for_the_same(names):
    import unicodedata

    stems = copy_stems(names)
    files = [unicodedata.normalize("NFC", copy_name(stem, 3)).casefold() for stem in stems]
    assert len(set(files)) == len(files)
    folders = {"/".join(name.split("/")[:depth]) for name in names for depth in range(1, name.count("/") + 1)}
    assert not set(files) & folders
    assert all(len(part.encode()) <= 255 for file in files for part in file.split("/"))


def test_the_order_of_the_pieces_does_not_decide_their_names():
    names = ["Tune.mid", "tune.mid", "tune.kar", "a/b.abc#1"]
    there = dict(zip(names, copy_stems(names), strict=True))
    assert dict(zip(names[::-1], copy_stems(names[::-1]), strict=True)) == there


def test_a_name_that_is_not_unicode_is_kept():
    name = b"t\xfcne.mid".decode(errors="surrogateescape")
    assert copy_stems([name]) == [name.removesuffix(".mid")]


def test_a_copy_is_known_by_its_name():
    assert is_copy(copy_name("a/tune", 3))
    assert is_copy(copy_name("a/tune", 0))
    assert not is_copy("a/tune_3.mid")
