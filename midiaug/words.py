"""The words of a command line, as a person types them: paths are taken as they stand, flags stand anywhere."""

import glob
import os
import re
from collections.abc import Sequence

PATH_KEYS = ("data.path", "data.split", "data.cache_dir", "ckpt", "out", "prompt", "soundfont", "preview.file")
LIST_KEYS = ("runs",)  # a path, or several in brackets
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
    if key.lstrip("+") in LIST_KEYS and equals:
        return f"{key}={_quoted_list(value, sweep)}"
    return f"{key}={_quoted_path(value, sweep)}" if key.lstrip("+") in PATH_KEYS and equals else word


def _quoted_list(value: str, sweep: bool) -> str:
    """Paths in brackets, each quoted; anything else is one path."""
    bracketed = value[:1] == "[" and value[-1:] == "]" and not os.path.exists(os.path.expanduser(value))
    if not bracketed:
        return _quoted_path(value, sweep)
    paths = split_paths(value[1:-1])
    return "[" + ",".join(_quoted_path(path, False) for path in paths) + "]"


def split_paths(text: str) -> list[str]:
    """Paths with commas between them, where a path may hold commas too.

    Of the ways to cut, each path in turn is the longest that is there, or that is a pattern which fits something;
    where none is, it ends at the next comma that stands outside of quotes.
    """
    pieces = re.findall(r"""((?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^,])+)(?:,|$)""", text)
    paths: list[str] = []
    while pieces:
        ends = range(len(pieces), 0, -1)
        end = next((end for end in ends if _is_there(",".join(pieces[:end]).strip())), 1)
        paths.append(",".join(pieces[:end]).strip())
        pieces = pieces[end:]
    return [path for path in paths if path]


def _is_there(path: str) -> bool:
    whole = os.path.expanduser(path)
    return os.path.exists(whole) or (glob.has_magic(path) and bool(glob.glob(whole)))


def _quoted_path(value: str, sweep: bool) -> str:
    plain = re.fullmatch(r"[\w./-]*|\?\?\?", value, re.ASCII) or value[0] in "'\"" or "${" in value
    several = sweep and "," in value and not os.path.exists(os.path.expanduser(value))
    if several and not plain and not re.match(r"\w+\(", value):  # choice(...) and the like are Hydra's own
        return ",".join(_quoted_path(path, False) for path in split_paths(value))
    if plain or several:
        return value
    # Hydra reads \' as a quote, and backslashes before a quote in pairs
    escaped = re.sub(r"(\\*)'", r"\1\1\\'", value)
    trailing = len(escaped) - len(escaped.rstrip("\\"))
    return f"'{escaped}{escaped[len(escaped) - trailing :]}'"


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
