"""Trained tokenizers of each model, by name, trained once on a few tunes of their own."""

import os
import warnings
from functools import cache as remembered
from typing import Any

import miditok
import music

from midiaug.data.spelling import Spelling, in_words

LEARNED = [f"{kind} {model}" for kind in ("REMI", "TSD") for model in ("BPE", "Unigram", "WordPiece")]


@remembered
def learned(name: str) -> Any:
    """Such as "REMI BPE", with 100 tokens more than the untrained one, as MidiTok itself trains it."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # its threads do not survive the forks of other tests
    kind, model = name.split()
    tokenizer = getattr(miditok, kind)()
    words = []
    for seed in range(400, 406):
        for ids, starts in zip(*in_words(tokenizer, music.tune(seed, bars=8, chords=True)), strict=True):
            words.append([word for word in Spelling(tokenizer)(ids, starts) if word])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tokenizer.train(vocab_size=len(tokenizer) + 100, model=model, iterator=words)
    return tokenizer
