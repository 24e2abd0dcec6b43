"""The order of the modules, and their size."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import midiaug

ROOT = Path(midiaug.__file__).parent
CONTRIBUTING = Path(__file__).parents[1].joinpath("CONTRIBUTING.md").read_text(encoding="utf-8")
FILES = {
    "midiaug." + path.relative_to(ROOT).with_suffix("").as_posix().replace("/", "."): path
    for path in sorted(ROOT.rglob("*.py"))
    if path.name != "__init__.py"
}
# a module imports only from modules that stand before it
ORDER = [
    "midiaug." + name
    for name in (
        *(
            "errors",
            "files",
            "places",
            "run_log",
            "threads",
            "printable",
            "text_tables",
            "words",
            "directories",
            "launchers",
            "explanations",
            "schemas",
            "config_files",
            "sentences",
            "command",
            "sweeps",
        ),
        *("settings", "tokenizers"),
        *(
            "data.digests",
            "data.sources",
            "data.parquet",
            "data.meter",
            "data.pieces",
            "data.fingerprint",
            "data.flat",
            "data.checksums",
            "data.cache",
            "data.download",
            "data.unpacking",
            "data.published",
            "data.workers",
        ),
        *("data.reading", "data.earlier", "data.corpus", "data.split", "data.folds", "data.transpose"),
        *("data.columns", "data.shifts", "data.alterations", "data.spelling", "data.proof", "data.altering"),
        *("data.tokenized", "data.store_writer", "data.store"),
        *("data.windows", "data.arguments", "data.routes", "data.merging", "data.merges", "data.merged", "data.plan"),
        *("data.dataset", "data.sampler", "data.sides", "data.report", "data.fetching", "data.music", "data.identity"),
        *("data.module", "data.shards", "data.preparation", "prepare"),
        *(
            "model",
            "monitor",
            "equivariance",
            "checkpoint_reading",
            "learner",
            "finite",
            "callbacks",
            "checkpoints",
            "averaging",
            "curves",
            "screen",
            "trainer",
            "plots",
        ),
        *("keys", "rolls", "resuming"),
        *("fitting", "outcome", "run", "train", "trained"),
        *("suffixes", "metrics", "copying", "offline.names", "offline.shifting", "offline.copies"),
        *("inspection." + name for name in ("settings", "choice", "scores", "written", "decoding", "bars")),
        *("inspection." + name for name in ("checks", "costs", "panels", "findings", "previewing")),
        "preview",
        *("offline." + name for name in ("noted", "settings", "changes", "folder", "summary", "materialization")),
        "materialize",
        *("measuring." + name for name in ("settings", "timing", "fresh", "rivals", "contestants", "steps")),
        *("measuring.scoreboard", "measuring.measurements", "benchmark"),
        *(
            "generation." + name
            for name in ("settings", "sound", "grammar", "cursor", "progress", "hearing", "sampling", "prompts")
        ),
        *("generation." + name for name in ("songs", "counterpart", "spread", "figures", "continuing", "beginnings")),
        *("generation.composing", "generate", "counting"),
        *(
            "comparison." + name
            for name in ("settings", "progress", "finding", "logs", "contents", "runs", "naming", "groups", "pairs")
        ),
        *(
            "comparison." + name
            for name in (
                "mean_curves",
                "crossing",
                "gained",
                "gains",
                "recommendation",
                "fairness",
                "statistics",
                "yardstick",
                "augmented",
                "music",
            )
        ),
        *("comparison." + name for name in ("numbers", "rows", "variety", "svg", "charts", "tables", "recommending")),
        *("comparison." + name for name in ("markup", "before_after", "front", "page", "report")),
        *("compare", "__main__"),
    )
]
MAX_MODULE_LINES = 260
MAX_FUNCTION_LINES = 44


def parsed(module: str) -> ast.Module:
    return ast.parse(FILES[module].read_text(encoding="utf-8"))


def imports(module: str) -> set[str]:
    """What a module imports, anywhere in it: modules, and names of the package's public ones."""
    found: set[str] = set()
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parent = module.split(".")[: -node.level] if node.level else []
            name = ".".join([*parent, *([node.module] if node.module else [])])
            # `from midiaug.data import split` imports a module, `from midiaug.data.split import Split` a name of one
            inner = {f"{name}.{alias.name}" for alias in node.names}
            found |= inner if name == "midiaug" or inner <= set(FILES) else {name}
    return found


def test_each_module_has_its_place_in_the_order():
    assert sorted(ORDER) == sorted(FILES)


@pytest.mark.parametrize("module", [module for module in FILES if "__main__" not in module])
def test_the_table_of_modules_has_it_by_its_name_or_that_of_its_folder(module):
    table = CONTRIBUTING.partition("\n## The modules\n")[2].partition("\n## ")[0]
    _, *folder, name = module.split(".")
    assert (
        f"`{name}`" in table or f"/{name}`" in table or (folder and folder != ["data"] and f"`{folder[0]}/`" in table)
    )


@pytest.mark.parametrize("module", ORDER)
def test_a_module_imports_only_from_those_before_it(module):
    before = set(ORDER[: ORDER.index(module)])
    assert {name for name in imports(module) if name.startswith("midiaug")} <= before | {"midiaug.__version__"}


@pytest.mark.parametrize("module", [module for module in FILES if module.startswith("midiaug.data.")])
def test_the_data_modules_know_nothing_of_the_command_line(module):
    names = imports(module)
    assert not names & {"midiaug.command", "midiaug.directories", "midiaug.settings", "midiaug.words"}
    assert not {name.split(".")[0] for name in names} & {"hydra", "omegaconf", "argparse"}


@pytest.mark.parametrize("module", FILES)
def test_a_module_is_short_enough_to_read_and_says_what_it_is_for(module):
    assert len(FILES[module].read_text(encoding="utf-8").splitlines()) <= MAX_MODULE_LINES
    assert ast.get_docstring(parsed(module))


@pytest.mark.parametrize("module", FILES)
def test_no_function_is_longer_than_a_screen(module):
    lengths = {
        node.name: node.end_lineno - node.body[0].lineno + 1  # one argument a line is no logic
        for node in ast.walk(parsed(module))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
    }
    assert {name: length for name, length in lengths.items() if length > MAX_FUNCTION_LINES} == {}


@pytest.mark.parametrize("module", FILES)
def test_each_module_has_a_test_file_of_its_name_or_with_that_of_its_folder_before_it(module):
    _, *folder, name = module.split(".")
    named = {f"test_{name}.py", f"test_{'_'.join([*folder, name])}.py"}
    assert named & {path.name for path in Path(__file__).parent.iterdir()}


def test_a_modules_name_says_what_is_in_it():
    vague = {"utils", "util", "helpers", "helper", "manager", "common", "misc", "core", "base"}
    assert not {part for module in FILES for part in module.split(".")} & vague


def test_the_public_names_are_there_and_are_all_that_the_package_offers():
    for name in midiaug.__all__:
        assert getattr(midiaug, name).__module__.startswith("midiaug.")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = midiaug.nothing


def test_the_package_alone_loads_next_to_nothing_and_names_what_it_offers():
    code = "import sys; before = set(sys.modules); import midiaug; names = dir(midiaug); "
    code += "print(*set(sys.modules) - before); print(*names)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded, names = (set(line.split()) for line in done.stdout.splitlines())
    assert not {name.partition(".")[0] for name in loaded} - {"midiaug"} - set(sys.stdlib_module_names)
    assert set(midiaug.__all__) <= names


def test_what_a_checker_is_told_of_the_package_is_what_it_offers():
    told = {
        alias.name: node.module
        for node in ast.walk(ast.parse(Path(midiaug.__file__).read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("midiaug.")
        for alias in node.names
    }
    assert told == midiaug._HOME
    assert sorted(told) == sorted(midiaug.__all__)


def test_reading_a_store_loads_neither_lightning_nor_a_tokenizer():
    code = "import sys; from midiaug import Shifts, TokenTransposer, TransposedDataset, TransposingSampler, transpose; "
    code += "print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert {"torch", "numpy", "midiaug"} <= loaded
    heavy = {
        "pytorch_lightning",
        "lightning_fabric",
        "torchmetrics",
        "miditok",
        "hydra",
        "omegaconf",
        "matplotlib",
        "rich",
    }
    assert not loaded & heavy
