"""Pieces in the rows of Parquet files: listed by the footers alone, read a few rows at a time."""

import sys
from pathlib import Path

import music
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from miditok import REMI

from midiaug import MidiDataModule, Shifts
from midiaug.data import parquet
from midiaug.data.corpus import read_corpus
from midiaug.data.pieces import Limits, read_midi_bytes
from midiaug.data.sources import folder
from midiaug.errors import ConfigError, CorpusError, QuarantinedFile


def tunes(count: int, first: int = 0) -> list[bytes]:
    return [music.tune(first + number, bars=8).dumps_midi() for number in range(count)]


def write(path: Path, rows: int = 100, **columns: object) -> Path:
    """A Parquet file of these columns, its row groups of `rows` rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path, row_group_size=rows)
    return path


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """Two files of 20 tunes in row groups of 7, and one that holds none."""
    ids = list(range(20))
    write(tmp_path / "set" / "train-0.parquet", 7, id=ids, midi=tunes(20), genre=["jig"] * 20)
    write(tmp_path / "set" / "more" / "train-1.parquet", 7, id=ids, midi=tunes(20, 20), genre=["reel"] * 20)
    write(tmp_path / "set" / "none.parquet", id=pa.array([], pa.int64()), midi=pa.array([], pa.binary()))
    return tmp_path / "set"


def test_each_row_is_an_entry_and_reads_as_the_bytes_in_it(published):
    entries = parquet.rows(published)
    names = ["more/train-1.parquet", "train-0.parquet"]
    assert [entry.name for entry in entries] == [f"{name}#{row}" for name in names for row in range(20)]
    assert [read_midi_bytes(entry) for entry in entries] == tunes(20, 20) + tunes(20)


def test_rows_are_read_in_any_order(published):
    entries = parquet.rows(published)
    for number in (39, 3, 3, 38, 21, 20, 0):
        assert read_midi_bytes(entries[number]) == tunes(1, (number + 20) % 40)[0]


def test_listing_reads_no_column(published, monkeypatch):
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("it was read")

    for name in ("read", "read_row_group", "iter_batches"):
        monkeypatch.setattr(pq.ParquetFile, name, forbidden)
    assert len(parquet.rows(published)) == 40


def test_rows_in_order_open_each_file_once_and_decode_each_row_group_once(published, monkeypatch):
    begun = []
    original = pq.ParquetFile.iter_batches

    def counted(self, *args, **kwargs):
        begun.append(kwargs["row_groups"])
        assert kwargs["columns"] == ["midi"], "the other columns are left on the disk"
        return original(self, *args, **kwargs)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", counted)
    for entry in parquet.rows(published):
        read_midi_bytes(entry)
    assert begun == [[0], [1], [2], [0], [1], [2]]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("train-0.parquet", ["train-0.parquet#0"]),
        ("*.parquet", ["train-0.parquet#0"]),
        ("**/*.parquet", ["more/train-1.parquet#0", "train-0.parquet#0"]),
        ("*/train-*", ["more/train-1.parquet#0"]),
        ("m?re/*.parquet", ["more/train-1.parquet#0"]),
        (".", ["more/train-1.parquet#0", "train-0.parquet#0"]),
    ],
)
def test_a_file_a_folder_or_a_pattern(published, pattern, names, monkeypatch):
    for path in (f"{published}/{pattern}", pattern):
        monkeypatch.chdir(published)
        assert [entry.name for entry in parquet.rows(path) if entry.row == 0] == names


def test_a_file_with_brackets_in_its_name_is_that_file(tmp_path):
    path = write(tmp_path / "a[1].parquet", midi=tunes(1))
    assert [entry.name for entry in parquet.rows(path)] == ["a[1].parquet#0"]


def test_a_struct_as_hugging_face_publishes_is_read_by_its_fields_name(tmp_path):
    first, second = tunes(2)
    rows = [{"bytes": first, "path": "a.mid"}, None, {"bytes": None, "path": "b.mid"}, {"bytes": second, "path": None}]
    path = write(tmp_path / "hub.parquet", 2, audio=rows)
    assert parquet.rows(path) == parquet.rows(path, "audio.bytes")
    entries = parquet.rows(path)
    assert read_midi_bytes(entries[0]) == first
    assert read_midi_bytes(entries[3]) == second
    for entry in entries[1:3]:
        with pytest.raises(QuarantinedFile, match="nothing in this row"):
            read_midi_bytes(entry)


def test_a_struct_in_a_struct_and_a_column_with_a_dot_in_its_name(tmp_path):
    first, second = tunes(2)
    path = write(tmp_path / "deep.parquet", **{"a": [{"b": {"c": first}}], "a.x": [second]})
    assert read_midi_bytes(parquet.rows(path, "a.b.c")[0]) == first
    assert read_midi_bytes(parquet.rows(path, "a.x")[0]) == second


@pytest.mark.parametrize("kind", [pa.large_binary(), pa.binary_view(), pa.binary(8)], ids=str)
def test_every_type_of_bytes_will_do(tmp_path, kind):
    path = write(tmp_path / "a.parquet", midi=pa.array([b"MThd1234"], kind))
    assert read_midi_bytes(parquet.rows(path)[0]) == b"MThd1234"


def test_empty_rows_and_junk_are_quarantined_with_the_reason_and_the_rest_is_read(tmp_path, cache):
    first, second = tunes(2)
    path = write(tmp_path / "a.parquet", 2, midi=[None, first, b"", b"junk", second, first])
    corpus = read_corpus(parquet.rows(path), Limits(), cache, processes=2)
    assert corpus.names.all() == ["a.parquet#1", "a.parquet#4"]
    assert {entry.file: entry.reason for entry in corpus.quarantined} == {
        "a.parquet#0": "nothing in this row",
        "a.parquet#2": "no bytes in this row",
        "a.parquet#3": "not readable as MIDI (it does not begin with the MThd header)",
        "a.parquet#5": "the same bytes as a.parquet#1",
    }


def test_two_columns_of_one_file_are_two_corpora(tmp_path, cache):
    path = write(tmp_path / "a.parquet", one=tunes(3), two=tunes(3, 3))
    first, second = (read_corpus(parquet.rows(path, name), Limits(), cache, processes=1) for name in ("one", "two"))
    assert first.midi[0].tobytes() == tunes(1)[0]
    assert second.midi[0].tobytes() == tunes(1, 3)[0]


def test_a_damaged_page_costs_its_rows_and_no_others(tmp_path):
    path = write(tmp_path / "a.parquet", 1, midi=tunes(3))
    chunk = pq.read_metadata(path).row_group(1).column(0)
    begin = chunk.dictionary_page_offset or chunk.data_page_offset
    data = bytearray(path.read_bytes())
    data[begin : begin + chunk.total_compressed_size] = bytes(chunk.total_compressed_size)
    path.write_bytes(data)
    entries = parquet.rows(path)
    assert [read_midi_bytes(entries[row]) for row in (0, 2)] == [tunes(3)[0], tunes(3)[2]]
    for _ in range(2):
        with pytest.raises(QuarantinedFile, match="this row cannot be read from the Parquet file"):
            read_midi_bytes(entries[1])


def test_a_file_that_is_gone_when_its_rows_are_read_is_a_reason(tmp_path):
    path = write(tmp_path / "a.parquet", midi=tunes(1))
    entries = parquet.rows(path)
    path.unlink()
    with pytest.raises(QuarantinedFile, match="cannot be read from the Parquet file"):
        read_midi_bytes(entries[0])


@pytest.mark.parametrize("path", ["nowhere", "*.parquet", "empty", "a/*/b.parquet"])
def test_no_match_is_one_sentence(tmp_path, path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        CorpusError, match=r"data\.path=.*: no \.parquet file there; give a file, a folder, or a pattern"
    ):
        parquet.rows(f"{tmp_path}/{path}")


def test_a_file_of_another_kind_is_named(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"not Parquet at all")
    with pytest.raises(CorpusError, match=r"a\.parquet: not readable as a Parquet file \(.*\); take it away$"):
        parquet.rows(tmp_path)


def test_no_rows_at_all_is_one_sentence(tmp_path):
    path = write(tmp_path / "a.parquet", midi=pa.array([], pa.binary()))
    with pytest.raises(CorpusError, match="no rows in its Parquet files"):
        parquet.rows(path)


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        (None, r"several columns hold bytes; say which with data\.column=one\|two\.bytes"),
        ("three", r"data\.column=three: no such column in a\.parquet; use one or two\.bytes"),
        ("two.path", r"data\.column=two\.path: of type string in a\.parquet, not bytes; use one or two\.bytes"),
        ("two", r"data\.column=two: of type struct<bytes: binary, path: string> in a\.parquet, not bytes; use one or"),
        ("id", r"data\.column=id: of type int64 in a\.parquet, not bytes"),
    ],
)
def test_a_wrong_column_is_one_sentence_with_those_it_may_be(tmp_path, column, sentence):
    path = write(tmp_path / "a.parquet", id=[1], one=tunes(1), two=[{"bytes": tunes(1)[0], "path": "a.mid"}])
    with pytest.raises(ConfigError, match=sentence):
        parquet.rows(path, column)


def test_no_column_of_bytes_is_said_with_the_columns_there_are(tmp_path):
    path = write(tmp_path / "a.parquet", id=[1], text=["MThd"])
    with pytest.raises(ConfigError, match="no column of bytes among id, text"):
        parquet.rows(path)


def test_a_file_without_the_column_of_the_others_is_named(tmp_path):
    write(tmp_path / "a.parquet", midi=tunes(1))
    write(tmp_path / "b.parquet", other=tunes(1))
    with pytest.raises(ConfigError, match=r"data\.column=midi: no such column in b\.parquet; use other"):
        parquet.rows(tmp_path)


def test_a_missing_pyarrow_is_said_with_the_command_that_brings_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(CorpusError, match=r"pip install 'midiaug\[parquet\]'"):
        parquet.rows(tmp_path)


def test_a_folder_of_parquet_given_as_a_folder_of_music_is_told_the_way(published):
    for path in (published, published / "train-0.parquet"):
        with pytest.raises(CorpusError, match="Parquet files are read with data=parquet"):
            folder(path)


def test_the_data_module_reads_parquet_as_it_reads_a_folder(published, tmp_path):
    for number, data in enumerate(tunes(40)):
        music.write(music.tune(0), tmp_path / "files" / f"{number:02d}.mid").write_bytes(data)
    how = {"tokenizer": REMI(), "shifts": Shifts.of(0), "window": 32, "cache_dir": tmp_path / "cache"}
    rows = MidiDataModule(str(published), source="parquet", column="midi", **how)
    files = MidiDataModule(tmp_path / "files", **how)
    for data in (rows, files):
        data.setup()
    assert rows.corpus.names[0] == "more/train-1.parquet#0"
    sizes = [sorted(data.corpus.midi.lengths().tolist()) for data in (rows, files)]
    assert sizes[0] == sizes[1]
    assert len(rows.store.tokens.data) == len(files.store.tokens.data)


def test_a_column_is_refused_where_no_parquet_is_read(tmp_path):
    with pytest.raises(ConfigError, match=r"data\.column=midi: only data=parquet has columns"):
        MidiDataModule(tmp_path, column="midi")
    with pytest.raises(ConfigError, match=r"data=parquet: data\.path is missing"):
        MidiDataModule(source="parquet")
