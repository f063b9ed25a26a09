"""Blocks of a call: every output once, whatever the sizes, and few rows with their planes apart."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from kernels import packed
from kernels.packed import running
from kernels.packed.filters import panels_of
from kernels.packed.lookups import has_lookup
from kernels.packed.numbers import Numbers
from kernels.packed.output import Stage
from kernels.packed.weights import Weights


@pytest.mark.parametrize("strip_bytes, columns", [(1, 1), (1, 5), (1 << 12, 3), (1 << 20, 448)])
def test_blocks_of_every_size(strip_bytes, columns, monkeypatch):
    monkeypatch.setattr(running, "_STRIP_BYTES", strip_bytes)
    monkeypatch.setattr(running, "_MOST_COLUMNS", columns)
    random = np.random.default_rng(0)
    x, w = random.integers(0, 4, (2, 5, 13, 11)), random.integers(-2, 2, (35, 5, 3, 3))
    a, packed_w = packed.pack(x, 2, False, axis=1), packed.pack(w, 2, True, axis=1)
    for scheme in ("planes", *(["tables"] if has_lookup() else []), "int8"):
        layer = packed.Convolution(packed_w, stride=(2, 1), padding=1, scheme=scheme)
        around = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        expected = sum(
            np.einsum("nchw,kc->nkhw", around[:, :, r : r + 13 : 2, s : s + 11], w[:, :, r, s])
            for r in range(3) for s in range(3)
        )
        for threads in (1, 3):
            np.testing.assert_array_equal(layer(a, threads=threads), expected)


@pytest.mark.parametrize("most", [0, 1000])
def test_planes_of_few_rows_apart_or_not(most, monkeypatch):
    """The same sums either way, at every number of rows and planes around the border."""
    monkeypatch.setattr(running, "_MOST_ROWS_APART", most)
    random = np.random.default_rng(1)
    for bits, signed, rows in ((2, False, 1), (3, True, 2), (5, True, 7), (8, False, 4)):
        low = -(1 << bits - 1) if signed else 0
        x = random.integers(low, low + (1 << bits), (rows, 200))
        plain, signs = random.integers(-4, 4, (200, 40)), random.choice([-1, 1], (200, 40))
        for w, b in ((plain, packed.pack(plain, 3, True, axis=0)), (signs, packed.pack_bipolar(signs, axis=0))):
            y = packed.matmul(packed.pack(x, bits, signed), b, scheme="planes", zero_point=1, threads=2)
            np.testing.assert_array_equal(y, (x - 1) @ w)


def test_few_rows_of_big_weights_are_cut_finely(monkeypatch):
    call = running.Call(1, (1, 1), (1, 1), (1, 1), (1, 1), (1, 1), (0, 0), (0, 0, 0, 0), 1, 2)
    assert [running._block(call, 64, 100, size) for size in (1 << 10, 5 << 19, 1 << 30)] == [
        (1, 4, 4), (1, 5, 5), (1, 16, 16)
    ]
    monkeypatch.setattr(running, "_PART_BYTES", 1)
    x, w = np.arange(70) % 4, np.arange(70 * 500).reshape(70, 500) % 7 - 3
    a, b = packed.pack(x, 2, False), packed.pack(w, 3, True, axis=0)
    for scheme in ("planes", "int8"):
        np.testing.assert_array_equal(packed.dot(a, b, scheme=scheme, threads=3), x @ w)


def test_extents_and_pixels():
    call = running.Call(1, (9, 9), (3, 4), (3, 3), (2, 2), (1, 1), (0, 0), (0, 0, 0, 0), 12, 1)
    assert call.pixels == 12
    assert running._extent(3, 3, 2, 1) == 7


@pytest.mark.parametrize("scheme", ["planes", *(["tables"] if has_lookup() else []), "int8"])
@pytest.mark.parametrize(
    "filters, groups, size", [(130, 1, (9, 6)), (128, 2, (3, 5)), (60, 3, (8, 17)), (256, 1, (2, 2))]
)
def test_outputs_packed_where_they_are_computed_or_behind(filters, groups, size, scheme):
    """A scale of 1 leaves sums as they are: packed by threads that share a word or not, in rows and in planes."""
    random = np.random.default_rng(4)
    x, w = random.integers(0, 4, (2, 5 * groups, *size)), random.integers(-2, 2, (filters, 5, 1, 1))
    a, packed_w = packed.pack(x, 2, False, axis=1), packed.pack(w, 2, True, axis=1)
    input = packed.Affine(2, False, 1.0)
    each = w.reshape(groups, -1, 5)
    sums = np.einsum("ngchw,gkc->ngkhw", x.reshape(2, groups, 5, *size), each).reshape(2, filters, *size)
    rows = np.moveaxis(x, 1, -1).reshape(-1, 5 * groups)
    matrix = np.zeros((filters, 5 * groups), int)
    for group in range(groups):
        matrix[group * len(each[0]) :][: len(each[0]), group * 5 : group * 5 + 5] = each[group]
    for bits, threads in itertools.product((*range(1, 10), 16), (1, 2, 4)):
        output = packed.Affine(bits, bits > 1, 1.0)
        options = {"input": input, "output": output, "scheme": scheme, "threads": threads}
        expected = packed.pack(np.clip(sums, *output.range), bits, bits > 1, axis=1)
        y = packed.Conv2d(packed_w, groups=groups, **options)(a)
        assert y.shape == sums.shape
        np.testing.assert_array_equal(y.words, expected.words, err_msg=f"{bits} {threads}")
        linear = packed.Linear(packed.pack(matrix, 2, True), **options)
        for some in (rows[:1], rows):
            y = linear(packed.pack(some, 2, False))
            expected = packed.pack(np.clip(some @ matrix.T, *output.range), bits, bits > 1)
            np.testing.assert_array_equal(y.words, expected.words, err_msg=f"{bits} {threads}")


def test_bits_of_outputs_decide_who_packs():
    """One part packs whatever it computes; several do where each begins with a word."""
    output = Stage(np.ones(512), np.zeros(512), False, packed.Affine(1, False, 1.0)).output(1, 16, 1.0)
    weights = Weights(np.ones((512, 4), int), Numbers(2, True))
    panels = panels_of(weights, Numbers(1, False), False, "planes")
    panels_each = -(-64 // panels.numbers)
    assert running._packs(panels, output, 1) and not running._packs(panels, running.SUMS, 1)
    assert running._packs(panels, output, 4) == (512 // panels.numbers % (4 * panels_each) == 0)
    assert not running._packs(panels, replace(output, bits=3), 4)
