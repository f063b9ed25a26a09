"""The product microkernel against a dull loop, bit for bit, on this CPU and on the narrower paths of it."""

import hashlib
import json
import os
import platform
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import kernels.host
from kernels.compilation import header, load_module
from kernels.generation import panels_module
from kernels.host import Tile, host
from kernels.microkernel import product_text, row_counts, splits

ROOT = Path(kernels.host.__file__).parents[1]


@pytest.fixture(scope="module")
def product():
    """The compiled product for a dtype, with or without fma, for this CPU's register tile: that of all Algorithms."""

    def compiled(dtype, fma):
        tile = host().tile(dtype)
        return panels_module(np.dtype(dtype).name, fma, tile).product, tile

    return compiled


def fused32(a, b, c):
    """a * b + c in float32 with one rounding.

    The product is exact in float64. The sum is rounded there to odd (the last bit set where anything was
    lost), which the second rounding, to 24 bits, cannot tell from the exact sum (Boldo and Melquiond 2008).
    """
    p, c = a.astype(np.float64) * b.astype(np.float64), c.astype(np.float64)
    s = p + c
    q = s - p
    error = (p - (s - q)) + (c - q)
    inexact_and_even = (error != 0) & (s.view(np.int64) % 2 == 0)
    return np.where(inexact_and_even, np.nextafter(s, np.copysign(np.inf, error)), s).astype(np.float32)


def dull_product(V, U, fma):
    """M[t, k] = sum over c of V[t, c] U[c, k], in the order of c, from +0."""
    M = np.zeros((V.shape[0], U.shape[1]), V.dtype)
    for c in range(V.shape[1]):
        v, u = V[:, c, None], U[None, c]
        M = fused32(*np.broadcast_arrays(v, u, M)) if fma else M + v * u
    return M


def run(product, V, U, rows, channels, margin=3, offset=5):
    """product on rows within larger arrays: (M, whether everything around M was left alone)."""
    columns = U.shape[1]
    v = np.concatenate([np.full(offset, np.nan, V.dtype), V.ravel()])
    u = np.concatenate([np.full(offset, np.nan, V.dtype), U.ravel()])
    m = np.full(offset + rows * (columns + margin) + margin, 77, V.dtype)
    product(v, offset, V.shape[1], rows, u, offset, m, offset, columns + margin, channels)
    block = m[offset : offset + rows * (columns + margin)].reshape(rows, columns + margin)
    M = block[:, :columns].copy()
    block[:, :columns] = 77
    return M, bool(np.all(m == 77))


@pytest.mark.parametrize("fma", [False, True])
def test_float32_is_the_dull_sum(product, fma):
    function, tile = product(np.float32, fma)
    rng = np.random.default_rng(1)
    for rows, channels in [(1, 1), (2, 7), (3, 64), (tile.rows, 33), (2 * tile.rows + 13, 130), (15, 0)]:
        V = rng.standard_normal((rows, channels + 2)).astype(np.float32)
        U = rng.standard_normal((channels, tile.columns)).astype(np.float32)
        M, untouched = run(function, V, U, rows, channels)
        expected = dull_product(V[:, :channels], U, fma)
        assert np.array_equal(M.view(np.uint32), expected.view(np.uint32))
        assert untouched


def test_fma_and_separate_rounding_differ(product):
    rng = np.random.default_rng(2)
    columns = host().tile(np.float32).columns
    V = rng.standard_normal((9, 40)).astype(np.float32)
    U = rng.standard_normal((40, columns)).astype(np.float32)
    results = [run(product(np.float32, fma)[0], V, U, 9, 40)[0] for fma in (False, True)]
    assert not np.array_equal(*results), "the operands must tell one rounding from two"


@pytest.mark.parametrize("fma", [False, True])
def test_float64_is_the_dull_sum(product, fma):
    function, tile = product(np.float64, fma)
    rng = np.random.default_rng(3)
    rows, channels = tile.rows + 3, 4
    V = rng.standard_normal((rows, channels))
    U = rng.standard_normal((channels, tile.columns))
    M, untouched = run(function, V, U, rows, channels)
    if fma:
        expected = np.empty_like(M)
        for t, k in np.ndindex(M.shape):
            acc = 0.0
            for c in range(channels):  # float() of a Fraction rounds once
                acc = float(Fraction(V[t, c]) * Fraction(U[c, k]) + Fraction(acc))
            expected[t, k] = acc
    else:
        expected = dull_product(V, U, fma=False)
    assert np.array_equal(M.view(np.uint64), expected.view(np.uint64))
    assert untouched


def test_every_number_of_rows_is_covered_exactly(product):
    function, tile = product(np.float32, True)
    rng = np.random.default_rng(4)
    for rows in range(2 * tile.rows + 2):
        V = rng.integers(-9, 10, (rows, 5)).astype(np.float32)
        U = rng.integers(-9, 10, (5, tile.columns)).astype(np.float32)
        M, untouched = run(function, V, U, rows, 5)
        assert np.array_equal(M, V @ U), "sums of small integers are exact"
        assert untouched


def test_a_sum_of_negative_zeros_is_positive_zero(product):
    function, tile = product(np.float32, False)
    V, U = -np.zeros((3, 4), np.float32), np.ones((4, tile.columns), np.float32)
    M, _ = run(function, V, U, 3, 4)
    assert not np.any(np.signbit(M))


def test_special_values_pass_through(product):
    function, tile = product(np.float32, True)
    V = np.array([[np.inf, 1], [np.nan, 1], [1e38, 1e-45]], np.float32)
    U = np.full((2, tile.columns), 1e38, np.float32)
    M, _ = run(function, V, U, 3, 2)
    assert np.all(M[0] == np.inf) and np.all(np.isnan(M[1])) and np.all(M[2] == np.inf)


def test_row_counts_end_at_one():
    for rows in range(1, 33):
        counts = row_counts(rows)
        assert counts[0] == rows and counts[-1] == 1
        assert list(counts) == sorted(set(counts), reverse=True)


@pytest.mark.parametrize("heights", [row_counts(14), row_counts(6), (7, 6, 5, 4, 3, 2, 1), (1,)])
def test_splits_begin_the_cheapest_calls(heights):
    table = splits(heights)
    assert len(table) == 2 * max(heights) + 1 and table[0] == 0

    def calls(rows):
        while rows:
            yield table[rows]
            rows -= table[rows]

    def cost(height):
        return max(height, 4) + 1

    least = [0]
    for rows in range(1, len(table)):
        least.append(min(cost(h) + least[rows - h] for h in heights if h <= rows))
        assert set(calls(rows)) <= set(heights) and sum(calls(rows)) == rows
        assert sum(map(cost, calls(rows))) == least[rows]


# ---- sums over taps, with bias and relu ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tap_product():
    """The product over taps, of tiles one and two vectors wide, whose heights are few: they compile faster."""
    length = host().length(np.float32)
    tiles = [Tile(3, 2, length), Tile(2, 1, length)]
    texts = [product_text(t, True, f"micro{t.vectors}", f"product{t.vectors}", taps="rows") for t in tiles]
    module = load_module("\n\n".join([header(length), *texts]), "test_tap_product")
    return [(module.product2, tiles[0]), (module.product1, tiles[1])]


def dull_taps(V, offsets, U, bias, relu):
    """The sum over taps and, in each, channels, then bias, then relu; V[offset + c], U[tap, c, k]."""
    acc = np.zeros((len(offsets), U.shape[2]), np.float32)
    for tap in range(U.shape[0]):
        for c in range(U.shape[1]):
            v = V[[offset[tap] + c for offset in offsets]][:, None]
            acc = fused32(*np.broadcast_arrays(v, U[tap, c][None], acc))
    return finished(acc, bias, relu)


def finished(acc, bias, relu):
    if bias is not None:
        acc = acc + bias
    return np.where(acc < 0, np.float32(0), acc) if relu else acc


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("which", [0, 1])
def test_the_product_over_taps_is_the_dull_sum(tap_product, which, biased, relu):
    function, tile = tap_product[which]
    columns = tile.columns
    rng = np.random.default_rng(6)
    for rows, taps, channels in [(1, 1, 1), (2, 3, 5), (7, 4, 2), (3, 9, 1), (2 * tile.rows + 1, 2, 3)]:
        v_stride, shifts = channels + 2, rng.permutation(40 * taps)[:taps]
        V = rng.standard_normal(5 + rows * v_stride + 40 * taps + channels).astype(np.float32)
        U = rng.standard_normal((taps, channels, columns)).astype(np.float32)
        bias = rng.standard_normal(columns + 4).astype(np.float32)
        m_stride = columns + 3
        M = np.full(4 + rows * m_stride, 77, np.float32)
        u = np.concatenate([np.full(2, np.nan, np.float32), U.ravel()])
        function(V, 5, v_stride, rows, shifts, taps, u, 2, M, 4, m_stride, channels, bias, 4, biased, relu)
        offsets = [[5 + t * v_stride + shift for shift in shifts] for t in range(rows)]
        expected = dull_taps(V, offsets, U, bias[4:] if biased else None, relu)
        block = M[4:].reshape(rows, m_stride)
        assert np.array_equal(block[:, :columns].view(np.uint32), expected.view(np.uint32))
        assert np.all(block[:, columns:] == 77) and np.all(M[:4] == 77)


def test_bias_and_relu_keep_nan_and_turn_what_is_negative_into_positive_zero(tap_product):
    function, tile = tap_product[1]
    U = np.ones(tile.columns, np.float32)
    bias = np.zeros(tile.columns, np.float32)
    V = np.array([np.nan, -np.inf, np.inf, -1e-45, -0.0, 3], np.float32)
    M = np.empty(6 * tile.columns, np.float32)
    function(V, 0, 1, 6, np.zeros(1, np.int64), 1, U, 0, M, 0, tile.columns, 1, bias, 0, True, True)
    first = M[:: tile.columns]
    assert np.isnan(first[0]) and first[1:].tolist() == [0, np.inf, 0, 0, 3] and not np.signbit(first[1:]).any()


@pytest.fixture(scope="module")
def columns_product():
    """The product of columns that lie anywhere, in a tile two vectors wide."""
    tile = Tile(3, 2, host().length(np.float32))
    text = product_text(tile, True, "columns", "columns_product", taps="columns", ahead=True)
    return load_module("\n\n".join([header(tile.length), text]), "test_columns_product").columns_product, tile.columns


@pytest.mark.parametrize(("biased", "relu"), [(False, False), (True, False), (True, True), (False, True)])
def test_the_product_of_columns_anywhere_is_the_dull_sum(columns_product, biased, relu):
    function, columns = columns_product
    rng = np.random.default_rng(7)
    for rows, panels, terms in [(1, 1, 1), (2, 3, 5), (7, 0, 2), (7, 2, 4), (3, 1, 9)]:
        width, w_stride, m_stride = panels * columns, terms + 2, panels * columns + 3
        W = rng.standard_normal(5 + rows * w_stride).astype(np.float32)
        U = rng.standard_normal(300 + width).astype(np.float32)
        shifts = rng.integers(0, 290, terms)  # they may overlap, as windows do
        bias = rng.standard_normal(4 + rows).astype(np.float32)
        M = np.full(4 + rows * m_stride, 77, np.float32)
        function(W, 5, w_stride, rows, panels, shifts, U, 3, M, 4, m_stride, terms, bias, 4, biased, relu)
        acc = np.zeros((rows, width), np.float32)
        for term, shift in enumerate(shifts):
            v = W[5 + term :: w_stride][:rows, None]
            acc = fused32(*np.broadcast_arrays(v, U[3 + shift :][None, :width], acc))
        expected = finished(acc, bias[4:, None] if biased else None, relu)
        block = M[4:].reshape(rows, m_stride)
        assert np.array_equal(block[:, :width].view(np.uint32), expected.view(np.uint32))
        assert np.all(block[:, width:] == 77) and np.all(M[:4] == 77)


def panels_digest():
    """Hash of a product of 32 columns, packed as this CPU has it: equal on every CPU."""
    rng = np.random.default_rng(5)
    V = rng.standard_normal((31, 40)).astype(np.float32)
    U = rng.standard_normal((40, 32)).astype(np.float32)
    digests = []
    for fma in (False, True):
        tile = host().tile(np.float32)
        function = panels_module("float32", fma, tile).product
        M = np.empty((31, 32), np.float32)
        for k in range(0, 32, tile.columns):
            panel = np.ascontiguousarray(U[:, k : k + tile.columns])
            function(V.ravel(), 0, 40, 31, panel.ravel(), 0, M.reshape(-1), k, 32, 40)
        digests.append(hashlib.sha256(M.tobytes()).hexdigest())
    return digests


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="names of x86 CPUs")
def test_narrow_paths_give_the_same_bits():
    code = (
        "import json, sys; sys.path.insert(0, sys.argv[1]); import test_microkernel as t;"
        "print(json.dumps([t.host().vector_bytes, t.host().fma, t.panels_digest()]))"
    )
    cpus = {"x86-64": [16, False], "haswell": [32, True]}
    if host().vector_bytes < 32 or not host().fma:
        del cpus["haswell"]  # this machine cannot run it
    children = {
        cpu: subprocess.Popen(
            [sys.executable, "-c", code, str(Path(__file__).parent)],
            env={**os.environ, "NUMBA_CPU_NAME": cpu, "NUMBA_CPU_FEATURES": "", "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for cpu in cpus
    }
    expected = panels_digest()
    for cpu, child in children.items():
        output, _ = child.communicate(timeout=120)
        assert child.returncode == 0
        assert json.loads(output) == [*cpus[cpu], expected]


def test_the_text_names_what_it_is_told_to():
    text = product_text(Tile(2, 2, 4), fma=False, prefix="small", name="small_product")
    assert "def small_2(" in text and "def small_1(" in text and "def small_product(" in text
    assert "fma(" not in text
