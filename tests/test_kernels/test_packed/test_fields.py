"""Weights as fields in bytes: all widths, kinds and shapes against int64 NumPy, and sums at the ends of their range."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import llvmlite.binding as llvm
import numpy as np
import pytest

import kernels
from kernels import packed
from kernels.packed import fields
from kernels.packed.arguments import value_range
from kernels.packed.fields import STEPS, can_run_fields, field_text, field_vectors, field_widths, most_bits
from kernels.packed.filters import corrections_of, panels_of
from kernels.packed.numbers import Numbers
from kernels.packed.weights import Weights

ROOT = Path(kernels.__file__).parents[1]
WIDTHS = range(1, most_bits() + 1)
ACTIVATIONS = [Numbers(8, False), Numbers(8, True), Numbers(3, True), Numbers(5, False), Numbers(1, True, True)]
needs_fields = pytest.mark.skipif(not WIDTHS, reason="this CPU neither has a dot product of bytes, nor adds up pairs")


def values(kind, shape, random):
    if kind.bipolar:
        return random.choice([-1, 1], shape)
    low, high = value_range(kind.bits, kind.signed)
    return random.integers(low, high + 1, shape)


def packed_values(x, kind, axis=-1):
    return packed.pack_bipolar(x, axis=axis) if kind.bipolar else packed.pack(x, kind.bits, kind.signed, axis=axis)


@needs_fields
@pytest.mark.parametrize("bits", WIDTHS)
def test_products_of_every_shape(bits):
    """Channels 1 to 130, beyond four blocks; filters 1 to 40, beyond a panel; every number of rows up to two tiles."""
    random = np.random.default_rng(bits)
    kinds = [Numbers(bits, False), Numbers(bits, True), *([Numbers(1, True, True)] if bits == 1 else [])]
    shapes = zip(range(1, 131), itertools.cycle(range(1, 41)), itertools.cycle(range(1, 10)))
    for (channels, filters, rows), w_kind, a_kind in zip(
        shapes, itertools.cycle(kinds), itertools.chain.from_iterable(itertools.repeat(ACTIVATIONS))
    ):
        x, w = values(a_kind, (rows, channels), random), values(w_kind, (channels, filters), random)
        y = packed.matmul(packed_values(x, a_kind), packed_values(w, w_kind, 0), scheme="fields")
        np.testing.assert_array_equal(y, x @ w, err_msg=f"{a_kind} {w_kind} {rows} {channels} {filters}")


@needs_fields
@pytest.mark.parametrize("bits", WIDTHS)
def test_every_product_of_a_weight_and_an_activation(bits):
    """One channel: row i times filter k is every product that there is, of both signs."""
    for a_signed, w_signed in itertools.product((False, True), repeat=2):
        x = np.arange(1 << 8)[:, None] + value_range(8, a_signed)[0]
        w = np.arange(1 << bits)[None] + value_range(bits, w_signed)[0]
        for zero in (0, int(x[3, 0]), int(x[-1, 0])):
            y = packed.matmul(packed.pack(x, 8, a_signed), packed.pack(w, bits, w_signed, axis=0), zero_point=zero,
                              scheme="fields")
            np.testing.assert_array_equal(y, (x - zero) * w)


@needs_fields
@pytest.mark.parametrize("bits", WIDTHS)
@pytest.mark.parametrize("rows", [1, 2, 4])
def test_sums_at_the_ends_of_the_range(bits, rows):
    """All numbers at one end: neither pairs of products nor sums of higher fields overflow."""
    for signed, a_end, w_end in itertools.product((False, True), range(2), range(2)):
        a, w = value_range(8, signed)[a_end], value_range(bits, signed)[w_end]
        x, y = np.full((rows, 4096), a), np.full((4096, 1), w)
        z = packed.matmul(packed.pack(x, 8, signed), packed.pack(y, bits, signed, axis=0), scheme="fields")
        assert (z == 4096 * a * w).all()


@needs_fields
@pytest.mark.parametrize("rows", [1, 2])
def test_sums_of_higher_fields_are_brought_down_in_time(rows):
    """1.1 million channels: 255 * 7 * 2**4 a channel would not fit 32 bits, and the sum itself does."""
    channels = 1_100_000
    a = packed.pack(np.full((rows, channels), 255), 8, False)
    w = packed.pack(np.full((channels, 1), 7), 3, False, axis=0)
    assert (packed.matmul(a, w, scheme="fields") == 255 * 7 * channels).all()


AVX2 = "+avx2,+fma,+popcnt,+bmi,+bmi2"
AVX512 = f"{AVX2},+avx512f,+avx512bw,+avx512dq,+avx512vl,+avx512cd"
PATHS = [("haswell", AVX2, 32, "13456"), ("skylake-avx512", AVX512, 64, "35")]
HAS = llvm.get_host_cpu_features()


@pytest.mark.parametrize("cpu, features, vector_bytes, widths", PATHS, ids=[path[0] for path in PATHS])
def test_cpus_without_a_dot_product_of_bytes(cpu, features, vector_bytes, widths):
    """In another process: widths of which a block's products fit 16 bits at once, or a half of it, and so on."""
    if not all(HAS.get(name[1:], False) for name in features.split(",")):
        pytest.skip(f"this CPU lacks instructions of {cpu}")
    settings = {"NUMBA_CPU_NAME": cpu, "NUMBA_CPU_FEATURES": features, "PYTHONPATH": str(ROOT)}
    answer = json.loads(subprocess.run(
        [sys.executable, str(Path(__file__).with_name("products_of_fields.py")), widths], env=os.environ | settings,
        check=True, capture_output=True, text=True, timeout=600,
    ).stdout)
    assert (answer["bytes"], answer["has_byte_dot"]) == (vector_bytes, False)
    assert answer["results"] == dict.fromkeys(widths, True)


@needs_fields
@pytest.mark.parametrize("w_kind", [Numbers(1, True, True), Numbers(2, True), Numbers(3, False), Numbers(7, True)],
                         ids=str)
def test_convolutions(w_kind):
    """Taps outside of the image, groups, steps, lanes with spacers, threads."""
    random = np.random.default_rng(9)
    w = values(w_kind, (6, 12, 3, 2), random)
    packed_w = packed_values(w, w_kind, 1)
    for a_kind, zero in ((Numbers(8, False), 200), (Numbers(4, True), -8), (Numbers(1, True, True), 0)):
        x = values(a_kind, (2, 24, 9, 11), random)
        a = packed_values(x, a_kind, 1) if a_kind.bipolar else packed.pack(x, a_kind.bits, a_kind.signed, 1, True)
        layer = packed.Convolution(packed_w, stride=(2, 1), padding=(2, 1), dilation=(1, 2), groups=2, scheme="fields")
        y = layer(a, threads=3, zero_point=zero)
        around = np.pad(x.astype(np.int64) - zero, ((0, 0), (0, 0), (2, 2), (1, 1))).reshape(2, 2, 12, 13, 13)
        expected = sum(
            np.einsum("ngchw,gkc->ngkhw", around[..., r : r + 11 : 2, 2 * s : 2 * s + 11],
                      w[..., r, s].reshape(2, 3, 12)) for r in range(3) for s in range(2)
        )
        np.testing.assert_array_equal(y, expected.reshape(y.shape))


@needs_fields
def test_each_byte_holds_the_fields_of_its_steps():
    """Raised weights, as the drawing has them."""
    for bits, groups in itertools.product(WIDTHS, (1, 2)):
        kind, random = Numbers(bits, True), np.random.default_rng(bits)
        w = values(kind, (groups * 21, 70, 2), random)
        weights = Weights(w, kind, groups)
        numbers = weights.numbers
        held = weights.as_fields().view(np.uint8).reshape(groups, -1, 2, 3, bits, 2, numbers, 4)
        raised = np.zeros((groups, held.shape[1] * 2 * numbers, 2, 3 * STEPS * 4), np.int64)
        raised[:, :21, :, :70] = np.moveaxis(w.reshape(groups, 21, 70, 2), 2, 3) + (1 << bits - 1)
        raised = raised.reshape(groups, -1, 2, numbers, 2, 3, STEPS, 4).transpose(0, 1, 4, 5, 6, 2, 3, 7)
        for place, (width, offset, first) in enumerate(field_vectors(bits)):
            for k in range(STEPS // width):
                field = held[:, :, :, :, place] >> width * k & (1 << width) - 1
                expected = raised[:, :, :, :, first + k] >> offset & (1 << width) - 1
                filters = np.arange(expected.shape[1] * 2 * numbers).reshape(-1, 1, 1, 2, numbers, 1) < 21
                channels = 4 * (np.arange(3)[:, None, None, None] * STEPS + first + k) + np.arange(4) < 70
                np.testing.assert_array_equal(np.where(filters & channels, field - expected, 0), 0)
        assert weights.as_fields().nbytes <= weights.planes.nbytes + bits * numbers * groups * 2 * 2 * 8
    assert Weights(np.zeros((64, 96), int), Numbers(3, True)).as_fields().nbytes == 64 * 96 * 3 // 8


@needs_fields
def test_padding_is_zero_beyond_the_channels():
    panels = panels_of(Weights(np.ones((3, 10, 2), int), Numbers(2, True)), Numbers(4, True), False, "fields")
    octets = corrections_of(panels, -3, None, True).padding.astype("<u4").view(np.uint8)
    assert (octets[:10] == -3 + 8).all() and not octets[10:].any()


def test_a_width_is_the_sum_of_its_fields():
    for bits in range(1, 8):
        assert sum(field_widths(bits)) == bits == len(field_vectors(bits))
        steps = [(vector.offset, step) for vector in field_vectors(bits)
                 for step in range(vector.step, vector.step + STEPS // vector.width)]
        assert len(set(steps)) == len(steps) == len(field_widths(bits)) * STEPS


@pytest.mark.parametrize("octets", [False, True])
def test_the_text_is_plain_python_with_and_without_a_dot_product_of_bytes(octets, monkeypatch):
    monkeypatch.setattr(fields, "has_byte_dot", lambda: octets)
    for bits in range(1, 8 if octets else 7):
        text = field_text(bits, 2)
        compile(text, "fields", "exec")
        assert ("dot_bytes(" in text) == octets and ("byte_pairs(" in text) != octets


def test_what_it_takes(monkeypatch):
    monkeypatch.setattr(fields, "has_byte_dot", lambda: True)
    assert can_run_fields(Numbers(8, True), Numbers(7, False))
    assert not can_run_fields(Numbers(9, False), Numbers(2, True))
    assert not can_run_fields(Numbers(8, False), Numbers(8, True))
    monkeypatch.setattr(fields, "has_byte_dot", lambda: False)
    monkeypatch.setattr(fields, "has_byte_pairs", lambda: True)
    assert most_bits() == 6, "2 * 255 * 127 would saturate"
    monkeypatch.setattr(fields, "has_byte_pairs", lambda: False)
    assert most_bits() == 0
    packed_a, packed_w = packed.pack([[1, 2]], 9, False), packed.pack([[1], [1]], 2, True, axis=0)
    with pytest.raises(ValueError, match=r'scheme must be "planes" .* fields take weights of .* bits.*; got "fields"'):
        packed.matmul(packed_a, packed_w, scheme="fields")
