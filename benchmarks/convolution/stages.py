"""The product stage alone against the sgemm rate: blocks of tiles times panels of filters, no transforms."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from types import ModuleType

import numpy as np

import winograd as wg
from convolution.comparison import Row
from convolution.contestants import own
from convolution.exactness import drawn, filter_parts
from convolution.layers import Layer
from convolution.markdown import digits, percent, table
from convolution.settings import Settings
from convolution.sgemm import OPERATIONS, sgemm
from convolution.shape import Shape
from convolution.timing import measured
from kernels.compilation import header, load_module
from kernels.generation import panels_module
from kernels.geometry import geometry_text
from kernels.host import host
from kernels.problem import Plan, triple
from kernels.tiled import TransformedFilter

AIM = 0.85

# The units of the kernel, without their transforms.
_LOOP = """
from kernels.atomic import claimed_unit, fetch_add
from kernels.compilation import kernel
from {panels} import product

{geometry}
@kernel
def products(x, y, shared, U, bias, geometry, V, M):
    me = fetch_add(shared, 2, 1)
    channels = geometry[CHANNELS] * geometry[STEPS_Z] * geometry[STEPS_0] * geometry[STEPS_1]
    positions, parts, block = geometry[PIXEL], geometry[PARTS], geometry[BLOCK]
    panels = (geometry[FILTERS] + {columns} - 1) // {columns}
    v_plane, m_plane = block * geometry[V_STRIDE] + {length}, block * {columns} + {length}
    while True:
        unit = claimed_unit(shared, me, geometry[UNITS])
        if unit < 0:
            return
        part, rest = unit // (geometry[UNITS] // parts), unit % (geometry[UNITS] // parts)
        count = min(block, geometry[TILES] - rest * block)
        for panel in range(panels * part // parts, panels * (part + 1) // parts):
            for p in range(positions):
                product(V, p * v_plane, geometry[V_STRIDE], count, U, (panel * positions + p) * channels * {columns},
                        M, p * m_plane, {columns}, channels)
        fetch_add(shared, 1, 1)
"""


@lru_cache(maxsize=4)
def _module(dtype: str, fma: bool) -> ModuleType:
    tile = host().tile(dtype)
    panels = panels_module(dtype, fma, tile).__name__
    loop = _LOOP.format(panels=panels, geometry=geometry_text(), columns=f"np.int64({tile.columns})",
                        length=tile.length)
    return load_module(header(tile.length) + loop, f"product stage {dtype}")


def row(shape: Shape, layers: Sequence[Layer], settings: Settings) -> Row | None:
    """Time of all products of the layer in its blocks; None where it does not run a fast Algorithm."""
    x, w = drawn(shape, settings.batch)
    algorithm = own("winograd NCHW", x, w, shape, settings.threads, settings.algorithm).algorithm
    if not isinstance(algorithm, wg.Algorithm) or not shape.is_dense or algorithm.r != shape.taps:
        return None
    operations, call = product_stage(algorithm, shape, settings)
    multiplier, multiplied = sgemm(settings.threads)
    times = measured({"products": call, "sgemm": multiplied}, settings.rounds, settings.turn)
    return {
        "shape": str(shape),
        "layers": [[found.network, found.name, found.count] for found in layers],
        "algorithm": algorithm.size,
        "product_s": times["products"].median_s,
        "rate": operations / times["products"].median_s,
        "sgemm": OPERATIONS / times["sgemm"].median_s,
        "sgemm by": multiplier,
    }


def product_stage(algorithm: wg.Algorithm, shape: Shape, settings: Settings) -> tuple[int, Callable[[], None]]:
    """Operations of the products (multiply-adds count two), and a function that runs them, in the kernel's schedule."""
    x, w = drawn(shape, settings.batch)
    layer = own("winograd NCHW", x, w, shape, settings.threads, algorithm).layer
    problem = layer.problem_for(x.shape)
    whole = TransformedFilter(w.reshape(*w.shape[:2], *triple(shape.taps)), 1, algorithm, problem.stride).plan(
        problem, np.zeros(0, x.dtype)
    )
    positions = math.prod(algorithm.n)
    stage = Plan.of(_module(algorithm.dtype, algorithm.fma).products, whole.filter, whole.bias, problem,
                    whole.fields | {"PIXEL": positions}, whole.sizes[:2])
    nothing = np.zeros(1, x.dtype)
    channels = shape.channels * filter_parts(algorithm, shape)
    operations = 2 * whole.fields["TILES"] * positions * channels * shape.filters
    return operations, lambda: stage(nothing, nothing)


def line(row: Row) -> str:
    """One row for the terminal."""
    return (f"{row['shape']:42} {row['algorithm']:10} products {digits(1e-9 * row['rate'])} GFLOP/s, "
            f"{percent(row['rate'] / row['sgemm'])} of sgemm")


def text(rows: Sequence[Row], made_by: str) -> str:
    """The section."""
    lines = []
    for row in rows:
        share = row["rate"] / row["sgemm"]
        lines.append([
            ", ".join(f"{network} {name}" for network, name, _ in row["layers"]), row["shape"], row["algorithm"],
            digits(1e3 * row["product_s"]), digits(1e-9 * row["rate"]), digits(1e-9 * row["sgemm"]),
            f"**{percent(share)}**" if share < AIM else percent(share),
        ])
    headers = ["layer", "shape", "algorithm", "products, ms", "GFLOP/s", "sgemm, GFLOP/s", "share"]
    return "\n\n".join([
        f"The products of a layer's algorithm alone, by its microkernels, in blocks; padded filters count nothing. In "
        f"bold what is below the aim, {percent(AIM)} of the sgemm rate in the same run.",
        table(headers, lines, words=3), made_by,
    ])
