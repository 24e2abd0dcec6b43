"""The figures beside those of the validation pieces."""

import music
import numpy as np
import pytest
from miditok import REMI

from midiaug.data.module import MidiDataModule
from midiaug.generation.figures import as_written, copied_much, figures, notes_below, open_corpus, table_of
from midiaug.generation.grammar import Grammar
from midiaug.metrics import FIGURES


@pytest.fixture(scope="module")
def opened(folder_of_tunes, tmp_path_factory):
    grammar = Grammar(REMI())
    data = MidiDataModule(folder_of_tunes, REMI(), cache_dir=tmp_path_factory.mktemp("figures"), val_split=0.25)
    return data, grammar, open_corpus(data, grammar, 8, 0)


def test_validation_pieces_are_parts_of_so_many_bars(opened):
    data, _, corpus = opened
    validation = np.flatnonzero(data.split.validation)
    assert sorted(name for name, _ in corpus.pieces) == sorted(data.corpus.names[int(row)] for row in validation)
    assert len(corpus.validation) >= len(corpus.pieces)
    for score in corpus.validation:
        assert len(score.tracks) == 1
        assert score.end() <= 8 * 4 * score.ticks_per_quarter


def test_a_recited_training_piece_is_called_copied_and_new_ones_are_not(opened):
    data, grammar, corpus = opened
    training = [int(row) for row in np.flatnonzero(~data.split.validation)]
    recited = [as_written(music.moved(_score(data, row), 3), grammar) for row in training[:4]]
    result = figures(recited, corpus)
    assert result["copying"]["generated"]["share_of_12grams"] == 1
    assert "much is copied: 100%" in (copied_much(result) or "")
    fresh = figures([music.tune(seed) for seed in range(9000, 9004)], corpus)
    assert copied_much(fresh) is None


def _score(data, row):
    from midiaug.data.pieces import Limits, parse

    return parse(data.corpus.midi[row].tobytes(), Limits())


def test_every_figure_stands_beside_that_of_the_validation_pieces(opened):
    _, _, corpus = opened
    result = figures([music.tune(seed, bars=8) for seed in range(8000, 8003)], corpus)
    for side in ("generated", "validation"):
        assert set(FIGURES) <= set(result["variety"][side])
        assert result["copying"][side]["n"] > 0
        assert sum(result["keys"][side].values()) > 0
    table = table_of(result)
    assert "generated" in table
    assert "notes within one scale" in table
    assert f"{result['variety']['generated']['distinct_pitches']['mean']:.1f}" in table


def test_without_the_corpus_the_generated_figures_stand_alone():
    result = figures([music.tune(1), music.tune(2)], None)
    assert result["variety"]["validation"] is None
    assert result["copying"] == {"generated": None, "validation": None}
    assert result["pieces"][0]["copying"] is None
    assert copied_much(result) is None
    assert "range, semitones" in table_of(result)


def test_pieces_too_short_for_a_passage_are_called_so(opened):
    _, _, corpus = opened
    short = music.tune(8000, bars=8)
    short.tracks[0].notes = type(short.tracks[0].notes)(list(short.tracks[0].notes)[:9])
    result = figures([short, short], corpus)
    assert result["variety"]["generated"]["notes"]["mean"] == 9
    assert result["copying"]["generated"]["share_of_12grams"] is None
    rows = {line.split("│")[1].strip(): line.split("│")[2].strip() for line in table_of(result).splitlines()[3:-1]}
    assert rows["13-note passages found in training"] == "too short"
    assert rows["13-note passages that are no repeat"] == "too short"
    assert rows["passages that two of them share"] == "too short"
    assert copied_much(result) is None


def short_tune(seed: int, onsets: int):
    short = music.tune(seed, bars=8)
    notes = list(short.tracks[0].notes)
    notes = [note for note in notes if note.time in sorted({note.time for note in notes})[:onsets]]
    short.tracks[0].notes = type(short.tracks[0].notes)(notes)
    return short


def test_how_many_pieces_are_too_short_is_counted_and_said(opened):
    _, _, corpus = opened
    result = figures([short_tune(8000, 12), short_tune(8001, 12), short_tune(8002, 13), music.tune(8003)], corpus)
    copying = result["copying"]["generated"]
    assert (copying["n"], copying["too_short"]) == (2, 2)
    assert copying["n"] == result["spread"]["share_of_12grams"]["n"]
    said = "2 of 4 generated pieces are too short for a passage: fewer than 13 onsets"
    assert said in notes_below(result)
    result["spread"] = dict.fromkeys(result["spread"])  # as with a handful of validation pieces
    assert notes_below(result)[0].startswith("what is usual is not known of fewer than 8 validation pieces")
    assert notes_below(figures([short_tune(8000, 12), music.tune(8003)], None)) == [
        "1 of 2 generated pieces is too short for a passage: fewer than 13 onsets"
    ]
    assert notes_below(figures([music.tune(8003)], None)) == []


def test_what_stands_below_the_table_explains_its_own_first_verdict(opened):
    _, _, corpus = opened
    result = figures([music.tune(seed, bars=8) for seed in range(8000, 8005)], corpus)
    first = result["spread"]["pitch_class_entropy"]
    text = " ".join(notes_below(result))
    assert f"({first['inside']}/{first['n']}): of {first['n']} generated pieces {first['inside']} lie there" in text
    assert f"({first['inside']}/{first['n']})" in table_of(result)


def test_half_a_note_of_a_median_is_shown(opened):
    _, _, corpus = opened
    result = figures([music.tune(1)], corpus)
    for median, shown in ((6.5, "6.5"), (12.0, "12")):
        result["copying"]["generated"]["longest_median"] = median
        (row,) = [line for line in table_of(result).splitlines() if "notes (median)" in line]
        assert row.split("│")[2].strip() == shown


def test_behind_a_prompt_what_is_held_against_comes_behind_as_many_bars(opened):
    data, grammar, _ = opened
    behind = open_corpus(data, grammar, 4, 0, 2)
    assert len(behind.validation) == len(behind.pieces)
    assert "the 4 bars behind the first 2 bars of 6 validation pieces" in behind.counterpart.words
    assert figures([music.tune(1)], behind)["against"] == behind.counterpart.words


def test_where_validation_pieces_are_the_prompts_nothing_is_held_against_before_they_are_chosen(opened):
    data, grammar, _ = opened
    assert open_corpus(data, grammar, 4, 0, None).validation == []


def test_the_last_column_says_where_the_generated_pieces_lie(opened):
    _, _, corpus = opened
    assert len(corpus.validation) >= 8
    wrong = [music.tune(seed, bars=8) for seed in range(8000, 8003)]
    for score in wrong:
        for number, note in enumerate(score.tracks[0].notes):
            note.pitch = 40 + 7 * number % 50
    result = figures(wrong, corpus)
    verdicts = {line.split("│")[1].strip(): line.split("│")[4].strip() for line in table_of(result).splitlines()[3:-1]}
    assert verdicts["pitch classes, entropy in bits"] == "above (0/3)"
    assert verdicts["notes within one scale"] == "below (0/3)"
    assert verdicts["longest of all"] == ""
    assert result["spread"]["scale_consistency"]["inside"] == 0
    assert set(result["spread"]) == {*FIGURES, "share_of_12grams", "longest_median"}
    same = figures(corpus.validation, corpus)["spread"]
    assert {name: found["verdict"] for name, found in same.items() if found} == dict.fromkeys(same, "within")
    assert figures(wrong, None)["spread"] is None


def test_a_single_piece_shares_nothing_and_is_not_too_short():
    table = table_of(figures([music.tune(1)], None))
    (row,) = [line for line in table.splitlines() if "two of them share" in line]
    assert row.split("│")[2].strip() == ""
