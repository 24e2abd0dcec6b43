"""What tells the settings of runs apart, in as few words as a table has room for."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

_HOW_LONG = (  # the first tell most
    *("trainer.max_epochs", "trainer.max_steps", "trainer.max_", "trainer.min_", "trainer.limit_"),
    *("trainer.val_check_interval", "trainer.check_val_every_n_epoch", "trainer.num_sanity_val_steps"),
    "early_stopping.",
)
_SHOWN_BY = {"music": "source"}  # names of pieces are too many to be said
_CALLED = {"tokenizer.name": "tokenizer"}
_FEW = 2


def differences_in_words(settings: Sequence[Mapping[str, Any]], named: Sequence[str]) -> list[str]:
    """What of each run's settings others do not share, such as `dropout 0.5, window 128`; empty where nothing is.

    named: keys that are said already. How long a run trains and how often it is validated is said only where nothing
    else tells two runs apart. Of more than two keys, only those are said that are not as in most runs.
    """
    keys = sorted({key for one in settings for key in one} - set(named))
    differing = [key for key in keys if len({repr(one.get(key)) for one in settings}) > 1]
    of_model = [key for key in differing if not key.startswith(_HOW_LONG)]
    told = [*named, *of_model]
    for key in (key for start in _HOW_LONG for key in differing if key.startswith(start)):
        if _kinds(settings, [*told, key]) > _kinds(settings, told):
            told.append(key)
    said = told[len(named) :]
    usual = {key: _usual([one.get(key) for one in settings]) for key in said} if len(said) > _FEW else {}
    return [_words(one, [key for key in said if _is_said(key, one, usual)]) for one in settings]


def _kinds(settings: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> int:
    return len({tuple(repr(one.get(key)) for key in keys) for one in settings})


def _usual(values: Sequence[Any]) -> str | None:
    """What need not be said, as repr has it: the value of most; where some have none, to have none."""
    return None if None in values else Counter(map(repr, values)).most_common(1)[0][0]


def _is_said(key: str, one: Mapping[str, Any], usual: Mapping[str, str | None]) -> bool:
    return one.get(key) is not None and usual.get(key) != repr(one[key])


def _words(one: Mapping[str, Any], keys: Sequence[str]) -> str:
    shown = dict.fromkeys(_SHOWN_BY.get(key, key) for key in keys)
    return ", ".join(f"{_CALLED.get(key, key.rpartition('.')[2])} {one.get(key)}" for key in shown)
