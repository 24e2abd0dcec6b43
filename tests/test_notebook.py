"""The notebook runs from top to bottom, and what is stored in the repository is what it shows."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "quickstart.ipynb"
RUN = """
import sys
import nbformat
from nbclient import NotebookClient

notebook = nbformat.read(sys.argv[1], 4)
NotebookClient(notebook, timeout=900, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[2])
"""


def kinds(notebook):
    """What each cell of code shows: the kinds of its outputs, such as image/png."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [
        {kind for output in cell.outputs for kind in (output.get("data", {}) or {output.output_type})} for cell in cells
    ]


def said(notebook):
    return "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))


@pytest.fixture(scope="module")
def stored():
    return nbformat.read(NOTEBOOK, 4)


def test_it_is_stored_with_its_pictures_and_in_the_order_it_ran(stored):
    assert sum("image/png" in shown for shown in kinds(stored)) >= 5
    counts = [cell.execution_count for cell in stored.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert "Warning" not in said(stored)


def test_nothing_in_it_is_of_one_machine(stored):
    text = said(stored) + "".join(cell.source for cell in stored.cells)
    assert "/home/" not in text
    assert str(Path(__file__).parents[1]) not in text
    assert NOTEBOOK.stat().st_size < 1_000_000


def test_it_runs_from_top_to_bottom_and_shows_the_same_kinds_of_things(stored, tmp_path):
    (tmp_path / "run.py").write_text(RUN)
    words = [sys.executable, tmp_path / "run.py", NOTEBOOK, tmp_path / "ran.ipynb"]
    done = subprocess.run(
        words, cwd=tmp_path, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    ran = nbformat.read(tmp_path / "ran.ipynb", 4)
    assert kinds(ran) == kinds(stored)
    assert "Error" not in said(ran)
    assert (tmp_path / "runs" / "quickstart" / "with" / "checkpoints" / "best.ckpt").is_file()
