"""Tokenizers of every kind with small models of random weights, and what a sample says in token names."""

from pathlib import Path

import music
import torch
from miditok import REMI, TSD, MIDILike, Structured, TokenizerConfig

from midiaug.generation.grammar import Grammar
from midiaug.generation.songs import written_ids
from midiaug.model import RecurrentLM

KINDS = [(kind, programs) for kind in (REMI, TSD, MIDILike, Structured) for programs in (False, True)]
NAMES = [f"{kind.__name__}{'-programs' if programs else ''}" for kind, programs in KINDS]
MORE = {"use_programs": True, "use_tempos": True, "use_rests": True, "use_chords": True}


def tokenizer_of(kind: type, programs: bool):
    return kind(TokenizerConfig(use_programs=programs))


def random_model(tokenizer, cell: str = "lstm", seed: int = 0, **options: bool) -> RecurrentLM:
    torch.manual_seed(seed)
    return RecurrentLM(len(tokenizer), cell, embed=12, hidden=16, layers=2, dropout=0.3, **options).eval()


def names_of(sample, grammar: Grammar) -> list[str]:
    """The base tokens of a sample, with the ends of the notes that sounded when it was stopped."""
    return [grammar.base.parts[number][0] for number in written_ids(sample.ids, grammar)]


def tune_file(folder: Path, seed: int = 5, **options) -> Path:
    return music.write(music.tune(seed, bars=8, **options), folder / "my (first) tune, [1].mid")
