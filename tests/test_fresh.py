"""A new process gets ready to train, with what the settings say."""

import json
from dataclasses import asdict

import pytest
from measuring import settings

from midiaug.measuring.fresh import first_batch


def test_it_fills_the_cache_and_says_how_long_it_took(folder_of_tunes, cache, tmp_path):
    chosen = settings(folder_of_tunes, cache)
    keys = {name: asdict(getattr(chosen, name)) for name in ("data", "aug", "tokenizer")}
    (tmp_path / "settings.json").write_text(json.dumps(keys | {"seed": 0}))
    seconds = first_batch(tmp_path / "settings.json")
    assert set(seconds) == {"imports_s", "first_batch_s"}
    assert min(seconds.values()) > 0
    assert list((cache / "stores").glob("*/meta.json"))


def test_settings_that_are_missing_are_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        first_batch(tmp_path / "none.json")
