"""Steps are taken, in turns, by the plain loop and by Lightning, and nothing is left behind."""

import pytest
import torch
from measuring import prepared, settings
from music import corpus

from midiaug.measuring import steps
from midiaug.measuring.steps import time_steps


def test_both_ways_take_every_step_and_leave_no_file(folder_of_tunes, cache, tmp_path, monkeypatch):
    monkeypatch.setattr(steps.tempfile, "tempdir", str(tmp_path))
    chosen = settings(folder_of_tunes, cache)
    prepared(chosen)
    times = time_steps(chosen, 2, 3)
    assert len(times.plain.rounds) == len(times.lightning.rounds) == len(times.waiting.rounds) == 2
    assert min(times.plain.rounds + times.lightning.rounds) > 0
    assert all(0 < share < 1 for share in times.waiting.rounds)
    assert times.device == "cpu"
    assert list(tmp_path.iterdir()) in ([], [cache])


def test_both_ways_train_on_the_same_batches(folder_of_tunes, cache, monkeypatch):
    learners, seen = [], []
    make = steps.make_learner

    def watched(*given):
        learner, batches = make(*given), []
        learner.model.register_forward_pre_hook(lambda module, inputs: batches.append(inputs[0]))
        learners.append(learner)
        seen.append(batches)
        return learner

    monkeypatch.setattr(steps, "make_learner", watched)
    chosen = settings(folder_of_tunes, cache)
    time_steps(chosen, 1, 2)
    assert [len(batches) for batches in seen] == [3, 3]  # one more, which prepares memory
    assert all(torch.equal(plain, lightning) for plain, lightning in zip(*seen, strict=True))
    before = make(chosen, prepared(chosen)).model.state_dict()
    for learner in learners:
        assert any(not torch.equal(weight, before[name]) for name, weight in learner.model.state_dict().items())


def test_a_corpus_of_one_batch_an_epoch_has_steps_enough(tmp_path, cache):
    corpus(tmp_path / "two", 2, bars=4)
    times = time_steps(settings(tmp_path / "two", cache), 1, 4)
    assert times.lightning.median > 0


@pytest.mark.parametrize(
    "word",
    [
        "gradient_clip_val=null",
        "fast_dev_run=true",
        "accumulate_grad_batches=2",
        "limit_train_batches=1",
        "max_epochs=0",
    ],
)
def test_the_trainers_arguments_leave_the_number_of_steps_alone(folder_of_tunes, cache, word):
    times = time_steps(settings(folder_of_tunes, cache, f"trainer.{word}"), 1, 2)
    assert min(times.plain.median, times.lightning.median) > 0
