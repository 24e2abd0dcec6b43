"""What --help says of each key."""

import re

import pytest
import training

from midiaug.config_files import config_dir
from midiaug.explanations import comments_of

COMMANDS = sorted(path.stem for path in config_dir().glob("*.yaml") if path.stem not in ("common", "commands"))


def help_of(command, tmp_path, *words):
    status, text = training.finished(tmp_path, *words, "--help", name=command, anew=True)
    return text, status


def explained(text):
    """Each key of a help with whether a comment stands above it."""
    keys, parents, above = {}, [], False
    for line in text.partition("with their defaults:")[2].splitlines():
        key = re.match(r" *([a-z_]\w*):", line)
        if key:
            depth = len(line) - len(line.lstrip())
            parents = [*(parent for parent in parents if parent[0] < depth), (depth, key[1])]
            keys[".".join(name for _, name in parents)] = above
        above = line.lstrip().startswith("#")
    return keys


@pytest.mark.parametrize("command", COMMANDS)
def test_help_explains_every_key_of_a_command(command, tmp_path):
    text, status = help_of(command, tmp_path)
    assert status == 0
    assert f"python -m midiaug.{command}" in text
    keys = explained(text)
    leaves = [key for key in keys if not any(other.startswith(key + ".") for other in keys)]
    assert len(leaves) > 10
    # Lightning's documentation explains its Trainer's many arguments
    assert [key for key in leaves if not keys[key] and not key.startswith("trainer.")] == []
    assert not list(tmp_path.iterdir())


def test_help_shows_what_is_chosen_and_only_the_groups_that_the_command_takes(tmp_path):
    text, _ = help_of("prepare", tmp_path, "data=parquet", "data.path=a $folder")
    assert "as large collections are published" in text
    assert "path: a $folder" in text
    assert "aird|" not in text
    assert "model=" not in text


def test_a_list_stands_behind_its_key(tmp_path):
    text, _ = help_of("train", tmp_path, "aug=moderate")
    assert "shifts: [-3, -1, 0, 1, 3]" in text


def test_a_comment_belongs_to_the_key_below_it():
    text = "# of the file\n\n# of a\na: 1\nb:\n  # of c\n  # in two lines\n  c: 2\n  d: 3\n# of e\ne: {f: 1}\n"
    assert comments_of(text, "group") == {
        "group.a": ["# of a"],
        "group.b.c": ["# of c", "# in two lines"],
        "group.e": ["# of e"],
    }


def test_the_commands_are_all_there():
    assert {"train", "prepare", "benchmark"} <= set(COMMANDS)
