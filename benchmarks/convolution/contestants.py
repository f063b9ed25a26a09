"""What is timed: a function without arguments, and what is to be known of it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

import kernels
from convolution.shape import Shape
from kernels.workspace import aligned_empty

OURS = {"winograd NCHW": "first", "winograd NHWC": "last"}
"""This library's contestants, and where their channels are."""


@dataclass(frozen=True)
class Contestant:
    """One library in one layout, ready to run one layer.

    Attributes
    ----------
    name : str
    call : function
        Runs it; padding, layout and transforms of input and output are inside, the transform of the filter is not.
    array : function
        What `call` returned, as (N, K, *output); not timed.
    algorithm : object
        An Algorithm or a word, for `exactness`.
    filter_s : float
        Time of the filter transform and all else that is done once; NaN where not measured.
    layer : object
        This library's layer.
    """

    name: str
    call: Callable[[], Any]
    array: Callable[[Any], np.ndarray]
    algorithm: Any
    filter_s: float = math.nan
    layer: Any = None


def own(name: str, x: np.ndarray, w: np.ndarray, shape: Shape, threads: int, algorithm: Any = "auto") -> Contestant:
    """This library's layer; x is brought into its layout beforehand, as the peers' is."""
    last = OURS[name] == "last"
    kind = kernels.Conv2d if shape.dims == 2 else kernels.Conv1d
    layout = ("NHWC" if last else "NCHW") if shape.dims == 2 else ("NWC" if last else "NCW")

    def build() -> Any:
        made = kind(
            w, stride=shape.stride, padding=shape.padding, groups=shape.groups, layout=layout, algorithm=algorithm,
            threads=threads,
        )
        return made.prepared_for(data.shape)

    data = aligned_empty((len(x), *x.shape[2:], x.shape[1]) if last else x.shape, x.dtype)  # as a layer's output is
    data[...] = np.moveaxis(x, 1, -1) if last else x
    layer = build()  # the first one may compile
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        build()
        taken.append(time.perf_counter() - start)
    return Contestant(
        name, lambda: layer(data), lambda y: np.moveaxis(y, -1, 1) if last else y,
        layer.algorithm_for(data.shape), median(taken), layer,
    )
