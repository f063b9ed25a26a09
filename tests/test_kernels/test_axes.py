import pytest

from kernels.arguments import output_size
from kernels.arguments import as_groups, as_numbers, as_padding, input_lengths, output_sizes


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_a_number_serves_all_axes(axes):
    assert as_numbers(3, "stride", axes, 1) == (3,) * axes
    assert as_padding(2, axes, (3,) * axes, (1,) * axes, (1,) * axes) == ((2, 2),) * axes
    assert as_padding("valid", axes, (3,) * axes, (2,) * axes, (1,) * axes) == ((0, 0),) * axes


def test_padding_by_axis_by_side_and_same():
    assert as_padding((1, 2, 0), 3, (3, 3, 3), (1, 1, 1), (1, 1, 1)) == ((1, 1), (2, 2), (0, 0))
    assert as_padding(((0, 1), [2, 3]), 2, (3, 3), (1, 1), (1, 1)) == ((0, 1), (2, 3))
    assert as_padding("same", 3, (2, 3, 4), (1, 1, 1), (3, 2, 1)) == ((1, 2), (2, 2), (1, 2))


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


def test_bad_options():
    with pytest.raises(ValueError, match="stride must be an integer or 2 of them"):
        as_numbers((1, 2, 3), "stride", 2, 1)
    with pytest.raises(ValueError, match="input_size must be an integer; got True"):
        as_numbers(True, "input_size", 1, 1)
    with pytest.raises(ValueError, match="dilation must be at least 1; got 0"):
        as_numbers(0, "dilation", 2, 1)
    with pytest.raises(ValueError, match='padding must be numbers, "same" or "valid"'):
        as_padding("full", 1, (3,), (1,), (1,))
    with pytest.raises(ValueError, match='padding "same" needs stride 1'):
        as_padding("same", 2, (3, 3), (1, 2), (1, 1))
    for groups in (0, 4, 1.0, True):
        with pytest.raises(ValueError, match="groups must be a positive divisor of the 6 filters"):
            as_groups(groups, 6)
    with pytest.raises(ValueError, match="its depth is 5, the input's 4"):
        output_sizes((4, 9, 9), (3, 3, 3), (1, 1, 1), ((0, 0), (0, 0), (0, 0)), (2, 2, 2))
