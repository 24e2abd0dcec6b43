"""The report holds every part that is asked for, its ratios come from its medians, and nothing else is left."""

import json
import tempfile

import pytest
from measuring import settings
from music import corpus

from midiaug.errors import BenchmarkError
from midiaug.measuring import measurements
from midiaug.measuring.contestants import BASE, DATASET_MIDI, MEMCPY, STOCK, TOKENS
from midiaug.measuring.measurements import measure, run_benchmark
from midiaug.measuring.settings import PARTS
from midiaug.measuring.timing import Figure


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """A folder for temporary files, to see that none stays."""
    folder = tmp_path / "for a while"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_a_full_disk_for_temporary_files_is_a_sentence_with_what_to_do(tmp_path, cache, disk, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(disk.path))
    chosen = settings(tmp_path / "two", cache, "parts=[loaders]")
    corpus(tmp_path / "two", 2, bars=6)
    disk.fill()
    with pytest.raises(BenchmarkError, match=rf"{disk.path}: cannot be written \(No space left on device.*TMPDIR"):
        measure(chosen)
    assert disk.files() == set()
    assert not cache.exists(), "it is said before any music is read"
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(BenchmarkError, match=rf"{tmp_path}/gone.* cannot be written \(No such file.*TMPDIR"):
        measure(chosen)


def medians_of(rounds: list[float]) -> float:
    return Figure(rounds, "").median


def test_a_whole_benchmark_of_two_pieces(tmp_path, cache, temporary):
    corpus(tmp_path / "my two", 2, bars=6)
    run_benchmark(settings(tmp_path / "my two", cache, "aug.shifts=[-1,0,1]"), tmp_path)
    report = json.loads((tmp_path / "benchmark.json").read_text())
    assert set(PARTS) <= set(report)
    assert (report["corpus"]["pieces"], report["corpus"]["training_pieces"]) == (2, 1)
    assert report["corpus"]["tokens"] > report["corpus"]["training_tokens"] > 0
    assert report["machine"]["cpu"]
    rows = report["loaders"]["rows"]
    for row in rows.values():
        assert len(row["rounds"]) == 2
        assert row["median"] == medians_of(row["rounds"]) > 0
        assert row["times_base"] == row["median"] / rows[BASE]["median"]
        assert row["times_stock"] == row["median"] / rows[STOCK]["median"]
    assert {TOKENS, MEMCPY} < set(rows)
    assert [name for name, row in rows.items() if "share_of_training_tokens" in row] == [DATASET_MIDI]
    disk = report["augment_dataset"]
    assert disk["files"] == 2
    assert disk["copies"]["bytes"] > disk["files_bytes"] * 2
    assert 0 < disk["store"]["bytes"] < disk["cache_bytes"]
    assert disk["times_store"] == disk["copies"]["median"] / disk["store"]["median"]
    assert set(report["start"]) == {"imports", "cold", "cached"}
    assert "1" in report["build"]
    step = report["step"]
    assert step["times_plain"] == step["lightning"]["median"] / step["plain"]["median"]
    assert (tmp_path / "benchmark.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert list(temporary.iterdir()) == []


def test_the_parts_that_are_not_asked_for_are_not_measured(folder_of_tunes, cache, temporary):
    report = measure(settings(folder_of_tunes, cache, "parts=[build]"))
    assert set(report) & set(PARTS) == {"build"}


def test_interrupted_it_leaves_nothing(folder_of_tunes, cache, temporary, monkeypatch):
    def interrupted(*_: object) -> None:
        assert list(temporary.rglob("*.mid"))
        raise KeyboardInterrupt

    monkeypatch.setattr(measurements, "copies_on_disk", interrupted)
    with pytest.raises(KeyboardInterrupt):
        measure(settings(folder_of_tunes, cache, "parts=[augment_dataset]"))
    assert list(temporary.iterdir()) == []
    assert measurements.log.isEnabledFor(measurements.logging.WARNING)


def test_a_process_that_fails_is_named_in_one_sentence(folder_of_tunes, cache, temporary, monkeypatch):
    monkeypatch.setattr(measurements.sys, "executable", "/bin/false")
    with pytest.raises(BenchmarkError, match=r"could not get ready to train \(status 1\); leave `start` out of parts"):
        measure(settings(folder_of_tunes, cache, "parts=[start]"))


def test_the_number_of_processes_doubles_up_to_the_cores(folder_of_tunes, cache, monkeypatch):
    asked = []
    monkeypatch.setattr(measurements, "cores", lambda: 6)
    monkeypatch.setattr(measurements, "build_store", lambda *given: asked.append(given[-1]))
    report = measure(settings(folder_of_tunes, cache, "parts=[build]"))
    assert list(report["build"]) == ["1", "2", "4", "6"]
    assert asked == [1, 2, 4, 6]
