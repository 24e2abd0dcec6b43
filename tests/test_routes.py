"""Both routes give the same windows; the score, shifted and filtered note by note, is the reference."""

from functools import cache as remembered
from types import SimpleNamespace

import music
import numpy as np
import pytest
from miditok import BEAT, REMI, TSD, CPWord, MIDILike, MuMIDI, Octuple, Structured, TokenizerConfig
from symusic import ControlChange, Note, Score, Track
from symusic.core import ScoreTick

from midiaug.data.alterations import Alterations, stepped_tables
from midiaug.data.columns import columns_of, ends_of, flattened
from midiaug.data.corpus import read_corpus
from midiaug.data.pieces import Limits, parse
from midiaug.data.routes import MidiRoute, TokenRoute, choose_route
from midiaug.data.shifts import Shifts
from midiaug.data.sources import folder
from midiaug.data.store import build_store
from midiaug.data.transpose import MAX_SHIFT, TokenTransposer
from midiaug.data.windows import Windows
from midiaug.errors import ConfigError, RouteError

LOWEST, HIGHEST = 21, 109  # the pitches that MidiTok's default settings write
TOKENIZERS = {
    "remi": REMI(),
    "remi_programs": REMI(TokenizerConfig(use_programs=True)),
    "remi_drums_as_pitches": REMI(TokenizerConfig(use_programs=True, use_pitchdrum_tokens=False)),
    "remi_chord_roots": REMI(TokenizerConfig(use_chords=True, chord_tokens_with_root_note=True)),
    "remi_intervals": REMI(TokenizerConfig(use_pitch_intervals=True)),
    "tsd": TSD(),
    "midilike": MIDILike(),
    "structured": Structured(),
    "cpword": flattened(CPWord()),
    "cpword_programs": flattened(CPWord(TokenizerConfig(use_programs=True))),
    "octuple": flattened(Octuple()),
    "octuple_programs": flattened(Octuple(TokenizerConfig(use_programs=True))),
    "mumidi": flattened(MuMIDI()),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A corpus of four pieces: low and high melodies, with chords, with drums; and the cache."""
    root = tmp_path_factory.mktemp("routes")
    music.corpus(root / "a", 1, seed=1, bars=3, low=85)
    music.corpus(root / "b", 1, seed=2, bars=3, low=24)
    music.corpus(root / "c", 1, seed=3, bars=3, chords=True)
    music.corpus(root / "d", 1, seed=4, bars=3, chords=True, drums=True)
    cache = root / "cache"
    return read_corpus(folder(root), Limits(), cache, processes=1), cache


@pytest.fixture(scope="module")
def store_by(place):
    return remembered(lambda name: build_store(place[0], TOKENIZERS[name], Limits(), place[1], processes=1))


def corpus_of(scores, folder_, tokenizer):
    """A corpus, its store and its MIDI route that drops notes, of scores of one's own."""
    for number, score in enumerate(scores):
        music.write(score, folder_ / "own" / f"{number}.mid")
    corpus = read_corpus(folder(folder_ / "own"), Limits(), folder_ / "cache", processes=1)
    store = build_store(corpus, tokenizer, Limits(), folder_ / "cache", processes=1)
    return corpus, store, MidiRoute(corpus, store, tokenizer, Limits(), "drop")


def voices(*pitches, drums=None):
    """A score with a track of eight quarter notes for each list of pitches, each for another instrument."""
    score = Score(480)
    for number, track in enumerate([*pitches, *([drums] if drums else [])]):
        score.tracks.append(Track(f"voice {number}", 10 * number, number == len(pitches)))
        for beat in range(8):
            score.tracks[number].notes.append(Note(480 * beat, 480, track[beat % len(track)], 80, "tick"))
    return score


def filtered(score, shift):
    """The reference for `drop`: the notes whose shifted pitch is still written, shifted one by one."""
    moved = score.copy()
    for track in moved.tracks:
        by = 0 if track.is_drum else shift
        notes = [
            Note(note.time, note.duration, note.pitch + by, note.velocity, "tick")
            for note in track.notes
            if track.is_drum or LOWEST <= note.pitch + by <= HIGHEST
        ]
        track.notes = type(track.notes)(notes)
    return moved


def ids_of(tokenizer, score):
    encoded = tokenizer(score)
    return [sequence.ids for sequence in (encoded if isinstance(encoded, list) else [encoded])]


# Two routes, one result


@pytest.mark.parametrize("name", TOKENIZERS)
def test_both_routes_give_the_same_windows_for_every_piece_and_shift(place, store_by, name):
    corpus, store, tokenizer = place[0], store_by(name), TOKENIZERS[name]
    assert store.proof.difference is None
    by_table = TokenRoute(store, TokenTransposer(tokenizer))
    from_score = MidiRoute(corpus, store, tokenizer, Limits(), "limit")
    windows = Windows.of(store, np.arange(len(store.tokens)), 200)
    piece = store.piece[windows.sequence]
    room = np.maximum(store.lowest, -MAX_SHIFT), np.minimum(store.highest, MAX_SHIFT)
    pairs = [
        (row, shift) for row in range(len(windows)) for shift in range(room[0][piece[row]], room[1][piece[row]] + 1)
    ]
    assert len(pairs) > 150
    rows, shifts = np.array(pairs).T
    table_ids, table_lengths = by_table.read(windows, rows, shifts)
    score_ids, score_lengths = from_score.read(windows, rows, shifts)
    assert np.issubdtype(table_ids.dtype, np.signedinteger)
    assert table_ids.shape == score_ids.shape == (len(rows), windows.size)
    assert (table_lengths == score_lengths).all()
    inside = np.arange(windows.size) < table_lengths[:, None]
    assert (np.where(inside, table_ids, 0) == np.where(inside, score_ids, 0)).all()


@pytest.mark.parametrize("name", TOKENIZERS)
def test_short_windows_by_table_are_parts_of_the_tokens_of_the_shifted_score(place, store_by, name):
    corpus, store, tokenizer = place[0], store_by(name), TOKENIZERS[name]
    route = TokenRoute(store, TokenTransposer(tokenizer))
    windows = Windows.of(store, np.arange(len(store.tokens)), 16)
    rows = np.arange(len(windows))
    shifts = np.clip(np.arange(-9, 9)[rows % 18], *(room[store.piece[windows.sequence]] for room in _room(store)))
    ids, lengths = route.read(windows, rows, shifts)
    for row, shift in zip(rows, shifts, strict=True):
        sequence = windows.sequence[row]
        score = parse(corpus.midi[int(store.piece[sequence])].tobytes(), Limits())
        for track in score.tracks:
            if not track.is_drum:
                track.shift_pitch(int(shift), inplace=True)
        bos, eos = ends_of(tokenizer)
        whole = [*bos, *ids_of(tokenizer, score)[store.track[sequence]], *eos]
        begin = windows.start[row] - store.tokens.offsets[sequence]
        assert begin % columns_of(tokenizer) == 0
        assert ids[row, : lengths[row]].tolist() == whole[begin : begin + windows.size]


@pytest.mark.parametrize("name", ["remi", "octuple"])
def test_both_routes_give_the_same_windows_where_the_cuts_between_them_move(place, store_by, name):
    corpus, store, tokenizer = place[0], store_by(name), TOKENIZERS[name]
    windows = Windows.of(store, np.arange(len(store.tokens)), 48)
    rows = np.arange(len(windows))
    moved = windows.slid(rows, windows.slack[windows.place] // (2 * windows.columns) * windows.columns)
    assert len(set(moved.length.tolist())) > 2  # the first of each sequence is shorter
    by_table = TokenRoute(store, TokenTransposer(tokenizer)).read(moved, rows, rows % 2)
    from_score = MidiRoute(corpus, store, tokenizer, Limits(), "limit").read(moved, rows, rows % 2)
    assert by_table[1].tolist() == from_score[1].tolist() == moved.length.tolist()
    inside = np.arange(48) < moved.length[:, None]
    assert (np.where(inside, by_table[0], 0) == np.where(inside, from_score[0], 0)).all()


def test_unshifted_windows_hold_no_alias(store_by):
    store, tokenizer = store_by("remi_drums_as_pitches"), TOKENIZERS["remi_drums_as_pitches"]
    table = TokenTransposer(tokenizer)
    windows = Windows.of(store, np.arange(len(store.tokens)), 50)
    rows = np.arange(len(windows))
    ids, lengths = TokenRoute(store, table).read(windows, rows, np.zeros(len(rows), np.int64))
    stored = [store.tokens.data[start : start + length] for start, length in zip(windows.start, lengths, strict=True)]
    assert max(part.max() for part in stored) >= table.vocab_size
    for row, part in zip(ids, stored, strict=True):
        assert row[: len(part)].tolist() == table(part, 0).tolist()
        assert row[: len(part)].max() < table.vocab_size


def _room(store):
    return np.asarray(store.lowest), np.asarray(store.highest)


# The choice


def test_auto_takes_the_table_where_both_routes_agree(store_by):
    store = store_by("remi")
    name, why = choose_route("auto", store, Shifts.between(-5, 5), np.ones(4, bool), "limit")
    assert name == "tokens"
    assert why == f"both routes gave identical ids in {store.proof.cases} cases of 4 pieces"
    assert choose_route("tokens", store, Shifts.between(-5, 5), np.ones(4, bool), "limit") == (name, why)


def test_midi_is_taken_where_it_is_asked_for(store_by):
    assert choose_route("midi", store_by("remi"), Shifts.of(0), np.ones(4, bool), "limit")[0] == "midi"


def test_auto_takes_the_score_for_merged_tokens_and_the_table_is_refused(place, trained):
    store = build_store(place[0], trained, Limits(), place[1], processes=1)
    name, why = choose_route("auto", store, Shifts.of(0), np.ones(4, bool), "limit")
    assert name == "midi"
    assert "a trained tokenizer merges pitches" in why
    with pytest.raises(
        RouteError, match=r"data\.route=tokens: .*merges pitches.*; use data\.route=auto or data\.route=midi"
    ):
        choose_route("tokens", store, Shifts.of(0), np.ones(4, bool), "limit")


def test_auto_takes_the_score_for_a_tokenizer_that_the_table_gets_wrong(place):
    corpus, tokenizer = place[0], BEAT(TokenizerConfig(use_programs=True))  # writes chords as steps from their top note
    store = build_store(corpus, tokenizer, Limits(), place[1], processes=1)
    name, why = choose_route("auto", store, Shifts.of(-2, 0, 2), np.ones(4, bool), "limit")
    assert name == "midi"
    assert why.startswith("the table does not give what the shifted score gives: ")
    assert any(piece in why for piece in corpus.names.all())  # and which piece shows it
    assert "shift " in why
    with pytest.raises(RouteError, match=r"data\.route=tokens: the table does not give"):
        choose_route("tokens", store, Shifts.of(-2, 0, 2), np.ones(4, bool), "limit")


def test_auto_takes_the_score_where_drop_takes_notes_away(store_by):
    store, shifts = store_by("remi"), Shifts.between(-6, 12)
    losing = int(((store.lowest > -6) | (store.highest < 12)).sum())
    assert losing == 2
    name, why = choose_route("auto", store, shifts, np.ones(4, bool), "drop")
    assert (name, why) == ("midi", "aug.out_of_range=drop takes notes away from 2 pieces, which no table can")
    with pytest.raises(RouteError, match=r"data\.route=tokens: aug\.out_of_range=drop takes notes away from 2 pieces"):
        choose_route("tokens", store, shifts, np.ones(4, bool), "drop")
    roomy = (store.lowest <= -6) & (store.highest >= 12)
    assert choose_route("auto", store, shifts, roomy, "drop")[0] == "tokens"
    assert choose_route("auto", store, shifts, np.ones(4, bool), "limit")[0] == "tokens"


def test_an_unknown_route_is_refused(store_by):
    with pytest.raises(ConfigError, match=r"data\.route=table: use auto, tokens or midi"):
        choose_route("table", store_by("remi"), Shifts.of(0), np.ones(4, bool), "limit")


# Merged tokens


def test_merged_tokens_are_those_of_the_shifted_score(place, trained):
    corpus = place[0]
    store = build_store(corpus, trained, Limits(), place[1], processes=1)
    route = MidiRoute(corpus, store, trained, Limits(), "limit")
    for row in range(len(store.tokens)):
        piece = int(store.piece[row])
        score = parse(corpus.midi[piece].tobytes(), Limits())
        shift = int(np.clip(5, store.lowest[piece], store.highest[piece]))
        wanted = ids_of(trained, filtered(score, shift))[store.track[row]]
        assert route.sequence(row, shift)[1:-1].tolist() == wanted
        assert route.sequence(row, 0).tolist() == store.tokens[row].tolist()


def test_a_merged_window_begins_inside_the_shifted_sequence_even_where_that_is_shorter(place, trained):
    corpus = place[0]
    store = build_store(corpus, trained, Limits(), place[1], processes=1)
    route = MidiRoute(corpus, store, trained, Limits(), "limit")
    windows = Windows.of(store, np.arange(len(store.tokens)), 3)
    rows = np.flatnonzero(np.diff(windows.sequence, append=-1))  # the last of each sequence
    beyond = 0
    for shift in range(-3, 7):
        ids, lengths = route.read(windows, rows, np.full(len(rows), shift))
        for place_, row in enumerate(rows):
            sequence = int(windows.sequence[row])
            whole = route.sequence(sequence, shift).tolist()
            beyond += windows.start[row] - store.tokens.offsets[sequence] >= len(whole) - 1
            part = ids[place_, : lengths[place_]].tolist()
            assert 2 <= len(part) <= 3
            assert any(whole[begin : begin + len(part)] == part for begin in range(len(whole)))
    assert beyond > 0


# Notes that leave


@pytest.mark.parametrize(
    "name", ["remi", "remi_programs", "remi_drums_as_pitches", "tsd", "midilike", "structured", "cpword", "mumidi"]
)
@pytest.mark.parametrize("shift", [-15, -8, 13, 16])
def test_drop_filters_exactly_the_notes_that_leave(place, store_by, name, shift):
    corpus, store, tokenizer = place[0], store_by(name), TOKENIZERS[name]
    route = MidiRoute(corpus, store, tokenizer, Limits(), "drop")
    lost, (bos, eos) = 0, map(len, ends_of(tokenizer))
    for row in range(len(store.tokens)):
        score = parse(corpus.midi[int(store.piece[row])].tobytes(), Limits())
        kept = filtered(score, shift)
        if not all(len(track.notes) for track in kept.tracks):
            continue
        lost += score.note_num() - kept.note_num()
        assert route.sequence(row, shift)[bos:-eos].tolist() == list(ids_of(tokenizer, kept)[store.track[row]])
    assert lost > 0


def test_drop_reaches_beyond_the_ends_of_midi(tmp_path):
    tokenizer = REMI()
    score = voices([60, 105, 108], [24, 60])
    _, _, route = corpus_of([score], tmp_path, tokenizer)
    for shift in (24, -24):
        for track in (0, 1):
            wanted = ids_of(tokenizer, filtered(score, shift))[track]
            assert route.sequence(track, shift)[1:-1].tolist() == wanted


def test_a_track_that_loses_all_its_notes_leaves_the_others_their_own(tmp_path):
    tokenizer = REMI()
    score = voices([60, 64], [100, 103], [50, 55], drums=[36, 38])
    _, _, route = corpus_of([score], tmp_path, tokenizer)
    first, third, drums = ids_of(tokenizer, filtered(score, 20))
    assert [route.sequence(track, 20)[1:-1].tolist() for track in (0, 2, 3)] == [first, third, drums]
    assert len(route.sequence(1, 20)) <= 2  # nothing but BOS and EOS, if those


@pytest.mark.parametrize(
    ("pitches", "shift"),
    [([[100, 103], [50, 55]], 20), ([[50, 55], [100, 103]], 20), ([[100, 103], [50, 55], [60, 64]], 20)],
)
def test_one_stream_keeps_the_other_tracks_where_one_loses_all_its_notes(tmp_path, pitches, shift):
    tokenizer = REMI(TokenizerConfig(use_programs=True))
    score = voices(*pitches)
    _, _, route = corpus_of([score], tmp_path, tokenizer)
    [wanted] = ids_of(tokenizer, filtered(score, shift))
    assert route.sequence(0, shift)[1:-1].tolist() == wanted


def test_a_track_with_a_pedal_and_no_note_left_takes_nothing_from_the_others(tmp_path):
    tokenizer = REMI(TokenizerConfig(use_sustain_pedals=True))
    score = voices([100, 103], [50, 55], [100, 101])
    for track in score.tracks:
        track.program = 0
    for time, value in ((0, 127), (960, 0)):
        score.tracks[0].controls.append(ControlChange(time, 64, value, "tick"))
    score = ScoreTick.from_midi(score.dumps_midi())
    assert len(score.tracks[0].pedals) == 1
    _, _, route = corpus_of([score], tmp_path, tokenizer)
    # the first track keeps its pedal, and so its place; the third is gone
    _, second = ids_of(tokenizer, filtered(score, 20))
    assert route.sequence(1, 20)[1:-1].tolist() == second
    assert len(route.sequence(2, 20)) <= 2


def test_drums_stay_where_a_shift_drops_notes(tmp_path):
    tokenizer = REMI(TokenizerConfig(use_pitchdrum_tokens=False))
    score = voices([60, 107], drums=[36, 42, 109])  # the last would leave MIDI's range with the others
    _, _, route = corpus_of([score], tmp_path, tokenizer)
    assert route.sequence(1, 24)[1:-1].tolist() == ids_of(tokenizer, score)[1]


class Wide:
    """A table over made-up tokens whose ids need more than 15 or 16 bits; those in `pitches` move, the last not."""

    drum_aliases = np.zeros(0, np.int64)

    def __init__(self, ids_in_store, pitches):
        self.ids_in_store = ids_in_store
        self.table = np.tile(np.arange(ids_in_store), (2 * MAX_SHIFT + 1, 1))
        self.table[:, pitches] += np.arange(-MAX_SHIFT, MAX_SHIFT + 1)[:, None]


@pytest.mark.parametrize("ids_in_store", [1 << 15, (1 << 15) + 1, 1 << 16, 70_000])
@pytest.mark.parametrize("contiguous", [True, False])
def test_a_large_vocabulary_is_shifted_without_wrapping_round(ids_in_store, contiguous):
    highest = ids_in_store - 1
    pitches = np.arange(highest - 200, highest - 100)
    table = Wide(ids_in_store, pitches if contiguous else np.append(pitches, 50))
    data = np.array([0, pitches[30], highest, pitches[60], 50, 1], np.uint16 if ids_in_store <= 1 << 16 else np.uint32)
    store = SimpleNamespace(tokens=SimpleNamespace(data=data))
    windows = Windows(np.zeros(2, np.int64), np.array([0, 1]), np.array([5, 5]), 5)
    ids, lengths = TokenRoute(store, table).read(windows, np.array([1, 0]), np.array([-20, 20]))
    assert lengths.tolist() == [5, 5]
    assert ids.tolist() == [
        table.table[MAX_SHIFT - 20, data[1:]].tolist(),
        table.table[MAX_SHIFT + 20, data[:5]].tolist(),
    ]


@pytest.mark.parametrize("name", ["remi", "remi_drums_as_pitches", "tsd", "structured", "cpword", "octuple", "mumidi"])
def test_both_routes_give_the_same_windows_where_the_music_is_altered_too(place, store_by, name):
    corpus, store, tokenizer = place[0], store_by(name), TOKENIZERS[name]
    alterations = Alterations((-3, 2), (-1, 2))
    by_table = TokenRoute(store, TokenTransposer(tokenizer), stepped_tables(tokenizer, alterations))
    from_score = MidiRoute(corpus, store, tokenizer, Limits(), "limit", alterations)
    windows = Windows.of(store, np.arange(len(store.tokens)), 40)
    rows = np.repeat(np.arange(len(windows)), len(alterations.combinations))
    shifts, altered = rows % 3 - 1, np.arange(len(rows)) % len(alterations.combinations)
    table_ids, table_lengths = by_table.read(windows, rows, shifts, altered)
    score_ids, score_lengths = from_score.read(windows, rows, shifts, altered)
    assert (table_lengths == score_lengths).all()
    inside = np.arange(windows.size) < table_lengths[:, None]
    assert (np.where(inside, table_ids, 0) == np.where(inside, score_ids, 0)).all()
    plain = by_table.read(windows, rows, shifts)[0]
    assert (table_ids != plain)[inside].mean() > 0.05


def test_what_a_route_was_not_made_for_is_refused(place, store_by):
    route = TokenRoute(store_by("remi"), TokenTransposer(TOKENIZERS["remi"]))
    windows = Windows.of(store_by("remi"), np.arange(2), 16)
    with pytest.raises(ConfigError, match=r"made without alterations"):
        route.read(windows, np.arange(2), np.zeros(2, int), np.zeros(2, int))


def test_a_difference_of_the_altered_music_is_a_reason_for_the_score(store_by):
    store = store_by("remi")
    chosen = choose_route("auto", store, Shifts.of(0), store.has_pieces, "limit", "a.mid, tempo +1")
    assert chosen == ("midi", "the table does not give what the altered score gives: a.mid, tempo +1")
    with pytest.raises(RouteError, match=r"data\.route=tokens: the table .* altered score gives"):
        choose_route("tokens", store, Shifts.of(0), store.has_pieces, "limit", "a.mid, tempo +1")
