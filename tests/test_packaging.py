"""What is pinned, and what the README promises of it."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PINS = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def name_of(requirement: str) -> str:
    return re.split(r"[<>=!\[ ]", requirement)[0]


def test_every_version_is_pinned_and_none_is_a_prerelease():
    assert all(re.fullmatch(r"\d+(\.\d+)*(\.post\d+)?", version) for version in PINS.values())
    assert PINS["torch"] == "2.13.0"
    assert PINS["hydra-core"].startswith("1.3.")


@pytest.mark.parametrize("extra", [None, "tunes", "dev"])
def test_every_requirement_has_its_pin(extra):
    requirements = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
    assert {name_of(requirement) for requirement in requirements} <= set(PINS)


def test_what_is_installed_is_what_is_pinned():
    from importlib.metadata import distributions

    names = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in PINS.items()}
    for distribution in distributions():
        name = re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower()
        if name in names:
            assert distribution.version.partition("+")[0] == names[name], name


def test_nothing_of_a_package_index_or_a_machine_is_in_the_repository():
    names = ("constraints.txt", "pyproject.toml", "Makefile", "README.md", ".ci/run")
    text = "".join((ROOT / name).read_text() for name in names)
    assert "index-url" not in text
    assert "find-links" not in text
