"""A kernel is shared by as many threads as there are units for, each with buffers of its own."""

import numpy as np
import pytest

from kernels.atomic import claimed_unit, fetch_add
from kernels.compilation import kernel
from kernels.sharing import Job, share


@kernel
def squares(x, y, shared, scale, buffer, marks):
    """y[i] = scale x[i]^2, by way of the thread's buffer."""
    me = fetch_add(shared, 2, 1)
    marks[0] = me
    while True:
        unit = claimed_unit(shared, me, len(y))
        if unit < 0:
            return
        buffer[len(buffer) - 1] = x[unit] * x[unit]
        y[unit] = scale[0] * buffer[len(buffer) - 1] + marks[0] - me
        fetch_add(shared, 1, 1)


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("units", [0, 1, 2, 300])
def test_the_results_are_those_of_one_thread(units, threads):
    x, scale = np.arange(1.0, units + 1), np.array([3.0])
    for _ in range(3):
        y = np.zeros(units)
        share(squares, (x, y, scale), (17,), "float64", 1, units, threads)
        np.testing.assert_array_equal(y, 3 * x**2)


@pytest.mark.parametrize("threads", [1, 2])
def test_input_may_be_read_only_and_of_another_dtype(threads):
    x, y = np.arange(40, dtype=np.float32), np.zeros(40)
    x.flags.writeable = False
    share(squares, (x, y, np.array([2.0])), (5,), "float64", 1, 40, threads)
    np.testing.assert_array_equal(y, 2 * x.astype(float) ** 2)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_job_is_run_again_and_its_last_arrays_may_be_others(threads):
    job = Job(squares, (np.array([3.0]),), (17,), "float64", 1, 40, threads)
    for last, scale in (((), 3.0), ((np.array([0.5]),), 0.5), ((), 3.0)):
        x, y = np.arange(40.0), np.zeros(40)
        job(x, y, last)
        np.testing.assert_array_equal(y, scale * x**2)
