"""The output stage: the compiled one and the plain one give the same bits, and a plain one is what is said."""

import numpy as np
import pytest

from kernels import packed
from kernels.packed import Affine
from kernels.packed.lookups import has_lookup
from kernels.packed.output import SUMS, Stage

FACTORS, ADDITIONS = np.array([0.5, 0.25, 3.0]), np.array([0.0, -1.0, 0.125])
SUMS_OF_THREE = np.array([[1, 2, -1], [3, -9, 0], [-5, 1 << 30, 7]], np.int32)


def stage(relu=False, target=None):
    return Stage(2 * FACTORS, ADDITIONS, relu, target)


def test_real_numbers():
    expected = SUMS_OF_THREE * FACTORS + ADDITIONS
    np.testing.assert_array_equal(stage().output(1, 3, 0.5).applied(SUMS_OF_THREE, 1), expected.astype(np.float32))
    relu = stage(relu=True).output(1, 3, 0.5)
    np.testing.assert_array_equal(relu.applied(SUMS_OF_THREE, 1), np.maximum(expected, 0).astype(np.float32))
    assert relu.dtype == np.float32 and SUMS.dtype == np.int32


def test_integers_halves_and_clipping():
    """0.5, 1.5 and -2.5 are half way; zero point 1, 4 bits signed."""
    q = stage(target=Affine(4, True, 1.0, 1)).output(1, 3, 0.5).applied(SUMS_OF_THREE, 1)
    np.testing.assert_array_equal(q, [[0 + 1, 0 + 1, -3 + 1], [2 + 1, -3 + 1, 0 + 1], [-2 + 1, 7, 7]])
    q = stage(target=Affine(1, True, 1.0, bipolar=True)).output(1, 3, 0.5).applied(SUMS_OF_THREE, 1)
    np.testing.assert_array_equal(q, [[1, 0, 0], [1, 0, 1], [0, 1, 1]])


def test_filters_in_panels():
    assert stage().output(1, 4, 0.5).factors.tolist() == [0.5, 0.25, 3.0, 0.0]
    two_groups = Stage(np.arange(4.0), np.zeros(4), False, None).output(2, 4, 1.0)
    assert two_groups.factors.tolist() == [0, 1, 0, 0, 2, 3, 0, 0]


@pytest.mark.parametrize("target", ["float32", Affine(5, True, 0.7, -3), Affine(1, True, 1.0, bipolar=True)], ids=str)
def test_all_schemes_give_the_same_bits(target):
    """Scheme "packed" applies the stage in NumPy, the others compiled."""
    random = np.random.default_rng(3)
    w = packed.pack(random.integers(-4, 4, (70, 30, 3, 3)), 3, True, axis=1)
    x = random.normal(size=(2, 60, 5, 5)).astype(np.float32)
    results = []
    for scheme in ("planes", *(["tables"] if has_lookup() else []), "int8", "packed"):
        layer = packed.Conv2d(
            w, random.__class__(np.random.PCG64(4)).uniform(0.01, 0.1, 70), np.linspace(-1, 1, 70), relu=False,
            input=Affine(4, False, 0.3, 7), output=target, padding=1, groups=2, scheme=scheme,
        )
        y = layer(x)
        results.append(y if target == "float32" else y.words)
    for other in results[1:]:
        np.testing.assert_array_equal(results[0], other)
