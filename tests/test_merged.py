"""The stores of merged tokens give what the score gives, id for id, in every shift and for every model."""

import json
import pickle

import music
import numpy as np
import pytest
from learned import LEARNED, learned
from miditok import REMI
from symusic import Note

from midiaug import Learner, MidiDataModule, Shifts
from midiaug.data import merged as merged_stores
from midiaug.data.merged import MergedRoute, prove_merging
from midiaug.data.merges import Merges
from midiaug.data.merging import Merging
from midiaug.errors import RouteError

SHIFTS = Shifts.of(-3, 0, 2)


def module(root, cache, tokenizer=None, **more):
    given = {"window": 24, "batch_size": 8, "num_workers": 0, "shifts": SHIFTS} | more
    return MidiDataModule(root, tokenizer, cache_dir=cache, **given)


@pytest.mark.parametrize("name", LEARNED)
def test_both_routes_read_the_same_windows(name, folder_of_tunes, shared_cache):
    by_table = module(folder_of_tunes, shared_cache, learned(name))
    by_score = module(folder_of_tunes, shared_cache, learned(name), route="midi")
    assert (by_table.route_name, by_score.route_name) == ("tokens", "midi")
    assert by_table.store.proof.cases > 90
    rows = np.arange(0, len(by_table.train), 5)
    for shift in (-3, 0, 2, 5):  # there is no store of the last
        got, wanted = (data.train.narrow(rows, np.full(len(rows), shift)).numpy() for data in (by_table, by_score))
        assert (got == wanted).all()
    mixed = np.resize([-3, 0, 2, 1, -6], len(rows))
    got, wanted = (data.train.narrow(rows, mixed).numpy() for data in (by_table, by_score))
    assert (got == wanted).all()
    assert {path.name[-2:] for path in (shared_cache / "merged").glob("*[+-]?")} == {"-3", "+2"}


def test_windows_that_move_from_epoch_to_epoch_are_the_same_too(folder_of_tunes, shared_cache):
    loaders = [
        module(folder_of_tunes, shared_cache, learned("TSD BPE"), route=route, starts="random").train_dataloader()
        for route in ("auto", "midi")
    ]
    for loader in loaders:
        loader.sampler.set_epoch(3)
    one, other = (next(iter(loader)) for loader in loaders)
    assert all((one[key] == other[key]).all() for key in one)


def test_the_proof_finds_a_tokenizer_that_merges_otherwise(folder_of_tunes, shared_cache):
    data = module(folder_of_tunes, shared_cache, learned("REMI BPE"))
    base = data._music.merging.store
    wrong = Merging(base, REMI(), learned("REMI BPE"))
    assert prove_merging(0, wrong, data.corpus, data.limits)[1] is None
    wrong._merger._spelled._letters[:] = np.roll(wrong._merger._spelled._letters, 1)
    cases, difference = prove_merging(0, wrong, data.corpus, data.limits)
    assert cases == 0
    assert "merged tokens by table" in difference


def test_where_they_differ_auto_takes_the_score_and_the_table_is_refused(folder_of_tunes, cache, monkeypatch):
    monkeypatch.setattr(merged_stores, "prove_merging", lambda *_: (0, "shift +2: 3 merged tokens by table"))
    data = module(folder_of_tunes / "plain", cache, learned("REMI BPE"))
    assert data.route_name == "midi"
    with pytest.raises(RouteError, match=r"data\.route=tokens: the table does not give .* 3 merged tokens"):
        module(folder_of_tunes / "plain", cache, learned("REMI BPE"), route="tokens").setup()


def test_a_piece_with_a_part_too_long_to_merge_is_left_out_by_name(tmp_path):
    music.corpus(tmp_path / "songs", 8, seed=800, bars=8)
    tokenizer = REMI(params=saved(learned("REMI WordPiece"), tmp_path, longest=60))
    score = music.tune(900, bars=8)
    for pitch in range(60, 90):  # a bar of 30 notes more
        score.tracks[0].notes.append(Note(0, 480, pitch, 80, "tick"))
    music.write(score, tmp_path / "songs" / "dense.mid")
    data = module(tmp_path / "songs", tmp_path / "cache", tokenizer, val_split=0.4)
    data.setup()
    (left_out,) = data.quarantined
    assert left_out.file == "dense.mid"
    assert "more than the tokenizer's model merges" in left_out.reason
    assert data.train[0, 2]["input_ids"].max() > 0


def saved(tokenizer, tmp_path, longest):
    """A file of the tokenizer whose model gives up on words of more letters."""
    content = tokenizer.to_dict()
    model = json.loads(content["_model"])
    model["model"]["max_input_chars_per_word"] = longest
    path = tmp_path / "short.json"
    path.write_text(json.dumps(content | {"_model": json.dumps(model)}))
    return path


def test_what_was_merged_is_kept_and_not_merged_again(folder_of_tunes, cache, monkeypatch):
    data = module(folder_of_tunes / "plain", cache, merges=Merges("BPE", 400))
    first = data.train[0, 2]["input_ids"]
    monkeypatch.setattr(merged_stores, "merge_pieces", None)
    again = module(folder_of_tunes / "plain", cache, merges=Merges("BPE", 400))
    assert (again.train[0, 2]["input_ids"] == first).all()


def test_a_route_is_small_when_it_is_sent_to_a_worker(folder_of_tunes, shared_cache):
    data = module(folder_of_tunes, shared_cache, learned("REMI BPE"))
    sent = pickle.dumps(data.train._route)
    assert isinstance(data.train._route, MergedRoute)
    assert (pickle.loads(sent).read(data.train.windows, np.arange(4), np.full(4, 2))[0] >= 0).all()  # noqa: S301
    batches = [
        next(iter(module(folder_of_tunes, shared_cache, learned("REMI BPE"), num_workers=n).train_dataloader()))
        for n in (0, 1)
    ]
    assert (batches[0]["input_ids"] == batches[1]["input_ids"]).all()


def test_a_module_trains_its_tokenizer_on_the_training_side_and_a_learner_keeps_it(folder_of_tunes, shared_cache):
    data = module(folder_of_tunes, shared_cache, merges=Merges("Unigram", 420), train_limit=6)
    assert not data.given_tokenizer.is_trained
    assert data.tokenizer.is_trained
    assert len(Learner(data.tokenizer).notes_per_token) == 420
    more = module(folder_of_tunes, shared_cache, merges=Merges("Unigram", 420))
    assert more.tokenizer.to_dict() != data.tokenizer.to_dict()
