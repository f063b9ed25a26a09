"""The Algorithm that a command line means."""

import pytest

import winograd as wg
from error_analysis.cli_options import algorithm_of
from winograd import published_points


def test_one_length_is_that_of_every_axis():
    for dims, axes in ((0, 2), (1, 1), (2, 2), (3, 3)):
        assert algorithm_of("4", "3", "0,1,-1,2,-2,inf", dims) == wg.Algorithm(
            wg.toom_cook(4, 3, [0, 1, -1, 2, -2, wg.INF]), dims=axes
        )


def test_axes_may_differ_in_lengths_and_points():
    A = algorithm_of("4x2", "3 x 2", "0,1,-1,2,-2,inf; 0,1,inf")
    assert (A.m, A.r, A.n) == ((4, 2), (3, 2), (6, 3))
    assert algorithm_of("2x3x4", "3").m == (2, 3, 4)
    assert algorithm_of("2", "3", "0,1,-1,inf; 0,2,-2,inf").transforms[1].points == wg.parse_points("0,2,-2,inf")


def test_points_default_to_the_published_ones():
    assert algorithm_of("4", "3").transforms[0].points == published_points(4, 2)
    assert algorithm_of("4", "3", dims=1).transforms[0].points == published_points(4, 1)
    assert algorithm_of("4", "3", dims=3).transforms[2].points == published_points(4, 2)


def test_the_rest_is_passed_on():
    A = algorithm_of("2", "3", passes=" share, factor", fma=True, dtype="float16", rounding="stochastic")
    assert (A.passes, A.fma, A.dtype, A.rounding) == (("share", "factor"), True, "float16", "stochastic")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("4x", "3"), "m must be an integer, or one for each of up to three axes as in 4x2; got '4x'."),
        (("4.5", "3"), "m must be an integer"),
        (("2x2x2x2", "3"), "m must be an integer"),
        (("4", "3x3", "", 1), "r must be given once, or once for each of 1 axes; got 2."),
        (("4", "3", "0,1;0,1;0,1", 2), "points must be given once, or once for each of 2 axes; got 3."),
    ],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(ValueError) as caught:
        algorithm_of(*arguments)
    assert str(caught.value).startswith(message)
