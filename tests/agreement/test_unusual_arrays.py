"""Arrays of any byte order, strides and alignment give the bits of plain ones; so does a layer without a cache."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import kernels
import winograd as wg
from kernels import Conv2d

ROOT = Path(kernels.__file__).parents[1]
F43 = wg.Algorithm(wg.toom_cook(4, 3, [0, -1, 1, "1/2", -2, wg.INF]), dims=2, passes=("share", "factor"), fma=True,
                   filter_dtype="float64")
LAYERS = {"direct": ("direct", 1), "depthwise": ("direct", 18), "fast": (F43, 1), "im2col": ("im2col", 2),
          "fft": ("fft", 1)}


def unaligned(array):
    raw = bytearray(b"\0" + np.ascontiguousarray(array).tobytes())
    return np.frombuffer(raw, array.dtype, offset=1).reshape(array.shape)


def every_second(array):
    larger = np.full([2 * n for n in array.shape], np.nan, array.dtype)
    view = larger[tuple(slice(None, None, 2) for _ in array.shape)]
    view[...] = array
    return view


def read_only(array):
    copy = array.copy()
    copy.flags.writeable = False
    return copy


UNUSUAL = {
    "read-only": read_only,
    "read-only and strided": lambda a: read_only(every_second(a)),
    "byte-swapped": lambda a: a.astype(a.dtype.newbyteorder()),
    "byte-swapped and read-only": lambda a: read_only(a.astype(a.dtype.newbyteorder())),
    "unaligned": unaligned,
    "every second element": every_second,
    "backwards": lambda a: np.ascontiguousarray(a[::-1])[::-1],
    "columns backwards": lambda a: np.ascontiguousarray(a[..., ::-1])[..., ::-1],
    "first axis first in memory": np.asfortranarray,
    "another axis last in memory": lambda a: np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 1, -1)), -1, 1)
    if a.ndim > 1 else a,
    "part of more columns": lambda a: np.concatenate([a, np.full_like(a, np.nan)], axis=-1)[..., : a.shape[-1]],
    "a subclass": lambda a: a.view(type("Named", (np.ndarray,), {})),
}


@pytest.mark.parametrize("unusual", UNUSUAL)
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("name", LAYERS)
def test_other_arrays_give_the_same_bits(name, layout, unusual):
    algorithm, groups = LAYERS[name]
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (2, 18, 9, 21) if layout == "NCHW" else (2, 9, 21, 18)).astype(np.float32)
    w, bias = (rng.uniform(-1, 1, shape).astype(np.float32) for shape in ((36, 18 // groups, 3, 3), 36))
    options = {"padding": 1, "layout": layout, "algorithm": algorithm, "groups": groups}
    want = Conv2d(w, bias, **options)(x)
    changed = UNUSUAL[unusual]
    y = Conv2d(changed(w), changed(bias), **options)(changed(x))
    assert y.dtype == np.float32 and y.flags.c_contiguous and y.flags.writeable
    np.testing.assert_array_equal(y, want)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("name", LAYERS)
def test_one_image_many_times_is_read_where_it_lies(name, layout):
    algorithm, groups = LAYERS[name]
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, (1, 18, 9, 21) if layout == "NCHW" else (1, 9, 21, 18)).astype(np.float32)
    w = rng.uniform(-1, 1, (18, 18 // groups, 3, 3)).astype(np.float32)
    layer = Conv2d(w, layout=layout, algorithm=algorithm, groups=groups)
    y = layer(np.broadcast_to(x, (3, *x.shape[1:])))
    for image in y:
        np.testing.assert_array_equal(image, layer(np.repeat(x, 3, axis=0))[0])


CHILD = """
import json, warnings
import numpy as np
from kernels import Conv1d
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    x = np.arange(2 * 6, dtype=np.float32).reshape(1, 2, 6)
    w = np.ones((2, 1, 2), np.float32)  # depthwise, along a line: a kernel that is soon compiled
    y = [Conv1d(w, groups=2, algorithm="direct", threads=2)(x) for _ in range(2)]
print(json.dumps({"y": y[1].ravel().tolist(), "warnings": [str(w.message) for w in caught]}))
"""


def test_a_layer_without_a_writable_cache_works_and_warns_once(tmp_path):
    (tmp_path / "file").write_text("no folder")
    settings = {"WINOGRAD_CACHE_DIR": str(tmp_path / "file" / "code"), "PYTHONPATH": str(ROOT)}
    result = subprocess.run([sys.executable, "-c", CHILD], env={**os.environ, **settings}, capture_output=True,
                            text=True, timeout=300, check=True)
    answer = json.loads(result.stdout)
    x = np.arange(2 * 6).reshape(2, 6)
    assert answer["y"] == (x[:, :-1] + x[:, 1:]).ravel().tolist()
    (message,) = answer["warnings"]
    assert "code cache must be writable" in message
