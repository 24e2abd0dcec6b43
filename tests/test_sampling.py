"""Drawing tokens: what may come, what is likely, and that nothing is read twice."""

import numpy as np
import pytest
import torch
from generating import KINDS, MORE, NAMES, names_of, random_model, tokenizer_of
from miditok import REMI, MIDILike, TokenizerConfig

from midiaug.data.transpose import MAX_SHIFT
from midiaug.generation.grammar import Grammar
from midiaug.generation.sampling import Choice, draw, noise_of, probabilities, sample
from midiaug.generation.songs import make_song

LOGITS = torch.tensor([[2.0, 1.0, 0.0, 3.0]]).log_softmax(1)
ALL = torch.ones((1, 4), dtype=torch.bool)


def errors(tokenizer, names: list[str]) -> int:
    return tokenizer._tokens_errors(names)


@pytest.mark.parametrize(("kind", "programs"), KINDS, ids=NAMES)
def test_pieces_of_random_weights_open_and_have_no_error_of_the_tokenizer(kind, programs, tmp_path):
    tokenizer = tokenizer_of(kind, programs)
    grammar = Grammar(tokenizer)
    found = sample(random_model(tokenizer), grammar, [[]] * 6, 5, Choice(), max_tokens=300)
    for number, one in enumerate(found.samples):
        assert errors(tokenizer, names_of(one, grammar)) == 0
        song = make_song(one, grammar)
        song.score.dump_midi(tmp_path / f"{number}.mid")
        again = type(song.score)(tmp_path / f"{number}.mid")
        assert again.note_num() == song.score.note_num() > 0
        assert song.bars <= 5
        sequences = tokenizer(again)
        for sequence in sequences if isinstance(sequences, list) else [sequences]:
            assert errors(tokenizer, sequence.tokens) == 0


def test_so_are_those_with_tempos_rests_and_chords_and_those_of_merged_tokens(trained):
    for tokenizer in (REMI(TokenizerConfig(**MORE)), MIDILike(TokenizerConfig(**MORE)), trained):
        grammar = Grammar(tokenizer)
        found = sample(random_model(tokenizer), grammar, [[]] * 4, 4, Choice(), max_tokens=200)
        for one in found.samples:
            assert errors(tokenizer, names_of(one, grammar)) == 0
            assert make_song(one, grammar).score.note_num() > 0


def test_so_are_those_of_merged_note_ends_and_programs(folder_of_tunes):
    tokenizer = MIDILike(TokenizerConfig(use_programs=True))
    files = sorted(folder_of_tunes.glob("band/**/*.mid"))
    tokenizer.train(vocab_size=len(tokenizer) + 150, model="BPE", files_paths=files)
    grammar = Grammar(tokenizer)
    found = sample(random_model(tokenizer), grammar, [[]] * 6, 4, Choice(), max_tokens=150)
    for one in found.samples:
        assert errors(tokenizer, names_of(one, grammar)) == 0
        assert make_song(one, grammar).score.note_num() > 0


@pytest.mark.parametrize(("cell", "told"), [("lstm", None), ("gru", None), ("lstm", 3), ("gru", -6)])
def test_the_carried_state_gives_the_logits_of_reading_all_again(cell, told, monkeypatch):
    tokenizer = REMI()
    grammar, model, seen = Grammar(tokenizer), random_model(tokenizer, cell, condition=told is not None), []
    if told is not None:
        torch.nn.init.normal_(model.shift_embedding.weight[told + MAX_SHIFT])
    monkeypatch.setattr("midiaug.generation.sampling.likeliest_shift", lambda *given: told or 0)
    forward = model.forward
    monkeypatch.setattr(model, "forward", lambda *given, **named: seen.append(forward(*given, **named)) or seen[-1])
    prompts = [[], [tokenizer.vocab["Bar_None"], tokenizer.vocab["TimeSig_3/4"]]]
    found = sample(model, grammar, prompts, 4, Choice(), max_tokens=40)
    monkeypatch.undo()
    steps = [logits for logits, _ in seen[2:]]
    assert steps[0].shape[1] == 1
    assert [one.told for one in found.samples] == [0, told or 0], "nothing was read of a piece from nothing"
    for row, (one, prompt) in enumerate(zip(found.samples, prompts, strict=True)):
        whole, _ = model(torch.tensor([[grammar.bos, *one.ids]]), shifts=torch.tensor([one.told]))
        carried = torch.cat([logits[row] for logits in steps])[: len(one.ids) - len(prompt)]
        torch.testing.assert_close(carried, whole[0, 1 + len(prompt) :][: len(carried)])


def test_the_same_seed_gives_the_same_pieces_however_many_there_are():
    tokenizer = REMI()
    grammar, model = Grammar(tokenizer), random_model(tokenizer)
    few, many, other = (
        [one.ids for one in sample(model, grammar, [[]] * n, 4, Choice(), max_tokens=80, seed=seed).samples]
        for n, seed in ((2, 3), (7, 3), (2, 4))
    )
    assert few == many[:2]
    assert few != other
    assert many[0] != many[1]


def test_temperature_top_k_and_top_p_shape_the_chances():
    plain = probabilities(LOGITS, ALL, Choice())
    torch.testing.assert_close(plain, LOGITS.double().exp())
    assert probabilities(LOGITS, ALL, Choice(temperature=0.5))[0, 3] > plain[0, 3]
    assert (probabilities(LOGITS, ALL, Choice(top_k=2)) > 0).tolist() == [[True, False, False, True]]
    assert (probabilities(LOGITS, ALL, Choice(top_p=0.8)) > 0).tolist() == [[True, False, False, True]]
    assert (probabilities(LOGITS, ALL, Choice(top_p=0.1)) > 0).tolist() == [[False, False, False, True]]
    banned = torch.tensor([[True, True, True, False]])
    assert probabilities(LOGITS, banned, Choice(top_k=1)).tolist() == [[1.0, 0.0, 0.0, 0.0]]


def test_tokens_are_drawn_as_often_as_their_chances_say():
    shares = torch.tensor([[0.0, 0.5, 0.0, 0.3, 0.2, 0.0]], dtype=torch.float64)
    tokens = draw(shares.expand(20_000, -1), noise_of(0, 1, 20_000)[0])
    counts = np.bincount(tokens.numpy(), minlength=6) / 20_000
    assert counts[[0, 2, 5]].tolist() == [0, 0, 0]
    np.testing.assert_allclose(counts[[1, 3, 4]], [0.5, 0.3, 0.2], atol=0.02)
    assert draw(shares, torch.tensor([1.0], dtype=torch.float64)).tolist() == [4]


def test_noise_that_is_drawn_in_parts_is_the_same():
    whole = noise_of(3, 2, 50)
    assert torch.equal(torch.cat([noise_of(3, 2, 20), noise_of(3, 2, 30, before=20)], 1), whole)


def test_more_tokens_at_most_take_no_more_memory_and_change_nothing():
    tokenizer = REMI()
    grammar, model = Grammar(tokenizer), random_model(tokenizer)
    few, many = (sample(model, grammar, [[]], 2, Choice(), max_tokens=most).samples for most in (2000, 10**15))
    assert few == many


@pytest.mark.parametrize("temperature", [1e-300, 5e-324])
def test_a_temperature_next_to_nothing_takes_the_likeliest(temperature):
    assert probabilities(LOGITS, ALL, Choice(temperature=temperature)).tolist() == [[0, 0, 0, 1]]


@pytest.mark.parametrize("weight", [float("nan"), float("inf")])
def test_a_model_that_says_no_numbers_is_found_out(weight):
    tokenizer = REMI()
    grammar, model = Grammar(tokenizer), random_model(tokenizer)
    assert sample(model, grammar, [[]], 1, Choice(), max_tokens=5).sound
    with torch.no_grad():
        model.output.weight.fill_(weight)
    assert not sample(model, grammar, [[]], 1, Choice(), max_tokens=5).sound


def test_a_piece_of_one_likeliest_token_at_a_time_needs_no_noise():
    tokenizer = REMI()
    grammar, model = Grammar(tokenizer), random_model(tokenizer)
    first, second = (
        sample(model, grammar, [[]], 2, Choice(top_k=1), max_tokens=50, seed=seed).samples[0].ids for seed in (0, 9)
    )
    assert first == second


def test_without_a_token_for_the_beginning_the_first_one_begins_the_state():
    tokenizer = REMI(TokenizerConfig(special_tokens=["PAD"]))
    grammar = Grammar(tokenizer)
    for cell in ("lstm", "gru"):
        found = sample(random_model(tokenizer, cell), grammar, [[]] * 3, 3, Choice(), max_tokens=200)
        for one in found.samples:
            assert grammar.parts[one.ids[0]] == ["Bar_None"]
            assert not one.ended
            assert make_song(one, grammar).score.note_num() > 0
