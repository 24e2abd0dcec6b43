"""Buffers come back when nobody holds them, and not before."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from midiaug.data.buffers import Buffers


def test_an_array_is_used_again_once_its_last_view_is_gone():
    buffers = Buffers()
    one = buffers.take((2, 3))
    place = one.ctypes.data
    tensor = torch.from_numpy(one[1])
    del one
    assert buffers.take((2, 3)).ctypes.data != place, "a tensor still holds it"
    del tensor
    assert buffers.take((2, 3)).ctypes.data == place


def test_arrays_that_are_held_are_all_different():
    buffers = Buffers()
    held = [buffers.take((4,)) for _ in range(20)]
    for number, array in enumerate(held):
        array[:] = number
    assert [array.tolist() for array in held] == [[number] * 4 for number in range(20)]


def test_another_shape_is_another_array():
    buffers = Buffers()
    assert buffers.take((3, 2)).shape == (3, 2)
    assert buffers.take((3, 5)).shape == (3, 5)
    assert buffers.take((3, 5)).dtype == np.int64


def test_threads_never_get_the_same_array():
    buffers = Buffers()

    def fill(number: int) -> bool:
        array = buffers.take((1000,))
        array[:] = number
        return bool((array == number).all())

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(fill, range(2000)))


def test_a_process_has_its_own():
    buffers = Buffers()
    held = buffers.take((2,))
    assert pickle.loads(pickle.dumps(buffers)).take((2,)) is not held  # noqa: S301
