"""Norms, condition numbers, and the bounds of the literature."""

import numpy as np
import pytest

import winograd as wg
from error_analysis.emulation.emulate import emulate
from error_analysis.emulation.oracle import exact_correlation
from error_analysis.measurement.data import uniform_tiles
from error_analysis.prediction.bounds import bound
from error_analysis.prediction.normwise import NORMS, condition, normwise_bound

T = {m: wg.toom_cook(m, 3, wg.published_points(m)) for m in range(2, 9)}
ORDER = {"1": 1, "2": 2, "fro": 2, "inf": np.inf}


def test_norms_and_conditions_are_numpys() -> None:
    record = condition(T[4])
    for name, matrix in zip(("AT", "G", "BT"), T[4].matrices(np.float64), strict=True):
        for value, kind in zip(record.norms[name].as_tuple(), (1, 2, np.inf, "fro"), strict=True):
            assert value == np.linalg.norm(matrix, kind)
        assert record.conditions[name].two == pytest.approx(np.linalg.cond(matrix), rel=1e-10)
    finite = [[float(p) ** j for j in range(6)] for p in T[4].points[:-1]]
    square = np.array([*finite, [0, 0, 0, 0, 0, 1]])
    for value, kind in zip(record.conditions["V"].as_tuple(), (1, 2, np.inf, "fro"), strict=True):
        assert value == pytest.approx(np.linalg.cond(square, kind), rel=1e-10)
    assert "condition V" in str(record) and str(record).startswith("F(4, 3), points 0, -1, 1, 1/2, -3, inf")


def test_matrices_by_hand_have_no_points() -> None:
    assert set(condition(wg.Transform(T[2].AT, T[2].G, T[2].BT)).conditions) == {"AT", "G", "BT"}


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("dims", [1, 2])
@pytest.mark.parametrize("m", [2, 4, 6])
def test_measured_is_below_it_and_it_is_above_the_componentwise_one(norm: str, dims: int, m: int) -> None:
    A = wg.Algorithm(T[m], dims=dims)
    channels = 3
    d, g = uniform_tiles(np.random.default_rng(2), 200, channels, A.tile, A.r, "float32")
    high, low = exact_correlation(d, g)
    error = (emulate(A, d, g) - high - low).reshape(len(d), -1)
    flat = [x.reshape(len(x), -1).astype(float) for x in (d, g)]
    limits = normwise_bound(A, channels, norm)
    kind = np.inf if norm == "inf" else 2
    allowed = [limits.of(a, b) for a, b in zip(*(np.linalg.norm(x, kind, axis=1) for x in flat), strict=True)]
    assert (np.linalg.norm(error, ORDER[norm], axis=1) <= allowed).all()
    # Componentwise, from the program, is never worse where all data have size 1.
    largest = [1.0 if norm == "inf" else x.shape[1] ** 0.5 for x in flat]
    assert np.linalg.norm(bound(A, channels).worst.ravel(), ORDER[norm]) <= limits.of(largest[0], largest[1])


def test_roundings_are_those_of_the_rows() -> None:
    """F(2, 3): rows of three terms with 1/2 in G, of two terms +-1 in BT, of three in AT."""
    u = 2.0**-24
    limits = normwise_bound(wg.Algorithm(T[2], dims=2))
    assert limits.parts == {
        "alpha": 4 * u, "beta": 2 * u, "gamma": 4 * u, "product": u, "channels": 0.0, "conversions": 0.0
    }
    AT, G, BT = T[2].matrices(np.float64)
    one = np.linalg.norm(AT, 1) * np.linalg.norm(G) * np.linalg.norm(BT)
    assert limits.amplification == pytest.approx(one**2)
    # A constant that is no number of the format adds one rounding, in float32 as in float64.
    assert normwise_bound(wg.Algorithm(T[4])).parts["alpha"] == 4 * u
    assert normwise_bound(wg.Algorithm(T[4], dtype="float64")).parts["alpha"] == 4 * 2.0**-53


def test_orders_and_channel_sums_have_their_depths() -> None:
    depth = {
        order: normwise_bound(wg.Algorithm(T[8], order=order)).roundings for order in ("left", "huffman", "pairwise")
    }
    assert depth["pairwise"] < depth["left"] and depth["huffman"] <= depth["left"]
    passed = {
        options: normwise_bound(wg.Algorithm(T[2], channel_sum=options[0], channel_block=options[1]), 20)
        .parts["channels"] * 2**24
        for options in (("linear", 1), ("blocked", 4), ("pairwise", 1), ("pairwise", 4), ("kahan", 1))
    }
    assert list(passed.values()) == [19, 3 + 4, 5, 3 + 3, 3]


def test_the_modified_algorithm_is_better_and_both_grow_exponentially() -> None:
    logs = []
    for m in range(2, 9):
        points = wg.published_points(m)[:-1]
        modified, original = (
            normwise_bound(wg.Algorithm(wg.toom_cook(m, 3, [*points, last])), norm=norm).of(1, 1)
            for norm, last in (("1", wg.INF), ("1", "3/4"))
        )
        assert modified < original
        logs.append(np.log2(modified))
    assert np.polyfit(range(2, 9), logs, 1)[0] > 1  # more than doubled by every point


def test_mixed_formats_count_their_own_units() -> None:
    A = wg.Algorithm(T[4]).with_formats("float16", sum_dtype="float32", output_dtype="float32")
    parts = normwise_bound(A, 8).parts
    assert parts["product"] == 2.0**-24 and parts["channels"] == 7 * 2.0**-24
    assert parts["alpha"] == 4 * 2.0**-11 and parts["conversions"] == 2.0**-11  # y alone


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match=r"norm must be one of 1, 2, inf, fro; got 'max'\."):
        normwise_bound(wg.Algorithm(T[2]), norm="max")
    with pytest.raises(ValueError, match=r"summed term by term; got passes share: use bound\(A\)"):
        normwise_bound(wg.Algorithm(T[2], passes="share"))
    with pytest.raises(TypeError, match="T must be a Transform; got Algorithm"):
        condition(wg.Algorithm(T[2]))
    with pytest.raises(ValueError, match="channels must be at least 1"):
        normwise_bound(wg.Algorithm(T[2]), 0)
