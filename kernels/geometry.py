"""What a compiled kernel is told of shapes and places in memory: one array of integers, each with a name.

Axes are called z, 0, 1: depth, height, width; one- and two-dimensional layers have a depth (and height) of one.
Steps (X_..., Y_...) are distances in memory, in elements.
"""

from __future__ import annotations

import numpy as np

__all__ = ["FIELDS", "geometry_array", "geometry_text"]

FIELDS = (
    *("CHANNELS", "FILTERS", "GROUPS"),  # the first two of one group
    *("DEPTH", "HEIGHT", "WIDTH", "OUT_DEPTH", "OUT_HEIGHT", "OUT_WIDTH"),
    *("PAD_Z", "PAD_0", "PAD_1"),  # before the first
    *("X_IMAGE", "X_CHANNEL", "X_Z", "X_ROW", "X_COLUMN"),
    *("Y_IMAGE", "Y_FILTER", "Y_Z", "Y_ROW", "Y_COLUMN"),
    *("HAS_BIAS", "RELU"),
    *("PARTS", "UNITS"),  # parts of the panels that are units of work of their own; units in all
    # Direct kernels:
    *("TAPS_Z", "TAPS_0", "TAPS_1", "STRIDE_Z", "STRIDE_0", "STRIDE_1", "DILATION_Z", "DILATION_0", "DILATION_1"),
    *("BLOCK_ROWS", "BLOCK_COLUMNS"),  # outputs in a block
    *("PIXEL", "IN_PLACE"),  # distance of the strip's pixels; whether the image may be read in its stead
    "W_STRIDE",  # distance of the rows of a matrix of filters
    # Fast kernels:
    *("TILES", "TILES_DEEP", "TILES_DOWN", "TILES_ACROSS"),  # in all (depthwise: planes); of one phase of one image
    *("STEPS_Z", "STEPS_0", "STEPS_1"),  # the stride: so many phases of the input are channels
    *("PHASES_Z", "PHASES_0", "PHASES_1"),  # the dilation: so many phases of the input are images
    *("BLOCK", "V_STRIDE"),  # tiles (depthwise: planes; direct on planes: filters) in a block; distance of rows in V
)


def geometry_array(values: dict[str, int]) -> np.ndarray:
    """The array of a call; fields that are not given are 0.

    Examples
    --------
    >>> int(geometry_array({"FILTERS": 8})[FIELDS.index("FILTERS")])
    8
    """
    if unknown := values.keys() - set(FIELDS):
        raise ValueError(f"values must name fields of a geometry; got {', '.join(sorted(unknown))}.")
    return np.array([values.get(name, 0) for name in FIELDS], np.int64)


def geometry_text() -> str:
    """Lines that give each field's name its place, for a generated module."""
    return "".join(f"{name} = {place}\n" for place, name in enumerate(FIELDS))
