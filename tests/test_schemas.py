"""A value of the wrong type is refused in words that say which would be right."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from omegaconf import OmegaConf

from midiaug.errors import ConfigError
from midiaug.schemas import typed


@dataclass
class _Inner:
    limit: int = 3
    share: float = 0.5
    music: bool = True
    name: str = "a"
    path: str | None = None
    shifts: list[int] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)


@dataclass
class _Outer:
    inner: _Inner = field(default_factory=_Inner)
    seed: int = 0


def test_a_configuration_becomes_objects():
    settings = typed(_Outer, OmegaConf.create({"inner": {"shifts": [1, 2], "path": None}, "seed": 4}))
    assert settings == _Outer(_Inner(shifts=[1, 2]), 4)


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("limit", None, "inner.limit=null: give a whole number"),
        ("limit", "x", "inner.limit=x: give a whole number"),
        ("limit", 1.5, "inner.limit=1.5: give a whole number"),
        ("limit", [1], "inner.limit=[1]: give a whole number"),
        ("share", "x", "inner.share=x: give a number"),
        ("share", None, "inner.share=null: give a number"),
        ("music", "foo", "inner.music=foo: give true or false"),
        ("music", None, "inner.music=null: give true or false"),
        ("music", 3, "inner.music=3: give true or false"),
        ("name", None, "inner.name=null: give text"),
        ("name", [1], "inner.name=[1]: give text"),
        ("path", [1], "inner.path=[1]: give text"),
        ("shifts", [None], "inner.shifts[0]=null: give a whole number"),
        ("shifts", [1.5], "inner.shifts[0]=1.5: give a whole number"),
        ("shifts", "abc", "inner.shifts=abc: give a list of numbers in brackets, such as [-5,5]"),
        ("shifts", 5, "inner.shifts=5: give a list of numbers in brackets, such as [-5,5]"),
        ("shifts", {"a": 1}, "inner.shifts={'a': 1}: give a list of numbers in brackets, such as [-5,5]"),
        ("params", 3, "inner.params=3: give keys and values in braces, such as {key: 1}"),
        ("params", [3], "inner.params=[3]: give keys and values in braces, such as {key: 1}"),
        ("nope", 3, "inner.nope: there is no such key; --help lists them all"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_in_a_sentence(key, value, sentence):
    with pytest.raises(ConfigError) as refused:
        typed(_Outer, OmegaConf.create({"inner": {key: value}}))
    assert str(refused.value) == sentence


def test_a_whole_group_of_the_wrong_kind_is_named():
    with pytest.raises(ConfigError, match=r"^inner=3: give keys and values"):
        typed(_Outer, OmegaConf.create({"inner": 3}))
