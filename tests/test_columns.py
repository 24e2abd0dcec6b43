"""Rows of ids, one from each vocabulary, as ids of one flat vocabulary and back; MidiTok's own are the reference."""

import pickle
from functools import cache

import music
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis.strategies import integers, sampled_from
from miditok import REMI, CPWord, MuMIDI, Octuple, TokenizerConfig
from symusic import Score

from midiaug.data.columns import FlatTokenizer, columns_of, ends_of, flattened, kind_of
from midiaug.errors import ConfigError, QuarantinedFile

KINDS = (CPWord, Octuple, MuMIDI)
SEVERAL = [(kind, programs) for kind in KINDS for programs in (False, True)]


@cache
def flat_of(kind, programs=False, **options):
    return flattened(kind(TokenizerConfig(use_programs=programs, **options)))


def sequences(written):
    return written if isinstance(written, list) else [written]


def tune(seed=0, bars=4):
    return music.tune(seed, bars=bars, chords=True, drums=True)


def pitches_of(score):
    return sorted((bool(track.is_drum), note.pitch) for track in score.tracks for note in track.notes)


@pytest.mark.parametrize(("kind", "programs"), SEVERAL)
def test_each_column_has_its_own_stretch_of_the_flat_vocabulary(kind, programs):
    flat, original = flat_of(kind, programs), kind(TokenizerConfig(use_programs=programs))
    assert len(flat) == sum(map(len, original.vocab)) == len(flat.vocab)
    assert sorted(flat.vocab.values()) == list(range(len(flat)))
    names = {number: name for name, number in flat.vocab.items()}
    for column, vocabulary in enumerate(original.vocab):
        for name, number in vocabulary.items():
            assert names[flat.offsets[column] + number] in (name, f"{name}.{column}")
    assert flat.columns == len(original.vocab) == columns_of(flat)


@pytest.mark.parametrize(("kind", "programs"), SEVERAL)
@given(seed=integers(0, 30))
@settings(deadline=None, max_examples=8)
def test_the_rows_are_those_that_miditok_writes(kind, programs, seed):
    flat = flat_of(kind, programs)
    wanted, got = sequences(flat.original(tune(seed))), sequences(flat(tune(seed)))
    assert len(wanted) == len(got) > 0
    for theirs, ours in zip(wanted, got, strict=True):
        rows = flat.rows(ours.ids).tolist()
        # MuMIDI's rows of bars, positions and programs have no velocity and no duration
        assert rows == [[*row, *[flat.pad_token_id] * (flat.columns - len(row))] for row in theirs.ids]


def test_only_mumidi_leaves_columns_out():
    short = {kind: min(map(len, sequences(kind()(tune()))[0].ids)) < len(kind().vocab) for kind in KINDS}
    assert short == {CPWord: False, Octuple: False, MuMIDI: True}


@pytest.mark.parametrize(("kind", "programs"), SEVERAL)
def test_flat_ids_decode_to_the_notes_that_they_were_written_from(kind, programs):
    flat = flat_of(kind, programs)
    written = flat(tune(3))
    named = None if flat.one_token_stream else [(0, False), (48, False), (0, True)]
    assert pitches_of(flat.decode(written, named)) == pitches_of(tune(3))
    ids = written.ids.tolist() if flat.one_token_stream else [one.ids.tolist() for one in written]
    assert pitches_of(flat.decode(ids, named)) == pitches_of(tune(3))


@given(kind=sampled_from(KINDS), batch=integers(1, 3), steps=integers(0, 5), seed=integers(0, 1000))
@settings(deadline=None, max_examples=60)
def test_rows_and_flat_ids_are_each_others_reverse(kind, batch, steps, seed):
    flat = flat_of(kind)
    rows = np.random.default_rng(seed).integers(flat.sizes, size=(batch, steps, flat.columns))
    ids = flat.flat(rows)
    assert ids.shape == (batch, steps * flat.columns)
    assert flat.rows(ids).tolist() == rows.tolist()
    back = flat.rows(torch.from_numpy(ids))
    assert isinstance(back, torch.Tensor)
    assert back.tolist() == rows.tolist()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("as_tensor", [False, True])
def test_padding_comes_back_as_every_columns_pad_and_ignored_labels_stay(kind, as_tensor):
    flat = flat_of(kind)
    ids = np.full((2, 3 * flat.columns), flat.pad_token_id)
    ids[:, : flat.columns] = ends_of(flat)[0]
    labels = np.where(np.arange(ids.shape[1]) < flat.columns, ids, -100)
    ids, labels = (torch.from_numpy(part) for part in (ids, labels)) if as_tensor else (ids, labels)
    begin = flat.original["BOS_None"]
    wanted = [[begin] * flat.columns, *[[flat.original["PAD_None"]] * flat.columns] * 2]
    assert flat.rows(ids).tolist() == [wanted, wanted]
    assert flat.rows(labels).tolist() == [[wanted[0], *[[-100] * flat.columns] * 2]] * 2


@pytest.mark.parametrize("kind", KINDS)
def test_ids_that_are_no_whole_rows_are_refused(kind):
    flat = flat_of(kind)
    ids = sequences(flat(tune()))[0].ids
    with pytest.raises(ConfigError, match=f"ids are no whole time steps: give a multiple of {flat.columns}"):
        flat.rows(ids[:-1])
    with pytest.raises(ConfigError, match="ids that are not of their columns: give whole time steps"):
        flat.rows(ids[1 : 1 - flat.columns])


@pytest.mark.parametrize("kind", KINDS)
def test_a_sequence_begins_and_ends_with_a_row_of_its_own(kind):
    flat = flat_of(kind)
    for ids, name in zip(ends_of(flat), ("BOS_None", "EOS_None"), strict=True):
        assert flat.rows(np.array(ids)).tolist() == [[flat.original[name]] * flat.columns]
    assert ends_of(flattened(kind(TokenizerConfig(special_tokens=["PAD"])))) == ([], [])


def test_a_tokenizer_of_one_vocabulary_stays_what_it_is():
    remi = REMI()
    assert flattened(remi) is remi
    assert (columns_of(remi), kind_of(remi)) == (1, "REMI")
    assert ends_of(remi) == ([remi["BOS_None"]], [remi["EOS_None"]])
    assert [kind_of(flat_of(kind)) for kind in KINDS] == ["CPWord", "Octuple", "MuMIDI"]
    assert flattened(flat_of(CPWord)) is flat_of(CPWord)


@pytest.mark.parametrize("kind", [Octuple, MuMIDI])
def test_a_piece_of_more_bars_than_are_written_is_refused_and_not_cut(kind):
    flat = flat_of(kind, max_bar_embedding=6)
    fits = sequences(flat(music.tune(2, bars=6)))[0]
    assert pitches_of(flat.decode(fits if flat.one_token_stream else [fits])) == pitches_of(music.tune(2, bars=6))
    with pytest.raises(QuarantinedFile, match=r"too long: tokenizer\.params\.max_bar_embedding is 6 bars"):
        flat(music.tune(2, bars=7))


@pytest.mark.parametrize("kind", KINDS)
def test_a_piece_without_a_tempo_is_written_as_with_the_default(kind):
    flat, plain, timed = flat_of(kind), tune(), tune()
    plain.tempos, timed.tempos[0].tempo = [], 120
    assert [one.ids.tolist() for one in sequences(flat(plain))] == [one.ids.tolist() for one in sequences(flat(timed))]


@pytest.mark.parametrize("kind", KINDS)
def test_another_process_gets_the_same_tokenizer(kind):
    flat = flat_of(kind)
    again = pickle.loads(pickle.dumps(flat))  # noqa: S301  # its own
    assert isinstance(again, FlatTokenizer)
    assert again.vocab == flat.vocab
    assert again.to_dict() == flat.to_dict()
    assert sequences(again(tune()))[0].ids.tolist() == sequences(flat(tune()))[0].ids.tolist()


@pytest.mark.parametrize("kind", [CPWord, Octuple])
def test_music_that_the_vocabulary_has_no_token_for_is_left_out_with_a_sentence(kind):
    flat = flattened(kind(TokenizerConfig(use_time_signatures=True, time_signature_range={4: [3]})))
    with pytest.raises(
        QuarantinedFile, match=f"^{kind.__name__}, as tokenizer.params has it, has no token TimeSig_4/4$"
    ):
        flat(tune())


@pytest.mark.parametrize("name", ["Bar_256", "BarPosEnc_256"])
def test_a_bar_that_has_no_token_is_said_to_be_one_too_many(name, monkeypatch):
    flat = flattened(MuMIDI(TokenizerConfig(max_bar_embedding=256)))

    def encode(*_, **__):
        raise KeyError(name)

    monkeypatch.setattr(flat.original, "encode", encode)
    with pytest.raises(QuarantinedFile, match=r"^too long: tokenizer\.params\.max_bar_embedding is 256 bars$"):
        flat(tune())


@pytest.mark.parametrize(("kind", "programs"), SEVERAL)
def test_music_without_a_note_or_of_other_programs_alone_has_no_token(kind, programs):
    others = flattened(kind(TokenizerConfig(use_programs=True, programs=[5])))
    for flat, score in ((flat_of(kind, programs), Score(480)), (others, tune())):
        assert sum(len(sequence.ids) for sequence in sequences(flat(score))) == 0
