"""What other compiled functions call: without machine code of its own, and whole after a stay in a file."""

import pickle

import numba
import numpy as np
import pytest
from numba import types

from kernels.compilation import inlined, kernel
from kernels.nested import NestedCompiler, nested_from_parts, parts_of_nested

THIRD = np.float32(1 / 3)
FLOATS = types.Array(types.float32, 1, "C")


def thirds(x, y):
    for i in range(len(x)):
        y[i] = x[i] * THIRD


def has_machine_code(library):
    """Whether any function of this library is known to the engine, which makes machine code of what it knows."""
    engine = library.codegen._engine
    return any(engine.is_symbol_defined(function.name) for function in library.get_defined_functions())


def test_a_kernel_may_be_called_from_python_and_from_kernels():
    inner = kernel(thirds)

    @kernel
    def outer(x, y):
        inner(x, y)
        inner(y, x)

    x, y = np.float32([3, 5, 7]), np.zeros(3, np.float32)
    expected = x * THIRD
    outer(x, y)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(x, expected * THIRD)
    assert not inner.overloads, "what is linked in has no entry for Python"
    inner(y, x)
    np.testing.assert_array_equal(x, expected * THIRD)
    assert list(inner.overloads) == [(FLOATS, FLOATS)]


@pytest.mark.parametrize("decorator", [inlined, lambda function: numba.njit(pipeline_class=NestedCompiler)(function)])
def test_what_is_called_by_kernels_only_has_no_machine_code(decorator):
    inner = decorator(thirds)
    outer = kernel(lambda x, y: inner(x, y))
    outer(np.ones(3, np.float32), np.ones(3, np.float32))
    (nested,), (whole,) = inner.overloads.values(), outer.overloads.values()
    assert has_machine_code(whole.library)
    assert not has_machine_code(nested.library)


def test_a_stay_in_a_file_loses_nothing():
    dispatcher = numba.njit(pipeline_class=NestedCompiler, _nrt=False, no_cfunc_wrapper=True)(thirds)
    dispatcher.compile((FLOATS, FLOATS))
    (compiled,) = dispatcher.overloads.values()
    restored = nested_from_parts(dispatcher.targetctx, *pickle.loads(pickle.dumps(parts_of_nested(compiled))))
    assert restored.signature == compiled.signature
    assert not has_machine_code(restored.library)

    class Kept:
        cache_path = None

        def load_overload(self, sig, target_context):
            return restored

        def save_overload(self, sig, result):
            raise AssertionError("nothing needs to be compiled")

    again = numba.njit(pipeline_class=NestedCompiler)(thirds)
    again._cache = Kept()
    x, y = np.float32([3, 5, 7]), np.zeros(3, np.float32)
    kernel(lambda x, y: again(x, y))(x, y)
    np.testing.assert_array_equal(y, x * THIRD)
