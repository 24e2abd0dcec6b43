"""The bar over a drawing: how far each piece is, and nothing where there is no terminal."""

import io

import pytest
import torch
from generating import random_model
from miditok import REMI
from rich.console import Console

from midiaug.generation import progress
from midiaug.generation.cursor import Cursor
from midiaug.generation.grammar import Grammar
from midiaug.generation.progress import drawing_bar, pieces_done
from midiaug.generation.sampling import Choice, sample


@pytest.fixture
def drawn(monkeypatch):
    """Draws with a bar on a terminal of its own; returns what stood there and the pieces."""
    monkeypatch.setattr(progress, "_REFRESH_S", 0.0)
    tokenizer = REMI()
    grammar, model = Grammar(tokenizer), random_model(tokenizer)

    def draw(terminal: bool):
        screen = Console(file=io.StringIO(), force_terminal=terminal, width=100)
        with drawing_bar(3, 4, 40, screen) as watch:
            found = sample(model, grammar, [[]] * 3, 4, Choice(), max_tokens=40, watch=watch)
        return screen.file.getvalue(), [one.ids for one in found.samples]

    return draw


def test_on_a_terminal_a_bar_counts_pieces_and_tokens_and_changes_no_music(drawn):
    shown, ids = drawn(True)
    assert "generating" in shown
    assert "of 3 pieces" in shown
    assert "tokens/s" in shown
    assert drawn(False) == ("", ids)


def test_a_piece_is_as_far_as_its_bars_or_its_tokens_and_an_ended_one_is_done():
    cursor = Cursor(Grammar(REMI()), 3)
    cursor.bar, cursor.stop = torch.tensor([2, 4, 0]), torch.tensor([8, 8, 8])
    live = torch.tensor([True, True, False])
    assert pieces_done(10, cursor, live, 8, 100) == pytest.approx(0.25 + 0.5 + 1)
    assert pieces_done(40, cursor, live, 8, 100) == pytest.approx(0.4 + 0.5 + 1)
    assert pieces_done(100, cursor, live, 8, 100) == 3
