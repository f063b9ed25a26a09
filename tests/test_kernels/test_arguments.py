"""Options at the door: every form that is taken, and what is refused in which words."""

import numpy as np
import pytest

from kernels.arguments import (
    as_groups,
    as_numbers,
    as_padding,
    check_array,
    check_float,
    input_lengths,
    output_size,
    output_sizes,
)

UNIT = (1, 1)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_a_number_serves_all_axes(axes):
    assert as_numbers(3, "stride", axes, 1) == (3,) * axes
    assert as_padding(2, axes, (3,) * axes, (1,) * axes, (1,) * axes) == ((2, 2),) * axes
    assert as_padding("valid", axes, (3,) * axes, (2,) * axes, (1,) * axes) == ((0, 0),) * axes


def test_numbers_of_numpy_become_plain_integers():
    numbers = as_numbers([np.int64(3), np.uint8(4)], "stride", 2, 1)
    assert numbers == (3, 4) and all(type(number) is int for number in numbers)
    assert as_numbers(np.int32(2), "stride", 1, 1) == (2,)


@pytest.mark.parametrize(
    ("padding", "sides"),
    [
        (2, ((2, 2), (2, 2))),
        ((1, 2), ((1, 1), (2, 2))),
        ([0, np.int64(3)], ((0, 0), (3, 3))),
        (((0, 1), (2, 3)), ((0, 1), (2, 3))),
        ([(0, 1), [2, 3]], ((0, 1), (2, 3))),
        (((1, 1), 0), None),
        ("valid", ((0, 0), (0, 0))),
        ("same", ((1, 1), (1, 2))),
    ],
)
def test_padding_of_every_form(padding, sides):
    if sides is None:
        with pytest.raises(ValueError, match="padding must be an integer or 2 of them"):
            as_padding(padding, 2, (3, 4), UNIT, UNIT)
    else:
        assert as_padding(padding, 2, (3, 4), UNIT, UNIT) == sides


def test_padding_of_one_and_three_axes():
    assert as_padding(((1, 2),), 1, (3,), (1,), (1,)) == ((1, 2),)
    assert as_padding((1, 2, 0), 3, (3, 3, 3), (1, 1, 1), (1, 1, 1)) == ((1, 1), (2, 2), (0, 0))


@pytest.mark.parametrize("taps", range(1, 6))
@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_same_padding_keeps_the_size(taps, dilation):
    (sides,) = as_padding("same", 1, (taps,), (1,), (dilation,))
    assert output_size(9, taps, sides, 1, dilation, "width") == 9
    assert 0 <= sides[1] - sides[0] <= 1  # of an odd total the smaller half comes first


@pytest.mark.parametrize("length", range(1, 12))
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_output_size_counts_the_positions_of_the_filter(length, stride):
    for taps in range(1, 4):
        for dilation in (1, 2):
            extent = dilation * (taps - 1) + 1
            positions = len(range(0, length + 3 - extent + 1, stride))
            if positions:
                assert output_size(length, taps, (1, 2), stride, dilation, "width") == positions
                both = output_sizes((length, 9), (taps, 1), (stride, 2), ((1, 2), (0, 0)), (dilation, 1))
                assert both == (positions, 5)
            else:
                with pytest.raises(ValueError, match="must fit"):
                    output_size(length, taps, (1, 2), stride, dilation, "width")


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("padding", [(0, 0), (2, 1), (4, 4)])
def test_input_lengths_are_those_that_give_the_outputs(stride, dilation, padding):
    for taps in (1, 2, 4):
        extent = dilation * (taps - 1) + 1
        fitting = [n for n in range(1, 40) if n + sum(padding) >= extent]
        for outputs in range(1, 8):
            expected = [n for n in fitting if output_size(n, taps, padding, stride, dilation, "width") == outputs]
            assert list(input_lengths(outputs, taps, stride, padding, dilation)) == expected


def test_only_float_arrays_pass():
    for dtype in (">f4", "<f4", ">f8", "<f8"):
        assert check_array(np.zeros((1, 1), dtype), "x", 2, "(a, b)").shape == (1, 1)
    for bad in (np.zeros((1, 1), int), np.zeros((1, 1), complex), np.zeros((1, 1), bool), np.zeros((1, 1), object)):
        with pytest.raises(TypeError, match="x must be float32 or float64; got"):
            check_array(bad, "x", 2, "(a, b)")
    with pytest.raises(TypeError, match="y must be float32 or float64; got float16: convert it with astype"):
        check_float(np.zeros(1, np.float16), "y")
    with pytest.raises(TypeError, match="x must be a NumPy array; got list"):
        check_array([[1.0]], "x", 2, "(a, b)")
    with pytest.raises(ValueError, match=r"x must have 2 dimensions \(a, b\); got shape \(3,\)"):
        check_array(np.zeros(3), "x", 2, "(a, b)")


def test_bad_options():
    with pytest.raises(ValueError, match="stride must be an integer or 2 of them"):
        as_numbers((1, 2, 3), "stride", 2, 1)
    with pytest.raises(ValueError, match="input_size must be an integer; got True"):
        as_numbers(True, "input_size", 1, 1)
    for bad in (1.0, "2", None, (1, True), (1, 2.0)):
        with pytest.raises(ValueError, match="stride must be an integer or 2 of them; got"):
            as_numbers(bad, "stride", 2, 1)
    with pytest.raises(ValueError, match="dilation must be at least 1; got 0"):
        as_numbers(0, "dilation", 2, 1)
    with pytest.raises(ValueError, match=r"padding must be at least 0; got \[1, -1\]"):
        as_padding(((0, 0), [1, -1]), 2, (3, 3), UNIT, UNIT)
    with pytest.raises(ValueError, match='padding must be numbers, "same" or "valid"; got \'full\''):
        as_padding("full", 1, (3,), (1,), (1,))
    with pytest.raises(ValueError, match='padding "same" needs stride 1'):
        as_padding("same", 2, (3, 3), (1, 2), (1, 1))
    for groups in (0, 4, 1.0, True):
        with pytest.raises(ValueError, match="groups must be a positive divisor of the 6 filters"):
            as_groups(groups, 6)
    assert [as_groups(groups, 6) for groups in (1, 2, np.int64(3), 6)] == [1, 2, 3, 6]
    with pytest.raises(ValueError, match="its depth is 5, the input's 4"):
        output_sizes((4, 9, 9), (3, 3, 3), (1, 1, 1), ((0, 0), (0, 0), (0, 0)), (2, 2, 2))
