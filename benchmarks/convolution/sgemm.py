"""The rate of a float32 matrix product: what any convolution made of products is limited by."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

SIZE = 1536
"""Rows and columns; large enough for the full rate, small enough to be timed beside every layer."""

OPERATIONS = 2 * SIZE**3


def sgemm(threads: int) -> tuple[str, Callable[[], Any]]:
    """Who multiplies, and a function that does so once.

    PyTorch's product where it is installed: its threads stop spinning ten times as soon as those of NumPy's OpenBLAS.
    """
    generator = np.random.default_rng(0)
    a, b = (generator.uniform(-1, 1, (SIZE, SIZE)).astype(np.float32) for _ in range(2))
    if importlib.util.find_spec("torch"):
        import torch

        first, second = torch.tensor(a), torch.tensor(b)

        def multiplied() -> Any:
            if torch.get_num_threads() != threads:
                torch.set_num_threads(threads)
            with torch.no_grad():
                return torch.mm(first, second)

        return "torch.mm", multiplied
    if importlib.util.find_spec("threadpoolctl"):
        from threadpoolctl import ThreadpoolController

        controller = ThreadpoolController()

        def limited() -> Any:
            with controller.limit(limits=threads, user_api="blas"):
                return a @ b

        return "numpy.matmul", limited
    return "numpy.matmul (its own number of threads; pip install threadpoolctl)", lambda: a @ b
