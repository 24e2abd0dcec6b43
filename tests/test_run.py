"""A run leaves what the README promises, its figures are right, and a resumed run ends where an unbroken one does."""

import csv
import functools
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import readme
import torch
from miditok import REMI
from pytorch_lightning import Callback, Trainer
from symusic import Score
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from training import StopAfter, run, settings

from midiaug.data.transpose import notes_per_token
from midiaug.errors import CheckpointError, ConfigError
from midiaug.learner import Learner
from midiaug.model import RecurrentLM
from midiaug.run import make_data, train_model


@pytest.fixture(scope="module")
def trained(folder_of_tunes, shared_cache, tmp_path_factory):
    directory = tmp_path_factory.mktemp("run")
    lowest = train_model(settings(folder_of_tunes, shared_cache, "aug.shifts=[-2,2]"), directory)
    return directory, lowest


@pytest.fixture(scope="module")
def unbroken(folder_of_tunes, shared_cache, tmp_path_factory):
    """Trains without a break; the same settings once."""

    @functools.cache
    def of(*more: str):
        return run(settings(folder_of_tunes, shared_cache, *more), tmp_path_factory.mktemp("whole"))

    return of


@pytest.mark.parametrize("first", [True, False])
def test_of_several_ranks_the_first_alone_writes_and_removes_what_others_may_be_writing(
    folder_of_tunes, shared_cache, tmp_path, monkeypatch, first
):
    def stop(*_: object) -> None:
        raise InterruptedError

    monkeypatch.setattr(Trainer, "is_global_zero", property(lambda _: first))
    monkeypatch.setattr("midiaug.run.fit", stop)
    (tmp_path / ".split.part0123abcd.json").touch()  # half-written by a killed run
    with pytest.raises(InterruptedError):
        train_model(settings(folder_of_tunes, shared_cache), tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert {"split.json", "quarantine.json"} <= names if first else names == {".split.part0123abcd.json"}
    assert (".split.part0123abcd.json" in names) is not first


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def loss_of_pieces(directory: Path, folder: Path, names: list[str]) -> tuple[float, float]:
    """Nats a token and nats a note of whole pieces, from their files: no store, no table, no loader."""
    tokenizer = REMI()
    content = torch.load(directory / "checkpoints" / "best.ckpt", weights_only=True)
    model = RecurrentLM(len(tokenizer), **content["recipe"]["model"]).eval()
    model.load_state_dict({key[6:]: value for key, value in content["state_dict"].items() if key.startswith("model.")})
    nats, tokens, notes = 0.0, 0, 0
    begins_note = notes_per_token(tokenizer)
    for name in names:
        for sequence in tokenizer(Score(folder / name)):
            ids = [tokenizer["BOS_None"], *sequence.ids, tokenizer["EOS_None"]]
            for start in range(0, len(ids) - 1, 47):  # windows of 48 that share one token
                window = torch.tensor([ids[start : start + 48]])
                with torch.no_grad():
                    logits = model(window[:, :-1])[0][0]
                nats += float(torch.nn.functional.cross_entropy(logits, window[0, 1:], reduction="sum"))
                tokens += window.shape[1] - 1
                notes += int(begins_note[window[0, 1:].numpy()].sum())
    return nats / tokens, nats / notes


def test_it_leaves_every_file_of_the_interface(trained):
    directory, _ = trained
    names = {"summary.json", "metrics.csv", "val_pieces.csv", "split.json", "quarantine.json", "gap.png", "keys.png"}
    assert names <= {path.name for path in directory.iterdir()}
    assert {path.name for path in (directory / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}
    assert list(directory.glob("events.out.tfevents.*"))
    assert not [path for path in directory.rglob(".*") if path.is_file()], "a temporary file is left"


def test_the_summary_says_what_was_run(trained):
    directory, lowest = trained
    summary = json.loads((directory / "summary.json").read_text())
    assert summary["shifts"] == [-2, -1, 0, 1, 2]
    assert (summary["cell"], summary["tokenizer"], summary["route"]) == ("lstm", "REMI", "tokens")
    assert summary["pieces"] == {"train": 22, "val": 2, "quarantined": 0}
    assert summary["loss"]["val"] == lowest
    assert summary["loss"]["gap"] == pytest.approx(summary["loss"]["val"] - summary["loss"]["train"], abs=1e-6)
    assert summary["tokens_per_second"] > 0
    assert summary["loader_tokens_per_second"] > 0
    assert list(summary["loss_by_key"]) == [str(shift) for shift in range(-6, 6)]
    losses = summary["loss_by_key"].values()
    assert summary["key_spread"] == max(losses) - min(losses) > 0
    assert summary["over_keys"] == pytest.approx(sum(losses) / len(losses))
    assert summary["loss_by_key"]["0"] == pytest.approx(lowest, abs=0.2)  # of the pieces with room for all keys
    assert summary["equivariance"] > 0
    assert summary["told"] is None, "the model is told of no shift"
    assert min(losses) - 0.1 < summary["loss_averaged_over_keys"] < max(losses)
    best = min(table(directory / "metrics.csv"), key=lambda row: float(row["loss/val"]))
    assert (summary["best_epoch"], summary["epochs"]) == (int(best["epoch"]), 3)


def test_the_validation_loss_is_that_of_the_pieces_themselves(trained, folder_of_tunes):
    directory, lowest = trained
    sides = json.loads((directory / "split.json").read_text())["pieces"]
    held_out = [name for name, row in sides.items() if row["side"] == "val"]
    a_token, a_note = loss_of_pieces(directory, folder_of_tunes, held_out)
    summary = json.loads((directory / "summary.json").read_text())
    assert lowest == pytest.approx(a_token, rel=1e-5)
    assert summary["nats_per_note"]["val"] == pytest.approx(a_note, rel=1e-5)


def test_val_pieces_holds_each_validation_piece_and_sums_to_the_loss(trained):
    directory, lowest = trained
    rows = table(directory / "val_pieces.csv")
    sides = json.loads((directory / "split.json").read_text())["pieces"]
    assert {row["piece"] for row in rows} == {name for name, row in sides.items() if row["side"] == "val"}
    total = sum(float(row["nats"]) for row in rows) / sum(int(row["tokens"]) for row in rows)
    assert total == pytest.approx(lowest, rel=1e-6)


def test_tensorboard_has_both_losses_on_one_chart_and_the_final_figures(trained):
    directory, lowest = trained
    events = EventAccumulator(str(directory)).Reload()
    assert {"loss/train", "loss/val", "loss/gap", "best/gap"} <= set(events.Tags()["scalars"])
    assert [event.step for event in events.Scalars("loss/val")] == [event.step for event in events.Scalars("loss/gap")]
    assert events.Scalars("best/val")[-1].value == pytest.approx(lowest)
    layout = events.Tensors("custom_scalars__config__")[0].tensor_proto.string_val[0]
    assert layout.index(b"loss/train") < layout.index(b"loss/val") < layout.index(b"loss/gap")


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize(
    ("where", "workers"), [({"step": 20}, 0), ({"step": 31}, 2), ({"epoch": 1}, 0), ({"epoch": 2}, 2)], ids=str
)
def test_a_resumed_run_ends_as_an_unbroken_one_bit_for_bit(
    cell, where, workers, unbroken, folder_of_tunes, shared_cache, tmp_path
):
    more = (f"model.cell={cell}", f"data.num_workers={workers}", "aug.shifts=[-2,2]")
    chosen = settings(folder_of_tunes, shared_cache, *more)
    whole, learner, rows = unbroken(*more)
    assert 20 < whole.num_training_batches < 31 < 2 * whole.num_training_batches, "not inside an epoch"
    broken, _, _ = run(chosen, tmp_path / "broken", StopAfter(tmp_path / "stop.ckpt", **where))
    assert broken.global_step < whole.global_step
    ends_alike((whole, learner, rows), run(chosen, tmp_path / "broken", ckpt=tmp_path / "stop.ckpt"))


def ends_alike(whole, resumed):
    (trainer, learner, rows), (trainer_after, learner_after, rows_after) = whole, resumed
    assert trainer_after.global_step == trainer.global_step
    for name, weight in learner.state_dict().items():
        assert torch.equal(weight, learner_after.state_dict()[name]), name
    timeless = [[{**row, "tokens_per_second": 0} for row in part] for part in (rows, rows_after)]
    assert timeless[0] == timeless[1]


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize(("moment", "workers"), [("validation", 2), ("writing", 0)])
def test_a_run_that_breaks_in_a_validation_or_while_a_checkpoint_is_written_is_resumed_bit_for_bit(
    cell, moment, workers, unbroken, folder_of_tunes, shared_cache, tmp_path, monkeypatch
):
    more = (f"model.cell={cell}", f"data.num_workers={workers}", "aug.shifts=[-2,2]")
    chosen = settings(folder_of_tunes, shared_cache, "checkpoint.minutes=1e-9", *more)
    last = tmp_path / "checkpoints" / "last.ckpt"

    class InValidation(Callback):
        def on_validation_batch_end(self, trainer, *rest):
            if trainer.current_epoch == 1:
                raise InterruptedError

    def half_written(content, file, save=torch.save):
        save(content, file)
        if last.is_file() and content["global_step"] == 31:
            file.truncate(file.tell() // 2)
            raise InterruptedError

    if moment == "writing":
        monkeypatch.setattr(torch, "save", half_written)
    broken, _, _ = run(chosen, tmp_path, *[InValidation()] * (moment == "validation"))
    monkeypatch.undo()
    step = torch.load(last, weights_only=True)["global_step"]
    assert step == (30 if moment == "writing" else 2 * broken.num_training_batches - 1), "of the step before"
    ends_alike(unbroken(*more), run(chosen, tmp_path, ckpt=last))


@pytest.mark.parametrize("where", [{"step": 15}, {"epoch": 1}, {"epoch": 2}], ids=str)
@pytest.mark.parametrize("every", [None, 10, "epoch"])
def test_a_resumed_run_of_so_many_steps_ends_as_an_unbroken_one(
    every, where, unbroken, folder_of_tunes, shared_cache, tmp_path
):
    more = ["trainer.max_steps=60", "trainer.max_epochs=-1", "aug.shifts=[-2,2]"]
    if every is not None:
        batches = unbroken(*more)[0].num_training_batches if every == "epoch" else every
        more += [f"trainer.val_check_interval={batches}", "trainer.check_val_every_n_epoch=null"]
    chosen = settings(folder_of_tunes, shared_cache, *more)
    broken, _, _ = run(chosen, tmp_path, StopAfter(tmp_path / "stop.ckpt", **where))
    assert broken.global_step < 60
    ends_alike(unbroken(*more), run(chosen, tmp_path, ckpt=tmp_path / "stop.ckpt"))


def test_a_run_that_goes_on_elsewhere_has_its_best_epoch_there(trained, folder_of_tunes, shared_cache, tmp_path):
    chosen = settings(folder_of_tunes, shared_cache, "aug.shifts=[-2,2]")
    lowest = train_model(chosen, tmp_path, trained[0] / "checkpoints" / "last.ckpt")
    assert lowest == trained[1]
    for name in ("val_pieces.csv", "metrics.csv"):
        assert (tmp_path / name).read_text() == (trained[0] / name).read_text()
    assert (tmp_path / "checkpoints" / "best.ckpt").is_file()
    one, other = (json.loads((path / "summary.json").read_text()) for path in (trained[0], tmp_path))
    assert one["key_spread"] == other["key_spread"]


def test_a_rehearsal_leaves_nothing(folder_of_tunes, shared_cache, tmp_path):
    train_model(settings(folder_of_tunes, shared_cache, "trainer.fast_dev_run=true"), tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and "tfevents" not in path.name]


def test_a_training_of_a_few_steps_is_validated_where_it_ends(folder_of_tunes, shared_cache, tmp_path):
    train_model(settings(folder_of_tunes, shared_cache, "trainer.max_steps=3"), tmp_path)
    assert [row["step"] for row in table(tmp_path / "metrics.csv")] == ["3"]


@pytest.mark.parametrize("interval", ["'00:00:00:00'", "{seconds: 0.001}"])
def test_a_training_may_be_validated_by_the_clock(interval, folder_of_tunes, shared_cache, tmp_path):
    more = (f"trainer.val_check_interval={interval}", "trainer.max_steps=6", "early_stopping.patience=2")
    train_model(settings(folder_of_tunes, shared_cache, *more), tmp_path)
    steps = [int(row["step"]) for row in table(tmp_path / "metrics.csv")]
    assert steps == sorted(set(steps))
    assert steps[-1] == 6


def test_a_training_that_is_never_validated_is_an_error_that_says_so(folder_of_tunes, shared_cache, tmp_path):
    more = ("trainer.val_check_interval=1000", "trainer.check_val_every_n_epoch=null", "trainer.max_epochs=1")
    with pytest.raises(ConfigError, match=r"ended before it was validated: .* or a trainer\.val_check_interval"):
        train_model(settings(folder_of_tunes, shared_cache, *more), tmp_path)


def test_the_same_seed_trains_the_same_model_and_another_does_not(folder_of_tunes, shared_cache, tmp_path):
    losses = [
        run(settings(folder_of_tunes, shared_cache, f"seed={seed}", "trainer.max_epochs=1"), tmp_path / str(number))[2]
        for number, seed in enumerate([3, 3, 4])
    ]
    values = [rows[-1]["loss/val"] for rows in losses]
    assert values[0] == values[1] != values[2]


def test_a_checkpoint_of_other_settings_is_refused_with_what_differs(trained, folder_of_tunes, shared_cache, tmp_path):
    last = trained[0] / "checkpoints" / "last.ckpt"
    for more, named in {
        "aug.shifts=[-1,1]": "aug.shifts",
        "model.hidden=20": "model.hidden",
        "seed=5": "split",
    }.items():
        same = () if more.startswith("aug") else ("aug.shifts=[-2,2]",)
        with pytest.raises(ConfigError, match=named):
            train_model(settings(folder_of_tunes, shared_cache, *same, more), tmp_path, last)


@pytest.mark.parametrize("more", ["data.val_split=0.3", "tokenizer=tsd", "model.hidden=20"])
def test_a_refused_resume_leaves_the_good_run_as_it_was(more, trained, folder_of_tunes, shared_cache, tmp_path):
    directory = tmp_path / "run"
    shutil.copytree(trained[0], directory)
    before = {path: path.read_bytes() for path in directory.rglob("*.*") if "tfevents" not in path.name}
    with pytest.raises(ConfigError, match="ckpt: "):
        train_model(
            settings(folder_of_tunes, shared_cache, "aug.shifts=[-2,2]", more),
            directory,
            directory / "checkpoints" / "last.ckpt",
        )
    assert {path: path.read_bytes() for path in before} == before


def test_a_run_that_is_trained_anew_in_the_same_folder_and_stopped_is_no_finished_one(
    trained, folder_of_tunes, shared_cache, tmp_path, monkeypatch
):
    directory = tmp_path / "run"
    shutil.copytree(trained[0], directory)

    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("midiaug.run.fit", stopped)
    with pytest.raises(KeyboardInterrupt):
        train_model(settings(folder_of_tunes, shared_cache, "seed=7"), directory)
    assert not (directory / "summary.json").exists()
    assert (directory / "checkpoints" / "best.ckpt").is_file()


def test_a_damaged_checkpoint_is_refused_by_name(trained, folder_of_tunes, shared_cache, tmp_path):
    damaged = tmp_path / "damaged.ckpt"
    content = (trained[0] / "checkpoints" / "last.ckpt").read_bytes()
    damaged.write_bytes(content[: len(content) // 2])
    with pytest.raises(CheckpointError, match=r"damaged\.ckpt"):
        train_model(settings(folder_of_tunes, shared_cache), tmp_path, damaged)


def test_no_epoch_at_all_is_an_error_that_says_why(folder_of_tunes, shared_cache, tmp_path):
    with pytest.raises(ConfigError, match="max_epochs"):
        train_model(settings(folder_of_tunes, shared_cache, "trainer.max_epochs=0"), tmp_path)


def test_training_lowers_the_loss(folder_of_tunes, shared_cache, tmp_path):
    rows = run(settings(folder_of_tunes, shared_cache, "trainer.max_epochs=4"), tmp_path)[2]
    assert rows[-1]["loss/train"] < rows[0]["loss/train"] < np.log(264)  # below guessing evenly, and falling


def test_the_readmes_code_runs_as_it_stands(trained, folder_of_tunes, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    paths = {"runs/.../checkpoints/best.ckpt": trained[0] / "checkpoints" / "best.ckpt"}
    names = readme.run("\n".join(readme.code_below("In your own code")), folder_of_tunes, **paths)
    assert "torch.Size(" in capsys.readouterr().out
    assert names["logits"].shape == (*names["batch"]["input_ids"].shape, len(REMI()))


@pytest.mark.parametrize("condition", ["true", "false"])
def test_a_run_with_a_loss_term_between_keys_is_resumed_bit_for_bit(condition, folder_of_tunes, shared_cache, tmp_path):
    more = ("aug.shifts=[-2,2]", "optim.equivariance=1", f"model.condition={condition}", "trainer.max_epochs=1")
    chosen = settings(folder_of_tunes, shared_cache, *more)
    _, learner, _ = run(chosen, tmp_path / "whole")
    run(chosen, tmp_path / "broken", StopAfter(tmp_path / "stop.ckpt", step=11))
    _, again, _ = run(chosen, tmp_path / "broken", ckpt=tmp_path / "stop.ckpt")
    _, plain, _ = run(settings(folder_of_tunes, shared_cache, *more, "optim.equivariance=0"), tmp_path / "plain")
    for name, weight in learner.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name]), name
    assert not torch.equal(learner.model.output.weight, plain.model.output.weight)


def test_a_loss_term_that_the_route_cannot_give_is_refused_before_anything_is_written(
    folder_of_tunes, shared_cache, tmp_path
):
    chosen = settings(folder_of_tunes, shared_cache, "data.route=midi", "optim.equivariance=1")
    with pytest.raises(ConfigError, match=r"optim\.equivariance=1\.0: works on data\.route=tokens alone"):
        train_model(chosen, tmp_path / "run")
    assert not list(tmp_path.glob("run/*.json"))


def test_a_model_that_is_told_is_measured_in_all_keys_both_ways(folder_of_tunes, shared_cache, tmp_path, caplog):
    more = ("aug.shifts=[-2,2]", "model.condition=true", "trainer.max_epochs=1")
    with caplog.at_level("INFO", "midiaug"):
        train_model(settings(folder_of_tunes, shared_cache, *more), tmp_path)
    summary = json.loads((tmp_path / "summary.json").read_text())
    told = summary["told"]
    assert set(told) < set(summary)
    differing = [int(shift) for shift, loss in told["loss_by_key"].items() if loss != summary["loss_by_key"][shift]]
    assert differing == [-2, -1, 1, 2], "a shift that it never met is to it as none"
    assert told["key_spread"] == max(told["loss_by_key"].values()) - min(told["loss_by_key"].values())
    assert re.search(rf"the same, told of the shift +│ +│ +{told['key_spread']:.3f}", caplog.text)


def test_a_run_with_a_trained_tokenizer_leaves_it_to_others_and_is_resumed_bit_for_bit(
    folder_of_tunes, shared_cache, tmp_path
):
    more = ("aug.shifts=[-2,0,2]", "trainer.max_epochs=1")
    chosen = settings(folder_of_tunes, shared_cache, *more, "tokenizer.train=BPE", "tokenizer.vocab_size=420")
    (tmp_path / "run").mkdir()
    lowest = train_model(chosen, tmp_path / "run")
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert (summary["tokenizer"], summary["route"]) == ("REMI", "tokens")
    assert summary["loss"]["val"] == lowest
    assert len(summary["loss_by_key"]) == 12
    assert summary["equivariance"] is None, "no table maps merged tokens"
    learner = Learner.load(tmp_path / "run" / "checkpoints" / "best.ckpt")
    assert learner.model.output.weight.shape[0] == len(learner.tokenizer) == 420
    given = settings(folder_of_tunes, shared_cache, *more, f"tokenizer.file='{tmp_path / 'run' / 'tokenizer.json'}'")
    assert make_data(given).store.key == make_data(chosen).store.key
    _, whole, _ = run(chosen, tmp_path / "whole")
    run(chosen, tmp_path / "broken", StopAfter(tmp_path / "stop.ckpt", step=3))
    _, again, _ = run(chosen, tmp_path / "broken", ckpt=tmp_path / "stop.ckpt")
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name]), name


def test_what_cannot_be_trained_is_refused_before_anything_is_written(folder_of_tunes, shared_cache, tmp_path):
    for words, said in (
        (("tokenizer.train=BPE", "tokenizer.vocab_size=50"), r"tokenizer\.vocab_size=50: the tokenizer has 357 tokens"),
        (("tokenizer.train=BPE",), r"tokenizer\.vocab_size is missing"),
        (("tokenizer.train=Bpe", "tokenizer.vocab_size=500"), r"tokenizer\.train=Bpe: use BPE, Unigram or WordPiece"),
        (("tokenizer.train=BPE", "tokenizer.vocab_size=500", "optim.lr=-1"), r"optim\.lr=-1"),
    ):
        with pytest.raises(ConfigError, match=said):
            train_model(settings(folder_of_tunes, shared_cache, *words), tmp_path / "run")
    assert not list(tmp_path.glob("run/*.json"))
