"""The product's text, compiled: every height up to two of the tallest, every combination, against plain sums."""

import numpy as np
import pytest

from kernels.packed.dot_products import has_byte_dot
from kernels.packed.filters import product_module
from kernels.packed.microkernel import COMBINATIONS, product_text, tile_rows

WORDS, TAPS = 3, 2


def expected_sums(combination, x, u):
    """x (rows, taps, words), u (taps, words, numbers), as the combination takes them."""
    if combination in ("and", "xor"):
        joined = x[..., None] & u if combination == "and" else x[..., None] ^ u
        return np.bitwise_count(joined).astype(np.int64).sum((1, 2))
    kinds = {"bytes": ("u1", "i1"), "swapped": ("i1", "u1"), "pairs": ("i2", "i2")}[combination]
    a = x.view(kinds[0]).reshape(*x.shape, -1).astype(np.int64)
    w = np.ascontiguousarray(u).view(kinds[1]).reshape(*u.shape, -1).astype(np.int64)
    return np.einsum("rtce,tcne->rn", a, w)


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_every_height(combination):
    if combination in ("bytes", "swapped") and not has_byte_dot():
        pytest.skip("this CPU has no dot product of bytes")
    module = product_module(combination)
    random = np.random.default_rng(1)
    word, numbers = np.dtype(module.WORD), module.NUMBERS
    planes = combination in ("and", "xor")
    top = 1 << 8 * word.itemsize
    u = random.integers(0, top, (TAPS, WORDS, numbers), word)
    if combination == "pairs":
        u &= np.uint32(0x0FFF0FFF)  # sums fit
    beta = random.integers(0, 100, numbers)
    added = beta.astype(np.int64 if planes else np.int32).view(np.uint64)
    pairs = np.array([0, 0, 1, -1], np.int64)  # planes: the sums are doubled and change sign
    for rows in range(1, 2 * tile_rows() + 2):
        x = random.integers(0, top, (rows, TAPS, WORDS), word)
        if combination == "pairs":
            x &= np.uint32(0x0FFF0FFF)
        less = random.integers(0, 100, rows)
        out = np.zeros(rows * numbers, np.int32)
        shifts = np.arange(TAPS) * WORDS
        module.product(rows, x.reshape(-1), 0, TAPS * WORDS, shifts, TAPS, WORDS, u.reshape(-1).view(np.uint64), 0, 0,
                       pairs, 1, less, 0, 1, added, 0, out, 0)
        sums = expected_sums(combination, x, u)
        expected = beta - 2 * sums - less[:, None] if planes else beta + sums
        np.testing.assert_array_equal(out.reshape(rows, numbers), expected, err_msg=str(rows))


def test_the_text_is_plain_python():
    for combination in COMBINATIONS:
        compile(product_text(combination, 3), combination, "exec")
