"""Blocks of a call: every output once, whatever the sizes, and few rows with their planes apart."""

import numpy as np
import pytest

from kernels import packed
from kernels.packed import running
from kernels.packed.lookups import has_lookup


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
