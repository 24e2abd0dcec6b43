"""What a person sees: a bar with the figures, a line an epoch, a table."""

import logging
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from training import overrides

from midiaug.callbacks import History
from midiaug.screen import result_table

BEST = {
    "epoch": 3,
    "step": 450,
    **{"loss/train": 0.5, "loss/val": 0.75, "loss/gap": 0.25},
    **{"nats_per_note/train": 2.0, "nats_per_note/val": 3.0, "accuracy/top1": 0.625},
}


@pytest.fixture
def history(tmp_path):
    """Of a run whose third of five epochs was the best."""
    kept = History(tmp_path, None)
    worse = {"loss/val": 1.0}
    kept.rows = [BEST | worse | {"epoch": 1, "step": 150}, BEST, BEST | worse | {"epoch": 5, "step": 1750}]
    return kept


def test_the_table_has_the_figures_of_the_best_epoch(history):
    lines = result_table(history, spread=0.125).splitlines()
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if "│" in line]
    assert cells == [
        ["loss, nats a token, epoch 3 of 5", "0.500", "0.750", "0.250"],
        ["loss, nats a note", "2.000", "3.000", "1.000"],
        ["right at the first guess", "", "62.5%", ""],
        ["hardest key less easiest, nats a token", "", "0.125", ""],
    ]
    assert "hardest key" not in result_table(history, spread=None)
    assert "told" not in result_table(history, spread=0.125)
    assert "the same, told of the shift" in (table := result_table(history, spread=0.125, told=0.03125))
    assert "0.031" in table
    history.unit = "step"
    assert "loss, nats a token, step 450 of 1,750" in result_table(history, spread=None)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pseudo-terminal")
def test_on_a_terminal_the_bar_shows_loss_val_gap_and_speed(folder_of_tunes: Path, cache: Path, tmp_path: Path):
    words = overrides(folder_of_tunes, cache, "trainer.max_epochs=3", "data.batch_size=1")
    environment = {"OMP_NUM_THREADS": "1", "TERM": "xterm-256color", "COLUMNS": "160", "LINES": "40"}
    arguments = ["-m", "midiaug.train", *(word.replace("'", "") for word in words)]
    child = pexpect.spawn(
        sys.executable,
        arguments,
        cwd=str(tmp_path),
        env=environment,
        dimensions=(40, 160),
        timeout=600,
        encoding="utf-8",
    )
    child.expect(r"epoch 2 of 3.*loss .*\d\.\d{3}.*val .*\d\.\d{3}.*gap .*\d\.\d{3}.*tokens/s")
    child.expect(r"epoch 2 +train \d")
    child.expect("tensorboard --logdir runs")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


COLOR = re.compile(r"\x1b\[[0-9;]*[34][0-7]")


@pytest.mark.parametrize(("more", "colored"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_bar_has_colors_on_a_terminal_and_none_where_they_are_not_wanted(more: dict[str, str], colored: bool):
    code = "import time; from midiaug.comparison.progress import tracked; "
    code += "[time.sleep(0.2) for _ in tracked([1, 2, 3], 'reading')]"
    environment = {"TERM": "xterm-256color"} | more
    said = str(pexpect.run(shlex.join([sys.executable, "-c", code]), env=environment, encoding="utf-8", timeout=600))
    assert "reading" in said
    assert bool(COLOR.search(said)) is colored


def test_tables_and_bars_that_go_into_a_file_have_no_colors():
    code = "from rich.table import Table; from midiaug.comparison.progress import tracked; "
    code += "from midiaug.text_tables import as_text; table = Table('loss', header_style='bold red'); "
    code += "table.add_row('0.5', style='green'); print(as_text(table)); list(tracked([1], 'a'))"
    environment = os.environ | {"TERM": "xterm-256color"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "loss" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


def test_lightnings_advertisements_stay_off_the_screen(caplog: pytest.LogCaptureFixture):
    from midiaug.screen import keep_quiet

    keep_quiet()
    for name in ("pytorch_lightning.utilities.rank_zero", "lightning_fabric", "pytorch_lightning"):
        assert not logging.getLogger(name).isEnabledFor(logging.INFO)
