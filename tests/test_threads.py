"""OpenMP's wait policy: asleep unless the user's own environment says otherwise, and there before torch is."""

import os
import subprocess
import sys

import pytest

from midiaug.threads import let_waiting_threads_sleep

NAMES = ("OMP_WAIT_POLICY", "KMP_BLOCKTIME", "GOMP_SPINCOUNT")


@pytest.fixture(autouse=True)
def _empty(monkeypatch):
    for name in NAMES:
        monkeypatch.setenv(name, "")  # so that it is taken back afterwards
        monkeypatch.delenv(name)


def test_waiting_threads_sleep_by_default():
    let_waiting_threads_sleep()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    assert os.environ["KMP_BLOCKTIME"] == "0"


@pytest.mark.parametrize(("name", "value"), [("OMP_WAIT_POLICY", "ACTIVE"), ("GOMP_SPINCOUNT", "infinite")])
def test_what_the_user_chose_stands_alone(name, value, monkeypatch):
    monkeypatch.setenv(name, value)
    let_waiting_threads_sleep()
    assert {other: os.environ[other] for other in NAMES if other in os.environ} == {name: value}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only there is it seen what OpenMP took up")
def test_the_command_sets_it_before_torch_is_imported():
    code = "import sys; import midiaug.command; midiaug.command.let_waiting_threads_sleep(); "
    code += "assert 'torch' not in sys.modules; import torch; torch.ones(9).sum()"
    environment = {name: value for name, value in os.environ.items() if name not in NAMES}
    environment |= {"OMP_DISPLAY_ENV": "TRUE"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "OMP_WAIT_POLICY = 'PASSIVE'" in done.stderr
