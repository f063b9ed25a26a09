"""Tables of sums and their looking up: staging as the definition says, every height, limits that are reached."""

import numpy as np
import pytest

from kernels import packed
from kernels.packed.filters import panels_of, product_module
from kernels.packed.lookups import FILTERS, has_lookup, lookup_text, table_parts, tables_of, tile_rows
from kernels.packed.numbers import Numbers
from kernels.packed.weights import Weights

pytestmark = pytest.mark.skipif(not has_lookup(), reason="this CPU has no shuffle of 32 bytes")
KINDS = [Numbers(1, False), Numbers(2, True), Numbers(5, False), Numbers(6, True), Numbers(8, False)]


@pytest.mark.parametrize("bipolar", [False, True])
def test_each_place_is_the_sum_of_its_channels(bipolar):
    values, parts = np.array([7, 0, 5, 2, 6, 1]), table_parts(Numbers(3, False))
    tables = tables_of(values, parts, bipolar)[0]
    signs = np.array([-1, 1]) if bipolar else np.array([0, 1])
    for place in range(16):
        bits = place >> np.arange(4) & 1
        for four in range(2):
            a = np.append(values, [0, 0])[4 * four : 4 * four + 4]
            assert tables[four, place] == (signs[bits] * a).sum() + (7 * (bits == 0).sum() if bipolar else 0)


@pytest.mark.parametrize("w_kind", [Numbers(2, False), Numbers(1, True, True)], ids=str)
@pytest.mark.parametrize("a_kind", [*KINDS, Numbers(1, True, True)], ids=str)
def test_staged_as_defined(a_kind, w_kind):
    """21 channels, no multiple of any lanes in a word; pixels beyond a vector of them."""
    channels, pixels = 21, 7
    random = np.random.default_rng(a_kind.bits)
    low, high = a_kind.range
    x = random.integers(low, high + 1, (pixels, channels))
    x = np.where(x < 0, -1, 1) if a_kind.bipolar else x
    a = packed.pack_bipolar(x) if a_kind.bipolar else packed.pack(x, a_kind.bits, a_kind.signed)
    panels = panels_of(Weights(np.ones((3, channels, 1), int), w_kind), a_kind, False, "tables")
    X = np.full(pixels * panels.pixel + 8, 99, np.uint64)
    row_words = a.words.shape[1]
    panels.module.stage(a.words.reshape(-1), 0, 1, row_words, pixels, row_words, panels.constants, X, 0, panels.pixel,
                        panels.words)
    for p in range(pixels):
        expected = tables_of(x[p] + panels.raised, table_parts(a_kind), w_kind.bipolar).reshape(-1).view(np.uint64)
        np.testing.assert_array_equal(X[p * panels.pixel :][: expected.size], expected)
    assert (X[pixels * panels.pixel :] == 99).all()


@pytest.mark.parametrize("limit, most", [(1, 1), (2, 3), (5, 12), (31, 1000)])
def test_every_height_and_limit(limit, most):
    """Three taps of five steps: sums go on from bytes to 16 and then to 32 bits, within a tap and between taps."""
    taps, steps = 3, 5
    random = np.random.default_rng(limit)
    module = product_module("tables")
    bits = random.integers(0, 256, (2, taps, steps, FILTERS), np.uint8)  # two planes, and the filters in order
    octets = np.ascontiguousarray(bits.reshape(2, taps, steps, 2, 2, 16).swapaxes(-1, -2))
    pairs = np.array([0, 0, 1, -1, 0, 1, 0, 0, limit, most], np.int64)
    beta = random.integers(-99, 99, FILTERS).astype(np.int32)
    for rows in range(1, 2 * tile_rows() + 2):
        tables = random.integers(0, 4, (rows, taps, steps, 2, 16), np.uint8)
        out = np.zeros(rows * FILTERS, np.int32)
        module.product(
            rows, tables.reshape(-1).view(np.uint64), 0, taps * steps * 4, np.arange(taps) * steps * 4, taps, steps,
            octets.reshape(-1).view(np.uint64), 0, taps * steps * 8, pairs, 2, np.zeros(1, np.int64), 0, 0,
            beta.view(np.uint64), 0, out, 0,
        )
        places = np.stack([bits & 15, bits >> 4], axis=3)  # plane, tap, step, half, filter
        looked_up = np.take_along_axis(tables[:, None].astype(np.int64), places[None], axis=-1).sum((2, 3, 4))
        np.testing.assert_array_equal(out.reshape(rows, FILTERS), beta - 2 * looked_up[:, 0] + looked_up[:, 1])


def test_the_text_is_plain_python():
    compile(lookup_text(3), "tables", "exec")
