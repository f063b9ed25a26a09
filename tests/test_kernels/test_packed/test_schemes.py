"""The choice of a scheme: by steps and their times, whatever these are."""

from dataclasses import replace

import numpy as np
import pytest

from kernels.packed import schemes
from kernels.packed.numbers import Numbers
from kernels.packed.rates import default_times
from kernels.packed.schemes import chosen_scheme, expected_ns
from kernels.packed.weights import Weights

TIMES = default_times("+avx512vpopcntdq")


@pytest.fixture(autouse=True)
def fixed_times(monkeypatch):
    monkeypatch.setattr(schemes, "step_times", lambda: TIMES)


def chosen(scheme, a, w, shape=(32, 64, 3, 3), pixels=100):
    return chosen_scheme(scheme, a, Weights(np.zeros(shape, int), w), pixels)


def test_few_planes_are_multiplied_as_planes_and_many_are_not():
    assert chosen("auto", Numbers(2, False), Numbers(1, True))[0] == "planes"
    assert chosen("auto", Numbers(1, True, True), Numbers(1, True, True))[0] == "planes"
    assert chosen("auto", Numbers(8, False), Numbers(8, True))[0] == "int8"


def test_few_channels_leave_planes_empty():
    assert chosen("auto", Numbers(1, False), Numbers(1, True), (32, 3, 3, 3))[0] == "int8"


def test_the_times_decide(monkeypatch):
    kinds = Numbers(4, False), Numbers(4, True)
    for field, name in (("and_ns", "planes"), ("multiply_ns", "packed")):
        monkeypatch.setattr(schemes, "step_times", lambda field=field: replace(TIMES, **{field: 1e-6}))
        best, why = chosen("auto", *kinds)
        assert best == name and why.startswith(f"{name}: expected us on one thread: {name}")


def test_weights_from_memory_are_held_in_few_bits():
    """One row: int8 reads a byte for each weight, planes two bits."""
    slow_memory = replace(TIMES, byte_ns=1.0)
    far = (Numbers(4, False), Numbers(2, True), (8192, 16384, ()), 1, slow_memory)
    work = expected_ns("planes", *far[:-1], replace(slow_memory, cache_bytes=1e12))
    assert 8192 * 16384 / 4 <= expected_ns("planes", *far) <= 8192 * 16384 / 4 + work
    assert expected_ns("int8", *far) >= 8192 * 16384  # of 16 bits where there is no dot product of bytes


def test_fields_are_for_few_rows_of_many_weights(monkeypatch):
    monkeypatch.setattr(schemes, "can_run_fields", lambda a, w: True)
    monkeypatch.setattr(schemes, "step_times", lambda: replace(TIMES, cache_bytes=1000.0))
    for bits in range(1, 8):
        kinds = Numbers(8, False), Numbers(bits, True)
        name, why = chosen("auto", *kinds, (512, 512), pixels=1)
        assert name == "fields" and "fields" in why
        assert chosen("auto", *kinds, (64, 64, 3, 3), pixels=500)[0] == "int8"
    assert chosen("auto", Numbers(1, False), Numbers(1, False), (512, 512), pixels=1)[0] == "planes"


def test_what_is_asked_for_is_taken():
    for name in ("planes", "int8", "packed"):
        assert chosen(name, Numbers(3, False), Numbers(3, True)) == (name, f"{name}: asked for")


def test_one_bit_of_weights_is_looked_up_by_many_pixels_but_not_by_one(monkeypatch):
    monkeypatch.setattr(schemes, "can_run_tables", lambda a: a.bits <= 8)
    monkeypatch.setattr(schemes, "can_run_int8", lambda a, w: False)
    kinds = Numbers(4, False), Numbers(1, True)
    assert chosen("auto", *kinds, (64, 64, 3, 3))[0] == "tables"
    assert chosen("auto", *kinds, (64, 64, 3, 3), pixels=1)[0] == "planes"
    with pytest.raises(ValueError, match='scheme must be "planes" or "packed" for uint9 and int1, tables take up to 8'):
        chosen("tables", Numbers(9, False), Numbers(1, True))


def test_what_the_dot_products_do_not_take():
    name, why = chosen("auto", Numbers(16, False), Numbers(8, True))
    assert name in ("planes", "packed") and "int8 does not take uint16 and int8" in why
    with pytest.raises(ValueError, match='scheme must be "planes" or "packed" for uint16 and int8'):
        chosen("int8", Numbers(16, False), Numbers(8, True))
