"""Memory at whose end, or before whose beginning, lies a page that nobody may touch."""

import ctypes
import mmap
import sys

import numpy as np
import pytest


def guarded_array(count, dtype, at_start=False):
    """A new array next to a forbidden page: a read or write beyond its end (or before its start) ends the process."""
    page = mmap.PAGESIZE
    nbytes = count * np.dtype(dtype).itemsize
    inner = -(-max(nbytes, 1) // page) * page
    memory = mmap.mmap(-1, inner + page)
    everything = np.frombuffer(memory, np.uint8)
    forbidden = everything.ctypes.data + (0 if at_start else inner)
    if ctypes.CDLL(None).mprotect(ctypes.c_void_p(forbidden), ctypes.c_size_t(page), 0):
        raise OSError("mprotect failed")
    start = page if at_start else inner - nbytes
    return everything[start : start + nbytes].view(dtype)


@pytest.fixture
def guarded():
    """The function above."""
    if sys.platform == "win32":
        pytest.skip("this system has no mprotect")
    return guarded_array
