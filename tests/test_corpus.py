"""The readable pieces of a source, read once and kept in the cache."""

import json
import os
import shutil
from pathlib import Path

import music
import numpy as np
import pytest

from midiaug.data.corpus import Corpus, read_corpus
from midiaug.data.pieces import Limits
from midiaug.data.sources import folder
from midiaug.errors import CorpusError

LIMITS = Limits()
ABC = "X:{0}\nT:Air\nM:4/4\nL:1/4\nK:{1}\nC D E F|G A B c|\n"


def read(path: Path, cache: Path, **options) -> Corpus:
    return read_corpus(folder(path), LIMITS, cache, processes=2, **options)


def state(cache: Path) -> dict[str, tuple[int, int]]:
    """Each file of the built corpora, with what changes when it is written anew."""
    files = sorted(path for path in (cache / "corpora").glob("[!.]*/*"))
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}


def corpora(cache: Path) -> int:
    return len([path for path in (cache / "corpora").iterdir() if path.is_dir()])


def reasons(corpus: Corpus) -> dict[str, str]:
    return {row.file: row.reason for row in corpus.quarantined}


@pytest.fixture
def tunes(folder_of_tunes: Path, tmp_path: Path) -> Path:
    """The 24 tunes in a folder that a test may change."""
    return Path(shutil.copytree(folder_of_tunes, tmp_path / "tunes"))


def test_a_corpus_holds_each_piece_in_the_order_of_names_with_its_bytes_notes_and_fingerprint(folder_of_tunes, cache):
    corpus = read(folder_of_tunes, cache)
    files = sorted(folder_of_tunes.rglob("*.mid"))
    assert corpus.names.all() == [path.relative_to(folder_of_tunes).as_posix() for path in files]
    assert corpus.quarantined == []
    assert len(corpus) == 24
    for index, path in enumerate(files):
        assert corpus.midi[index].tobytes() == path.read_bytes()
    band = music.tune(1016, chords=True, drums=True)  # the first, as `band` comes before `chords` and `plain`
    assert corpus.notes[0] == sum(len(track.notes) for track in band.tracks)
    assert np.array_equal(corpus.ngrams[0], music.ngrams_of(band))


def test_each_bad_file_is_in_the_quarantine_with_its_reason_and_costs_no_other(tunes, cache):
    whole = (tunes / "plain/book_0/tune_000.mid").read_bytes()
    drums = music.tune(1, drums=True)
    del drums.tracks[0]
    silent = music.tune(1)
    silent.tracks.clear()
    bad = {
        "cut.mid": whole[: len(whole) // 2],
        "drums.mid": drums.dumps_midi(),
        "empty.mid": b"",
        "long.mid": music.tune(1, bars=41).dumps_midi(),
        "silent.mid": silent.dumps_midi(),
        "text.mid": b"not music",
    }
    for name, content in bad.items():
        (tunes / name).write_bytes(content)
    (tunes / "gone.mid").symlink_to(tunes / "nowhere.mid")
    (tunes / "wrong.abc").write_text("X:1\nT:Air\nM:4/4\nL:1/4\nK:C\n|:C D E F|G A B c:|]2 [C D (3 CD\n")
    corpus = read_corpus(folder(tunes), Limits(max_bars=40), cache, processes=2)
    beginnings = {
        "cut.mid": "not readable as MIDI (",
        "drums.mid": "drums only",
        "empty.mid": "the file is empty",
        "gone.mid": "the file could not be opened (No such file",
        "long.mid": "too long: 41 bars, and data.max_bars is 40",
        "silent.mid": "no notes in it",
        "text.mid": "not readable as MIDI (it does not begin",
        "wrong.abc": "not readable as ABC (Error in line-char 6-20",
    }
    assert [row.file for row in corpus.quarantined] == sorted(beginnings)
    for name, reason in reasons(corpus).items():
        assert reason.startswith(beginnings[name])
    assert len(corpus) == 24
    assert not set(corpus.names.all()) & set(beginnings)


def test_a_file_that_is_there_twice_is_one_piece_and_the_second_names_the_first(tunes, cache):
    shutil.copy(tunes / "plain/book_0/tune_003.mid", tunes / "plain/book_0/tune_999.mid")
    corpus = read(tunes, cache)
    assert len(corpus) == 24
    assert reasons(corpus) == {"plain/book_0/tune_999.mid": "the same bytes as plain/book_0/tune_003.mid"}


def test_a_tune_in_another_key_is_no_second_copy(tunes, cache):
    music.write(music.moved(music.tune(1000), 3), tunes / "higher.mid")
    assert len(read(tunes, cache)) == 25


def test_a_second_reading_comes_from_the_cache(folder_of_tunes, cache):
    first = read(folder_of_tunes, cache)
    before = state(cache)
    second = read(folder_of_tunes, cache)
    assert (second.key, second.names.all()) == (first.key, first.names.all())
    assert len(before) > 0
    assert state(cache) == before
    assert corpora(cache) == 1


def test_the_cache_serves_the_same_files_in_another_place_and_with_other_dates(folder_of_tunes, cache, tmp_path):
    copy = Path(shutil.copytree(folder_of_tunes, tmp_path / "moved"))
    os.utime(copy / "plain/book_0/tune_000.mid", (1, 1))
    assert read(copy, cache).key == read(folder_of_tunes, cache).key
    assert corpora(cache) == 1


def test_one_files_other_content_is_another_corpus(tunes, cache):
    before = read(tunes, cache)
    path = tunes / "plain/book_0/tune_000.mid"
    date = path.stat().st_mtime_ns
    score = music.tune(1000)
    score.tracks[0].notes[0].pitch += 1
    music.write(score, path)
    os.utime(path, ns=(date, date))  # the content counts, not the date
    after = read(tunes, cache)
    assert after.key != before.key
    index = after.names.all().index("plain/book_0/tune_000.mid")
    assert after.midi[index].tobytes() == path.read_bytes()
    assert before.midi[index].tobytes() != path.read_bytes()


def test_a_new_name_or_limit_is_another_corpus(tunes, cache):
    keys = {read(tunes, cache).directory}
    keys.add(read_corpus(folder(tunes), Limits(max_bars=100), cache, processes=2).directory)
    keys.add(read_corpus(folder(tunes), Limits(max_tokens=5000), cache, processes=2).directory)
    (tunes / "plain/book_0/tune_000.mid").rename(tunes / "plain/book_0/tune_000b.mid")
    renamed = read(tunes, cache)
    keys.add(renamed.directory)
    assert len(keys) == 4
    assert "plain/book_0/tune_000b.mid" in renamed.names.all()


@pytest.mark.parametrize("limit", [2, 5, 23, 24, 100])
def test_a_limit_takes_that_many_pieces_or_all_there_are(folder_of_tunes, cache, limit):
    corpus = read(folder_of_tunes, cache, limit=limit, seed=1)
    assert len(corpus) == min(limit, 24)
    assert len(set(corpus.names.all())) == len(corpus)


def test_the_seed_decides_which_pieces_a_limit_takes(folder_of_tunes, tmp_path):
    def taken(seed: int, cache: str) -> list[str]:
        return read(folder_of_tunes, tmp_path / cache, limit=6, seed=seed).names.all()

    assert taken(1, "one") == taken(1, "two")
    assert len({frozenset(taken(seed, "one")) for seed in range(6)}) > 3


def test_bad_files_do_not_count_towards_a_limit(tunes, cache):
    for number in range(120):
        (tunes / f"bad_{number}.mid").write_bytes(b"not music")
    for seed in range(2):
        corpus = read(tunes, cache, limit=20, seed=seed)
        assert len(corpus) == 20
        assert all(row.file.startswith("bad_") for row in corpus.quarantined)


def test_two_processes_read_what_one_reads(tunes, tmp_path):
    (tunes / "text.mid").write_bytes(b"not music")
    one, two = (read_corpus(folder(tunes), LIMITS, tmp_path / str(count), processes=count) for count in (1, 2))
    assert one.key == two.key
    for path in one.directory.iterdir():
        assert path.read_bytes() == (two.directory / path.name).read_bytes()


def test_tunes_of_an_abc_file_are_pieces_that_the_cache_keeps_as_midi(tmp_path, cache, capfd):
    (tmp_path / "music").mkdir()
    text = "\n".join(ABC.format(number + 1, key) for number, key in enumerate(["C", "D", "G", "C"]))
    (tmp_path / "music" / "book.abc").write_text(text)
    corpus = read(tmp_path / "music", cache)
    assert corpus.names.all() == ["book.abc#1", "book.abc#2", "book.abc#3"]
    assert reasons(corpus) == {"book.abc#4": "the same bytes as book.abc#1"}
    assert all(corpus.midi[index].tobytes().startswith(b"MThd") for index in range(3))
    assert capfd.readouterr().out == ""


def test_a_name_that_is_not_unicode_is_kept_in_the_corpus_and_in_the_quarantine(tmp_path, cache):
    root = tmp_path / "music"
    for raw, content in ((b"caf\xe9.mid", music.tune(1).dumps_midi()), (b"bad\xff.mid", b"")):
        root.mkdir(exist_ok=True)
        Path(os.fsdecode(os.fsencode(root) + b"/" + raw)).write_bytes(content)
    corpus = read(root, cache)
    assert [os.fsencode(name) for name in corpus.names.all()] == [b"caf\xe9.mid"]
    assert [os.fsencode(row.file) for row in corpus.quarantined] == [b"bad\xff.mid"]


def test_nothing_readable_is_an_error_that_names_the_first_reason(tmp_path, cache):
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "a.mid").write_bytes(b"")
    (tmp_path / "music" / "b.mid").write_bytes(b"not music")
    for options in ({}, {"limit": 2}):
        with pytest.raises(CorpusError, match=r"^no file can be used, of 2; .*the file is empty") as caught:
            read(tmp_path / "music", cache, **options)
        assert "a.mid" in str(caught.value)


def test_the_quarantine_in_the_cache_is_plain_json(tunes, cache):
    (tunes / "empty.mid").touch()
    corpus = read(tunes, cache)
    content = json.loads((corpus.directory / "quarantine.json").read_text())
    assert content == [{"file": "empty.mid", "reason": "the file is empty"}]
