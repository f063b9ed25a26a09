"""What is made once: panels for each kind of activations, corrections, plans of calls, and no more than that."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from kernels import packed
from kernels.packed import prepared, schemes
from kernels.packed.lookups import has_lookup


def test_many_zero_points_are_not_all_kept(monkeypatch):
    monkeypatch.setattr(prepared, "_MOST_CORRECTIONS", 3)
    w = packed.pack(np.ones((2, 4, 1), int), 2, True, axis=1)
    layer = packed.Convolution(w, scheme="planes")
    a = packed.pack(np.full((1, 4, 2), 9), 4, False, axis=1)
    for zero in (*range(16), 3):
        assert (layer(a, zero_point=zero) == 4 * (9 - zero)).all()
    assert len(layer._prepared._corrections) <= 3 and len(layer._prepared._panels) == 1


def test_bytes_held_grow_with_the_schemes_used():
    w = packed.pack(np.ones((64, 64, 3, 3), int), 2, True, axis=1)
    a = packed.pack(np.ones((1, 64, 4, 4), int), 2, False, axis=1)
    sizes = {}
    for scheme in ("planes", *(["tables"] if has_lookup() else []), "int8", "packed"):
        layer = packed.Convolution(w, scheme=scheme)
        assert layer.nbytes == 64 * 64 * 9 * 2 // 8
        layer(a)
        sizes[scheme] = layer.nbytes
    assert sizes["planes"] == 64 * 64 * 9 * 2 // 8
    assert all(size > sizes["planes"] for scheme, size in sizes.items() if scheme != "planes")


def test_layers_take_activations_of_any_kind_in_turn():
    w = packed.pack(np.ones((3, 5, 1), int), 3, True, axis=1)
    layer = packed.Convolution(w)
    for bits in (1, 4, 8, 2, 12):
        a = packed.pack(np.ones((1, 5, 2), int), bits, False, axis=1)
        assert (layer(a) == 5).all()


def test_plans_of_many_shapes_kinds_and_threads_in_turn(monkeypatch):
    """Each call with its own plan, however calls are mixed, and no more plans than that are kept."""
    monkeypatch.setattr(prepared, "_MOST_PLANS", 5)
    random = np.random.default_rng(0)
    w = random.integers(-2, 2, (6, 4, 1))
    layer = packed.Convolution(packed.pack(w, 2, True, axis=1), groups=1)
    for _ in range(2):
        for images, width, bits, signed, spacer, zero, threads in itertools.product(
            (1, 2), (1, 9), (1, 8), (False, True), (False, True), (0, -1), (1, 2)
        ):
            low = -(1 << bits - 1) if signed else 0
            zero = low - zero  # the smallest, or the next
            x = random.integers(low, low + (1 << bits), (images, 4, width))
            a = packed.pack(x, bits, signed, axis=1, spacer=spacer)
            np.testing.assert_array_equal(
                layer(a, threads, zero), np.einsum("ncw,kc->nkw", x - zero, w[..., 0]), err_msg=f"{a} {zero} {threads}"
            )
    assert 0 < len(layer._prepared._plans) <= 5


def test_what_was_planned_is_found_again():
    layer = packed.Convolution(packed.pack(np.ones((2, 4, 1), int), 2, True, axis=1))
    a = packed.pack(np.ones((1, 4, 2), int), 4, False, axis=1)
    first = layer(a, 1, 1)
    plans = dict(layer._prepared._plans)
    for zero in (1, np.int64(1)):
        np.testing.assert_array_equal(layer(a, 1, zero), first)
    assert layer._prepared._plans == plans and len(plans) == 1


def test_what_is_refused_is_refused_again_beside_plans():
    """True counts as 1 where dictionaries look things up, and as no integer here."""
    layer = packed.Convolution(packed.pack(np.ones((2, 4, 1), int), 2, True, axis=1))
    a = packed.pack(np.ones((1, 4, 2), int), 4, False, axis=1)
    layer(a, 1, 1)
    for _ in range(2):
        with pytest.raises(TypeError, match="zero_point must be an integer; got True"):
            layer(a, 1, True)
        with pytest.raises(ValueError, match="threads must be an integer of at least 1; got True"):
            layer(a, True, 1)
        with pytest.raises(TypeError, match="a must be a PackedArray; got ndarray"):
            layer(a.unpack(), 1, 1)
        with pytest.raises(ValueError, match="a must have 4 channels"):
            layer(packed.pack(np.ones((1, 5, 2), int), 4, False, axis=1), 1, 1)
        with pytest.raises(ValueError, match="packed along axis 1"):
            layer(packed.pack(np.ones((1, 4, 2), int), 4, False, axis=2), 1, 1)


def test_schemes_are_chosen_anew_by_other_step_times(monkeypatch):
    layer = packed.Convolution(packed.pack(np.ones((20, 64, 1), int), 2, True, axis=1))
    a = packed.pack(np.ones((1, 64, 9), int), 4, False, axis=1)
    layer(a)
    for name in ("and", "pairs" if layer.explain(a).startswith("int8") else "multiply"):
        times = replace(prepared.step_times(), **{f"{name}_ns": 1e-6})
        for module in (prepared, schemes):
            monkeypatch.setattr(module, "step_times", lambda times=times: times)
        assert (layer(a) == 64).all()
        (plan,) = layer._prepared._plans.values()
        assert plan.times is times


def test_one_layer_called_from_several_threads():
    random = np.random.default_rng(2)
    x, w = random.integers(0, 2, (1, 70, 12, 12)), random.integers(-1, 2, (40, 70, 1, 1))
    layer = packed.Conv2d(packed.pack(w, 2, True, axis=1), input=packed.Affine(1, False, 1.0), threads=2)
    operands = [packed.pack(x[..., :width], 1, False, axis=1) for width in range(1, 13)]
    expected = np.einsum("nchw,kc->nkhw", x, w[:, :, 0, 0])

    def calls(number):
        return all(
            np.array_equal(layer(operands[i % 12]), expected[..., : i % 12 + 1]) for i in range(number, number + 60)
        )

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(calls, range(8)))


def test_words_that_cannot_be_written_to():
    a = packed.pack(np.ones((1, 4, 2), int), 4, False, axis=1)
    layer = packed.Convolution(packed.pack(np.ones((2, 4, 1), int), 2, True, axis=1))
    expected = layer(a)
    a.words.flags.writeable = False
    np.testing.assert_array_equal(layer(a), expected)
