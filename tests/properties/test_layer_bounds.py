"""The law of the layers: no output is further off than the bound of its Algorithm, whatever the shape and options.

Data and filters are multiples of 2^-20 of at most 1, so float64 sums of up to 2^13 products are exact in any order:
PyTorch's is the exact result.
"""

import functools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import winograd as wg
from error_analysis.prediction.bounds import bound
from kernels import Conv1d, Conv2d, Conv3d
from kernels.choice import candidates, phase_taps

LAYERS = {1: Conv1d, 2: Conv2d, 3: Conv3d}
LAYOUTS = {1: ("NCW", "NWC"), 2: ("NCHW", "NHWC"), 3: ("NCDHW", "NDHWC")}
TORCH = {1: torch.nn.functional.conv1d, 2: torch.nn.functional.conv2d, 3: torch.nn.functional.conv3d}


def fast(axes, taps, dtype, which=slice(None)):
    return list(candidates(axes, (taps,) * axes, (1,) * axes, (1,) * axes, dtype))[which]


# Of every number of taps one or two that "auto" has: the largest tile along one axis, the usual squares, and one cube.
# Each is compiled, so they are those of other tests where there are such.
ALGORITHMS = [
    *(A for taps in range(3, 7) for A in fast(1, taps, "float32", slice(-1, None))),
    *fast(2, 3, "float32", slice(0, None, 3)), *fast(2, 2, "float32", slice(1)),
    *fast(2, 5, "float32", slice(1)), *fast(2, 7, "float32"), *fast(2, 3, "float64", slice(-1, None)),
    *fast(3, 3, "float32", slice(1)),
]


@functools.cache
def worst_case(A, channels):
    return bound(A, channels).max


@st.composite
def problems(draw, axes, phase=None):
    """Shapes of x and w, and options; with `phase`, the filter has as many taps for each phase of the stride."""
    several = functools.partial(st.lists, min_size=axes, max_size=axes)
    if phase is None:
        taps = draw(several(st.integers(1, 5)))
        stride, dilation = draw(several(st.integers(1, 3))), draw(several(st.integers(1, 3)))
    else:
        stride = draw(st.just([1] * axes) | several(st.integers(1, 3)))
        dilation = draw(several(st.integers(1, 3))) if max(stride) == 1 else [1] * axes
        taps = [s * r - draw(st.integers(0, s - 1)) for s, r in zip(stride, phase, strict=True)]
    padding = draw(several(st.tuples(st.integers(0, 4), st.integers(0, 4))))
    least = [max(1, d * (r - 1) + 1 - sum(p)) for d, r, p in zip(dilation, taps, padding, strict=True)]
    extra = st.sampled_from([0, 0, 1, 2, 7, 12, 21] if axes < 3 else [0, 1, 4])  # none: the filter is as large
    size = [n + draw(extra) for n in least]
    groups = draw(st.sampled_from([1, 1, 1, 2, 3]))
    channels = draw(st.sampled_from([1, 3, 17, 65])) if math.prod(taps) * math.prod(stride) <= 120 else 3
    filters = draw(st.sampled_from([1, 3, 17, 33]))
    return {
        "x": (draw(st.integers(1, 2)), groups * channels, *size), "w": (groups * filters, channels, *taps),
        "stride": tuple(stride), "dilation": tuple(dilation), "padding": tuple(padding), "groups": groups,
        "layout": draw(st.sampled_from(LAYOUTS[axes])), "threads": draw(st.integers(1, 2)),
    }


def grid(rng, shape, dtype):
    return (rng.integers(-(2**20), 2**20, shape, endpoint=True) / 2**20).astype(dtype)


def exact(x, w, options):
    padded = np.pad(x.astype(float), [(0, 0), (0, 0), *options["padding"]])
    others = {name: options[name] for name in ("stride", "dilation", "groups")}
    return TORCH[x.ndim - 2](torch.tensor(padded), torch.tensor(w.astype(float)), **others).numpy()


def computed(x, w, options, **others):
    layer = LAYERS[x.ndim - 2](w, **{name: value for name, value in options.items() if name not in "xw"}, **others)
    if layer.layout[1] == "C":
        return layer(x)
    return np.moveaxis(layer(np.ascontiguousarray(np.moveaxis(x, 1, -1))), -1, 1)


def check_bound(options, algorithm, dtype, seed, limit):
    """Without a bias, and with one that is added with one rounding more."""
    rng = np.random.default_rng(seed)
    x, w = grid(rng, options["x"], dtype), grid(rng, options["w"], dtype)
    bias = grid(rng, options["w"][0], dtype)
    want = exact(x, w, options)
    allowed = limit(x, w)
    y = computed(x, w, options, algorithm=algorithm)
    assert y.shape == want.shape and y.dtype == dtype
    assert (np.abs(y - want) <= allowed).all(), float((np.abs(y - want) / allowed).max())
    u = float(wg.format_of(dtype).u)
    shifted = want + bias.astype(float).reshape(-1, *(1,) * (x.ndim - 2))
    z = computed(x, w, options, algorithm=algorithm, bias=bias)
    assert (np.abs(z - shifted) <= allowed + u * (np.abs(shifted) + allowed)).all()
    np.testing.assert_array_equal(computed(x, w, options, algorithm=algorithm, bias=bias, relu=True), np.maximum(z, 0))


@pytest.mark.parametrize("A", ALGORITHMS, ids=lambda A: f"{A.size} {A.dtype}")
def test_fast_layers_stay_within_the_bound_of_their_algorithm(A):
    @settings(max_examples=12)
    @given(problems(A.dims, A.r), st.integers(0, 2**32 - 1))
    def check(options, seed):
        assert phase_taps(options["w"][2:], options["stride"]) == A.r
        channels = options["w"][1] * math.prod(options["stride"])
        check_bound(options, A, A.dtype, seed, lambda x, w: worst_case(A, channels))

    check()


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_direct_layers_stay_within_the_bound_of_a_sum_of_fmas(axes):
    """N terms, one rounding each: N u / (1 - N u) times the same sum of absolute values."""

    @settings(max_examples=60)
    @given(problems(axes), st.integers(0, 2**32 - 1))
    def check(options, seed):
        if options["w"][1] == 1 and options["groups"] > 1:
            options |= {"groups": 1, "x": (options["x"][0], 1, *options["x"][2:])}  # depthwise: see below
        relative = math.prod(options["w"][1:]) * 2.0**-24

        def limit(x, w):
            return relative / (1 - relative) * exact(np.abs(x), np.abs(w), options)

        check_bound(options, "direct", np.float32, seed, limit)

    check()


# Taps, stride and dilation: each is compiled, for either layout.
DEPTHWISE_KINDS = [((3, 3), (1, 1), (1, 1)), ((3, 3), (2, 2), (1, 1)), ((2, 2), (1, 1), (3, 3)),
                   ((5, 6), (2, 1), (3, 1))]


@settings(max_examples=60)
@given(
    channels=st.sampled_from([2, 3, 16, 17, 37, 65]), each=st.integers(1, 2), kind=st.sampled_from(DEPTHWISE_KINDS),
    size=st.tuples(st.integers(1, 12), st.integers(1, 30)),
    padding=st.tuples(*[st.tuples(st.integers(0, 4), st.integers(0, 4))] * 2),
    layout=st.sampled_from(LAYOUTS[2]), seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_depthwise_layers_stay_within_that_bound(channels, each, kind, size, padding, layout, seed):
    taps, stride, dilation = kind
    least = [d * (r - 1) + 1 for r, d in zip(taps, dilation, strict=True)]
    size = [max(n, r - sum(p)) for n, r, p in zip(size, least, padding, strict=True)]
    options = {"x": (2, channels, *size), "w": (channels * each, 1, *taps), "stride": stride, "padding": padding,
               "dilation": dilation, "groups": channels, "layout": layout, "threads": 2}
    relative = math.prod(taps) * 2.0**-24
    check_bound(options, "direct", np.float32, seed,
                lambda x, w: relative / (1 - relative) * exact(np.abs(x), np.abs(w), options))
