"""Memory of threads: aligned, used again, held by one thread at a time."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from kernels import workspace
from kernels.workspace import Workspace, aligned_empty, given_back, taken, workspace_bytes


@pytest.fixture(autouse=True)
def no_spare(monkeypatch):
    monkeypatch.setattr(workspace, "_spare", [])


def address(array):
    return array.__array_interface__["data"][0]


SIZES = [(1,), (7, 16, 3), (0, 5, 0, 1000), (15, 17)]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("integers", [0, 1, 9])
def test_buffers_begin_at_cache_lines_and_lie_apart_within_what_was_asked_for(sizes, dtype, integers):
    space = Workspace(workspace_bytes(sizes, dtype, integers))
    buffers = space.buffers(sizes, dtype, integers)
    assert [b.size for b in buffers] == [*sizes, *([integers] if integers else [])]
    assert [b.dtype.name for b in buffers] == [dtype] * len(sizes) + ["int64"] * bool(integers)
    filled = [b for b in buffers if b.size]
    assert all(address(b) % 64 == 0 and b.flags.c_contiguous and b.flags.writeable for b in filled)
    for number, buffer in enumerate(buffers):
        buffer[:] = number
    assert all((buffer == number).all() for number, buffer in enumerate(buffers)), "two buffers overlap"
    ends = [address(b) + b.nbytes for b in filled]
    assert max(ends) - min(address(b) for b in filled) <= space.nbytes


def test_bytes_are_whole_cache_lines():
    assert workspace_bytes((), "float32") == 0
    assert workspace_bytes((16,), "float32") == 64
    assert workspace_bytes((17, 1), "float32") == 192
    assert workspace_bytes((1, 1), "float64", 9) == 256


def test_the_same_views_are_given_again_and_old_ones_forgotten():
    space = Workspace(2**16)
    first = space.buffers((3, 4), "float32")
    assert space.buffers((3, 4), "float32") is first
    assert space.buffers((3, 4), "float64")[0].dtype == np.float64
    for size in range(1, 300):
        space.buffers((size,), "float32")
    assert len(space._views) <= 64
    assert address(space.buffers((3, 4), "float32")[0]) == address(first[0])


def test_what_was_given_back_is_taken_again_and_smaller_ones_make_room():
    first = taken(1000)
    given_back(first)
    assert taken(900) is first
    given_back(first)
    larger = taken(10**6)
    assert larger is not first and larger.nbytes >= 10**6
    assert workspace._spare == []
    given_back(larger)
    assert taken(10) is larger


def test_two_holders_never_share():
    one, two = taken(100), taken(100)
    assert one is not two
    assert not np.shares_memory(one.buffers((25,), "float32")[0], two.buffers((25,), "float32")[0])


def test_threads_never_hold_the_same_one():
    held, lock, shared = set(), threading.Lock(), []

    def use(size):
        for turn in range(300):
            space = taken(size + turn)
            with lock:
                shared.extend([space] if id(space) in held else [])
                held.add(id(space))
            mine = space.buffers((4,), "float64")[0]
            mine[:] = size
            if not (mine == size).all():
                shared.append(space)
            with lock:
                held.remove(id(space))
            given_back(space)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(use, [100, 200, 300, 400, 500, 600]))
    assert shared == []
    assert len(workspace._spare) <= 6


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(0,), (1,), (3, 5), (2, 3, 4, 5), (1000,), (2, 0, 3)])
def test_new_arrays_begin_at_a_cache_line(shape, dtype):
    for _ in range(5):
        array = aligned_empty(shape, np.dtype(dtype))
        assert array.shape == shape and array.dtype == dtype
        assert array.flags.c_contiguous and array.flags.writeable
        assert array.size == 0 or address(array) % 64 == 0
        array[...] = 1
