"""The words of a command line, as a person types them: paths are taken as they stand, flags stand anywhere."""

import re
from collections.abc import Sequence
from pathlib import Path

PATH_KEYS = ("data.path", "data.split", "data.cache_dir", "ckpt", "out", "prompt", "preview.file")
_FIRST = ("--multirun", "-m", "--run", "-r")


def prepared(words: list[str]) -> list[str]:
    """The words as Hydra's grammar wants them.

    A path may hold spaces, commas, brackets or quotes, which mean something else to Hydra: it is quoted. In a
    sweep, a path with commas that is not there is left as a list of several. --multirun goes first.
    """
    first = [word for word in words if word in _FIRST]
    sweep = "--multirun" in first or "-m" in first
    return first + [_quoted(word, sweep) for word in words if word not in _FIRST]


def _quoted(word: str, sweep: bool) -> str:
    key, equals, value = word.partition("=")
    plain = re.fullmatch(r"[\w./-]*|\?\?\?", value, re.ASCII) or value[0] in "'\"" or "${" in value
    several = sweep and "," in value and not Path(value).expanduser().exists()
    if key.lstrip("+") not in PATH_KEYS or not equals or plain or several:
        return word
    # Hydra reads \' as a quote, and backslashes before a quote in pairs
    escaped = re.sub(r"(\\*)'", r"\1\1\\'", value)
    trailing = len(escaped) - len(escaped.rstrip("\\"))
    return f"{key}='{escaped}{escaped[len(escaped) - trailing :]}'"


def as_typed(word: str) -> str:
    """A word that `prepared` quoted, as it was before."""
    key, _, value = word.partition("=")
    quoted = len(value) > 1 and value[0] == value[-1] == "'"
    bare = (
        re.sub(r"(\\+)('|$)", lambda found: found[1][: len(found[1]) // 2] + found[2], value[1:-1]) if quoted else value
    )
    return f"{key}={bare}" if _quoted(f"{key}={bare}", False) == word else word


def last_values(words: Sequence[str]) -> dict[str, str]:
    """What each key is set to: the last word counts."""
    pairs = [word.partition("=") for word in words if "=" in word and not word.startswith("-")]
    return {key.lstrip("+"): value for key, _, value in pairs}
