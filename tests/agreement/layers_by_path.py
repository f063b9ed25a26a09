"""Layers of each kind, and the bits of their results; `test_vector_paths.py` runs it for each kind of vector register.

As a script it prints one object: what it was compiled for, and a hash of each result.
"""

import hashlib
import json

import numpy as np

import winograd as wg
from kernels import Conv2d
from kernels.generation import algorithm_module, depthwise_module, direct_module
from kernels.host import host

F43 = wg.Algorithm(wg.toom_cook(4, 3, [0, -1, 1, "1/2", -2, wg.INF]), dims=2, passes=("share", "factor"), fma=True,
                   filter_dtype="float64")
F23 = wg.Algorithm(wg.toom_cook(2, 3, [0, 1, -1, wg.INF]), dims=2, channel_sum="pairwise", channel_block=4,
                   dtype="float64")

# Shape of x, shape of w, options, algorithm for float32 and, where there is a second one, for float64: whole vectors
# and tails of all kinds of registers.
CASES = {
    "direct": ((1, 21, 9, 30), (41, 21, 3, 3), {"padding": 1}, ("direct",)),
    "direct, stride": ((2, 16, 9, 11), (5, 16, 3, 2), {"stride": 2, "dilation": (1, 2)}, ("direct",)),
    "pointwise": ((1, 64, 7, 9), (48, 64, 1, 1), {}, ("direct",)),
    "depthwise": ((1, 37, 9, 19), (37, 1, 2, 2), {"padding": 1, "groups": 37}, ("direct",)),
    "winograd": ((2, 21, 13, 30), (41, 21, 3, 3), {"padding": 1}, (F43, F23)),
    "winograd, stride": ((1, 5, 13, 18), (7, 5, 6, 5), {"padding": 1, "stride": 2}, (F43, F23)),
}


def results():
    """A hash of the bits of each result, by case, dtype and layout."""
    found = {}
    for name, (x_shape, w_shape, options, algorithms) in CASES.items():
        for dtype, algorithm in zip(("float32", "float64"), algorithms, strict=False):
            rng = np.random.default_rng(len(name))
            x, w, bias = (rng.uniform(-1, 1, shape).astype(dtype) for shape in (x_shape, w_shape, w_shape[0]))
            for layout in ("NCHW", "NHWC"):
                layer = Conv2d(w, bias, relu=True, layout=layout, algorithm=algorithm, **options)
                y = layer(x if layout == "NCHW" else np.ascontiguousarray(x.transpose(0, 2, 3, 1)))
                y = y if layout == "NCHW" else np.ascontiguousarray(y.transpose(0, 3, 1, 2))
                assert np.isfinite(y).all() and y.max() > 0
                found[f"{name}, {dtype}, {layout}"] = hashlib.sha256(y.tobytes()).hexdigest()
    return found


def lengths():
    """The vector length of each compiled module."""
    tile = host().tile("float32")
    modules = {"direct": direct_module("float32", tile), "winograd": algorithm_module(F43),
               "depthwise": depthwise_module("float32", tile, True, (2, 2), (1, 1), (1, 1))}
    return {name: module.LENGTH for name, module in modules.items()}


if __name__ == "__main__":
    print(json.dumps({"bytes": host().vector_bytes, "fma": host().fma, "results": results(), "lengths": lengths()}))
