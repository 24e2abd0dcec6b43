"""What was built before is copied: only new files are read and tokenized, and the result is that of a new build."""

import os
import shutil
import time

import music
import pytest
from miditok import REMI, TokenizerConfig

from midiaug.data import corpus as corpus_module
from midiaug.data import reading as reading_module
from midiaug.data import store as store_module
from midiaug.data.corpus import read_corpus
from midiaug.data.pieces import Limits
from midiaug.data.sources import folder
from midiaug.data.store import build_store
from midiaug.errors import PassingFault


@pytest.fixture
def tunes(folder_of_tunes, tmp_path):
    """24 tunes in a folder that a test may change, with a file that is not readable and one that is there twice."""
    copy = shutil.copytree(folder_of_tunes, tmp_path / "tunes")
    (copy / "broken.mid").write_bytes(b"no music")
    shutil.copyfile(copy / "plain/book_0/tune_000.mid", copy / "twice.mid")
    return copy


@pytest.fixture
def worked(monkeypatch):
    """What is read and tokenized from here on: a list for each, of what was given to the processes."""
    done = {"read": [], "tokenized": []}
    for module, name in ((corpus_module, "read"), (store_module, "tokenized")):
        real = module.in_processes

        def counted(function, items, *rest, _real=real, _name=name, **options):
            done[_name] += [item[0].name if isinstance(item, tuple) else item for item in items]
            return _real(function, items, *rest, **options)

        monkeypatch.setattr(module, "in_processes", counted)
    return done


def build(entries, cache, tokenizer=None, **options):
    corpus = read_corpus(entries, Limits(), cache, processes=1, **options)
    return corpus, build_store(corpus, tokenizer or REMI(), Limits(), cache, processes=1)


def content(*built):
    """Every file that was built, by name."""
    return {f"{type(one).__name__}/{path.name}": path.read_bytes() for one in built for path in one.directory.iterdir()}


def test_a_new_file_alone_is_read_and_tokenized(tunes, cache, tmp_path, worked):
    build(folder(tunes), cache)
    assert len(worked["read"]) == 26
    assert len(worked["tokenized"]) == 24
    worked["read"].clear(), worked["tokenized"].clear()
    music.write(music.tune(5000), tunes / "new.mid")
    after = build(folder(tunes), cache)
    assert worked == {"read": ["new.mid"], "tokenized": [after[0].names.all().index("new.mid")]}
    assert content(*after) == content(*build(folder(tunes), tmp_path / "other"))


def test_a_file_less_is_nothing_to_read_or_tokenize(tunes, cache, tmp_path, worked):
    build(folder(tunes), cache)
    worked["read"].clear(), worked["tokenized"].clear()
    (tunes / "plain/book_0/tune_003.mid").unlink()
    (tunes / "plain/book_0/tune_000.mid").unlink()  # its twin takes its place
    after = build(folder(tunes), cache)
    assert worked == {"read": [], "tokenized": []}
    assert content(*after) == content(*build(folder(tunes), tmp_path / "other"))


@pytest.mark.parametrize("drums_share_pitches", [False, True])
def test_parts_that_were_built_apart_make_the_whole(tunes, cache, tmp_path, worked, drums_share_pitches):
    options = {"use_programs": True, "use_pitchdrum_tokens": False} if drums_share_pitches else {}
    tokenizer = REMI(TokenizerConfig(**options))
    entries = folder(tunes)
    for part in (entries[:7], entries[7:8], entries[8:20], entries[20:]):
        build(part, cache, tokenizer)
    worked["read"].clear(), worked["tokenized"].clear()
    whole = build(entries, cache, tokenizer)
    assert worked == {"read": [], "tokenized": []}
    assert content(*whole) == content(*build(entries, tmp_path / "other", tokenizer))


def test_a_tune_of_a_book_is_known_wherever_the_book_lies(cache, tmp_path, worked):
    book = "X:1\nT:One\nL:1/4\nK:C\nC D E F|G A B c|\n\nX:2\nT:Two\nL:1/4\nK:G\nG A B c|d c B A|\n"
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "book.abc").write_text(book)
    first = build(folder(tmp_path / "one"), cache)
    shutil.copytree(tmp_path / "one", tmp_path / "two" / "below")
    worked["read"].clear(), worked["tokenized"].clear()
    second = build(folder(tmp_path / "two"), cache)
    assert worked == {"read": [], "tokenized": []}
    assert second[0].names.all() == ["below/book.abc#1", "below/book.abc#2"]
    assert second[0].midi.data.tobytes() == first[0].midi.data.tobytes()


def test_other_limits_and_another_tokenizer_take_nothing_over(tunes, cache, worked):
    corpus, _ = build(folder(tunes), cache)
    worked["read"].clear(), worked["tokenized"].clear()
    read_corpus(folder(tunes), Limits(max_bars=9000), cache, processes=1)
    assert len(worked["read"]) == 26
    build_store(corpus, REMI(TokenizerConfig(num_velocities=8)), Limits(), cache, processes=1)
    assert len(worked["tokenized"]) == 24


def test_a_piece_of_the_sample_that_was_never_proven_is_proven(tunes, cache, worked, monkeypatch):
    monkeypatch.setattr(store_module, "_PROOF_PIECES", 2)
    _, small = build(folder(tunes), cache)
    assert (small.cases[:] > 0).sum() == 2
    monkeypatch.setattr(store_module, "_PROOF_PIECES", 30)
    music.write(music.tune(5000), tunes / "new.mid")
    worked["tokenized"].clear()
    corpus, store = build(folder(tunes), cache)
    assert len(worked["tokenized"]) == len(corpus) - 2
    assert store.proof.pieces == len(corpus)


def aged(*built):
    """Let the folders of these builds be an hour old."""
    for one in built:
        os.utime(one.directory, (time.time() - 3600, time.time() - 3600))


@pytest.mark.parametrize("module", [corpus_module, store_module])
def test_a_piece_that_was_lost_is_tried_once_more_and_the_result_is_that_of_a_new_build(
    module, tunes, cache, tmp_path, worked, monkeypatch
):
    lost, kind = "plain/book_0/tune_002.mid", "read" if module is corpus_module else "tokenized"
    counted, name_of = module.in_processes, {}

    def losing(function, items, *rest, **options):
        for item, result in zip(items, counted(function, items, *rest, **options), strict=True):
            named = item[0].name if isinstance(item, tuple) else name_of[item]
            yield module._lost(item, "crashed its process") if named == lost else result

    name_of.update(enumerate(read_corpus(folder(tunes), Limits(), tmp_path / "names", processes=1).names))
    worked["read"].clear()
    monkeypatch.setattr(module, "in_processes", losing)
    first = build(folder(tunes), cache)
    assert lost in [row.file for row in first[0].quarantined + first[1].quarantined]
    worked[kind].clear()
    build(folder(tunes), cache)
    assert worked[kind] == [], "not at once"
    aged(*first)
    second = build(folder(tunes), cache)
    assert len(worked[kind]) == 1
    (left_out,) = [row for row in second[0].quarantined + second[1].quarantined if row.file == lost]
    assert left_out.reason.endswith("crashed its process, twice")
    aged(*second)
    monkeypatch.setattr(module, "in_processes", counted)
    assert content(*build(folder(tunes), cache)) == content(*second), "twice is the piece's own fault"


def test_a_lost_piece_that_can_be_read_again_is_in_as_if_nothing_had_happened(
    tunes, cache, tmp_path, worked, monkeypatch
):
    real = reading_module.read_midi_bytes
    lost = tunes / "plain/book_0/tune_002.mid"

    def failing(entry, content):
        if entry.path == lost:
            raise PassingFault("the file could not be opened (Too many open files)")
        return real(entry, content)

    monkeypatch.setattr(reading_module, "read_midi_bytes", failing)
    for _ in range(3):  # a disk may fail more than twice
        first, _ = build(folder(tunes), cache)
        assert len(first) == 23
        aged(first)
    monkeypatch.setattr(reading_module, "read_midi_bytes", real)
    worked["read"].clear()
    after = build(folder(tunes), cache)
    assert worked["read"] == ["plain/book_0/tune_002.mid"]
    assert content(*after) == content(*build(folder(tunes), tmp_path / "other"))
    assert not list(cache.glob("*/*-before"))


def test_the_proof_is_that_of_a_new_build_whatever_was_built_before(tunes, cache, tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "_PROOF_PIECES", 40)
    # of a key signature that MidiTok does not write as it is, the table differs in some pieces
    tokenizer = REMI(TokenizerConfig(use_chords=True, chord_tokens_with_root_note=True))
    build(folder(tunes), cache, tokenizer)
    monkeypatch.setattr(store_module, "_PROOF_PIECES", 1)
    music.write(music.tune(5000), tunes / "new.mid")
    _, after = build(folder(tunes), cache, tokenizer)
    _, fresh = build(folder(tunes), tmp_path / "other", tokenizer)
    assert after.proof == fresh.proof


@pytest.mark.parametrize("damage", ["cut", "one bit"])
def test_nothing_is_taken_from_a_damaged_build(tunes, cache, tmp_path, worked, caplog, damage):
    build(folder(tunes / "plain"), cache)  # a build that is not damaged serves all the same
    _, before = build(folder(tunes), cache)
    path = before.directory / "tokens.bin"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 16
    path.write_bytes(data[:1000] if damage == "cut" else data)
    worked["tokenized"].clear()
    music.write(music.tune(5000), tunes / "new.mid")
    after = build(folder(tunes), cache)
    kept = len(folder(tunes / "plain"))
    assert 0 < kept < 24
    assert len(worked["tokenized"]) == 25 - kept
    said = f"{before.directory}: damaged; nothing is taken from it"
    assert (said in caplog.text) == (damage == "one bit"), "a cut one is not even looked into"
    assert content(*after) == content(*build(folder(tunes), tmp_path / "other"))


@pytest.mark.parametrize("unreadable", [False, True])
def test_a_file_that_changes_while_it_is_read_is_not_taken_for_what_it_was(
    unreadable, tunes, cache, tmp_path, monkeypatch
):
    path = tunes / "plain/book_0/tune_002.mid"
    before = path.read_bytes()
    real = corpus_module.digests_of

    def changing(paths, where):
        found = dict(zip(paths, real(paths, where), strict=True))
        music.write(music.tune(7000), path)
        return [None if unreadable and one == path else content for one, content in found.items()]

    monkeypatch.setattr(corpus_module, "digests_of", changing)
    corpus, _ = build(folder(tunes), cache)
    assert {row.file: row.reason for row in corpus.quarantined}[path.relative_to(tunes).as_posix()] == (
        "the file changed while it was read"
    )
    monkeypatch.setattr(corpus_module, "digests_of", real)
    path.write_bytes(before)
    aged(corpus)
    assert content(*build(folder(tunes), cache)) == content(*build(folder(tunes), tmp_path / "other"))
