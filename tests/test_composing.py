"""From a checkpoint to a folder of music and its figures, in this process."""

import errno
import json
import math
import os
import re
import resource
import shutil
import sys
from pathlib import Path

import pytest
import torch
import training
from generating import tune_file
from test_songs import notes_of

from midiaug import files
from midiaug.errors import CheckpointError, ConfigError, CorpusError
from midiaug.generation import composing
from midiaug.generation.composing import generate_music
from midiaug.generation.prompts import read_prompt
from midiaug.generation.settings import GenerateSettings, MusicPlace
from midiaug.keys import Key
from midiaug.metrics import FIGURES
from midiaug.sentences import sentence_of
from midiaug.trained import load_trained


@pytest.fixture(scope="module")
def finished(folder_of_tunes, tmp_path_factory):
    """A run of one epoch: its checkpoint, in a folder with its music beside it."""
    root = tmp_path_factory.mktemp("finished")
    music_folder = shutil.copytree(folder_of_tunes, root / "tunes")
    chosen = training.settings(music_folder, root / "cache", "trainer.max_epochs=1", "data.val_split=0.25")
    _, learner, _ = training.run(chosen, root)
    learner.trainer.save_checkpoint(root / "a.ckpt")
    return root / "a.ckpt"


def generated(ckpt, folder, **keys):
    folder.mkdir()
    keys = {"n": 3, "max_bars": 4, "max_tokens": 200} | keys
    return generate_music(GenerateSettings(ckpt=str(ckpt), **keys), ckpt, folder, None)


def test_the_folder_holds_music_a_picture_and_the_figures(finished, tmp_path):
    result = generated(finished, tmp_path / "a")
    names = ["01.mid", "02.mid", "03.mid", "generate.json", "generated.png"]
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == names
    assert json.loads((tmp_path / "a" / "generate.json").read_text()) == result
    assert [row["file"] for row in result["files"]] == names[:3]
    assert all(row["notes"] > 0 and 1 <= row["bars"] <= 4 for row in result["files"])
    assert set(FIGURES) <= set(result["variety"]["generated"]) & set(result["variety"]["validation"])
    assert result["copying"]["validation"]["share_of_12grams"] is not None
    assert set(result["files"][0]) == {"file", "notes", "bars", "ended", "told", "key", "variety", "copying"}
    assert result["tokens_per_second"] > 0
    assert result["prompts"] is None
    assert "bars" not in result  # nothing was given


def test_how_well_the_model_knows_the_music_is_said_and_a_beginner_is_called_one(finished, tmp_path, caplog):
    caplog.set_level("INFO", "midiaug")
    generated(finished, tmp_path / "a")
    said = re.search(r"epoch 1: (\d\.\d{3}) nats a token .* where guessing costs (\d\.\d{3}); right at", caplog.text)
    val, blind = map(float, said.groups())
    assert blind == pytest.approx(math.log(load_trained(finished).learner.model.embedding.num_embeddings), abs=1e-3)
    assert 0.5 * blind < val < 1.5 * blind
    assert "the model is a beginner, and what it writes will wander" in caplog.text
    caplog.clear()
    content = torch.load(finished, weights_only=True)
    content["callbacks"]["History"]["rows"][-1] |= {"loss/val": 0.4 * blind, "accuracy/top1": 0.75}
    torch.save(content, tmp_path / "good.ckpt")
    generated(tmp_path / "good.ckpt", tmp_path / "b")
    assert "right at the first guess 75%" in caplog.text
    assert "beginner" not in caplog.text


def test_the_same_seed_writes_the_same_files(finished, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        generated(finished, tmp_path / name, seed=seed)
    first, again, other = ([(tmp_path / n / f"0{i}.mid").read_bytes() for i in (1, 2, 3)] for n in "abc")
    assert first == again
    assert first != other


def test_a_prompt_is_in_each_file_and_its_notes_do_not_count(finished, tmp_path):
    file = tune_file(tmp_path, chords=True)
    result = generated(finished, tmp_path / "a", prompt=str(file), bars=2)
    (first, *_) = sorted((tmp_path / "a").glob("*.mid"))
    assert first.name == "01_my_first_tune_1_.mid"
    source, written = read_prompt(str(file)), read_prompt(str(first))
    assert {note[::2] for note in notes_of(source, 8)} == {note[::2] for note in notes_of(written, 8)}
    assert written.note_num() == len(notes_of(source, 8)) + result["files"][0]["notes"]
    assert (result["prompt"], result["bars"]) == (str(file), 2)


def test_validation_pieces_are_continued_and_their_keys_compared(finished, tmp_path):
    result = generated(finished, tmp_path / "a", prompts="val", max_bars=None, bars=2)
    report = result["prompts"]
    assert report["continued"] == 2
    assert len(report["pieces"]) == 3
    assert 0 <= report["in_scale"]["generated"] <= 1
    assert report["in_scale"]["real"] > 0.5


def test_moved_validation_pieces_are_judged_in_the_key_that_they_were_moved_to(finished, tmp_path, caplog):
    plain = generated(finished, tmp_path / "a", prompts="val", max_bars=None)["prompts"]
    with caplog.at_level("INFO", "midiaug"):
        moved = generated(finished, tmp_path / "b", prompts="val", max_bars=None, shift=5)
    report, tonics = moved["prompts"], [name.split()[0] for name in map(str, (Key(n, "major") for n in range(12)))]
    assert (moved["shift"], report["shift"]) == (5, 5)
    for one, other in zip(plain["pieces"], report["pieces"], strict=True):
        assert one["piece"] == other["piece"]
        tonic, mode = one["key"].split()
        assert other["key"] == f"{tonics[(tonics.index(tonic) + 5) % 12]} {mode}"
        assert one["real"] == pytest.approx(other["real"]), "the piece's own notes move with its key"
    assert "pieces, shifted by +5)" in caplog.text


def test_what_a_model_that_is_told_hears_is_said_and_written_down(finished, tmp_path, caplog, monkeypatch):
    heard = iter([5, 0, 5])
    monkeypatch.setattr("midiaug.generation.sampling.likeliest_shift", lambda *given: next(heard))
    with caplog.at_level("INFO", "midiaug"):
        result = generated(finished, tmp_path / "a", prompts="val", max_bars=None)
    assert [row["told"] for row in result["files"]] == [5, 0, 5]
    assert "in semitones, how far each prompt was shifted: +5 (2), none (1)" in caplog.text


def test_without_its_music_a_checkpoint_still_generates(finished, tmp_path, caplog):
    moved = finished.parent / "tunes", finished.parent / "moved"
    moved[0].rename(moved[1])
    try:
        caplog.set_level("INFO", "midiaug")
        result = generated(finished, tmp_path / "a")
        assert result["variety"]["validation"] is None
        assert "data.path=DIR says where they are now" in caplog.text
        with pytest.raises(CorpusError, match="nowhere"):
            generated(finished, tmp_path / "b", data=MusicPlace(path="nowhere"))
        with pytest.raises(CorpusError):
            generated(finished, tmp_path / "c", prompts="val")
        again = generated(finished, tmp_path / "d", data=MusicPlace(path=str(moved[1])))
        assert again["copying"]["validation"]["n"] > 0
        assert [row["notes"] for row in again["files"]] == [row["notes"] for row in result["files"]]
        assert not list((tmp_path / "b").iterdir())
    finally:
        moved[1].rename(moved[0])


def test_weights_of_another_vocabulary_are_refused(finished, tmp_path):
    content = torch.load(finished, weights_only=True)
    content["recipe"]["tokenizer"]["config"]["num_velocities"] = 8
    torch.save(content, tmp_path / "other.ckpt")
    with pytest.raises(CheckpointError, match="another vocabulary"):
        generated(tmp_path / "other.ckpt", tmp_path / "a")
    assert not list((tmp_path / "a").iterdir())


def test_a_model_of_a_tokenizer_of_several_vocabularies_is_refused_before_anything_is_written(
    folder_of_tunes, tmp_path
):
    chosen = training.settings(folder_of_tunes, tmp_path / "cache", "trainer.max_epochs=1", "tokenizer=cpword")
    _, learner, _ = training.run(chosen, tmp_path)
    learner.trainer.save_checkpoint(tmp_path / "a.ckpt")
    with pytest.raises(CheckpointError, match=r"a\.ckpt: generate does not write with CPWord, a tokenizer of several"):
        generated(tmp_path / "a.ckpt", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_prompt_that_cannot_be_used_leaves_nothing(finished, tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        generated(finished, tmp_path / "a", prompt=str(tmp_path / "nix.mid"))
    assert not list((tmp_path / "a").iterdir())


@pytest.mark.parametrize("name", ["02.mid", "generated.png", "generate.json"])
def test_a_full_disk_names_the_file_and_leaves_none_half_written(finished, tmp_path, monkeypatch, name):
    whole = files.os.fsync

    def full(handle: int) -> None:
        if Path(os.readlink(f"/proc/self/fd/{handle}")).name.startswith(f".{Path(name).stem}."):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        whole(handle)

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as found:
        generated(finished, tmp_path / "a")
    assert f"{name}: No space left on device; free space there" in sentence_of(found.value)
    assert name not in {path.name for path in (tmp_path / "a").iterdir()}
    assert not [path for path in (tmp_path / "a").iterdir() if path.name.startswith(".")]


@pytest.mark.skipif(sys.platform != "linux", reason="a limit on the size of files")
def test_music_that_a_full_disk_cuts_short_is_not_taken_for_written(finished, tmp_path, monkeypatch):
    limit, write = resource.getrlimit(resource.RLIMIT_FSIZE), composing._write

    def limited(*given):
        resource.setrlimit(resource.RLIMIT_FSIZE, (16, limit[1]))
        try:
            return write(*given)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)

    monkeypatch.setattr(composing, "_write", limited)
    with pytest.raises(OSError, match=r"01\.mid"):
        generated(finished, tmp_path / "a")
    assert list((tmp_path / "a").iterdir()) == []


def test_what_a_continuation_is_held_against_is_said_and_of_the_same_kind(finished, tmp_path, caplog):
    caplog.set_level("INFO", "midiaug")
    file = tune_file(tmp_path, chords=True)
    behind = generated(finished, tmp_path / "a", prompt=str(file), bars=2)
    own = generated(finished, tmp_path / "b", prompts="val", bars=2, max_bars=None)
    alone = generated(finished, tmp_path / "c")
    # tracks of chords, which begin with the melodies, are not what a melody is held against
    counts = [result["variety"]["validation"]["notes"]["n"] for result in (behind, own, alone)]
    assert counts[:2] == [6, own["n"]] == [6, 3]
    assert counts[2] > 6
    for result in (behind, own, alone):
        assert f"validation  {result['against']}" in caplog.text
    shares = [row["real"] for row in own["prompts"]["pieces"]]
    assert len(shares) == own["variety"]["validation"]["notes"]["n"]


def test_a_prompt_in_another_time_signature_is_marked(folder_of_tunes, tmp_path):
    plain = training.settings(
        folder_of_tunes, tmp_path / "cache", "trainer.max_epochs=1", "+tokenizer.params.use_time_signatures=false"
    )
    _, learner, _ = training.run(plain, tmp_path)
    learner.trainer.save_checkpoint(tmp_path / "b.ckpt")
    (tmp_path / "waltz.abc").write_text("X:1\nM:3/4\nL:1/4\nK:G\nG A B | c d e | g2 f | e d c |\n")
    assert generated(tmp_path / "b.ckpt", tmp_path / "a", prompt=str(tmp_path / "waltz.abc"))["uncounted"] == {"3/4": 3}
    assert generated(tmp_path / "b.ckpt", tmp_path / "b")["uncounted"] == {}
