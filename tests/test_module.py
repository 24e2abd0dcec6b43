"""MidiDataModule from a folder of MIDI files to batches."""

import multiprocessing
from importlib.util import find_spec

import music
import numpy as np
import pytest
import torch
from miditok import REMI, TSD, CPWord, MuMIDI, Octuple, TokenizerConfig
from symusic import Score

from midiaug import MidiDataModule, Shifts
from midiaug.data.columns import ends_of
from midiaug.data.pieces import Limits, parse
from midiaug.data.sampler import TransposingSampler
from midiaug.data.store_writer import MAX_WINDOW
from midiaug.data.transpose import transpose
from midiaug.data.workers import cores
from midiaug.errors import ConfigError, CorpusError, PitchOutOfRange, RouteError, SplitError

SIZE, BATCH = 64, 8


@pytest.fixture(scope="module")
def module_of(folder_of_tunes, tmp_path_factory):
    """A function that makes a module of the folder of tunes, all with one cache."""
    cache = tmp_path_factory.mktemp("cache")

    def make(path=folder_of_tunes, **options):
        given = {"shifts": Shifts.between(-2, 2), "window": SIZE, "batch_size": BATCH, "num_workers": 0}
        return MidiDataModule(path, **{"cache_dir": cache, "val_split": 0.25} | given | options)

    return make


@pytest.fixture(scope="module")
def dm(module_of):
    module = module_of()
    module.setup()
    return module


def ids(loader):
    return [batch["input_ids"].tolist() for batch in loader]


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def predicted(loader):
    """Every label that a model predicts, in the order of the loader."""
    labels = torch.cat([batch["labels"][:, 1:].flatten() for batch in loader])
    return labels[labels != -100].tolist()


def tokens_of(dm, piece, shift=0):
    """The reference: the piece's sequences, tokenized from its shifted score, between BOS and EOS."""
    tokenizer = dm.tokenizer
    encoded = tokenizer(transpose(parse(dm.corpus.midi[int(piece)].tobytes(), Limits()), shift))
    return [[tokenizer.vocab["BOS_None"], *one.ids, tokenizer.vocab["EOS_None"]] for one in encoded]


# From end to end


def test_a_training_batch_is_what_trainers_take(dm):
    batches = list(dm.train_dataloader())
    assert all(list(batch) == ["input_ids", "labels", "attention_mask"] for batch in batches)
    assert {tensor.dtype for batch in batches for tensor in batch.values()} == {torch.int64}
    assert {tensor.shape for batch in batches[:-1] for tensor in batch.values()} == {torch.Size([BATCH, SIZE])}
    assert sum(len(batch["labels"]) for batch in batches) == len(dm.train)
    for batch in batches:
        padded = batch["attention_mask"] == 0
        assert (batch["input_ids"][padded] == dm.tokenizer.pad_token_id).all()
        assert ((batch["labels"] == -100) == padded).all()
        assert (batch["labels"][~padded] == batch["input_ids"][~padded]).all()


def test_an_epoch_of_the_loader_is_that_draw_of_the_sampler(dm):
    loader = dm.train_dataloader()
    loader.sampler.set_epoch(3)
    drawn = TransposingSampler(dm.train, BATCH, dm.seed)
    drawn.set_epoch(3)
    for batch, (rows, semitones) in zip(loader, drawn, strict=True):
        assert same(batch, dm.train[rows, semitones])
        assert set(semitones.tolist()) <= set(dm.shifts)
    third = ids(loader)
    dm.train_dataloader().sampler.set_epoch(2)
    assert ids(dm.train_dataloader()) != third
    dm.train_dataloader().sampler.set_epoch(3)
    assert ids(dm.train_dataloader()) == third


@pytest.mark.parametrize("route", ["tokens", "midi"])
def test_validation_batches_predict_each_token_of_the_unshifted_pieces_once(module_of, route):
    dm = module_of(route=route)
    pieces = np.flatnonzero(dm.split.validation)
    assert len(pieces) >= 4
    wanted = [token for piece in pieces for sequence in tokens_of(dm, piece) for token in sequence[1:]]
    assert predicted(dm.val_dataloader()) == wanted
    assert ids(dm.val_dataloader()) == ids(dm.val_dataloader())


def test_the_probe_is_of_training_pieces_only_unshifted_and_always_the_same(dm):
    probe = dm.probe_dataloader()
    rows = np.concatenate([probe.sampler.batch(number) for number in range(len(probe.sampler))])
    assert len(rows) == len(set(rows.tolist())) == min(len(dm.validation), len(dm.train))
    assert not dm.split.validation[dm.train.pieces[rows]].any()
    unshifted = dm.train[rows, np.zeros(len(rows), np.int64)]["input_ids"]
    assert torch.equal(torch.cat([batch["input_ids"] for batch in probe]), unshifted)
    probe.sampler.set_epoch(5)
    assert ids(probe) == ids(dm.probe_dataloader())


def test_windows_can_be_asked_for_in_another_key(dm):
    rows = np.arange(0, len(dm.validation), 3)
    batches = list(dm.fixed_dataloader(dm.validation, rows, 2))
    piece = dm.validation.pieces[0]
    assert batches[0]["input_ids"][0].tolist() == tokens_of(dm, piece, 2)[0][:SIZE]
    assert sum(len(batch["labels"]) for batch in batches) == len(rows)


def test_both_routes_give_the_same_training_batches(module_of):
    by_table, from_score = module_of(route="tokens", limit=8), module_of(route="midi", limit=8)
    assert (by_table.route_name, from_score.route_name) == ("tokens", "midi")
    batches = list(zip(by_table.train_dataloader(), from_score.train_dataloader(), strict=True))
    assert batches
    assert all(same(one, other) for one, other in batches)


ALTERED = {"velocity": "moderate", "duration": [-1, 1]}


@pytest.mark.parametrize("starts", ["fixed", "random"])
def test_both_routes_give_the_same_altered_batches_and_the_validation_is_not_altered(module_of, dm, starts):
    by_table, from_score = (module_of(route=route, limit=8, starts=starts, **ALTERED) for route in ("tokens", "midi"))
    batches = list(zip(by_table.train_dataloader(), from_score.train_dataloader(), strict=True))
    assert batches
    assert all(same(one, other) for one, other in batches)
    plain = module_of(route="tokens", limit=8, starts=starts)
    assert not all(
        same(one, other) for one, other in zip(plain.train_dataloader(), by_table.train_dataloader(), strict=True)
    )
    for one, other in zip(plain.val_dataloader(), by_table.val_dataloader(), strict=True):
        assert same(one, other)


@pytest.mark.parametrize("workers", [0, 2])
def test_altered_batches_are_the_same_for_any_number_of_workers(module_of, workers):
    alone, shared = module_of(**ALTERED), module_of(num_workers=workers, **ALTERED)
    for epoch in range(2):
        for data in (alone, shared):
            data.train_dataloader().sampler.set_epoch(epoch)
        assert ids(alone.train_dataloader()) == ids(shared.train_dataloader())
    shared.teardown()


def test_music_that_a_table_cannot_alter_is_altered_from_the_score(module_of, trained):
    data = module_of(tokenizer=trained, limit=8, velocity=(-1, 1))
    assert data.route_name == "midi"
    plain = module_of(tokenizer=trained, limit=8)
    pairs = zip(data.train_dataloader(), plain.train_dataloader(), strict=True)
    assert not all(same(one, other) for one, other in pairs)


# The sides


def test_no_piece_is_on_both_sides(dm):
    training, validation = set(dm.train.pieces.tolist()), set(dm.validation.pieces.tolist())
    assert not training & validation
    assert training | validation == set(range(24))
    assert len(validation) == 6


def test_a_transposed_twin_is_on_the_side_of_its_tune(module_of, tmp_path):
    for number in range(10):
        for shift in (0, -3, 5):
            music.write(transpose(music.tune(number), shift), tmp_path / f"{number}_{shift:+d}.mid")
    sides = []
    for seed in range(6):
        dm = module_of(tmp_path, seed=seed, val_split=0.3)
        by_tune = {}
        for name, validation in zip(dm.split.names, dm.split.validation, strict=True):
            by_tune.setdefault(name[0], set()).add(bool(validation))
        assert len(by_tune) == 10
        assert all(len(each) == 1 for each in by_tune.values())
        sides.append(dm.split.validation.tolist())
    assert len({tuple(each) for each in sides}) > 1


def test_training_on_fewer_pieces_leaves_the_validation_as_it_is(module_of, dm, caplog):
    with caplog.at_level("INFO", "midiaug"):
        few = module_of(train_limit=4)
        few.setup()
    usable = len(np.unique(dm.train.pieces))
    assert f"limit       4 of the {usable} pieces to train on are used" in caplog.text
    assert len(np.unique(few.train.pieces)) == 4
    assert set(few.train.pieces.tolist()) < set(dm.train.pieces.tolist())
    assert few.validation.pieces.tolist() == dm.validation.pieces.tolist()
    assert few.split.content() == dm.split.content()


def test_over_all_folds_every_piece_is_validated_on_once_and_each_says_which_it_is(module_of, dm):
    parts = [module_of(val_split=0.1, folds=4, fold=fold) for fold in range(4)]
    assert (np.sum([part.split.validation for part in parts], axis=0) == 1).all()
    for fold, part in enumerate(parts):
        content = part.split.content()
        assert (content["fold"], content["folds"], content["val_split"]) == (fold, 4, 0.25)
        assert set(part.train.pieces.tolist()) == set(np.flatnonzero(~part.split.validation).tolist())
    assert "folds" not in dm.split.content()


def test_a_former_split_can_be_taken_up_again(module_of, dm, tmp_path):
    dm.split.write(tmp_path / "split.json")
    other = module_of(seed=5)
    assert (other.split.validation != dm.split.validation).any()
    assert (module_of(seed=5, split=tmp_path / "split.json").split.validation == dm.split.validation).all()


# Pieces


def test_a_folder_that_is_not_there_is_named(module_of, tmp_path):
    with pytest.raises(CorpusError, match=r"data\.path=.*nowhere: No such file or directory; give a folder"):
        module_of(tmp_path / "nowhere").setup()


def test_pieces_that_cannot_be_tokenized_leave_no_side_empty_unnoticed(module_of):
    tokenizer = REMI(TokenizerConfig(pitch_range=(1, 5)))
    with pytest.raises(SplitError, match="no piece of one side of the split could be tokenized"):
        module_of(tokenizer=tokenizer).setup()


def test_a_limit_takes_so_many_pieces_which_the_seed_decides(module_of):
    names = [module_of(limit=10, seed=seed).corpus.names.all() for seed in (0, 0, 1)]
    assert [len(each) for each in names] == [10, 10, 10]
    assert names[0] == names[1] != names[2]


def test_the_bundled_tunes_are_read_where_no_path_is_given(module_of):
    if find_spec("music21") is None:
        pytest.skip("the bundled tunes come with music21")
    dm = module_of(None, limit=12)
    assert len(dm.corpus) == 12
    assert all(".abc" in name for name in dm.corpus.names.all())
    assert dm.route_name == "tokens"
    assert next(iter(dm.train_dataloader()))["input_ids"].shape[1] == SIZE


@pytest.mark.parametrize(("route", "workers"), [("tokens", 0), ("midi", cores())])
def test_workers_are_as_many_as_the_route_needs(module_of, route, workers):
    dm = module_of(route=route, num_workers="auto")
    assert dm.num_workers == workers
    assert dm.train_dataloader().num_workers == workers
    assert module_of(route=route, num_workers=3).num_workers == 3


def test_what_was_left_out_is_named_with_its_reason(module_of, tmp_path):
    music.corpus(tmp_path / "good", 12, seed=50)
    (tmp_path / "broken.mid").write_bytes(b"not a MIDI file")
    music.write(music.tune(60, bars=200), tmp_path / "long.mid")
    dm = module_of(tmp_path, max_tokens=4000)
    reasons = {entry.file: entry.reason for entry in dm.quarantined}
    assert set(reasons) == {"broken.mid", "long.mid"}
    assert "not readable as MIDI" in reasons["broken.mid"]
    assert "data.max_tokens is 4,000" in reasons["long.mid"]


# The cache


def test_a_second_module_tokenizes_nothing_again(module_of, monkeypatch):
    first = ids(module_of(tokenizer=music.Forbidden()).train_dataloader())
    monkeypatch.setattr(music.Forbidden, "allowed", False)
    second = module_of(tokenizer=music.Forbidden())
    assert ids(second.train_dataloader()) == first
    assert second.quarantined == []
    third = module_of(tokenizer=music.Forbidden(TokenizerConfig(use_rests=True)))
    with pytest.raises(SplitError):  # so it would have been noticed
        third.setup()


def test_what_was_set_up_stays_set_up(dm):
    store, train = dm.store, dm.train
    dm.setup()
    assert dm.store is store
    assert dm.train is train


# Notes out of range


@pytest.fixture
def high_and_low(tmp_path):
    """Six tunes of which two are high: a shift of +12 takes some of their notes out of range."""
    for number, low in enumerate((60, 88, 60, 88, 60, 60)):
        music.write(music.tune(number, bars=8, low=low), tmp_path / f"{number}.mid")
    return tmp_path


def test_limit_gives_a_piece_only_the_shifts_that_keep_its_notes(module_of, high_and_low):
    dm = module_of(high_and_low, shifts=Shifts.of(0, 12), out_of_range="limit")
    assert dm.route_name == "tokens"
    high = np.asarray(dm.store.highest) < 12
    assert high.sum() == 2
    seen = set()
    for epoch in range(4):
        loader = dm.train_dataloader()
        loader.sampler.set_epoch(epoch)
        for rows, semitones in loader.sampler:
            seen |= set(zip(high[dm.train.pieces[rows]].tolist(), semitones.tolist(), strict=True))
    assert (True, 12) not in seen
    assert {(False, 0), (False, 12), (True, 0)} <= seen


def test_drop_reads_the_score_where_notes_are_lost_and_the_table_is_refused(module_of, high_and_low):
    dm = module_of(high_and_low, shifts=Shifts.of(0, 12), out_of_range="drop")
    assert dm.route_name == "midi"
    row = int(np.flatnonzero((np.asarray(dm.store.highest) < 12)[dm.train.pieces])[0])
    names = {number: name for name, number in dm.tokenizer.vocab.items()}
    pitches = [
        [int(names[i][6:]) for i in dm.train[row, shift]["input_ids"].tolist() if names[i].startswith("Pitch_")]
        for shift in (0, 12)
    ]
    assert pitches[1][:3] == [pitch + 12 for pitch in pitches[0] if pitch + 12 <= 109][:3]
    assert max(pitches[1]) <= 109 < max(pitches[0]) + 12
    with pytest.raises(RouteError, match=r"data\.route=tokens: aug\.out_of_range=drop takes notes away"):
        module_of(high_and_low, shifts=Shifts.of(0, 12), out_of_range="drop", route="tokens").setup()


def test_drop_takes_the_table_where_nothing_is_lost(module_of, high_and_low):
    dropping = module_of(high_and_low, shifts=Shifts.of(0, 2), out_of_range="drop")
    limiting = module_of(high_and_low, shifts=Shifts.of(0, 2), out_of_range="limit")
    assert dropping.route_name == "tokens"
    assert ids(dropping.train_dataloader()) == ids(limiting.train_dataloader())


def with_high_pieces_validated(module_of, folder, number, **options):
    """A module that may drop notes, with so many of the two high pieces in validation, and its MIDI route."""
    given = {"out_of_range": "drop", "val_split": 0.5} | options
    for seed in range(100):
        dm = module_of(folder, **given, seed=seed)
        if dm.split.validation[np.asarray(dm.store.highest) < 12].sum() == number:
            return dm, module_of(folder, **given, seed=seed, route="midi")
    raise AssertionError("no seed splits them so")


@pytest.mark.parametrize("side", ["train", "validation"])
def test_drop_by_table_gives_no_tokens_but_those_of_the_shifted_piece(module_of, high_and_low, side):
    dm, reference = with_high_pieces_validated(module_of, high_and_low, 1, shifts=Shifts.of(0, 2))
    assert dm.route_name == "tokens"
    dataset = getattr(dm, side)
    for row in range(len(dataset)):
        try:
            sample = dataset[row, 24]
        except PitchOutOfRange:
            continue
        assert same(sample, getattr(reference, side)[row, 24])


def test_drop_by_table_draws_nothing_for_a_validation_piece_that_the_table_cannot_give(module_of, high_and_low):
    # the training pieces lose nothing, so the table is taken
    dm, reference = with_high_pieces_validated(module_of, high_and_low, 2, shifts=Shifts.of(0, 12))
    for row in range(len(dm.validation)):
        for attempt in range(4):
            torch.manual_seed(attempt)
            sample = dm.validation[row]
            torch.manual_seed(attempt)
            assert same(sample, reference.validation[row])


# Going on


def test_a_module_goes_on_with_the_data_that_it_was_stopped_with(module_of, dm, tmp_path):
    torch.save(dm.state_dict(), tmp_path / "state")
    module_of().load_state_dict(torch.load(tmp_path / "state", weights_only=True))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"limit": 12}, "ckpt: the music is not what the checkpoint was trained on"),
        ({"tokenizer": TSD()}, "ckpt: the tokenizer is not what"),
        ({"val_split": 0.5}, "ckpt: the split is not what"),
        ({"train_limit": 5}, "ckpt: trained with data.train_limit=None, and this run has 5"),
        ({"window": 32}, "ckpt: trained with data.window=64, and this run has 32; use the same"),
        ({"batch_size": 4}, "ckpt: trained with data.batch_size=8, and this run has 4"),
        (
            {"shifts": Shifts.of(-1, 0, 1)},
            "ckpt: trained with aug.shifts=[-2, -1, 0, 1, 2], and this run has [-1, 0, 1]",
        ),
        ({"draw": "balanced"}, "ckpt: trained with aug.draw=random, and this run has balanced"),
        ({"original": 0.2}, "ckpt: trained with aug.original=0.0, and this run has 0.2"),
        ({"anneal": [3, 5]}, "ckpt: trained with aug.anneal=None, and this run has (3, 5)"),
        ({"starts": "random"}, "ckpt: trained with aug.starts=fixed, and this run has random"),
        ({"velocity": [-1, 1]}, "ckpt: trained with aug.velocity=None, and this run has (-1, 1)"),
        ({"out_of_range": "drop"}, "ckpt: trained with aug.out_of_range=limit, and this run has drop"),
    ],
)
def test_other_data_is_refused_and_what_differs_is_named(module_of, dm, options, named):
    with pytest.raises(ConfigError) as refusal:
        module_of(**options).load_state_dict(dm.state_dict())
    assert str(refusal.value).startswith(named)


def test_another_seed_is_refused(module_of, dm, tmp_path):
    dm.split.write(tmp_path / "split.json")
    with pytest.raises(ConfigError, match="ckpt: trained with seed=0, and this run has 3; use the same"):
        module_of(seed=3, split=tmp_path / "split.json").load_state_dict(dm.state_dict())


def test_settings_that_change_no_batch_are_no_reason_to_refuse(module_of, dm):
    module_of(num_workers=2, route="midi", max_tokens=999_999, max_bars=9_999).load_state_dict(dm.state_dict())


def test_the_worker_processes_end_with_the_fit_and_at_once(folder_of_tunes, cache):
    data = MidiDataModule(folder_of_tunes, REMI(), cache_dir=cache, window=48, batch_size=16, num_workers=2)
    before = set(multiprocessing.active_children())
    loaders = [data.train_dataloader(), data.val_dataloader()]
    for loader in loaders:
        next(iter(loader))
    assert len(set(multiprocessing.active_children()) - before) == 4
    data.teardown("fit")
    assert set(multiprocessing.active_children()) <= before
    assert len(list(data.train_dataloader())) == len(loaders[0]), "it can be iterated again"
    data.teardown("fit")


@pytest.mark.parametrize("tokenizer", [REMI, TSD, CPWord, MuMIDI, Octuple])
def test_velocities_that_tell_nothing_are_named_once_with_what_they_cost(tokenizer, tmp_path, cache, caplog):
    caplog.set_level("INFO", "midiaug")
    files = music.corpus(tmp_path / "tunes", 8)

    def said(**config):
        caplog.clear()
        made = MidiDataModule(tmp_path / "tunes", tokenizer(TokenizerConfig(**config)), window=48, cache_dir=cache)
        made.setup()
        lines = [record.getMessage() for record in caplog.records if "use_velocities" in record.getMessage()]
        return lines, len(made.store.tokens.data) - MAX_WINDOW

    assert said()[0] == []
    for file in files:
        score = Score(file)
        for note in score.tracks[0].notes:
            note.velocity = 90
        score.dump_midi(file)
    (line,), tokens = said()
    nothing, fewer = said(use_velocities=False)
    assert nothing == []
    assert line.endswith(f"+tokenizer.params.use_velocities=false saves {1 - fewer / tokens:.0%} of the tokens")


# Tokenizers of several vocabularies


@pytest.mark.parametrize("kind", [CPWord, Octuple, MuMIDI])
def test_a_batch_of_several_vocabularies_comes_apart_into_the_rows_that_miditok_writes(module_of, kind):
    dm = module_of(tokenizer=kind(), window=65)
    dm.setup()
    assert dm.route_name == "tokens"
    columns = dm.tokenizer.columns
    assert dm.window == 65 - 65 % columns
    bos, eos = ends_of(dm.tokenizer)
    for shift in (0, 2):
        batch = dm.train[np.arange(len(dm.train)), np.full(len(dm.train), shift)]
        rows, labels = dm.tokenizer.rows(batch["input_ids"]), dm.tokenizer.rows(batch["labels"])
        assert rows.shape == labels.shape == (len(dm.train), dm.window // columns, columns)
        assert (labels[:, 0] == -100).all(), "the first time step is context"
        real = batch["attention_mask"].view(rows.shape).bool()
        assert (real == real[:, :, :1]).all(), "whole time steps"
        assert torch.equal(labels[:, 1:], torch.where(real, rows, -100)[:, 1:])
        assert (rows[~real] == dm.tokenizer.original["PAD_None"]).all()
        for piece in np.unique(dm.train.pieces)[:3].tolist():
            score = transpose(parse(dm.corpus.midi[piece].tobytes(), Limits()), shift)
            written = dm.tokenizer(score)
            whole = [[*bos, *one.ids, *eos] for one in (written if isinstance(written, list) else [written])]
            found, steps = [], []
            for row in np.flatnonzero(dm.train.pieces == piece).tolist():
                steps += batch["input_ids"][row][real[row].flatten()].tolist()[columns if steps else 0 :]
                if steps[-columns:] == eos:  # the next window begins another track
                    found, steps = [*found, steps], []
            assert found == whole


def test_what_is_said_of_windows_names_their_time_steps(module_of, caplog):
    caplog.set_level("INFO", "midiaug")
    module_of(tokenizer=CPWord(), window=65).setup()
    assert "of 60 tokens, 10 time steps of 6, the most that data.window=65 holds" in caplog.text
    caplog.clear()
    module_of(tokenizer=CPWord(), window=60).setup()
    assert caplog.text.rstrip().endswith("of 60 tokens, 10 time steps of 6")
    caplog.clear()
    module_of().setup()
    assert caplog.text.rstrip().endswith(f"of {SIZE} tokens")


def test_pieces_of_more_bars_than_the_tokenizer_writes_are_left_out_and_named(module_of):
    dm = module_of(tokenizer=Octuple(TokenizerConfig(max_bar_embedding=5)))
    with pytest.raises(SplitError, match=r"too long: tokenizer\.params\.max_bar_embedding is 5 bars"):
        dm.setup()
