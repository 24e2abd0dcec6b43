"""What is prepared ahead is what training finds."""

import music
import pytest

from midiaug import MidiDataModule
from midiaug.data.preparation import prepare
from midiaug.errors import CorpusError


def source(folder, cache, **more) -> MidiDataModule:
    return MidiDataModule(folder, window=48, cache_dir=cache, **more)


def test_all_of_it_is_read_tokenized_and_counted(folder_of_tunes, cache):
    result = prepare(source(folder_of_tunes, cache))
    data = source(folder_of_tunes, cache)
    data.setup()
    assert (result.pieces, result.quarantined) == (24, [])
    assert result.tokens == int(data.store.tokens.lengths().sum())
    assert (result.corpus, result.store) == (data.corpus.directory.name, data.store.directory.name)
    assert result.bytes == sum(
        path.stat().st_size
        for folder in (cache / "corpora", cache / "stores")
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    )


def test_training_after_it_tokenizes_nothing(folder_of_tunes, cache, monkeypatch):
    prepare(source(folder_of_tunes, cache, tokenizer=music.Forbidden()))
    monkeypatch.setattr(music.Forbidden, "allowed", False)
    source(folder_of_tunes, cache, tokenizer=music.Forbidden()).setup()


def test_the_shards_hold_together_what_the_whole_holds(folder_of_tunes, cache, tmp_path):
    parts = [prepare(source(folder_of_tunes, cache), 3, shard) for shard in range(3)]
    whole = prepare(source(folder_of_tunes, tmp_path / "other"))
    assert sum(part.pieces for part in parts) == whole.pieces == 24
    assert sum(part.tokens for part in parts) == whole.tokens
    assert len({part.corpus for part in parts}) == 3
    assert [(part.shards, part.shard) for part in parts] == [(3, 0), (3, 1), (3, 2)]


def test_an_empty_shard_ends_well(tmp_path, cache, caplog):
    music.corpus(tmp_path / "tunes", 2)
    with caplog.at_level("INFO", "midiaug"):
        results = [prepare(source(tmp_path / "tunes", cache), 4, shard) for shard in range(4)]
    assert sorted(result.pieces for result in results) == [0, 0, 1, 1]
    assert caplog.text.count("nothing is left for this one") == 2


def test_a_shard_of_unreadable_files_ends_well_and_names_each(tmp_path, cache):
    music.corpus(tmp_path / "tunes", 4)
    for number in range(4):
        (tmp_path / "tunes" / f"a_{number}.mid").write_bytes(bytes(700))
    results = [prepare(source(tmp_path / "tunes", cache), 4, shard) for shard in range(4)]
    assert sum(result.pieces for result in results) == 4
    assert results[0].pieces == 0
    assert results[0].quarantined
    left_out = [entry.file for result in results for entry in result.quarantined]
    assert left_out == [f"a_{number}.mid" for number in range(4)]


def test_nothing_readable_in_all_is_an_error(tmp_path, cache):
    (tmp_path / "tunes").mkdir()
    (tmp_path / "tunes" / "a.mid").write_bytes(b"junk")
    with pytest.raises(CorpusError, match="no file can be used"):
        prepare(source(tmp_path / "tunes", cache))
