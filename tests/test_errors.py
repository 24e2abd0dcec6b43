"""What a user can mend: the errors, and what is said of those of other libraries."""

import ast
import inspect
from pathlib import Path

import pytest

import midiaug
from midiaug import errors
from midiaug.errors import ConfigError, MidiaugError, PassingFault, PitchOutOfRange, QuarantinedFile, one_line

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (RuntimeError("two\n  lines\tof it "), "two lines of it"),
        (OSError(28, "No space left on device"), "[Errno 28] No space left on device"),
        (ValueError("x" * 300), "x" * 200),
        (KeyError(), "KeyError"),
        (MemoryError(" \n"), "MemoryError"),
    ],
)
def test_what_a_library_says_is_one_line_and_its_kind_where_it_says_nothing(error, line):
    assert one_line(error) == line


def test_all_of_them_are_caught_by_one_name_and_each_says_what_it_stands_for():
    assert all(issubclass(kind, MidiaugError) and kind.__doc__ for kind in KINDS)


@pytest.mark.parametrize(
    ("kind", "other"), [(ConfigError, ValueError), (PitchOutOfRange, ValueError), (PassingFault, QuarantinedFile)]
)
def test_some_are_caught_as_another_kind_too(kind, other):
    with pytest.raises(other, match=r"^what, where and what to do$"):
        raise kind("what, where and what to do")


def test_each_kind_is_raised_somewhere():
    made = {
        node.func.id
        for path in Path(midiaug.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert {kind.__name__ for kind in KINDS} - made == {"MidiaugError"}
