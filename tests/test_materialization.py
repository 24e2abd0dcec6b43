"""The corpus on disk: the same samples as on the fly, the same notes as MidiTok's copies, the same bytes every time."""

import hashlib
import json
import re
import shutil
from collections import Counter
from pathlib import Path

import music
import pytest
from miditok import REMI, CPWord, MuMIDI, TokenizerConfig
from symusic import Score

from midiaug import MidiDataModule, Shifts
from midiaug.data.transpose import written_range
from midiaug.errors import ConfigError, OutputError
from midiaug.measuring.rivals import copies_on_disk
from midiaug.offline.materialization import materialize
from midiaug.offline.settings import MaterializeSettings

SHIFTS = [-5, -3, -1, 0, 1, 3, 5]


def settings(path: Path, out: Path, cache: Path, **others) -> MaterializeSettings:
    chosen = MaterializeSettings(out=str(out), seed=others.pop("seed", 0))
    chosen.data.source, chosen.data.path, chosen.data.cache_dir = "folder", str(path), str(cache)
    chosen.data.num_workers = others.pop("num_workers", 1)
    chosen.aug.shifts = others.pop("shifts", SHIFTS)
    for key, value in others.items():
        setattr(chosen.aug if hasattr(chosen.aug, key) else chosen.data, key, value)
    return chosen


def files_below(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def manifest_of(out: Path) -> dict:
    return json.loads((out / "manifest.json").read_text())


@pytest.fixture(scope="module")
def source(tmp_path_factory, folder_of_tunes) -> Path:
    """The 24 tunes, one that leaves the range in some keys, and one file that cannot be read."""
    root = tmp_path_factory.mktemp("source") / "my [tunes]"
    shutil.copytree(folder_of_tunes, root)
    music.write(music.tune(77, low=92), root / "high.mid")
    (root / "broken.mid").write_bytes(b"MThd, or not")
    return root


@pytest.fixture(scope="module")
def out(tmp_path_factory, source) -> Path:
    """The copies of the 24 tunes."""
    place = tmp_path_factory.mktemp("out")
    summary, left_out = materialize(settings(source, place / "copies", place / "cache", num_workers=2), REMI())
    assert [entry.file for entry in left_out] == ["broken.mid"]
    assert summary.files == summary.written
    return place / "copies"


def samples(data: MidiDataModule, epochs: int) -> Counter[bytes]:
    """The token rows of so many epochs, each with its mask, and how often each came."""
    loader, rows = data.train_dataloader(), Counter()
    for epoch in range(epochs):
        loader.sampler.set_epoch(epoch)
        for batch in loader:
            rows.update(
                ids.numpy().tobytes() + mask.numpy().tobytes()
                for ids, mask in zip(batch["input_ids"], batch["attention_mask"], strict=True)
            )
    return rows


@pytest.mark.parametrize("use_programs", [False, True])
def test_training_on_the_copies_sees_the_samples_of_seven_balanced_epochs(source, out, tmp_path, use_programs):
    from miditok import TokenizerConfig

    tokenizer = REMI(TokenizerConfig(use_programs=use_programs))
    how = {"window": 48, "batch_size": 16, "cache_dir": tmp_path}
    on_the_fly = MidiDataModule(source, tokenizer, Shifts.of(*SHIFTS), draw="balanced", **how)
    on_disk = MidiDataModule(out, tokenizer, Shifts.of(0), split=out / "split.json", **how)
    expected = samples(on_the_fly, epochs=7)
    assert expected.total() > 1000
    assert samples(on_disk, epochs=1) == expected


def test_no_tune_is_on_both_sides(source, out, tmp_path):
    data = MidiDataModule(source, REMI(), cache_dir=tmp_path)
    side_of = dict(zip(data.split.names, data.split.validation.tolist(), strict=True))
    group_of = dict(zip(data.split.names, data.split.group.tolist(), strict=True))
    rows = manifest_of(out)["copies"]
    pieces = json.loads((out / "split.json").read_text())["pieces"]
    assert {row["file"]: {"side": row["side"], "group": row["group"]} for row in rows} == pieces
    for row in rows:
        assert row["side"] == ("val" if side_of[row["source"]] else "train")
        assert row["group"] == group_of[row["source"]]
    assert {row["side"] for row in rows} == {"train", "val"}


def test_the_manifest_names_every_file_with_its_hash_and_what_was_left_out(source, out):
    files, manifest = files_below(out), manifest_of(out)
    assert {row["file"] for row in manifest["copies"]} | {"manifest.json", "split.json"} == set(files)
    for row in manifest["copies"]:
        assert row["sha256"] == hashlib.sha256(files[row["file"]]).hexdigest()
        assert row["notes"] == Score.from_midi(files[row["file"]]).note_num()
        folder, _, name = row["source"].rpartition("/")
        assert row["file"] == f"{folder}{'/' if folder else ''}{name[:-4]}_{row['shift']:+d}.mid"
    highest = Score(source / "high.mid").tracks[0].notes.numpy()["pitch"].max()
    low, high = written_range(REMI())
    assert high - 5 < highest <= high
    kept = [row["shift"] for row in manifest["copies"] if row["source"] == "high.mid"]
    assert kept == [shift for shift in SHIFTS if highest + shift <= high]
    assert [(row["source"], row["shift"]) for row in manifest["left_out"]] == [("broken.mid", None)]
    assert (manifest["shifts"], manifest["out_of_range"]) == (SHIFTS, "limit")
    assert (manifest["pitch_range"], manifest["seed"]) == ([low, high], 0)


@pytest.mark.parametrize("kind", [CPWord, MuMIDI])
def test_a_tokenizer_of_several_vocabularies_is_named_as_miditok_does_and_has_its_range(source, tmp_path, kind):
    tokenizer = kind(TokenizerConfig(pitch_range=(40, 100)))
    materialize(settings(source, tmp_path / "copies", tmp_path / "cache", shifts=[0], limit=4), tokenizer)
    manifest = manifest_of(tmp_path / "copies")
    names = [name for vocabulary in tokenizer.vocab for name in vocabulary]
    pitches = [int(name.removeprefix("Pitch_")) for name in names if re.fullmatch(r"Pitch_\d+", name)]
    assert (manifest["tokenizer"], manifest["pitch_range"]) == (kind.__name__, [min(pitches), max(pitches)])


def test_the_notes_are_those_of_miditoks_copies(source, out, tmp_path):
    shutil.copytree(source, tmp_path / "in", ignore=shutil.ignore_patterns("broken.mid", "high.mid"))
    (tmp_path / "theirs").mkdir()
    copies_on_disk(tmp_path / "in", tmp_path / "theirs", SHIFTS, 1)
    theirs = sorted((tmp_path / "theirs").rglob("*.mid"))
    assert len(theirs) == 24 * 7
    for path in theirs:
        stem, _, shift = path.stem.partition("#p")
        ours = out / path.parent.relative_to(tmp_path / "theirs") / f"{stem}_{int(shift or 0):+d}.mid"
        one, other = Score(ours), Score(path)
        assert [track.notes for track in one.tracks] == [track.notes for track in other.tracks]
        assert [track.is_drum for track in one.tracks] == [track.is_drum for track in other.tracks]


def test_a_second_run_finds_everything_there(source, out, caplog):
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    with caplog.at_level("INFO", "midiaug"):
        summary, _ = materialize(settings(source, out, out.parent / "cache"), REMI())
    assert summary.written == 0
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before
    assert f"{summary.files} files of a run that came to its end" in caplog.text


def test_the_number_of_processes_changes_no_byte(source, out, tmp_path):
    materialize(settings(source, tmp_path / "copies", tmp_path / "cache"), REMI())
    assert files_below(tmp_path / "copies") == files_below(out)


def test_a_finished_folder_is_mended(source, out, tmp_path):
    shutil.copytree(out, tmp_path / "copies")
    (tmp_path / "copies" / "high_+0.mid").unlink()
    (tmp_path / "copies" / "high_+1.mid").write_bytes(b"")
    (tmp_path / "copies" / "split.json").unlink()
    summary, _ = materialize(settings(source, tmp_path / "copies", tmp_path / "cache"), REMI())
    assert summary.written == 2
    assert files_below(tmp_path / "copies") == files_below(out)


@pytest.mark.parametrize(
    "change",
    [{"side": "val"}, {"side": "train"}, {"group": 99}, {"sha256": "0" * 64}, {"file": "../mine.mid"}, {"shift": 7}],
    ids=lambda change: "".join(change),
)
def test_a_manifest_that_does_not_say_what_is_there_is_written_anew(source, out, tmp_path, caplog, change):
    shutil.copytree(out, tmp_path / "copies")
    manifest = json.loads((out / "manifest.json").read_text())
    row = next(row for row in manifest["copies"] if not change.items() <= row.items())
    row |= change
    (tmp_path / "copies" / "manifest.json").write_text(json.dumps(manifest))
    summary, _ = materialize(settings(source, tmp_path / "copies", tmp_path / "cache"), REMI())
    assert summary.written == 0
    assert files_below(tmp_path / "copies") == files_below(out)
    assert "manifest.json did not say what is there; it was written anew" in caplog.text
    assert not (tmp_path / "mine.mid").exists()


def test_a_file_that_was_changed_is_not_written_over(source, out, tmp_path):
    shutil.copytree(out, tmp_path / "copies")
    mine = tmp_path / "copies" / "high_+0.mid"
    mine.write_bytes(b"my own music")
    with pytest.raises(OutputError, match=re.escape(f"{mine}: in the way")):
        materialize(settings(source, tmp_path / "copies", tmp_path / "cache"), REMI())
    assert mine.read_bytes() == b"my own music"


def test_other_settings_are_refused(source, out, tmp_path):
    for others, named in [
        ({"seed": 3}, "seed was 0, and is 3 now"),
        ({"shifts": [0]}, "shifts was"),
        ({"out_of_range": "drop"}, "out_of_range was limit, and is drop now"),
        ({"limit": 20}, r"the music was another one: 5 pieces are gone \(such as .*\); put it back as it was to go on"),
        ({"val_split": 0.5}, "val_split was"),
    ]:
        with pytest.raises(OutputError, match=named):
            materialize(settings(source, out, tmp_path / "cache", **others), REMI())


def test_what_became_of_the_music_is_said(source, out, tmp_path):
    shutil.copytree(source, tmp_path / "in")
    (tmp_path / "in" / "high.mid").unlink()
    music.write(music.tune(78), tmp_path / "in" / "new.mid")
    other = next(
        path for path in sorted((tmp_path / "in").rglob("*.mid")) if path.name not in ("broken.mid", "new.mid")
    )
    music.write(music.tune(79), other)
    before = files_below(out)
    with pytest.raises(OutputError, match="was another one") as refusal:
        materialize(settings(tmp_path / "in", out, tmp_path / "cache"), REMI())
    for change in ("new (new.mid)", "gone (high.mid)", f"changed ({other.relative_to(tmp_path / 'in')})"):
        assert f"1 piece is {change}" in str(refusal.value)
    assert files_below(out) == before


def test_a_place_that_cannot_be_written_is_named_before_any_music_is_read(source, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"out=.*/file/copies: .*/file is a file, not a folder"):
        materialize(settings(source, tmp_path / "file" / "copies", tmp_path / "cache"), REMI())
    assert not (tmp_path / "cache").exists()


def test_the_folder_of_the_music_is_refused(source, tmp_path):
    with pytest.raises(ConfigError, match="inside the folder of the music"):
        materialize(settings(source, source / "copies", tmp_path / "cache"), REMI())
    assert not (source / "copies").exists()


def test_the_tunes_of_an_abc_file_and_the_rows_of_parquet_become_files(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow

    tunes = [bytes(music.tune(number).dumps_midi()) for number in range(3)]
    parquet.write_table(pyarrow.table({"music": tunes}), tmp_path / "all.parquet")
    chosen = settings(
        tmp_path / "all.parquet", tmp_path / "out", tmp_path / "cache", source="parquet", shifts=[0, 2, 4]
    )
    summary, _ = materialize(chosen, REMI())
    assert summary.files == 9
    assert {path.name for path in (tmp_path / "out").glob("all#1_*")} == {
        "all#1_+0.mid",
        "all#1_+2.mid",
        "all#1_+4.mid",
    }
    assert (tmp_path / "out" / "all#2_+0.mid").read_bytes() == tunes[2]
