"""The pointer to an array's first element, against NumPy's."""

import numpy as np
import pytest
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from kernels.array_data import first_element
from kernels.compilation import kernel


@intrinsic
def pointer(typingctx, array):
    def codegen(context, builder, sig, args):
        return builder.ptrtoint(first_element(context, builder, sig.args[0], args[0]), ir.IntType(64))

    return types.int64(array), codegen


@pytest.mark.parametrize("array", [np.zeros(5, np.float32), np.zeros((3, 4))[1:, ::2], np.zeros(7, np.int8)[6:],
                                   np.zeros(0, np.uint64)])
def test_it_is_where_numpy_says(array):
    assert kernel(lambda x: pointer(x))(array) == array.ctypes.data
