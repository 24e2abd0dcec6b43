"""The store holds what the tokenizer gives for each piece, and is built once."""

import json
import multiprocessing
import os
import signal
import time

import music
import numpy as np
import pytest
from miditok import REMI, TSD, CPWord, MIDILike, MuMIDI, Octuple, Structured, TokenizerConfig
from symusic import ControlChange, Note

from midiaug.data.columns import ends_of, flattened
from midiaug.data.corpus import read_corpus
from midiaug.data.pieces import Limits, parse
from midiaug.data.proof import prove_routes, tokenize
from midiaug.data.sources import folder
from midiaug.data.store import build_store
from midiaug.data.store_writer import MAX_WINDOW
from midiaug.data.transpose import TokenTransposer
from midiaug.errors import PitchOutOfRange

PROGRAMS = {"use_programs": True}


def corpus_of(root, cache):
    return read_corpus(folder(root), Limits(), cache, processes=1)


def store_of(corpus, tokenizer, cache, *, processes=1, **limits):
    return build_store(corpus, tokenizer, Limits(**limits), cache, processes)


def score_of(corpus, row):
    return parse(corpus.midi[row].tobytes(), Limits())


def sequences(store):
    return [store.tokens[row].tolist() for row in range(len(store.tokens))]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Nine pieces of four bars: melodies, melodies with chords, and both with drums."""
    root = tmp_path_factory.mktemp("store")
    music.corpus(root / "a", 3, seed=100, bars=4, low=85)
    music.corpus(root / "b", 3, seed=200, bars=4, low=48, chords=True)
    music.corpus(root / "c", 3, seed=300, bars=4, low=48, chords=True, drums=True)
    return corpus_of(root, root / "cache")


class Deadly(REMI):
    """Takes its process down with it on a piece in 7/8."""

    def __call__(self, score, *args, **kwargs):
        if any(signature.numerator == 7 for signature in score.time_signatures):
            os._exit(1)
        return super().__call__(score, *args, **kwargs)


class Narrow(REMI):
    """Fails on a piece that begins above the highest note it knows."""

    def __call__(self, score, *args, **kwargs):
        if score.tracks[0].notes[0].pitch > 100:
            raise KeyError("too high")
        return super().__call__(score, *args, **kwargs)


class Slow(REMI):
    """Tokenizes once it is awake."""

    awake = False

    def __call__(self, *args, **kwargs):
        time.sleep(0 if self.awake else 600)
        return super().__call__(*args, **kwargs)


# What it holds


@pytest.mark.parametrize(
    "tokenizer",
    [
        REMI(),
        REMI(TokenizerConfig(**PROGRAMS)),
        TSD(TokenizerConfig(special_tokens=["PAD"])),
        MIDILike(),
        Structured(TokenizerConfig(special_tokens=["PAD", "EOS"])),
    ],
    ids=["remi", "remi_programs", "tsd_without_bos_eos", "midilike", "structured_without_bos"],
)
def test_it_holds_the_tokens_of_each_piece_between_bos_and_eos(corpus, cache, tokenizer):
    store = store_of(corpus, tokenizer, cache)
    begin, end = ([tokenizer.vocab[name]] if name in tokenizer.vocab else [] for name in ("BOS_None", "EOS_None"))
    expected, places = [], []
    for row in range(len(corpus)):
        encoded = tokenizer(score_of(corpus, row))
        for track, sequence in enumerate(encoded if isinstance(encoded, list) else [encoded]):
            expected.append(begin + sequence.ids + end)
            places.append((row, track))
    assert sequences(store) == expected
    assert list(zip(store.piece.tolist(), store.track.tolist(), strict=True)) == places
    assert store.has_pieces.tolist() == [True] * len(corpus)


def test_it_holds_merged_tokens_as_the_trained_tokenizer_gives_them(corpus, cache, trained):
    store = store_of(corpus, trained, cache)
    ends = trained.vocab["BOS_None"], trained.vocab["EOS_None"]
    expected = [
        [ends[0], *sequence.ids, ends[1]] for row in range(len(corpus)) for sequence in trained(score_of(corpus, row))
    ]
    assert sequences(store) == expected
    assert max(map(max, expected)) >= len(REMI())
    assert store.proof.cases == 0
    assert store.proof.difference == "a trained tokenizer merges pitches with other tokens, which no table can shift"


def test_drums_that_share_the_pitch_tokens_have_aliases_which_the_table_maps_back(corpus, cache):
    tokenizer = REMI(TokenizerConfig(**PROGRAMS, use_pitchdrum_tokens=False))
    store, table = store_of(corpus, tokenizer, cache), TokenTransposer(tokenizer)
    for row in range(len(corpus)):
        score = score_of(corpus, row)
        drums = sum(len(track.notes) for track in score.tracks if track.is_drum)
        [stored] = [store.tokens[place] for place in np.flatnonzero(store.piece == row)]
        assert (stored >= table.vocab_size).sum() == drums
        assert table(stored, 0).tolist()[1:-1] == tokenizer(score).ids
    assert store.proof.difference is None


def test_it_knows_the_room_of_each_piece(corpus, cache):
    tokenizer = REMI()
    store, table = store_of(corpus, tokenizer, cache), TokenTransposer(tokenizer)
    for row in range(len(corpus)):
        pitches = [note.pitch for track in score_of(corpus, row).tracks if not track.is_drum for note in track.notes]
        assert (store.lowest[row], store.highest[row]) == (21 - min(pitches), 109 - max(pitches))
        rows = [store.tokens[place] for place in np.flatnonzero(store.piece == row)]
        nearest = min(store.lowest[row], store.highest[row], key=abs)
        for ids in rows:
            table(ids, nearest)
        with pytest.raises(PitchOutOfRange):
            [table(ids, nearest + np.sign(nearest)) for ids in rows]


def test_it_lies_on_disk_in_the_narrowest_type_with_room_behind_the_last_token(corpus, cache):
    store = store_of(corpus, REMI(), cache)
    assert isinstance(store.tokens.data.base, np.memmap)
    assert store.tokens.data.dtype == np.uint16
    assert len(store.tokens.data) == store.tokens.offsets[-1] + MAX_WINDOW


def test_notes_without_a_token_are_left_out_and_counted(tmp_path, cache):
    score = music.tune(1, bars=4)
    wide = score.copy()
    for pitch in (3, 120, 127):
        wide.tracks[0].notes.append(Note(0, 480, pitch, 80, "tick"))
    music.write(wide, tmp_path / "a" / "wide.mid")
    store = store_of(corpus_of(tmp_path / "a", cache), REMI(), cache)
    assert store.unwritable.tolist() == [3]
    assert sequences(store)[0][1:-1] == REMI()(score)[0].ids


# The proof


def test_both_routes_are_compared_on_the_pieces_of_the_sample(corpus, cache):
    store, tokenizer = store_of(corpus, REMI(), cache), REMI()
    assert store.proof.difference is None
    assert store.proof.pieces == len(corpus)
    assert store.proof.cases == 4 * len(corpus)
    rows = tokenize(tokenizer, score_of(corpus, 0))
    assert prove_routes(rows, score_of(corpus, 0), tokenizer, TokenTransposer(tokenizer), [1, 2]) == (2, None)


def test_a_piece_that_the_table_gets_wrong_is_found_wherever_it_lies(tmp_path, cache):
    # MidiTok writes C major where a piece names no key, which shifting the score cannot move and the table does
    tokenizer = REMI(TokenizerConfig(use_key_signatures=True))
    for number in range(60):
        score = music.tune(number, bars=1)
        if number == 2:
            score.key_signatures.clear()
        music.write(score, tmp_path / "a" / f"{number:02d}.mid")
    corpus = corpus_of(tmp_path / "a", cache)
    store, table = store_of(corpus, tokenizer, cache), TokenTransposer(tokenizer)
    rows = tokenize(tokenizer, score_of(corpus, 2))
    agrees = prove_routes(rows, score_of(corpus, 2), tokenizer, table, [2])[1] is None
    assert agrees or store.proof.difference is not None


def test_a_tokenizer_that_fails_on_a_shifted_piece_only_does_not_end_the_build(corpus, cache):
    store = store_of(corpus, Narrow(), cache)
    assert store.quarantined or "KeyError" in store.proof.difference


# Built once


def test_one_process_and_two_build_the_same_store(corpus, tmp_path):
    tokenizer = REMI()
    one = store_of(corpus, tokenizer, tmp_path / "one", processes=1)
    two = store_of(corpus, tokenizer, tmp_path / "two", processes=2)
    assert one.directory.name == two.directory.name
    names = sorted(path.name for path in one.directory.iterdir())
    assert names == sorted(path.name for path in two.directory.iterdir())
    for name in names:
        assert (one.directory / name).read_bytes() == (two.directory / name).read_bytes()


def test_a_second_build_finds_the_first_and_tokenizes_nothing(corpus, cache, monkeypatch):
    first = store_of(corpus, music.Forbidden(), cache)
    monkeypatch.setattr(music.Forbidden, "allowed", False)
    second = store_of(corpus, music.Forbidden(), cache)
    assert sequences(second) == sequences(first)
    third = store_of(corpus, music.Forbidden(), cache.with_name("empty"))
    assert len(third.quarantined) == len(corpus)  # so it would have been noticed


def test_other_settings_other_music_and_other_limits_are_other_stores(corpus, trained, tmp_path, cache):
    other_corpus = corpus_of(music.corpus(tmp_path / "other", 1, seed=900, bars=4)[0].parent, cache)
    other_training = REMI()
    other_training.train(
        vocab_size=len(other_training) + 30,
        model="BPE",
        files_paths=music.corpus(tmp_path / "files", 3, seed=950, bars=8),
    )
    stores = [
        store_of(corpus, REMI(), cache),
        store_of(corpus, TSD(), cache),
        store_of(corpus, REMI(TokenizerConfig(use_rests=True)), cache),
        store_of(corpus, trained, cache),
        store_of(corpus, other_training, cache),
        store_of(corpus, REMI(), cache, max_tokens=5000),
        store_of(other_corpus, REMI(), cache),
    ]
    assert len({store.directory for store in stores}) == len(stores)
    assert store_of(corpus, REMI(), cache).directory == stores[0].directory


def test_a_killed_build_leaves_nothing_that_the_next_would_take(corpus, cache, monkeypatch):
    builder = multiprocessing.get_context("fork").Process(target=_build_slowly, args=(corpus, cache))
    builder.start()
    stores = cache / "stores"
    try:
        give_up = time.monotonic() + 30
        while not list(stores.glob(".*/tokens.bin")):
            assert time.monotonic() < give_up
            time.sleep(0.02)
    finally:
        os.killpg(builder.pid, signal.SIGKILL)  # the builder and the processes that it started
        builder.join()
    assert [path.name for path in stores.iterdir() if not path.name.startswith(".") and path.is_dir()] == []
    assert len(list(stores.glob(".*/tokens.bin"))) == 1

    monkeypatch.setattr(Slow, "awake", True)
    store = store_of(corpus, Slow(), cache)
    assert len(store.tokens) > len(corpus)
    assert [path for path in stores.iterdir() if path.is_dir()] == [store.directory]


def _build_slowly(corpus, cache):
    os.setsid()
    store_of(corpus, Slow(), cache)


# Pieces that cannot be tokenized


def test_a_piece_that_the_tokenizer_fails_on_is_left_out_alone(tmp_path, cache):
    music.corpus(tmp_path / "a", 5, seed=10, bars=4)
    pedalled = music.tune(20, bars=4, program=40)  # MidiTok has no pedal for program 40 where it writes no programs
    pedalled.tracks[0].controls.append(ControlChange(0, 64, 127, "tick"))
    pedalled.tracks[0].controls.append(ControlChange(480, 64, 0, "tick"))
    music.write(pedalled, tmp_path / "a" / "book_0" / "tune_002b.mid")
    tokenizer = REMI(TokenizerConfig(use_sustain_pedals=True))
    corpus = corpus_of(tmp_path / "a", cache)
    store = store_of(corpus, tokenizer, cache)
    [entry] = store.quarantined
    assert entry.file == "book_0/tune_002b.mid"
    assert entry.reason == "the tokenizer failed on it (KeyError: 'Pedal_40')"
    assert store.has_pieces.tolist() == [name != entry.file for name in corpus.names.all()]
    assert [row[1:-1] for row in sequences(store)] == [
        tokenizer(score_of(corpus, row))[0].ids for row in np.flatnonzero(store.has_pieces)
    ]


@pytest.mark.parametrize("processes", [1, 2])
def test_a_piece_that_kills_its_process_is_left_out_alone(tmp_path, cache, processes):
    music.corpus(tmp_path / "a", 5, seed=10, bars=4)
    odd = music.tune(20, bars=4)
    odd.time_signatures[0].numerator = 7
    music.write(odd, tmp_path / "a" / "book_0" / "tune_002b.mid")
    store = store_of(corpus_of(tmp_path / "a", cache), Deadly(), cache, processes=processes)
    assert [(entry.file, entry.reason) for entry in store.quarantined] == [
        ("book_0/tune_002b.mid", "tokenizing it crashed its process")
    ]
    assert store.has_pieces.sum() == 5


def test_a_piece_of_too_many_tokens_is_left_out_with_both_numbers(tmp_path, cache):
    music.corpus(tmp_path / "a", 3, seed=10, bars=4)
    long = music.write(music.tune(20, bars=40), tmp_path / "a" / "long.mid")
    tokens = len(REMI()(long)[0].ids)
    corpus = corpus_of(tmp_path / "a", cache)
    assert store_of(corpus, REMI(), cache, max_tokens=tokens).quarantined == []
    store = store_of(corpus, REMI(), cache, max_tokens=tokens - 1)
    [entry] = store.quarantined
    assert (entry.file, entry.reason) == (
        "long.mid",
        f"too long: {tokens:,} tokens, and data.max_tokens is {tokens - 1:,}",
    )
    assert store.has_pieces.sum() == 3


def test_a_piece_without_a_note_that_can_be_written_is_left_out(tmp_path, cache):
    music.corpus(tmp_path / "a", 2, seed=10, bars=4)
    music.write(music.tune(20, bars=4), tmp_path / "a" / "high.mid")
    tokenizer = REMI(TokenizerConfig(pitch_range=(21, 50)))
    store = store_of(corpus_of(tmp_path / "a", cache), tokenizer, cache)
    assert {entry.reason for entry in store.quarantined} == {"no note within the pitches that the tokenizer writes"}
    assert len(store.quarantined) == 3
    assert len(store.tokens) == 0


@pytest.mark.parametrize("kind", [CPWord, Octuple, MuMIDI])
@pytest.mark.parametrize("options", [{}, PROGRAMS])
def test_time_steps_of_several_ids_are_kept_whole_between_a_beginning_and_an_end(corpus, tmp_path, kind, options):
    tokenizer = flattened(kind(TokenizerConfig(**options)))
    store = store_of(corpus, tokenizer, tmp_path)
    bos, eos = ends_of(tokenizer)
    expected = [
        [*bos, *row.tolist(), *eos] for piece in range(9) for row in tokenize(tokenizer, score_of(corpus, piece))
    ]
    assert sequences(store) == expected
    assert store.columns == tokenizer.columns == len(bos)
    assert store.proof.difference is None
    assert store.proof.cases >= 27


def test_pieces_of_more_bars_than_are_written_are_left_out_with_the_reason(tmp_path):
    music.corpus(tmp_path / "short", 1, seed=1, bars=4)
    music.corpus(tmp_path / "long", 1, seed=2, bars=5)
    corpus = corpus_of(tmp_path, tmp_path / "cache")
    store = store_of(corpus, flattened(Octuple(TokenizerConfig(max_bar_embedding=4))), tmp_path / "cache")
    assert [(entry.file.partition("/")[0], entry.reason) for entry in store.quarantined] == [
        ("long", "too long: tokenizer.params.max_bar_embedding is 4 bars")
    ]
    assert store.has_pieces.sum() == 1


def test_a_store_of_an_older_version_has_one_id_a_step(corpus, tmp_path):
    store = store_of(corpus, REMI(), tmp_path)
    meta = json.loads((store.directory / "meta.json").read_text())
    assert meta.pop("columns") == 1
    (store.directory / "meta.json").write_text(json.dumps(meta))
    assert type(store)(store.directory).columns == 1
