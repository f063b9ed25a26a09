"""The emulation follows the Algorithm: exactly where arithmetic is exact, rounding by rounding where it is not."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import winograd as wg
from error_analysis.emulation.arithmetic import Emulated
from error_analysis.emulation.channel_sum import channel_total
from error_analysis.emulation.conversion import convert
from error_analysis.emulation.emulate import STAGES, direct, direct_like, emulate, transformed
from error_analysis.emulation.tiles import trials_last

F43 = wg.toom_cook(4, 3, [0, 1, -1, "1/2", -2, wg.INF])
F23 = wg.toom_cook(2, 3, [0, 1, -1, wg.INF])
F24 = wg.toom_cook(2, 4, [0, 1, -1, 2, -2])
F13 = wg.toom_cook(1, 3, [0, 1, wg.INF])
F31 = wg.toom_cook(3, 1, [0, 1, wg.INF])
F11 = wg.toom_cook(1, 1, [wg.INF])
SUPERLINEAR = wg.from_moduli(4, 3, ["x", "x-1", "x+1", "x^2+1", "inf"])
TRANSFORMS = [F43, F23, F24, F13, F31, F11, SUPERLINEAR]

RECIPES = [
    {},
    {"fma": True},
    {"passes": ("share", "factor"), "order": "left"},
    {"filter_dtype": "float64"},
    {"channel_sum": "blocked", "channel_block": 2},
    {"channel_sum": "pairwise", "fma": True},
    {"channel_sum": "pairwise", "channel_block": 2, "filter_dtype": "float64", "order": "pairwise"},
    {"dtype": "float64", "fma": True, "channel_sum": "blocked", "channel_block": 3},
]


def algorithms():
    yield from (wg.Algorithm(T, dims=dims) for T in TRANSFORMS for dims in (1, 2))
    yield from (wg.Algorithm(F43, dims=dims, **recipe) for recipe in RECIPES for dims in (1, 2))
    yield wg.Algorithm((F24, F43), fma=True)


def algorithms_of_other_formats():
    every = [*wg.rounding.FORMATS, "binary(5, -6, 7)", "binary(30, -200, 200)"]
    yield from (wg.Algorithm(F23, dims=2, dtype=dtype, fma=fma) for dtype in every for fma in (False, True))
    yield from (wg.Algorithm(F43, dtype=dtype, rounding="toward_zero") for dtype in every)
    yield wg.Algorithm((F23, F13, F11), dtype="float16")
    yield wg.Algorithm(F23, dims=3, fma=True)
    half = wg.Algorithm(F43, dims=2, dtype="float16")
    yield half.with_formats("float16", filter_dtype="float64", sum_dtype="float32", output_dtype="float32")
    yield half.with_formats("float16", sum_dtype="float32")
    yield half.with_formats("float32", stored_dtype="float16")
    yield half.with_formats("float32", product_dtype="tf32")
    yield half.with_formats("float32", product_dtype="bfloat16", stored_dtype="float64")
    yield half.with_formats("float64", product_dtype="float8_e5m2", sum_dtype="float16", stored_dtype="float8_e4m3fn")
    yield half.with_formats("float16", input_dtype="float32", sum_dtype="bfloat16", output_dtype="tf32")
    for dtype in ("float32", "float16"):
        for options in ({"channel_sum": "kahan"}, {"channel_sum": "kahan", "fma": True},
                        {"channel_sum": "pairwise", "channel_block": 2, "rounding": "toward_zero"}):
            yield wg.Algorithm(F23, dtype=dtype, **options)


ALGORITHMS = list(algorithms())
IN_FORMATS = list(algorithms_of_other_formats())
every_algorithm = pytest.mark.parametrize("A", ALGORITHMS, ids=str)


def tiles(A, trials, channels, seed=0):
    rng = np.random.default_rng(seed)
    shapes = (trials, channels, *A.tile), (trials, channels, *A.r)
    carrier = wg.format_of(A.stored_dtype).carrier
    return tuple(np.array(convert(rng.uniform(-1, 1, s), A.stored_dtype), carrier) for s in shapes)


def correlation(d, g):
    """Dull correlation over anything that adds and multiplies, in the order of `direct`; (C, *tile) and (C, *r)."""
    m = [t - k + 1 for t, k in zip(d.shape[1:], g.shape[1:], strict=True)]
    y = np.zeros(m, d.dtype)
    for i in np.ndindex(*m):
        for *k, c in np.ndindex(*g.shape[1:], g.shape[0]):
            y[i] = y[i] + d[(c, *(a + b for a, b in zip(i, k, strict=True)))] * g[(c, *k)]
    return y


@every_algorithm
def test_exact_arithmetic_gives_the_exact_correlation(A):
    rng = np.random.default_rng(1)
    exact = wg.ExactArithmetic()

    def fractions(*shape):
        whole = rng.integers(-50, 50, shape)
        return np.array([Fraction(int(v), 7) for v in whole.ravel()], object).reshape(shape)

    d, g = fractions(2, 3, *A.tile), fractions(2, 3, *A.r)
    U = transformed([p.G for p in A.programs], trials_last(g), exact)
    V = transformed([p.BT for p in A.programs], trials_last(d), exact)
    y = transformed([p.AT for p in A.programs], channel_total(A, V, U, exact), exact)
    for t in range(2):
        assert (y[..., t] == correlation(d[t], g[t])).all()


def dull_axis(program, x, axis, arithmetic):
    """One program along one axis, a line of scalars at a time."""
    lines = np.moveaxis(x, axis, -1)
    y = np.empty((*lines.shape[:-1], len(program.outputs)), arithmetic.dtype)
    for index in np.ndindex(*lines.shape[:-1]):
        y[index] = wg.evaluate(program, list(lines[index]), arithmetic)
    return np.moveaxis(y, -1, axis)


def dull_pairwise(leaves, add):
    """The largest power of two of the leaves as a perfect binary tree, plus the rest summed likewise."""
    if len(leaves) == 1:
        return leaves[0]
    whole = 1 << (len(leaves).bit_length() - 1)
    split = whole // 2 if whole == len(leaves) else whole
    return add(dull_pairwise(leaves[:split], add), dull_pairwise(leaves[split:], add))


def dull_kahan(A, V, U, arithmetic):
    """Kahan's compensated sum, as textbooks have it; its first term is corrected by zero."""
    total = lost = arithmetic.dtype.type(0)
    for v, u in zip(V, U, strict=True):
        corrected = arithmetic.fma(v, u, -lost) if A.fma else arithmetic.sub(arithmetic.mul(v, u), lost)
        larger = arithmetic.add(total, corrected)
        lost = arithmetic.sub(arithmetic.sub(larger, total), corrected)
        total = larger
    return total


def dull_sum(A, V, U):
    """Sum over channels of scalars V[c] * U[c]."""
    arithmetic = Emulated(A.sum_dtype, A.rounding)
    if A.channel_sum == "kahan":
        return dull_kahan(A, V, U, arithmetic)
    block = len(V) if A.channel_sum == "linear" else A.channel_block
    leaves = []
    for start in range(0, len(V), block):
        total = arithmetic.dtype.type(0)
        for v, u in list(zip(V, U, strict=True))[start : start + block]:
            total = arithmetic.fma(v, u, total) if A.fma else arithmetic.add(total, arithmetic.mul(v, u))
        leaves.append(total)
    if A.channel_sum == "pairwise":
        return dull_pairwise(leaves, arithmetic.add)
    total = leaves[0]
    for leaf in leaves[1:]:
        total = arithmetic.add(total, leaf)
    return total


def dull_emulation(A, d, g):
    """One tile, (C, *tile) and (C, *r), scalar by scalar."""

    def entering(x, dtype):
        return np.array(convert(x, dtype, A.rounding), wg.format_of(dtype).carrier)

    U, V = entering(g, A.filter_dtype), entering(d, A.input_dtype)
    for axis, programs in enumerate(A.programs):
        U = dull_axis(programs.G, U, 1 + axis, Emulated(A.filter_dtype, A.rounding))
        V = dull_axis(programs.BT, V, 1 + axis, Emulated(A.input_dtype, A.rounding))
    U, V = (entering(entering(x, A.product_dtype), A.sum_dtype) for x in (U, V))
    M = np.empty(V.shape[1:], wg.format_of(A.sum_dtype).carrier)
    for index in np.ndindex(*M.shape):
        M[index] = dull_sum(A, V[(slice(None), *index)], U[(slice(None), *index)])
    M = entering(M, A.output_dtype)
    for axis, programs in enumerate(A.programs):
        M = dull_axis(programs.AT, M, axis, Emulated(A.output_dtype, A.rounding))
    return entering(M, A.stored_dtype)


@pytest.mark.parametrize("A", [*ALGORITHMS, *IN_FORMATS], ids=str)
@pytest.mark.parametrize("channels", [1, 7])
def test_emulation_agrees_with_the_dull_loop_bit_for_bit(A, channels):
    d, g = tiles(A, 2, channels)
    y = emulate(A, d, g)
    assert y.shape == (2, *A.m) and y.dtype == wg.format_of(A.stored_dtype).carrier
    for t in range(2):
        want = dull_emulation(A, d[t], g[t])
        np.testing.assert_array_equal(y[t].view(f"i{y.itemsize}"), want.view(f"i{y.itemsize}"))


@pytest.mark.parametrize("channels", range(1, 20))
@pytest.mark.parametrize("block", [1, 3])
def test_pairwise_sums_of_every_length(channels, block):
    A = wg.Algorithm(F11, channel_sum="pairwise", channel_block=block)
    d, g = tiles(A, 50, channels)
    want = [dull_sum(A, d[t, :, 0], g[t, :, 0]) for t in range(50)]
    np.testing.assert_array_equal(emulate(A, d, g)[:, 0], want)


@pytest.mark.parametrize("A", IN_FORMATS, ids=str)
def test_stages_are_seen_in_their_order_and_formats(A):
    seen = {}
    d, g = tiles(A, 3, 2)
    y = emulate(A, d, g, observe=lambda stage, values: seen.__setitem__(stage, values.copy()))
    assert tuple(seen) == STAGES
    for stage in ("filter", "U", "input", "V"):
        assert seen[stage].shape == (*A.n, 2, 3)
    assert seen["M"].shape == (*A.n, 3) and seen["output"].shape == seen["y"].shape == (*A.m, 3)
    np.testing.assert_array_equal(np.moveaxis(seen["y"], -1, 0), y)
    formats = {"filter": A.filter_dtype, "U": A.product_dtype, "input": A.input_dtype, "V": A.product_dtype,
               "M": A.sum_dtype, "output": A.output_dtype, "y": A.stored_dtype}
    for stage, dtype in formats.items():
        np.testing.assert_array_equal(seen[stage], convert(seen[stage], dtype), err_msg=stage)
    for before, after in (("filter", "U"), ("input", "V"), ("output", "y")):
        np.testing.assert_array_equal(seen[after], convert(seen[before], formats[after], A.rounding))


@pytest.mark.parametrize("A", [A for A in IN_FORMATS if A.rounding == "nearest"], ids=str)
def test_direct_like_agrees_with_the_dull_loop(A):
    d, g = tiles(A, 2, 3)
    arithmetic = Emulated(A.sum_dtype)
    x, w = (np.array(arithmetic.rounded(convert(v, A.product_dtype))) for v in (d, g))
    want = np.zeros((2, *A.m), arithmetic.dtype)
    for t, *i in np.ndindex(*want.shape):
        total = arithmetic.dtype.type(0)
        for *k, c in np.ndindex(*g.shape[2:], g.shape[1]):
            factors = x[(t, c, *(a + b for a, b in zip(i, k, strict=True)))], w[(t, c, *k)]
            total = arithmetic.fma(*factors, total) if A.fma else arithmetic.add(total, arithmetic.mul(*factors))
        want[(t, *i)] = total
    np.testing.assert_array_equal(direct_like(A, d, g), convert(want, A.stored_dtype))
    if set(A.stage_dtypes.values()) == {A.dtype}:
        np.testing.assert_array_equal(direct(d, g, A.dtype, fma=A.fma), direct_like(A, d, g))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "float8_e4m3fn"])
def test_stochastic_results_are_reproducible_and_unbiased(dtype):
    """Every step is linear in what is random and independent of it, so the mean over roundings is the exact result."""
    exact_constants = wg.toom_cook(2, 3, [0, 1, -1, wg.INF])
    A = wg.Algorithm(exact_constants, dtype=dtype, rounding="stochastic")
    d, g = tiles(A, 1, 3)
    np.testing.assert_array_equal(emulate(A, d, g, seed=5), emulate(A, d, g, seed=5))
    np.testing.assert_array_equal(emulate(A, d, g), emulate(A, d, g, seed=np.random.default_rng(0)))
    for function in (emulate, direct_like):
        assert len({function(A, d, g, seed=seed).tobytes() for seed in range(20)}) > 1
    runs = 20_000
    many = [np.repeat(x, runs, axis=0) for x in (d, g)]
    exact = correlation(*(np.vectorize(Fraction, otypes=[object])(x[0].astype(float)) for x in (d, g)))
    for y in (emulate(A, *many, seed=1), direct_like(A, *many, seed=2), direct(*many, dtype, "stochastic", seed=3)):
        error = y.astype(float) - exact.astype(float)
        # float64 alone: what the exact result loses as a double.
        lost = np.abs(exact.astype(float)) * 2.0**-53
        assert (np.abs(error.mean(axis=0)) <= 5 * error.std(axis=0) / np.sqrt(runs) + lost).all()
        assert (y.std(axis=0) > 0).all()


def test_what_is_no_algorithm_is_refused():
    d, g = tiles(wg.Algorithm(F43), 1, 1)
    for function in (emulate, direct_like):
        with pytest.raises(TypeError, match=r"A must be an Algorithm; got Transform: wrap a Transform in "):
            function(F43, d, g)


@pytest.mark.parametrize("A", IN_FORMATS[::5], ids=str)
def test_no_trials_give_no_results(A):
    d, g = tiles(A, 0, 2)
    assert emulate(A, d, g).shape == direct_like(A, d, g).shape == (0, *A.m)


def test_an_entry_too_large_for_its_format_is_named():
    A = wg.Algorithm(wg.toom_cook(6, 3, [0, 1, -1, 9, -9, 8, -8, wg.INF]), dtype="float8_e4m3fn")
    with pytest.raises(OverflowError, match="exceeds the largest float8_e4m3fn, 448"):
        emulate(A, np.zeros((1, 1, 8)), np.zeros((1, 1, 3)))


def error_bound(A, d, g):
    """k u |AT| (|G| |g|) (|BT| |d|), k roundings on the longest way of any input to an output; a one-dimensional A."""
    (T,) = A.transforms
    AT, G, BT = (np.abs(matrix) for matrix in T.matrices(np.float64))
    k = (T.tile + 1) + (T.r + 1) + 1 + d.shape[1] + (T.n + 1)
    u = float(wg.format_of(A.dtype).u)
    size = np.einsum("ij,tcj,tcj->ti", AT, np.abs(g) @ G.T, np.abs(d) @ BT.T)
    return 1.01 * k * u * size  # 1.01 for the terms in u^2


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("fma", [False, True])
@pytest.mark.parametrize("T", TRANSFORMS, ids=repr)
def test_the_error_is_within_the_bound_of_its_roundings(T, dtype, fma):
    A = wg.Algorithm(T, dtype=dtype, fma=fma)
    d, g = tiles(A, 20, 3)
    for t in range(20):
        exact = correlation(*(np.vectorize(Fraction, otypes=[object])(x[t].astype(float)) for x in (d, g)))
        error = np.abs([float(Fraction(float(y)) - e) for y, e in zip(emulate(A, d, g)[t], exact, strict=True)])
        assert (error <= error_bound(A, d[t : t + 1], g[t : t + 1])[0]).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("dims", [1, 2])
def test_direct_agrees_with_the_dull_loop(dtype, dims):
    A = wg.Algorithm(F43, dims=dims, dtype=dtype)
    d, g = tiles(A, 5, 3)
    np.testing.assert_array_equal(direct(d, g, dtype), [correlation(*pair) for pair in zip(d, g, strict=True)])


def test_direct_goes_tap_by_tap_and_inside_channel_by_channel():
    d, g = np.float32([[[1, -1], [2.0**-24, 0]]]), np.ones((1, 2, 2), np.float32)  # (trial, channel, tap)
    assert direct(d, g, "float32")[0, 0] == 0  # 1 + 2^-24 rounds to 1; channel by channel, 1 - 1 + 2^-24 would not


def test_direct_with_fma_rounds_each_product_once():
    x = np.float32(1 + 2.0**-12)
    d, g = np.float32([[[-1 - 2.0**-11, x]]]), np.float32([[[1, x]]])
    assert direct(d, g, "float32", fma=True)[0, 0] == 2.0**-24
    assert direct(d, g, "float32")[0, 0] == 0


@settings(max_examples=40)
@given(st.integers(-40, 40), st.integers(-40, 40), st.sampled_from(ALGORITHMS))
def test_powers_of_two_pass_through(j, k, A):
    d, g = tiles(A, 3, 2)
    np.testing.assert_array_equal(emulate(A, np.ldexp(d, j), np.ldexp(g, k)), np.ldexp(emulate(A, d, g), j + k))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_scaling_a_transform_by_powers_of_two_changes_no_bit(dtype):
    scaled = F43.scaled(A=[1, 2, "1/4", 8, 1, 2], B=["1/2", 4, 1, 2, "1/8", 1])
    d, g = tiles(wg.Algorithm(F43, dims=2, dtype=dtype), 30, 2)
    y, z = (emulate(wg.Algorithm(T, dims=2, order="left", dtype=dtype), d, g) for T in (F43, scaled))
    np.testing.assert_array_equal(y, z)


def test_overflow_is_a_result_without_a_warning():
    A = wg.Algorithm(F43)
    d, g = np.full((1, 1, 6), 3e38, np.float32), np.ones((1, 1, 3), np.float32)
    assert not np.isfinite(emulate(A, d, g)).any()
    assert np.isinf(direct(d, g, "float32")).all()


def test_inputs_are_left_alone_and_any_strides_will_do():
    A = wg.Algorithm(F43, dims=2)
    d, g = tiles(A, 4, 3)
    kept = d.copy(), g.copy()
    turned = np.asfortranarray(d), np.repeat(g, 2, axis=3)[..., ::2]
    np.testing.assert_array_equal(emulate(A, d, g), emulate(A, *turned))
    assert (d == kept[0]).all() and (g == kept[1]).all()
    assert emulate(A, d[:0], g[:0]).shape == (0, 4, 4)


@pytest.mark.parametrize(
    ("d", "g", "message"),
    [
        (np.zeros((2, 1, 5), np.float32), np.zeros((2, 1, 3), np.float32), r"d must have the shape \(trials, C, 6\)"),
        (np.zeros((2, 1, 6), np.float32), np.zeros((2, 1, 4), np.float32), r"g must have the shape \(trials, C, 3\)"),
        (np.zeros((2, 1, 6), np.float32), np.zeros((2, 2, 3), np.float32), "same trials, channels"),
        (np.zeros((2, 0, 6), np.float32), np.zeros((2, 0, 3), np.float32), "channels must be at least 1"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(d, g, message):
    with pytest.raises(ValueError, match=message):
        emulate(wg.Algorithm(F43), d, g)


def test_other_types_are_refused():
    d, g = tiles(wg.Algorithm(F43), 1, 1)
    with pytest.raises(TypeError, match="d must have the dtype float32; got float64"):
        emulate(wg.Algorithm(F43), d.astype(float), g)
    with pytest.raises(TypeError, match="d must be a NumPy array; got list"):
        emulate(wg.Algorithm(F43), d.tolist(), g)
    with pytest.raises(TypeError, match="g must have the dtype float64"):
        direct(d.astype(float), g, "float64")
    with pytest.raises(ValueError, match="the filter must fit into the tile"):
        direct(g, d, "float32")


def test_every_channel_of_every_trial_counts():
    A = wg.Algorithm(F23, dims=2)
    d, g = tiles(A, 3, 4)
    y = emulate(A, d, g)
    for t, c in product(range(3), range(4)):
        changed = d.copy()
        changed[t, c] += 1
        differs = (emulate(A, changed, g) != y).any(axis=(1, 2))
        assert differs.tolist() == [trial == t for trial in range(3)]
