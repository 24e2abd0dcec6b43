"""A directory is whole where its name, its files, their lengths and their checksums are those of its build."""

import zlib

import pytest

from midiaug.data.checksums import checksum, is_whole, write_checksums


@pytest.fixture
def built(tmp_path):
    """A directory of an index and data, as a build leaves it."""
    directory = tmp_path / "key"
    directory.mkdir()
    (directory / "index.npy").write_bytes(bytes(range(256)))
    (directory / "tokens.bin").write_bytes(bytes(range(256)) * 8192)  # more than is read at once
    write_checksums(directory, "key")
    return directory


def flip(path, place, bit=1):
    content = bytearray(path.read_bytes())
    content[place] ^= bit
    path.write_bytes(content)


def test_what_was_built_is_whole_also_while_it_is_built_anew(built):
    assert is_whole(built)
    assert is_whole(built, verify=True)
    assert is_whole(built.rename(built.with_name("key-before")), verify=True)
    assert not is_whole((built.parent / "key-before").rename(built.parent / "key2"))


@pytest.mark.parametrize("bit", [1, 128])
@pytest.mark.parametrize("place", [0, 100, 255])
def test_a_flipped_bit_of_the_index_is_found_and_one_of_the_data_where_it_is_asked_for(built, place, bit):
    flip(built / "index.npy", place, bit)
    assert not is_whole(built)
    flip(built / "index.npy", place, bit)
    flip(built / "tokens.bin", place * 8192, bit)
    assert is_whole(built)
    assert not is_whole(built, verify=True)


def test_every_flipped_bit_of_the_list_itself_is_found(built):
    size = (built / "checksums.json").stat().st_size
    for place in range(size):
        flip(built / "checksums.json", place, 4)
        assert not is_whole(built, verify=True), place
        flip(built / "checksums.json", place, 4)
    assert is_whole(built, verify=True)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"of": "key"}', '{"of": "key", "files": {"index.npy": 1}}', "7"])
def test_a_list_of_another_shape_is_not_whole(built, content):
    (built / "checksums.json").write_text(content)
    assert not is_whole(built)


def test_a_directory_that_is_not_there_is_not_whole(tmp_path):
    assert not is_whole(tmp_path / "nothing")


def test_the_checksum_of_a_file_is_that_of_its_bytes(built):
    assert checksum(built / "tokens.bin") == zlib.crc32((built / "tokens.bin").read_bytes())


def test_files_in_folders_below_count_by_their_length_and_by_their_bytes_where_that_is_asked_for(tmp_path):
    directory = tmp_path / "music"
    (directory / "book" / "part").mkdir(parents=True)
    tune = directory / "book" / "part" / "tune.mid"
    tune.write_bytes(b"MThd")
    write_checksums(directory, "music")
    assert is_whole(directory, verify=True)
    flip(tune, 0)
    assert is_whole(directory)
    assert not is_whole(directory, verify=True)
    tune.write_bytes(b"MTh")
    assert not is_whole(directory)
