"""What a plan passes on to compiled code: memory as it lies, geometry by name, arguments in their order."""

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.atomic import fetch_add
from kernels.compilation import kernel
from kernels.geometry import FIELDS
from kernels.problem import Plan, Problem, flat_memory


def problem(**changes):
    values = {
        "images": 2, "channels": 3, "filters": 4, "groups": 5, "size": (6, 7, 8), "out": (9, 10, 11),
        "taps": (12, 13, 14), "stride": (15, 16, 17), "dilation": (18, 19, 20), "pad": (21, 22, 23),
        "x_steps": (24, 25, 26, 27, 28), "y_steps": (29, 30, 31, 32, 33), "dtype": "float32", "threads": 1,
        "has_bias": True, "relu": False,
    }
    return Problem(**(values | changes))


def test_fields_carry_every_number_under_its_name():
    assert problem().fields() == {
        "CHANNELS": 3, "FILTERS": 4, "GROUPS": 5, "DEPTH": 6, "HEIGHT": 7, "WIDTH": 8, "OUT_DEPTH": 9,
        "OUT_HEIGHT": 10, "OUT_WIDTH": 11, "PAD_Z": 21, "PAD_0": 22, "PAD_1": 23, "X_IMAGE": 24, "X_CHANNEL": 25,
        "X_Z": 26, "X_ROW": 27, "X_COLUMN": 28, "Y_IMAGE": 29, "Y_FILTER": 30, "Y_Z": 31, "Y_ROW": 32,
        "Y_COLUMN": 33, "HAS_BIAS": 1, "RELU": 0,
    }
    assert problem().direct_fields() == {
        "TAPS_Z": 12, "TAPS_0": 13, "TAPS_1": 14, "STRIDE_Z": 15, "STRIDE_0": 16, "STRIDE_1": 17,
        "DILATION_Z": 18, "DILATION_0": 19, "DILATION_1": 20,
    }
    assert {*problem().fields(), *problem().direct_fields()} <= set(FIELDS)


@given(st.integers(1, 9), st.integers(1, 9), *[st.tuples(*[st.integers(1, 5)] * 3)] * 3)
def test_a_window_holds_all_taps_of_all_outputs(rows, columns, taps, stride, dilation):
    depth, down, across = problem(taps=taps, stride=stride, dilation=dilation).window(rows, columns)
    assert depth == taps[0]
    for axis, count, size in ((1, rows, down), (2, columns, across)):
        reached = {i * stride[axis] + a * dilation[axis] for i in range(count) for a in range(taps[axis])}
        assert (min(reached), max(reached)) == (0, size - 1)


def plan_of(run, units=3, **changes):
    given = problem(**changes)
    fields = given.fields() | {"UNITS": units}
    return Plan.of(run, np.zeros(1, np.float32), np.zeros(1, np.float32), given, fields, (10, 20), 5)


@kernel
def told(x, y, shared, U, bias, geometry, first, second, integers):
    """Write down what arrived, once for each thread that came."""
    me = fetch_add(shared, 2, 1)
    y[0] += x[1] + U[0] + bias[0]
    y[1] = len(x) + 100 * len(y) + 10_000 * len(shared)
    y[2] = len(first) + 100 * len(second) + 10_000 * len(integers)
    for i in range(len(geometry)):
        y[3 + i] = geometry[i]
    first[9], second[19], integers[4] = me, me, me
    fetch_add(shared, 0, 3)
    fetch_add(shared, 1, 3)


def test_a_plan_calls_its_kernel_with_everything_it_needs():
    plan = plan_of(told)
    assert plan.workspace_bytes == 64 + 128 + 64
    plan.filter[0], plan.bias[0] = 30, 400
    for value in (2, 3):  # the second time from what is kept of the first
        y = np.zeros(3 + len(FIELDS), np.float32)
        plan(np.array([0, value, 0], np.float32), y)
        assert y[0] == 430 + value
        assert y[1] == 3 + 100 * len(y) + 10_000 * (3 + plan.threads) and y[2] == 10 + 100 * 20 + 10_000 * 5
        np.testing.assert_array_equal(y[3:], plan.geometry)
    assert y[3 + FIELDS.index("UNITS")] == 3 and y[3 + FIELDS.index("OUT_WIDTH")] == 11


@pytest.mark.parametrize("axis", range(3))
def test_whether_outputs_need_what_the_image_has_not(axis):
    inside = {"size": (9, 9, 9), "taps": (3, 3, 3), "stride": (2, 2, 2), "dilation": (2, 2, 2), "out": (3, 3, 3),
              "pad": (0, 0, 0)}
    assert problem(**inside).is_inside()
    for name, value in [("size", 8), ("pad", 1), ("out", 4)]:
        changed = tuple(value if i == axis else n for i, n in enumerate(inside[name]))
        assert not problem(**(inside | {name: changed})).is_inside()


def test_a_plan_says_its_units_threads_and_memory():
    assert str(plan_of(None)) == "3 units of work for at most 1 thread, 0.00 MiB each"
    assert str(plan_of(None, units=1, threads=2)) == "1 unit of work for at most 2 threads, 0.00 MiB each"


BASE = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
READ_ONLY = BASE.copy()
READ_ONLY.flags.writeable = False
VIEWS = {
    "whole": BASE,
    "columns": BASE[..., 1:3],
    "every other row": BASE[:, :, 1::2],
    "channels last": BASE.transpose(0, 3, 1, 2),
    "steps along all axes": BASE[::1, 1::2, ::3, ::2],
    "one number": BASE[1:, 2:, 3:, 4:],
    "read-only": READ_ONLY,
    "read-only part": READ_ONLY[:, 1:, :, 1:4],
    "one number for all": np.broadcast_to(np.float32(3), (2, 3, 4, 5)),
    "one row for all": np.broadcast_to(BASE[0, 0, 0], (2, 3, 4, 5)),
    "overlapping windows": np.lib.stride_tricks.sliding_window_view(BASE, (2, 3), (2, 3))[0],
    "float64": BASE.astype(float)[:, ::2],
}


@pytest.mark.parametrize("name", VIEWS)
def test_memory_is_read_where_it_lies_from_the_first_element_to_the_last(name):
    array = VIEWS[name]
    flat = flat_memory(array)
    assert flat.ndim == 1 and flat.dtype == array.dtype and flat.flags.c_contiguous and flat.flags.writeable
    assert flat.__array_interface__["data"][0] == array.__array_interface__["data"][0]
    steps = [stride // array.itemsize for stride in array.strides]
    offsets = np.tensordot(steps, np.indices(array.shape), 1)
    np.testing.assert_array_equal(flat[offsets], array)
    assert offsets.max() == flat.size - 1, "longer than the memory that the array spans"


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (2, 0, 5), (0,)])
def test_memory_of_nothing_is_empty(shape):
    array = np.zeros(shape, np.float32)
    assert flat_memory(array).size == 0
    array.flags.writeable = False
    assert flat_memory(array).size == 0


def test_memory_is_kept_alive_by_the_view():
    array = np.arange(10.0)
    array.flags.writeable = False
    watched = weakref.ref(array)
    flat = flat_memory(array)
    del array
    gc.collect()
    assert watched() is not None and flat[9] == 9
    del flat
    gc.collect()
    assert watched() is None
