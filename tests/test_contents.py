"""Whatever stands in a run's files, it is read or named, and the other runs are compared."""

import copy
import json
import shutil
from contextlib import suppress

import pytest
from comparing import settings, write_run
from omegaconf import OmegaConf
from training import SMALL, finished

from midiaug.comparison.fairness import fairness
from midiaug.comparison.finding import find_runs
from midiaug.comparison.gains import gains_of
from midiaug.comparison.groups import describe, grouped
from midiaug.comparison.music import look_at_music
from midiaug.comparison.page import page
from midiaug.comparison.report import gain_figures, group_figures, run_figures
from midiaug.comparison.runs import read_runs
from midiaug.comparison.tables import screen_text
from midiaug.errors import ConfigError, MidiaugError
from midiaug.files import write_json

MISSING = object()
_OF_ONE_KIND = [("pieces",), ("loss_by_key",), ("trainer",), ("early_stopping",), ("optim",)]
ODD = {
    "null": None,
    "nan": float("nan"),
    "text": "x",
    "number": 7,
    "list": [1, "x"],
    "dict": {"a": 1},
    "missing": MISSING,
}
WHOLE = [
    '{"pieces": []}',
    "null",
    '{"a":3}',
    '{"a":{}}',
    "7",
    "[]",
    "[1, 2]",
    "a: 1",
    "data: null",
    "",
    '"x"',
    "{",
    "\0",
    "NaN",
]
CONFIG = ".hydra/config.yaml"
FILES = ["summary.json", "split.json", CONFIG, "generated/first/generate.json"]


@pytest.fixture(scope="module")
def place(tmp_path_factory, folder_of_tunes):
    """A working directory with a run without augmentation and one with, that were really trained."""
    here = tmp_path_factory.mktemp("studio")
    shutil.copytree(folder_of_tunes / "plain", here / "tunes")
    words = [
        "data.path=tunes",
        "data.cache_dir=cache",
        "data.val_split=0.3",
        "hydra.sweep.dir=runs",
        "aug=none,moderate",
    ]
    words += ["hydra.sweep.subdir=${aug.draw}${hydra:job.num}"]
    words += ["trainer.max_epochs=1", *[word for word in SMALL if "epochs" not in word]]
    status, output = finished(here, "--multirun", *words)
    assert status == 0, output
    for run in sorted((here / "runs").glob("random*")):
        (run / "generated" / "first").mkdir(parents=True)
        figure = {"mean": 1.5, "sd": 0.5, "median": 1.5, "n": 4}
        sides = {side: {"pitch_range": figure, "self_similarity": figure} for side in ("generated", "validation")}
        copying = {side: {"share_of_12grams": 0.25, "longest_notes": 9} for side in sides}
        write_json(run / "generated" / "first" / "generate.json", {"variety": sides, "copying": copying})
    return here


@pytest.fixture
def runs(place, tmp_path, monkeypatch):
    """A copy of those runs that a test may spoil, without what takes long to read."""
    without = shutil.ignore_patterns("events*", "checkpoints", "*.png")
    shutil.copytree(place / "runs", tmp_path / "runs", ignore=without)
    monkeypatch.chdir(place)
    return tmp_path / "runs"


def of_an_older_version(run):
    """Take from its summary what .hydra tells too, so that that counts."""
    summary = json.loads((run / "summary.json").read_text())
    del summary["settings"], summary["started_in"]
    write_json(run / "summary.json", summary)


def places_in(node, path=()):
    """Where each value of a file stands, from the outside in; of many alike the first two."""
    if path:
        yield path
    inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for number, (key, value) in enumerate(inside):
        if number < 2 or path[:1] not in _OF_ONE_KIND:
            yield from places_in(value, (*path, key))


def spoilt(content, path, value):
    """The content with another value in this place, or with none."""
    content = copy.deepcopy(content)
    node = content
    for key in path[:-1]:
        node = node[key]
    if value is MISSING:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return content


def compared(runs, draw=False):
    """Everything that a comparison makes of the runs but their music; how many there are, and the remarks."""
    read, remarks = read_runs(find_runs([str(runs)]))
    described = describe(read)
    groups = grouped(described)
    gains, without = gains_of(groups)
    figures = [*map(run_figures, described), *map(group_figures, groups), *map(gain_figures, gains)]
    json.dumps([figures, fairness(described)], allow_nan=False)
    screen_text(described, groups, gains, None)
    if draw:
        page(described, groups, gains, None, [*remarks, *without])
    return described, remarks


def load(path):
    return OmegaConf.to_container(OmegaConf.load(path)) if path.suffix == ".yaml" else json.loads(path.read_text())


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", FILES)
def test_any_value_of_any_file_may_be_odd(runs, name, odd):
    file = runs / "random1" / name
    if name == CONFIG:
        of_an_older_version(runs / "random1")
    content = load(file)
    for path in places_in(content):
        file.write_text(json.dumps(spoilt(content, path, ODD[odd])))
        described, _ = compared(runs, draw=len(path) == 1 and path[0] in ("loss_by_key", "key_spread", "variety"))
        assert len(described) == 2, path


@pytest.mark.parametrize("whole", WHOLE)
@pytest.mark.parametrize("name", FILES)
def test_any_file_may_be_something_else_and_is_named(runs, name, whole):
    if name == CONFIG:
        of_an_older_version(runs / "random1")
    (runs / "random1" / name).write_text(whole)
    described, remarks = compared(runs)
    assert len(described) == 2
    if name != FILES[-1] or not whole.startswith("{"):
        assert any(f"random1: {name.rpartition('/')[2]}" in text or name in text for text in remarks), remarks


@pytest.mark.parametrize("name", FILES)
def test_any_file_may_be_of_bytes_that_are_no_text(runs, name):
    if name == CONFIG:
        of_an_older_version(runs / "random1")
    (runs / "random1" / name).write_bytes(b"\xff\xfe{\x80")
    described, remarks = compared(runs)
    assert len(described) == 2
    assert any(name.rpartition("/")[2] in remark for remark in remarks)


def _enough(*_):
    raise ConfigError("opened and counted")


@pytest.mark.parametrize("odd", ODD)
def test_odd_settings_of_the_music_leave_it_out_in_a_sentence_at_most(runs, odd, monkeypatch):
    shutil.rmtree(runs / "random0")
    of_an_older_version(runs / "random1")
    file = runs / "random1" / CONFIG
    content = load(file)
    for path in places_in(content):
        if path[0] not in ("data", "tokenizer", "seed"):
            continue
        file.write_text(json.dumps(spoilt(content, path, ODD[odd])))
        described, _ = compared(runs)
        with suppress(MidiaugError), monkeypatch.context() as patch:
            if path[-1] in ("window", "params") and odd != "missing":  # the corpus stays as it was: looked at in full
                look_at_music(settings("runs=x"), described)
            patch.setattr("midiaug.comparison.music.windows_of", _enough)  # what follows knows no settings
            look_at_music(settings("runs=x"), described)


@pytest.mark.parametrize("odd", ODD)
def test_the_folder_that_a_run_was_started_in_may_be_odd(runs, odd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # so that it is asked for
    shutil.rmtree(runs / "random0")
    of_an_older_version(runs / "random1")
    for path in (("hydra",), ("hydra", "runtime"), ("hydra", "runtime", "cwd")):
        content = {"hydra": {"runtime": {"cwd": "/"}}}
        (runs / "random1" / ".hydra" / "hydra.yaml").write_text(json.dumps(spoilt(content, path, ODD[odd])))
        with pytest.raises(MidiaugError, match="tunes"):
            look_at_music(settings("runs=x"), compared(runs)[0])


@pytest.mark.parametrize("content", ["a: 1", "[1, 2]", "data: null", ""])
def test_settings_that_are_not_known_fill_no_label_and_are_said_to_be(runs, content):
    before = [one.label for one in compared(runs)[0]]
    of_an_older_version(runs / "random1")
    (runs / "random1" / CONFIG).write_text(content)
    described, remarks = compared(runs)
    labels = {one.run.name: one.label for one in described}
    assert labels["random0"] in before
    assert labels["random1"] == "LSTM 2 x 16, settings not known, moderate"
    assert any("config.yaml" in remark and "not known" in remark for remark in remarks)


def test_a_finished_run_has_the_settings_that_it_was_trained_with_where_hydra_wrote_others_beside_it(runs):
    before = [one.label for one in compared(runs)[0]]
    config = OmegaConf.load(runs / "random0" / CONFIG)  # as a run leaves it that is refused in this folder
    config.optim.lr, config.data.window = 0.5, 64
    OmegaConf.save(config, runs / "random0" / CONFIG)
    described, remarks = compared(runs)
    assert [one.label for one in described] == before
    assert all(one.run.config["optim"]["lr"] != 0.5 for one in described)
    assert not any("settings" in remark for remark in remarks)
    of_an_older_version(runs / "random0")
    assert sorted(one.run.config["optim"]["lr"] == 0.5 for one in compared(runs)[0]) == [False, True]


def test_losses_that_are_no_numbers_leave_the_pieces_unknown(tmp_path):
    for number, rows in enumerate(("a,0,x,nan,100,25", "a,0,1,5,0,25", "a,0,1,inf,9,9", "a,0", "a,0,1,5,-3,1")):
        run = write_run(tmp_path / str(number), [(1.0, 1.5 + number)])
        (run / "val_pieces.csv").write_text(f"piece,group,loss,nats,tokens,notes\n{rows}\n")
    described, remarks = compared(tmp_path)
    assert [one.run.pieces for one in described] == [{}] * 5
    assert sum("val_pieces.csv cannot be read" in remark for remark in remarks) == 5


@pytest.mark.parametrize("file", ["split.json", CONFIG])
def test_the_command_goes_on_with_the_other_runs(runs, place, file):
    if file == CONFIG:
        of_an_older_version(runs / "random1")
    (runs / "random1" / file).write_text("[7]")
    for number, path in enumerate((place / "runs" / "random1").glob("events*")):
        (runs / "random1" / path.name).write_bytes(path.read_bytes()[: path.stat().st_size // 2 + number])  # torn
    status, output = finished(place, f"runs={runs}", f"hydra.run.dir={runs.parent}/out", name="compare")
    assert status == 0, output
    assert "2 of midiaug" in output
    assert "Traceback" not in output
    assert (runs.parent / "out" / "compare.html").is_file()
