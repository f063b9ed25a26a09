import numpy as np
import pytest

from kernels.arguments import as_padding, as_pair, check_array, output_size

UNIT = (1, 1)


@pytest.mark.parametrize(
    ("padding", "axes", "sides"),
    [
        (2, 2, ((2, 2), (2, 2))),
        ((1, 2), 2, ((1, 1), (2, 2))),
        (((0, 1), (2, 3)), 2, ((0, 1), (2, 3))),
        ("valid", 2, ((0, 0), (0, 0))),
        ("same", 2, ((1, 1), (1, 2))),
        (3, 1, ((0, 0), (3, 3))),
        (((1, 2),), 1, ((0, 0), (1, 2))),
    ],
)
def test_padding_of_every_form(padding, axes, sides):
    assert as_padding(padding, axes, (3, 4), UNIT, UNIT) == sides


def test_same_padding_counts_dilation():
    assert as_padding("same", 2, (3, 2), UNIT, (2, 3)) == ((2, 2), (1, 2))


def test_pairs():
    assert as_pair(3, "stride", 2, 1) == (3, 3)
    assert as_pair([2, 3], "stride", 2, 1) == (2, 3)
    assert as_pair(3, "stride", 1, 1) == (1, 3)
    assert as_pair(np.int64(3), "stride", 2, 1) == (3, 3)


@pytest.mark.parametrize("length", range(1, 12))
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_output_size_counts_the_positions_of_the_filter(length, stride):
    for taps in range(1, 4):
        for dilation in (1, 2):
            extent = dilation * (taps - 1) + 1
            positions = len(range(0, length + 3 - extent + 1, stride))
            if positions:
                assert output_size(length, taps, (1, 2), stride, dilation, "width") == positions
            else:
                with pytest.raises(ValueError, match="must fit"):
                    output_size(length, taps, (1, 2), stride, dilation, "width")


def test_only_float_arrays_pass():
    assert check_array(np.zeros((1, 1), ">f4"), "x", 2, "(a, b)").shape == (1, 1)
    for bad in (np.zeros((1, 1), int), np.zeros((1, 1), complex), np.zeros((1, 1), np.float16), np.zeros((1, 1), bool)):
        with pytest.raises(TypeError, match="x must be float32 or float64"):
            check_array(bad, "x", 2, "(a, b)")
