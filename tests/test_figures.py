"""The figures beside those of the validation pieces."""

import logging

import music
import numpy as np
import pytest
from miditok import REMI, TokenizerConfig

from midiaug.data.module import MidiDataModule
from midiaug.generation.figures import as_written, copied_much, figures, open_corpus, table_of
from midiaug.generation.grammar import Grammar
from midiaug.metrics import FIGURES


@pytest.fixture(scope="module")
def opened(folder_of_tunes, tmp_path_factory):
    logging.getLogger("midiaug").setLevel(logging.WARNING)
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
    assert result["copying"]["generated"]["share_of_12grams"] is None
    rows = {line.split("│")[1].strip(): line.split("│")[2].strip() for line in table_of(result).splitlines()[3:-1]}
    assert rows["13-note passages found in training"] == "too short"
    assert rows["13-note passages that are no repeat"] == "too short"
    assert rows["passages that two of them share"] == "too short"
    assert copied_much(result) is None


def test_a_score_is_written_as_the_tokenizer_would():
    score = music.tune(1, chords=True, drums=True)
    for programs in (False, True):
        written = as_written(score, Grammar(REMI(TokenizerConfig(use_programs=programs))))
        assert written.note_num() == score.note_num()
        assert sum(track.is_drum for track in written.tracks) == 1
