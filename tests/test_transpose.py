"""Shifting the score with symusic and tokenizing it with MidiTok is the reference for every table here."""

from functools import cache
from importlib.util import find_spec

import music
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.strategies import integers, lists, sampled_from
from miditok import REMI, TSD, CPWord, MIDILike, MuMIDI, Octuple, Structured, TokenizerConfig
from symusic import ControlChange, Note, PitchBend, Score, Tempo, TextMeta, TimeSignature, Track
from symusic.core import ScoreTick

from midiaug.data.columns import flattened
from midiaug.data.pieces import Limits, parse, read_midi_bytes
from midiaug.data.proof import mark_drums
from midiaug.data.sources import bundled
from midiaug.data.transpose import (
    MAX_SHIFT,
    TokenTransposer,
    notes_per_token,
    pitch_span,
    settings_of,
    shifted_key,
    transpose,
    without_unwritable,
    written_range,
)
from midiaug.errors import ConfigError, PitchOutOfRange, QuarantinedFile, RouteError

# the circle of fifths, from seven flats to seven sharps
MAJOR_KEYS = dict(
    zip(range(-7, 8), ["Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#"], strict=True)
)
WHITE_KEYS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

TOKENIZERS = {
    "remi": (REMI, {}),
    "remi_programs": (REMI, {"use_programs": True}),
    "remi_chords_rests_tempos_signatures": (
        REMI,
        {"use_chords": True, "use_rests": True, "use_tempos": True, "use_time_signatures": True},
    ),
    "remi_intervals": (REMI, {"use_pitch_intervals": True}),
    "remi_bends_pedals": (REMI, {"use_pitch_bends": True, "use_sustain_pedals": True}),
    "remi_key_signatures": (REMI, {"use_key_signatures": True}),
    "remi_chord_roots": (
        REMI,
        {"use_chords": True, "chord_tokens_with_root_note": True, "chord_unknown": (3, 6)},
    ),
    "remi_program_changes": (REMI, {"use_programs": True, "program_changes": True}),
    "remi_drums_as_pitches": (REMI, {"use_programs": True, "use_pitchdrum_tokens": False}),
    "tsd": (TSD, {}),
    "tsd_programs_chord_roots": (
        TSD,
        {"use_programs": True, "use_chords": True, "chord_tokens_with_root_note": True},
    ),
    "midilike": (MIDILike, {}),
    "midilike_drums_as_pitches": (MIDILike, {"use_programs": True, "use_pitchdrum_tokens": False}),
    "structured": (Structured, {}),
    "structured_programs": (Structured, {"use_programs": True}),
    "cpword": (CPWord, {}),
    "cpword_programs_chord_roots_tempos": (
        CPWord,
        {"use_programs": True, "use_chords": True, "chord_tokens_with_root_note": True, "use_tempos": True},
    ),
    "cpword_rests": (CPWord, {"use_rests": True, "use_time_signatures": False}),
    "cpword_drums_as_pitches": (CPWord, {"use_programs": True, "use_pitchdrum_tokens": False}),
    "octuple": (Octuple, {"max_bar_embedding": 256}),
    "octuple_programs_tempos": (Octuple, {"use_programs": True, "use_tempos": True, "max_bar_embedding": 256}),
    "octuple_drums_as_pitches": (
        Octuple,
        {"use_programs": True, "use_pitchdrum_tokens": False, "max_bar_embedding": 256},
    ),
    "mumidi": (MuMIDI, {"max_bar_embedding": 256}),
    "mumidi_chord_roots_tempos": (
        MuMIDI,
        {"use_chords": True, "chord_tokens_with_root_note": True, "use_tempos": True, "max_bar_embedding": 256},
    ),
    "mumidi_drums_as_pitches": (MuMIDI, {"use_pitchdrum_tokens": False, "max_bar_embedding": 256}),
}
LOW = {"remi_low": (REMI, {"pitch_range": (41, 67), "drums_pitch_range": (35, 50)})}


@cache
def tokenizer_of(name):
    kind, options = (TOKENIZERS | LOW)[name]
    return flattened(kind(TokenizerConfig(**options)))


@cache
def piece(seed):
    """Four bars of melody, chords and drums with everything else that a file can hold, read from MIDI bytes.

    Its pitches leave room for 24 semitones either way.
    """
    score = music.tune(seed, bars=4, chords=True, drums=True)
    melody = score.tracks[0]
    for time, number, value in ((240, 7, 90), (480, 64, 127), (1440, 64, 0)):
        melody.controls.append(ControlChange(time, number, value, "tick"))
    for track in score.tracks:
        track.pitch_bends.append(PitchBend(480, 2048, "tick"))
    score.tempos.append(Tempo(960, 96, ttype="tick"))
    score.time_signatures.append(TimeSignature(1920, 3, 4, "tick"))
    score.markers.append(TextMeta(480, "verse", "tick"))
    return ScoreTick.from_midi(score.dumps_midi())


def ids_of(tokenizer, score):
    sequences = tokenizer(score)
    return [np.array(one.ids) for one in (sequences if isinstance(sequences, list) else [sequences])]


def shifted_by_symusic(score, shift):
    """The reference: each pitched track moved by symusic, each key signature looked up by its tonic's name."""
    moved = score.copy()
    for track in moved.tracks:
        if not track.is_drum:
            track.shift_pitch(shift, inplace=True)
    for signature in moved.key_signatures if shift % 12 else []:
        wanted = (pitch_class(MAJOR_KEYS[signature.key]) + shift) % 12
        signature.key = next(key for key in range(-5, 7) if pitch_class(MAJOR_KEYS[key]) == wanted)
    return moved


def pitch_class(name):
    return (WHITE_KEYS[name[0]] + name.count("#") - name.count("b")) % 12


def shifted_by_table(tokenizer, score, shift):
    table = TokenTransposer(tokenizer)
    ids, problem = mark_drums(ids_of(tokenizer, score), score, tokenizer, table)
    assert problem is None
    return [table(row, shift).tolist() for row in ids]


def one_note(pitch, drum=False):
    score = Score(480)
    score.tracks.append(Track("", 0, drum))
    score.tracks[0].notes.append(Note(0, 480, pitch, 80, "tick"))
    return score


def notes_of(track):
    return {name: column.tolist() for name, column in track.notes.numpy().items()}


# Scores


@given(seed=integers(0, 20), shift=integers(-MAX_SHIFT, MAX_SHIFT))
@settings(deadline=None, max_examples=40)
def test_only_the_pitches_of_pitched_tracks_move(seed, shift):
    before, after = piece(seed), transpose(piece(seed), shift)
    for old, new in zip(before.tracks, after.tracks, strict=True):
        moved = notes_of(old)
        if not old.is_drum:
            moved["pitch"] = [pitch + shift for pitch in moved["pitch"]]
        assert notes_of(new) == moved
        assert (new.name, new.program, new.is_drum) == (old.name, old.program, old.is_drum)
        assert (new.controls, new.pedals, new.pitch_bends) == (old.controls, old.pedals, old.pitch_bends)
    for kind in ("tempos", "time_signatures", "markers"):
        assert len(getattr(before, kind))
        assert getattr(after, kind) == getattr(before, kind)
    assert after.ticks_per_quarter == before.ticks_per_quarter


def test_the_piece_that_is_tested_holds_something_of_everything():
    tracks = piece(0).tracks
    assert [track.is_drum for track in tracks] == [False, False, True]
    assert all(len(track.pitch_bends) for track in tracks)
    assert len(tracks[0].controls)
    assert len(tracks[0].pedals)


@pytest.mark.parametrize("shift", [-7, 0, 7])
def test_the_score_itself_stays_as_it_was(shift):
    score = piece(1).copy()
    shifted = transpose(score, shift)
    for track in shifted.tracks:
        track.notes[0].velocity = 1
        track.notes.pop()
    assert score == piece(1)


def test_a_key_signature_moves_with_the_notes():
    score = piece(2)
    assert [signature.key for signature in score.key_signatures] == [0]
    assert [signature.key for signature in transpose(score, 2).key_signatures] == [2]
    assert [signature.key for signature in transpose(score, -2).key_signatures] == [-2]
    assert [signature.key for signature in transpose(score, 12).key_signatures] == [0]


def test_a_piece_shifted_there_and_back_is_the_same():
    assert transpose(transpose(piece(3), 5), -5) == piece(3)


@pytest.mark.parametrize(("shift", "refused"), [(67, False), (68, True), (-60, False), (-61, True)])
def test_the_ends_of_midi_can_be_reached_and_not_passed(shift, refused):
    score = one_note(60)
    if not refused:
        assert transpose(score, shift).tracks[0].notes[0].pitch == 60 + shift
        return
    sentence = rf"track 0 has pitches 60 to 60: a shift of {shift:+d} takes notes out of MIDI's 0 to 127"
    with pytest.raises(PitchOutOfRange, match=sentence.replace("+", r"\+")):
        transpose(score, shift)


@pytest.mark.parametrize("shift", [128, -129, 1000, -100_000])
def test_an_absurd_shift_is_refused_in_the_same_words(shift):
    with pytest.raises(PitchOutOfRange, match="takes notes out of MIDI's 0 to 127"):
        transpose(one_note(60), shift)


def test_a_refused_score_stays_as_it_was():
    score = piece(4).copy()
    score.tracks[1].notes[0].pitch = 120  # the first track could move, the second cannot
    untouched = score.copy()
    with pytest.raises(PitchOutOfRange, match="track 1 has pitches"):
        transpose(score, 10)
    assert score == untouched


def test_drums_and_empty_tracks_limit_no_shift():
    score = one_note(60)
    score.tracks.append(Track("", 0, True))
    score.tracks[1].notes.append(Note(0, 480, 126, 80, "tick"))
    score.tracks.append(Track("", 5, False))
    assert [notes_of(track)["pitch"] for track in transpose(score, 24).tracks] == [[84], [126], []]


@pytest.mark.parametrize("key", MAJOR_KEYS)
def test_a_shifted_key_has_the_tonic_that_many_semitones_away(key):
    for shift in range(-MAX_SHIFT, MAX_SHIFT + 1):
        shifted = shifted_key(key, shift)
        assert pitch_class(MAJOR_KEYS[shifted]) == (pitch_class(MAJOR_KEYS[key]) + shift) % 12
        assert shifted == key if shift % 12 == 0 else -5 <= shifted <= 6


@pytest.mark.parametrize(
    ("before", "shift", "after"),
    [("C", 1, "Db"), ("C", 6, "F#"), ("G", 2, "A"), ("F", -1, "E"), ("Bb", 3, "Db"), ("Cb", 1, "C"), ("Cb", 12, "Cb")],
)
def test_keys_are_written_as_musicians_write_them(before, shift, after):
    sharps = {name: key for key, name in MAJOR_KEYS.items()}
    assert shifted_key(sharps[before], shift) == sharps[after]


def test_the_span_of_a_piece_leaves_drums_out():
    pitched = [note.pitch for track in piece(5).tracks if not track.is_drum for note in track.notes]
    assert pitch_span(piece(5)) == (min(pitched), max(pitched))
    assert min(note.pitch for note in piece(5).tracks[2].notes) < min(pitched)
    assert pitch_span(one_note(40, drum=True)) is None


# Tokens


@pytest.mark.parametrize("name", TOKENIZERS)
@given(seed=integers(0, 20), shift=integers(-MAX_SHIFT, MAX_SHIFT))
@settings(deadline=None, max_examples=15)
def test_shifting_tokens_equals_shifting_the_score_and_tokenizing(name, seed, shift):
    tokenizer = tokenizer_of(name)
    expected = ids_of(tokenizer, shifted_by_symusic(piece(seed), shift))
    assert shifted_by_table(tokenizer, piece(seed), shift) == [row.tolist() for row in expected]


@pytest.fixture(scope="module")
def airs():
    """Ten tunes of Aird's Airs (1778 to 1801)."""
    if find_spec("music21") is None:
        pytest.skip("the bundled tunes come with music21")
    tunes = []
    for entry in bundled("aird")[::40]:
        try:
            tunes.append(parse(read_midi_bytes(entry), Limits()))
        except QuarantinedFile:
            continue
        if len(tunes) == 10:
            break
    assert len(tunes) == 10
    return tunes


@pytest.mark.parametrize("name", TOKENIZERS)
def test_shifting_tokens_equals_shifting_the_score_on_old_airs(name, airs):
    tokenizer = tokenizer_of(name)
    for number, air in enumerate(airs):
        pitches = [note.pitch for track in air.tracks for note in track.notes]
        for shift in {max(-MAX_SHIFT, 21 - min(pitches)), -1 - number % 6, 6, min(MAX_SHIFT, 109 - max(pitches))}:
            expected = ids_of(tokenizer, shifted_by_symusic(air, shift))
            assert shifted_by_table(tokenizer, air, shift) == [row.tolist() for row in expected]


@pytest.mark.parametrize("name", ["remi_chord_roots", "tsd_programs_chord_roots", "mumidi_chord_roots_tempos"])
def test_chords_with_a_root_note_occur_and_move(name):
    tokenizer = tokenizer_of(name)
    names = {number: token for token, number in tokenizer.vocab.items()}
    rows = ids_of(tokenizer, piece(6))
    chords = np.concatenate([[i for i in row if names[i].startswith("Chord_")] for row in rows]).astype(int)
    assert len(chords) >= 8
    moved = TokenTransposer(tokenizer)(chords, 1)
    assert (moved != chords).all()
    for old, new in zip(chords, moved, strict=True):
        root, quality = names[old].removeprefix("Chord_").split(":")
        root_after, quality_after = names[new].removeprefix("Chord_").split(":")
        assert pitch_class(root_after) == (pitch_class(root) + 1) % 12
        assert quality_after == quality


def test_chords_without_a_root_note_occur_and_stay():
    tokenizer = tokenizer_of("remi_chords_rests_tempos_signatures")
    names = {number: token for token, number in tokenizer.vocab.items()}
    row = ids_of(tokenizer, piece(6))[1]
    chords = [i for i in row if names[i].startswith("Chord_")]
    assert len(chords) >= 8
    assert TokenTransposer(tokenizer)(chords, 5).tolist() == chords


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("remi", {"Pitch"}),
        ("remi_intervals", {"Pitch"}),
        ("midilike", {"NoteOn", "NoteOff"}),
        ("remi_key_signatures", {"Pitch", "KeySig"}),
        ("remi_chord_roots", {"Pitch", "Chord"}),
        ("cpword_programs_chord_roots_tempos", {"Pitch", "Chord"}),
        ("octuple_programs_tempos", {"Pitch"}),
        ("mumidi", {"Pitch"}),
    ],
)
def test_tokens_that_name_a_pitch_move_and_no_others(name, kinds):
    tokenizer = tokenizer_of(name)
    table = TokenTransposer(tokenizer)
    moved = {
        token.partition("_")[0]
        for token, number in tokenizer.vocab.items()
        if table.table[MAX_SHIFT + 1, number] != number
    }
    assert moved == kinds
    assert (table.table[MAX_SHIFT] == np.arange(len(tokenizer))).all()


@given(
    shape=lists(integers(0, 4), max_size=3),
    spread=lists(sampled_from([False, True]), min_size=2, max_size=2),
    seed=integers(0, 1000),
)
@settings(deadline=None, max_examples=60)
def test_ids_of_any_shape_are_shifted_with_broadcasting(shape, spread, seed):
    tokenizer = tokenizer_of("remi")
    names = {number: token for token, number in tokenizer.vocab.items()}
    usable = [number for token, number in tokenizer.vocab.items() if token not in _near_an_end(tokenizer)]
    generator = np.random.default_rng(seed)
    ids = generator.choice(usable, shape)
    narrow = [1 if one else side for side, one in zip(shape[:-1], spread, strict=False)]
    semitones = generator.integers(-MAX_SHIFT, MAX_SHIFT + 1, narrow)

    shifted = TokenTransposer(tokenizer)(ids, semitones)

    every = np.broadcast_to(semitones[..., None] if shape else semitones, shape)
    expected = [_by_name(tokenizer, names[i], by) for i, by in zip(ids.ravel(), every.ravel(), strict=True)]
    assert shifted.shape == tuple(shape)
    assert shifted.dtype == np.int64
    assert shifted.ravel().tolist() == expected


def _near_an_end(tokenizer):
    low, high = 21, 109
    return {f"Pitch_{p}" for p in range(low, high + 1) if p - MAX_SHIFT < low or p + MAX_SHIFT > high}


def _by_name(tokenizer, name, shift):
    kind, _, value = name.partition("_")
    return tokenizer.vocab[f"Pitch_{int(value) + shift}" if kind == "Pitch" else name]


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.int64])
def test_ids_of_any_integer_type_are_left_as_they_were(dtype):
    tokenizer = tokenizer_of("remi")
    ids = ids_of(tokenizer, piece(7))[0].astype(dtype)
    before = ids.copy()
    shifted = TokenTransposer(tokenizer)(ids, -3)
    assert (ids == before).all()
    assert shifted.tolist() == TokenTransposer(tokenizer)(before.tolist(), -3).tolist()


@pytest.mark.parametrize("wrong", [-100, -1, 10_000])
def test_an_id_that_is_no_token_is_refused(wrong):
    with pytest.raises((ValueError, IndexError)):
        TokenTransposer(tokenizer_of("remi"))([10, wrong], 2)


def test_a_fraction_of_a_semitone_is_refused():
    with pytest.raises((ValueError, TypeError)):
        TokenTransposer(tokenizer_of("remi"))([10, 11], 0.5)


def test_a_shift_out_of_the_tokenizers_pitches_names_the_token_and_the_shift():
    tokenizer = tokenizer_of("remi")
    ids = np.array([[tokenizer.vocab["Bar_None"], tokenizer.vocab["Pitch_60"]], [0, tokenizer.vocab["Pitch_107"]]])
    assert TokenTransposer(tokenizer)(ids, 2).max() == tokenizer.vocab["Pitch_109"]
    with pytest.raises(
        PitchOutOfRange, match=r"token Pitch_107 at \(1, 1\): a shift of \+3 leaves the tokenizer's pitches"
    ):
        TokenTransposer(tokenizer)(ids, [1, 3])
    with pytest.raises(PitchOutOfRange, match=r"token Pitch_107 at \(\)"):
        TokenTransposer(tokenizer)(ids[1, 1], 3)


@pytest.mark.parametrize("semitones", [25, -25, [0, 400]])
def test_a_shift_beyond_two_octaves_is_refused(semitones):
    worst = np.ravel(semitones)[-1]
    with pytest.raises(ConfigError, match=f"a shift of {worst} semitones: use numbers from -24 to 24"):
        TokenTransposer(tokenizer_of("remi"))([[4], [5]], semitones)


@pytest.mark.parametrize("kind", [CPWord, Octuple, MuMIDI])
def test_a_tokenizer_of_several_vocabularies_has_a_table_once_it_is_flat(kind):
    tokenizer = kind(TokenizerConfig(use_programs=True))
    with pytest.raises(RouteError, match=r"several vocabularies has no table; use midiaug\.data\.columns\.flattened"):
        TokenTransposer(tokenizer)
    assert TokenTransposer(flattened(tokenizer)).vocab_size == len(tokenizer)


@pytest.fixture(scope="module", params=["BPE", "Unigram", "WordPiece"])
def trained(request, tmp_path_factory):
    files = music.corpus(tmp_path_factory.mktemp("trained"), 4, seed=500, bars=8, chords=True, drums=True)
    tokenizer = REMI(TokenizerConfig(use_programs=True))
    tokenizer.train(vocab_size=len(tokenizer) + 60, model=request.param, files_paths=files)
    assert tokenizer.is_trained
    return tokenizer


def test_a_trained_tokenizer_has_no_table(trained):
    with pytest.raises(RouteError, match="a trained tokenizer merges pitches"):
        TokenTransposer(trained)


# Tokenizers


@pytest.mark.parametrize("drums", [False, True])
@pytest.mark.parametrize(
    "name",
    ["remi", "remi_low", "midilike", "remi_drums_as_pitches", "cpword", "octuple", "mumidi", "mumidi_drums_as_pitches"],
)
def test_the_written_range_is_that_of_the_pitches_that_have_a_token(name, drums):
    tokenizer = tokenizer_of(name)
    written = [pitch for pitch in range(128) if _is_written(tokenizer, pitch, drums)]
    assert written_range(tokenizer, drums) == (written[0], written[-1])


def _is_written(tokenizer, pitch, drums):
    try:
        sequences = tokenizer(one_note(pitch, drums))
    except (KeyError, QuarantinedFile):  # let pass by MidiTok's filter, and without a token
        return False
    names = {number: token for token, number in tokenizer.vocab.items()}
    every = sequences if isinstance(sequences, list) else [sequences]
    tokens = [names[number] for one in every for number in np.asarray(one.ids).tolist()]
    return any(token.endswith(f"_{pitch}") and token[:4] in ("Pitc", "Note", "Drum") for token in tokens)


def test_notes_without_a_token_are_left_out_and_counted():
    score = piece(8).copy()
    for pitch in (21, 109):  # the ends themselves are written
        score.tracks[1].notes.append(Note(9000, 240, pitch, 64, "tick"))
    written = [notes_of(track) for track in score.tracks]
    for pitch, track in ((5, 0), (110, 0), (127, 1), (100, 2)):
        score.tracks[track].notes.append(Note(10_000, 240, pitch, 64, "tick"))
    untouched = score.copy()
    kept, lost = without_unwritable(score, tokenizer_of("remi"))
    assert lost == 4
    assert [notes_of(track) for track in kept.tracks] == written
    assert score == untouched


def test_a_narrow_tokenizer_keeps_the_notes_that_it_writes():
    kept, lost = without_unwritable(piece(9), tokenizer_of("remi_low"))
    inside = [
        [note for note in track.notes if (35 <= note.pitch <= 50 if track.is_drum else 41 <= note.pitch <= 67)]
        for track in piece(9).tracks
    ]
    assert [list(track.notes) for track in kept.tracks] == inside
    assert lost == piece(9).note_num() - sum(map(len, inside)) > 0


def test_a_score_that_is_written_whole_comes_back_as_it_is():
    kept, lost = without_unwritable(piece(10), tokenizer_of("remi"))
    assert (kept, lost) == (piece(10), 0)


@pytest.mark.parametrize("name", TOKENIZERS)
def test_the_tokens_of_a_piece_begin_as_many_notes_as_it_has(name):
    tokenizer = tokenizer_of(name)
    notes = notes_per_token(tokenizer)
    assert notes.shape == (len(tokenizer),)
    assert sum(notes[row].sum() for row in ids_of(tokenizer, piece(11))) == piece(11).note_num()


def test_a_merged_token_begins_the_notes_of_all_its_parts(trained):
    notes = notes_per_token(trained)
    rows = ids_of(trained, piece(12))
    assert sum(notes[row].sum() for row in rows) == piece(12).note_num()
    assert notes[np.concatenate(rows)].max() > 1


def test_the_settings_of_a_tokenizer_tell_it_from_others():
    assert settings_of(REMI()) == settings_of(REMI())
    others = [TSD(), REMI(TokenizerConfig(use_rests=True)), REMI(TokenizerConfig(pitch_range=(30, 100)))]
    assert all(settings_of(other) != settings_of(REMI()) for other in others)
