"""The compiled kernel and the emulation of the same Algorithm agree bit for bit, over whole layers."""

import numpy as np
import pytest

import winograd as wg
from error_analysis.emulation.emulate import emulate
from kernels import conv1d, conv2d

POINTS = [0, -1, 1, "1/2", -2, wg.INF]
F43 = wg.toom_cook(4, 3, POINTS)
F23 = wg.toom_cook(2, 3, [0, 1, -1, wg.INF])
F24 = wg.toom_cook(2, 4, [0, 1, -1, 2, wg.INF])
SUPERLINEAR = wg.from_moduli(3, 3, ["x", "x-1", "x+1", "x^2+1"])
GROUP = wg.toom_cook(4, 3, [0, *wg.reciprocal_group("3/2"), wg.INF])

# Each is compiled: the usual ones are those of other tests too.
ALGORITHMS = [
    wg.Algorithm(F43, dims=2),
    wg.Algorithm(F43, dims=2, passes=("share", "factor"), fma=True, filter_dtype="float64"),
    wg.Algorithm(GROUP, dims=2, order="pairwise", fma=True, dtype="float64"),
    wg.Algorithm(F23, dims=2, order="left", channel_sum="pairwise", channel_block=4),
    wg.Algorithm(F23, dims=2, order="sorted", fma=True, channel_sum="blocked", channel_block=8, dtype="float64"),
    wg.Algorithm((F24, F23), fma=True, channel_sum="pairwise", channel_block=1),
    wg.Algorithm(SUPERLINEAR, dims=2, passes=("share",)),
    wg.Algorithm(F43, fma=True, passes=("share", "factor"), filter_dtype="float64"),
    wg.Algorithm(wg.toom_cook(4, 3, ["sqrt(2)", "-sqrt(2)", "sqrt(2)/2", "-sqrt(2)/2", 0, "inf"]), dtype="float64"),
    wg.Algorithm(wg.toom_cook(3, 1, [0, 1, wg.INF]), order="left"),
]


def bits(array):
    return array.view(f"i{array.itemsize}")


def tiles_of(A, x, w):
    """All tiles of padded images, and where each of them lands: index by image and tile, as the kernel cuts them."""
    outputs = [length - r + 1 for length, r in zip(x.shape[2:], A.r, strict=True)]
    counts = [-(-out // m) for out, m in zip(outputs, A.m, strict=True)]
    full = [count * m + r - 1 for count, m, r in zip(counts, A.m, A.r, strict=True)]
    padded = np.pad(x, [(0, 0), (0, 0), *((0, f - length) for f, length in zip(full, x.shape[2:], strict=True))])
    for index in np.ndindex(*counts):
        window = tuple(slice(i * m, i * m + t) for i, m, t in zip(index, A.m, A.tile, strict=True))
        target = tuple(slice(i * m, min((i + 1) * m, out)) for i, m, out in zip(index, A.m, outputs, strict=True))
        yield padded[(..., *window)], target


def emulated_layer(A, x, w):
    shape = (len(x), len(w), *(length - r + 1 for length, r in zip(x.shape[2:], A.r, strict=True)))
    y = np.empty(shape, x.dtype)
    for d, target in tiles_of(A, x, w):
        for k in range(len(w)):
            tile = emulate(A, np.ascontiguousarray(d), np.broadcast_to(w[k], (len(x), *w[k].shape)).copy())
            inside = tuple(slice(0, s.stop - s.start) for s in target)
            y[(slice(None), k, *target)] = tile[(slice(None), *inside)]
    return y


@pytest.mark.parametrize("A", ALGORITHMS, ids=str)
@pytest.mark.parametrize("channels", [1, 21])
def test_a_layer_agrees_with_its_emulation_bit_for_bit(A, channels):
    rng = np.random.default_rng(channels)
    size = (9, 35)[-A.dims :]  # several tiles, the last ones cut off; more than a vector of columns
    x = rng.uniform(-1, 1, (2, channels, *size)).astype(A.dtype)
    w = rng.uniform(-1, 1, (3, channels, *A.r)).astype(A.dtype)
    y = (conv2d if A.dims == 2 else conv1d)(x, w, algorithm=A, threads=2)
    np.testing.assert_array_equal(bits(y), bits(emulated_layer(A, x, w)))


BIG = [ALGORITHMS[1], wg.Algorithm(F43, dims=2, channel_sum="pairwise"), ALGORITHMS[4]]  # each kind of sum


@pytest.mark.parametrize("A", BIG, ids=str)
def test_a_big_layer_agrees_bit_for_bit(A):
    """130 channels, more than any block of the kernel holds at once; every tile with every filter at once."""
    rng = np.random.default_rng(130)
    x = rng.uniform(-1, 1, (2, 130, 18, 30)).astype(A.dtype)
    w = rng.uniform(-1, 1, (9, 130, *A.r)).astype(A.dtype)
    y = conv2d(x, w, algorithm=A, threads=2)
    cut = list(tiles_of(A, x, w))
    tiles = np.stack([d for d, _ in cut], axis=1)  # images, tiles, channels, ...
    pairs = (*tiles.shape[:2], len(w))
    d = np.broadcast_to(tiles[:, :, np.newaxis], (*pairs, 130, *A.tile)).reshape(-1, 130, *A.tile)
    g = np.broadcast_to(w, (*pairs, 130, *A.r)).reshape(-1, 130, *A.r)
    z = emulate(A, d, g).reshape(*pairs, *A.m)
    for i, (_, target) in enumerate(cut):
        inside = tuple(slice(0, s.stop - s.start) for s in target)
        want = z[(slice(None), i, slice(None), *inside)]
        np.testing.assert_array_equal(bits(y[(slice(None), slice(None), *target)]), bits(np.ascontiguousarray(want)))


@pytest.mark.parametrize("A", ALGORITHMS[:3], ids=str)
def test_single_tiles_agree_on_values_of_every_size(A):
    rng = np.random.default_rng(7)
    sizes = 2.0 ** rng.integers(-60, 60, (40, 1, 6, 6))
    d = (rng.uniform(-1, 1, sizes.shape) * sizes).astype(A.dtype)
    g = rng.uniform(-1, 1, (40, 1, 3, 3)).astype(A.dtype)
    d[0] = 0.0
    d[1] = -0.0
    for trial in range(40):
        y = conv2d(d[trial : trial + 1], g[trial : trial + 1], algorithm=A)
        np.testing.assert_array_equal(bits(y[:, 0]), bits(emulate(A, d[trial : trial + 1], g[trial : trial + 1])))


def test_the_bias_is_added_last_with_one_rounding():
    rng = np.random.default_rng(4)
    x = rng.uniform(-1, 1, (1, 4, 12, 12)).astype(np.float32)
    w = rng.uniform(-1, 1, (5, 4, 3, 3)).astype(np.float32)
    bias = rng.uniform(-1, 1, 5).astype(np.float32)
    for algorithm in (ALGORITHMS[0], "direct"):
        plain = conv2d(x, w, algorithm=algorithm)
        np.testing.assert_array_equal(conv2d(x, w, bias, algorithm=algorithm), plain + bias[:, None, None])
