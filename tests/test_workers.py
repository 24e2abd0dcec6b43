"""Work spread over processes."""

import multiprocessing
import os
import signal
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midiaug.data.workers import Processes, chunked, cores, in_processes

SECONDS = 1.0


def squares(items: list[int]) -> list[int]:
    return [item * item for item in items]


def process_ids(items: list[int]) -> list[int]:
    time.sleep(0.05)
    return [os.getpid()] * len(items)


def squares_unless_deadly(items: list[object]) -> list[object]:
    results: list[object] = []
    for item in items:
        if item == "exit":
            os._exit(1)
        elif item == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif item == "hang":
            time.sleep(60)
        elif item == "slow":
            time.sleep(0.6 * SECONDS)
        elif item == "greedy":
            bytearray(1 << 40)
        elif item == "more than it may":
            bytearray(5 << 30)
        elif item == "raise":
            raise ZeroDivisionError("by hand")
        results.append(item)
    return results


def run(function, items, *, processes=None, seconds=30.0):
    lost = lambda item, reason: f"{item}: {reason}"  # noqa: E731
    return in_processes(
        function, items, [1.0] * len(items), lost, label="testing", processes=processes, seconds=seconds
    )


@pytest.mark.parametrize("processes", [1, 2, None])
@pytest.mark.parametrize("count", [0, 1, 7, 500])
def test_results_come_in_the_order_of_the_items_for_any_number_of_processes(processes, count):
    assert list(run(squares, list(range(count)), processes=processes)) == [item * item for item in range(count)]


def test_the_work_is_done_in_other_processes_as_many_as_asked_for():
    for processes in (1, 2):
        ids = set(run(process_ids, list(range(32)), processes=processes))
        assert len(ids) == processes
        assert os.getpid() not in ids


def test_items_of_very_different_weight_keep_their_order():
    items = list(range(100))
    weights = [10.0 ** (item % 5) for item in items]
    results = in_processes(squares, items, weights, lambda item, reason: -1, label="testing", processes=2)
    assert list(results) == squares(items)


@pytest.mark.parametrize("way", ["exit", "kill"])
def test_an_item_that_kills_its_process_costs_itself_alone(way):
    items = [*range(20), way, *range(20, 40), way, *range(40, 50)]  # several items share a process's turn
    expected = [f"{way}: crashed its process" if item == way else item for item in items]
    assert list(run(squares_unless_deadly, items, processes=2)) == expected


@pytest.mark.parametrize(
    "way",
    [
        "greedy",
        pytest.param(
            "more than it may",
            marks=pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits this"),
        ),
    ],
)
def test_an_item_that_takes_all_memory_costs_itself_alone(way):
    items = [*range(20), way, *range(20, 39)]
    expected = [f"{way}: took more than 4 GiB of memory" if item == way else item for item in items]
    assert list(run(squares_unless_deadly, items, processes=2)) == expected


def test_an_item_that_hangs_costs_itself_alone():
    items = [*range(20), "hang", *range(20, 39)]
    expected = [f"hang: took longer than {SECONDS:g} seconds" if item == "hang" else item for item in items]
    started = time.monotonic()
    assert list(run(squares_unless_deadly, items, processes=2, seconds=SECONDS)) == expected
    assert time.monotonic() - started < 30


def test_items_that_are_slow_only_together_are_not_lost():
    items = ["slow", "slow", *range(14)]  # the two share a turn, which takes longer than one item may
    assert list(run(squares_unless_deadly, items, processes=1, seconds=SECONDS)) == items


def test_every_item_may_be_deadly():
    assert list(run(squares_unless_deadly, ["kill"] * 5, processes=2)) == ["kill: crashed its process"] * 5


def test_an_error_in_the_work_is_the_callers_error_and_no_process_is_left():
    with pytest.raises(ZeroDivisionError, match="by hand"):
        list(run(squares_unless_deadly, [1, 2, "raise", 3], processes=2))
    assert multiprocessing.active_children() == []


def test_a_caller_may_stop_early_and_no_process_is_left():
    results = run(squares, list(range(1000)), processes=2)
    assert [next(results) for _ in range(3)] == [0, 1, 4]
    results.close()
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("early", [True, False])
def test_processes_that_serve_several_rounds_may_be_let_go_and_used_again(early):
    processes = Processes(2)
    for _ in range(2):
        with processes:
            ids = [set(run(process_ids, list(range(32)), processes=processes)) for _ in range(2)]
            assert ids[0] == ids[1]
            if early:
                processes.let_go()
        assert multiprocessing.active_children() == []


def test_nothing_is_printed_where_there_is_no_terminal(capfd):
    list(run(squares, list(range(50)), processes=2))
    assert capfd.readouterr() == ("", "")


def test_as_many_cores_as_this_process_may_use():
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert cores() == len(allowed)


@settings(deadline=None)
@given(weights=st.lists(st.floats(0, 1e9), max_size=60), chunks=st.integers(1, 20))
def test_chunks_hold_all_items_in_order_and_are_not_more_than_asked_for(weights, chunks):
    items = list(range(len(weights)))
    parts = chunked(items, weights, chunks)
    assert [item for part in parts for item in part] == items
    assert all(parts)
    if sum(weights) > 1e-3:
        assert len(parts) <= chunks + 1  # "about": what is left over may be one more


@settings(deadline=None)
@given(weights=st.lists(st.integers(1, 100), min_size=1, max_size=60), chunks=st.integers(1, 20))
def test_chunks_are_balanced_to_within_one_item(weights, chunks):
    parts = chunked(weights, weights, chunks)
    assert max(sum(part) for part in parts) <= sum(weights) / chunks + max(weights)
