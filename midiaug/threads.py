"""How torch's threads wait for each other on a CPU."""

import os

_SLEEPING = {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}  # KMP: LLVM's and Intel's, where the first is a hint
_CHOSEN_BY_USER = {*_SLEEPING, "GOMP_SPINCOUNT"}


def let_waiting_threads_sleep() -> None:
    """Tell OpenMP that a thread that waits for the others sleeps; what the environment says already stands.

    By itself it spins, and where other programs want the cores, those that work then wait for those that spin: two
    threads on two busy cores ran many times slower than one. It is read when torch is imported, so call this before.
    """
    if not _CHOSEN_BY_USER & os.environ.keys():
        os.environ.update(_SLEEPING)
