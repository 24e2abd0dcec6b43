"""What a StoreWriter is given is what TokenStore opens."""

import music
import numpy as np
import pytest
from miditok import REMI

from midiaug.data.corpus import read_corpus
from midiaug.data.pieces import Limits
from midiaug.data.sources import folder
from midiaug.data.store import TokenStore, build_store
from midiaug.data.store_writer import StoreWriter


@pytest.fixture
def built(tmp_path):
    """A corpus of three pieces and its store with words."""
    music.corpus(tmp_path / "songs", 3, bars=4, chords=True)
    corpus = read_corpus(folder(tmp_path / "songs"), Limits(), tmp_path / "cache", processes=1)
    return corpus, build_store(corpus, REMI(), Limits(), tmp_path / "cache", processes=1, words=True)


def test_a_piece_is_copied_with_its_words_and_what_is_known_of_it(built, tmp_path):
    corpus, store = built
    (tmp_path / "new").mkdir()
    writer = StoreWriter(tmp_path / "new", REMI(), corpus, 400, words=True)
    with writer:
        for row in (0, 1, 2):
            writer.copy(row, store, row)
    writer.finish("x", frozenset({0}), None)
    copied = TokenStore(tmp_path / "new")
    assert copied.words is not None
    for row in range(len(store.tokens)):
        assert copied.tokens[row].tolist() == store.tokens[row].tolist()
        assert copied.words[row].tolist() == store.words[row].tolist()
        assert copied.words[row][0] == 0 < len(copied.words[row]) - 1
    assert copied.lowest.tolist() == store.lowest.tolist()
    assert copied.proof.cases == store.cases[0] > 0


def test_other_ids_may_be_written_in_place_of_a_pieces_own_and_what_proving_them_gave(built, tmp_path):
    corpus, store = built
    (tmp_path / "new").mkdir()
    writer = StoreWriter(tmp_path / "new", REMI(), corpus, 1 << 17, words=False)
    with writer:
        writer.copy(0, store, 0, [np.array([1, 100_000, 2]), np.array([1, 2])])
        writer.add(1, "too odd")
        writer.copy(2, store, 2)
    writer.prove(0, 3, None)
    writer.prove(2, 1, "shift +2: others")
    writer.finish("x", frozenset({0, 2}), None)
    written = TokenStore(tmp_path / "new")
    assert written.tokens[0].tolist() == [1, 100_000, 2]
    assert written.words is None
    assert written.has_pieces.tolist() == [True, False, True]
    assert [entry.reason for entry in written.quarantined] == ["too odd"]
    assert (written.proof.pieces, written.proof.cases) == (2, 4)
    assert written.proof.difference == f"{corpus.names[2]}, shift +2: others"


def test_nothing_is_left_open_where_writing_fails(built, tmp_path):
    corpus, store = built
    (tmp_path / "new").mkdir()
    writer = StoreWriter(tmp_path / "new", REMI(), corpus, 400, words=True)
    writer.__enter__()
    writer.copy(0, store, 0)
    writer.__exit__(OSError, OSError("full"), None)
    assert not (tmp_path / "new" / "tokens.npy").exists()


def test_a_store_without_words_has_none(built, tmp_path):
    corpus, store = built
    plain = build_store(corpus, REMI(), Limits(), tmp_path / "cache", processes=1)
    assert plain.words is None
    assert plain.directory != store.directory
    assert [plain.tokens[row].tolist() for row in range(len(plain.tokens))] == [
        store.tokens[row].tolist() for row in range(len(store.tokens))
    ]
