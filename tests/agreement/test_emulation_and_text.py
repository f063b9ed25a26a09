"""The printed Python text, run on NumPy arrays, and the interpreted Program agree bit for bit."""

import numpy as np
import pytest

import winograd as wg
from error_analysis import Emulated, fma

TRANSFORMS = [
    wg.toom_cook(4, 3, [0, 1, -1, "1/2", -2, wg.INF]),
    wg.toom_cook(6, 3, [0, 1, -1, 2, -2, "1/2", "-1/2", wg.INF]),
    wg.toom_cook(2, 5, [0, 1, -1, "1/3", "-3", wg.INF]),
    wg.toom_cook(4, 3, [0, *wg.reciprocal_group("sqrt(2)"), wg.INF]),
    wg.from_moduli(4, 3, ["x", "x-1", "x+1", "x^2+1", "inf"]),
]


def function_of(program, dtype):
    """The printed text, executed with the fma it asks for."""
    names = {"fma": fma}
    exec(program.to_python(dtype, "transform"), names)
    return names["transform"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("passes", [(), ("share", "factor"), ("fuse",), ("share", "factor", "fuse")], ids="+".join)
@pytest.mark.parametrize("order", sorted(wg.ORDERS))
@pytest.mark.parametrize("T", TRANSFORMS, ids=repr)
def test_text_and_program_agree_bit_for_bit(T, order, passes, dtype):
    for matrix in ("AT", "G", "BT"):
        program = T.program(matrix, order, passes)
        rng = np.random.default_rng(0)
        sizes = 2.0 ** rng.integers(-20, 20, (program.inputs, 500))
        inputs = list((rng.uniform(-1, 1, sizes.shape) * sizes).astype(dtype))
        interpreted = wg.evaluate(program, inputs, Emulated(dtype))
        printed = function_of(program, dtype)(*inputs)
        assert len(printed) == len(interpreted)
        for y, z in zip(printed, interpreted, strict=True):
            assert y.dtype == z.dtype == dtype
            np.testing.assert_array_equal(y.view(f"i{y.itemsize}"), z.view(f"i{z.itemsize}"))
