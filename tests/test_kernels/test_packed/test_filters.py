"""Panels and corrections: what is added makes up for zero points, raised activations and padding."""

import numpy as np
import pytest

from kernels.packed.filters import can_run_int8, can_run_tables, corrections_of, panels_of, uses_bytes
from kernels.packed.numbers import Numbers
from kernels.packed.weights import Weights

RANDOM = np.random.default_rng(0)
WEIGHTS = {
    "int4": Weights(RANDOM.integers(-8, 8, (20, 10, 3)), Numbers(4, True)),
    "bipolar": Weights(RANDOM.choice([-1, 1], (20, 10, 3)), Numbers(1, True, True)),
    "uint8": Weights(RANDOM.integers(0, 256, (20, 10, 3)), Numbers(8, False)),
}
KINDS = [Numbers(3, False), Numbers(8, False), Numbers(3, True), Numbers(12, True), Numbers(1, True, True)]


def first(corrections, panels):
    """Beta of the 20 filters, as signed numbers."""
    dtype = np.int64 if panels.combination in ("and", "xor") else np.int32
    return corrections.beta.view(dtype)[:20]


@pytest.mark.parametrize("scheme", ["planes", "tables", "int8"])
@pytest.mark.parametrize("w", WEIGHTS.values(), ids=WEIGHTS)
@pytest.mark.parametrize("a", KINDS, ids=str)
def test_a_zero_point_takes_the_sum_of_the_weights(a, w, scheme):
    if scheme == "tables" and not can_run_tables(a):
        scheme = "planes"  # tables take up to 8 bits
    panels = panels_of(w, a, False, scheme)
    sums = w.values().sum((0, 2, 3))
    without = first(corrections_of(panels, 0, None, True), panels)
    if not a.bipolar:
        np.testing.assert_array_equal(first(corrections_of(panels, 2, None, True), panels) - without, -2 * sums)
    bias = np.arange(20)
    np.testing.assert_array_equal(first(corrections_of(panels, 0, bias, True), panels) - without, bias)


def test_what_padding_needs():
    """Planes: nothing for a zero point of 0, else tap by tap; bytes: the value itself."""
    w = WEIGHTS["int4"]
    planes, octets = (panels_of(w, Numbers(3, True), False, scheme) for scheme in ("planes", "int8"))
    assert corrections_of(planes, 0, None, True).fixes is None
    assert corrections_of(planes, 2, None, False).fixes is None
    fixes = corrections_of(planes, 2, None, True).fixes.view(np.int32).reshape(-1, 3, w.numbers)
    np.testing.assert_array_equal(np.moveaxis(fixes, 1, 2).reshape(-1, 3)[:20], 2 * w.values().sum(-1)[0])
    for zero in (-4, 0, 3):
        padding = corrections_of(octets, zero, None, True).padding
        dtype = np.int8 if octets.combination == "bytes" else np.int16
        fields = padding.astype(np.uint32).view(dtype)
        assert (fields == zero + octets.raised).all()
    bipolar = panels_of(w, Numbers(1, True, True), False, "planes")
    assert corrections_of(bipolar, 0, None, True).fixes is not None  # zero bits would stand for -1


def test_fields_are_made_once_and_counted():
    w = Weights(RANDOM.integers(-8, 8, (64, 64)), Numbers(4, True))
    before = w.nbytes
    panels = [panels_of(w, Numbers(bits, False), False, "int8") for bits in (2, 3)]
    assert panels[0].U is panels[1].U
    assert w.nbytes == before + panels[0].U.nbytes


def test_which_numbers_go_as_bytes():
    assert not uses_bytes(Numbers(9, False), Numbers(8, True)) and not uses_bytes(Numbers(8, False), Numbers(9, False))
    assert uses_bytes(Numbers(8, True), Numbers(8, False)) == uses_bytes(Numbers(8, False), Numbers(8, True))
    assert can_run_int8(Numbers(16, True), Numbers(15, False))
    assert not can_run_int8(Numbers(16, False), Numbers(2, True))
