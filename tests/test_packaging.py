"""What is pinned, and what the README promises of it."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


LINES = (ROOT / "constraints.txt").read_text().splitlines()
PINS = {normalized(line.partition("==")[0]): line.partition("==")[2] for line in LINES}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def name_of(requirement: str) -> str:
    return normalized(re.split(r"[<>=!\[ ]", requirement)[0])


def test_every_version_is_pinned_and_none_is_a_prerelease():
    odd = {name for name, version in PINS.items() if not re.fullmatch(r"\d+(\.\d+)*(\.post\d+)?", version)}
    # what Ray brings of OpenTelemetry has no release that is not called a beta
    assert odd <= {"opentelemetry-exporter-prometheus", "opentelemetry-semantic-conventions"}
    assert PINS["torch"] == "2.13.0"
    assert PINS["hydra-core"].startswith("1.3.")


@pytest.mark.parametrize("extra", [None, *PROJECT["optional-dependencies"]])
def test_every_requirement_has_its_pin(extra):
    requirements = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
    assert {name_of(requirement) for requirement in requirements} <= {*PINS, "midiaug"}


def test_an_extra_of_several_names_extras_that_are_there():
    (cluster,) = PROJECT["optional-dependencies"]["cluster"]
    assert set(cluster.removeprefix("midiaug[").removesuffix("]").split(",")) == {"joblib", "slurm", "ray"}
    assert {"joblib", "slurm", "ray"} <= set(PROJECT["optional-dependencies"])


def test_the_readme_and_the_classifiers_name_the_same_extras_and_pythons_as_are_there():
    pythons = [line.rpartition(" ")[2] for line in PROJECT["classifiers"] if re.search(r"Python :: 3\.\d+$", line)]
    assert f">={pythons[0]}" == PROJECT["requires-python"]
    readme = (ROOT / "README.md").read_text()
    assert [extra for extra in PROJECT["optional-dependencies"] if extra != "dev" and f"`{extra}`" not in readme] == []


def test_what_is_installed_is_what_is_pinned():
    from importlib.metadata import distributions

    for distribution in distributions():
        name = normalized(distribution.metadata["Name"])
        if name in PINS:
            assert distribution.version.partition("+")[0] == PINS[name], name


def test_nothing_of_a_package_index_or_a_machine_is_in_the_repository():
    names = ("constraints.txt", "pyproject.toml", "Makefile", "README.md", ".ci/run")
    text = "".join((ROOT / name).read_text() for name in names)
    assert "index-url" not in text
    assert "find-links" not in text


def test_every_file_that_contributing_names_is_there_and_each_answer_names_two_at_most():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    named = set(re.findall(r"`((?:midiaug|configs|tests)/[\w/.]*|[A-Z]+\.md)`", text))
    assert len(named) > 25
    assert [name for name in named if not (ROOT / name).exists()] == []
    answers = re.findall(r"^\*\*(.+?\?)\*\* (.+?)(?=\n\n|\Z)", text, re.DOTALL | re.MULTILINE)
    assert len(answers) == 10
    for question, answer in answers:
        assert 1 <= len(re.findall(r"`[\w/]+\.(?:py|yaml)`", answer)) <= 2, question


def test_contributing_names_each_target_of_make_that_it_needs_and_none_else():
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = set(re.findall(r"^    make (\w+)", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE))
    assert {"install", "test", "lint"} <= named <= set(targets)


def headings(text: str) -> set[str]:
    """What a link's # may name: the headings, as GitHub writes them there."""
    found = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize(("name", "least"), [("README.md", 30), ("CONTRIBUTING.md", 1), ("CHANGELOG.md", 0)])
def test_every_link_into_the_repository_leads_somewhere(name, least):
    links = re.findall(r"\]\((?!https?:)([^)\s#]*)#?([^)\s]*)\)", (ROOT / name).read_text())
    assert len(links) >= least
    for file, heading in links:
        target = ROOT / (file or name)
        assert target.is_file(), file
        assert not heading or heading in headings(target.read_text()), heading


def test_the_readme_names_the_licence_of_what_its_extras_bring():
    licences = (ROOT / "README.md").read_text().partition("## Licences")[2]
    for name in ("Aird's", "O'Neill's", "Ryan's", "Essen", "music21", "symusic"):
        assert name in licences
