"""Between widths: every pair of widths and signs, and bipolar values."""

import numpy as np
import pytest

from kernels import packed
from kernels.packed.arguments import value_range


@pytest.mark.parametrize("to", range(1, 17))
@pytest.mark.parametrize("bits", range(1, 17))
def test_every_pair_of_widths(bits, to):
    for signed, to_signed in ((False, False), (False, True), (True, False), (True, True)):
        (low, high), (to_low, to_high) = value_range(bits, signed), value_range(to, to_signed)
        x = np.unique(np.linspace(low, high, 300).astype(int)).reshape(1, -1)
        a = packed.pack(x, bits, signed, spacer=bits % 2 == 0)
        if to_low <= low and high <= to_high:
            b = packed.widen(a, to, to_signed)
            assert (b.bits, b.signed, b.spacer) == (to, to_signed, a.spacer) and np.array_equal(b.unpack(), x)
            assert np.array_equal(packed.narrow(a, to, to_signed, spacer=False).unpack(), x)
        else:
            with pytest.raises(
                ValueError, match=f"the new width must hold {low} to {high}; got u?int{to}, {to_low} to"
            ):
                packed.widen(a, to, to_signed)
            first = np.flatnonzero((x < to_low) | (x > to_high))[0]
            with pytest.raises(ValueError, match=rf"a must lie in {to_low} to .*; got {x[0, first]} at \[0, {first}\]"):
                packed.narrow(a, to, to_signed)
        wrap = (x - to_low) % (1 << to) + to_low
        assert np.array_equal(packed.narrow(a, to, to_signed, overflow="wrap").unpack(), wrap)
        saturated = packed.narrow(a, to, to_signed, overflow="saturate")
        assert np.array_equal(saturated.unpack(), np.clip(x, to_low, to_high))


def test_bipolar_values_become_ordinary_ones():
    a = packed.pack_bipolar([1, -1, 1])
    b = packed.widen(a, 2)
    assert not b.bipolar and (b + b + b).unpack().tolist() == [-1, 1, -1]
    assert packed.widen(a, 3).unpack().tolist() == [1, -1, 1]
    with pytest.raises(ValueError, match="the new width must hold -1 to 1; got int1, -1 to 0"):
        packed.widen(a, 1)


@pytest.mark.parametrize("function", [packed.widen, packed.narrow])
def test_bad_arguments(function):
    with pytest.raises(TypeError, match="a must be a PackedArray; got list: pack it first"):
        function([1], 3)
    with pytest.raises(ValueError, match="bits must be 1 to 16; got 17"):
        function(packed.pack([1], 2, True), 17)
    with pytest.raises(ValueError, match="overflow must be 'error', 'wrap', 'saturate'; got 'widen'"):
        packed.narrow(packed.pack([1], 2, True), 3, overflow="widen")
