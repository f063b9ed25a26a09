"""Convolution by one multiplication: exhaustively where that is possible, at the extremes everywhere, and no margin."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels import packed
from kernels.packed.arguments import value_range
from kernels.packed.plan import lanes_for
from kernels.packed.products import lane_words, product_lanes

SIGNS = [(False, False), (False, True), (True, False), (True, True)]
MULTIPLIERS = {"word": {}, "32-bit": {"a_word_bits": 32, "w_word_bits": 32}}
MULTIPLIERS["27 x 18"] = {"a_word_bits": 27, "w_word_bits": 18, "product_bits": 45}


def multiplied(a_rows, w_rows, plan):
    """Sum of the products of words, as the multiplier gives it, read again: in Python's integers."""
    total = sum(
        lane_words(a, plan.lane_bits, plan.product_bits) * lane_words(w, plan.lane_bits, plan.product_bits)
        for a, w in zip(a_rows, w_rows, strict=True)
    )
    return product_lanes(total % (1 << plan.product_bits), plan)


def expected(a_rows, w_rows):
    return sum(np.convolve(a, w) for a, w in zip(a_rows, w_rows, strict=True)).tolist()


@pytest.mark.parametrize("signs", SIGNS)
@pytest.mark.parametrize("bits", itertools.product((1, 2, 3), repeat=2))
def test_every_pair_of_words(bits, signs):
    """All values in all lanes, in the tightest plans that leave few enough of them."""
    (a_bits, w_bits), (a_signed, w_signed) = bits, signs
    for product_bits in (8, 11, 12, 16):
        for taps in (1, 2, 3):
            try:
                plan = lanes_for(a_bits, w_bits, taps, a_signed=a_signed, w_signed=w_signed, product_bits=product_bits)
            except ValueError:
                continue  # not even one product fits
            if a_bits * plan.a_lanes + w_bits * plan.w_lanes > 12:
                continue
            (a_low, a_high), (w_low, w_high) = value_range(a_bits, a_signed), value_range(w_bits, w_signed)
            for a in itertools.product(range(a_low, a_high + 1), repeat=plan.a_lanes):
                for w in itertools.product(range(w_low, w_high + 1), repeat=plan.w_lanes):
                    assert multiplied([a], [w], plan) == expected([a], [w])


def extreme_rows(plan):
    """Words whose lanes are all at one end of their range: the largest and the smallest sums are among them."""
    (a_low, a_high), (w_low, w_high) = value_range(plan.a_bits, plan.a_signed), value_range(plan.w_bits, plan.w_signed)
    for a, w in itertools.product((a_low, a_high), (w_low, w_high)):
        yield [a] * plan.a_lanes, [w] * plan.w_lanes


@pytest.mark.parametrize("multiplier", MULTIPLIERS)
@pytest.mark.parametrize("signs", SIGNS)
@pytest.mark.parametrize("bits", itertools.product((1, 2, 3, 4, 5, 8), repeat=2))
def test_as_many_words_as_promised_and_not_one_more(bits, signs, multiplier):
    (a_bits, w_bits), (a_signed, w_signed) = bits, signs
    for taps, accumulate in itertools.product((1, 3, 5), (1, 4, 100)):
        try:
            plan = lanes_for(
                a_bits, w_bits, taps, accumulate, a_signed=a_signed, w_signed=w_signed, **MULTIPLIERS[multiplier]
            )
        except ValueError:
            assert multiplier == "27 x 18" and accumulate == 100
            continue
        assert plan.most_words >= accumulate and plan.w_lanes <= taps
        assert plan.lane_bits * (plan.outputs - 1) < plan.product_bits
        many, misread = plan.most_words, False
        for a, w in extreme_rows(plan):
            exact = np.convolve(a, w)
            total = lane_words(a, plan.lane_bits, plan.product_bits) * lane_words(w, plan.lane_bits, plan.product_bits)
            whole = 1 << plan.product_bits
            assert product_lanes(many * total % whole, plan) == [many * int(c) for c in exact]
            misread |= product_lanes((many + 1) * total % whole, plan) != [(many + 1) * int(c) for c in exact]
        assert misread


@pytest.mark.parametrize("signs", SIGNS)
@pytest.mark.parametrize("bits", [(1, 1), (2, 3), (4, 4), (8, 2)])
def test_operands_are_numbers_that_the_multiplier_takes(bits, signs):
    plan = lanes_for(*bits, 5, a_signed=signs[0], w_signed=signs[1], **MULTIPLIERS["27 x 18"])
    for a, w in extreme_rows(plan):
        for lanes, signed, width in ((a, plan.a_signed, 27), (w, plan.w_signed, 18)):
            number = sum(v << plan.lane_bits * i for i, v in enumerate(lanes))
            low, high = value_range(width, signed)
            assert low <= number <= high


@given(data=st.data(), bits=st.tuples(*[st.integers(1, 8)] * 2), signs=st.sampled_from(SIGNS), taps=st.integers(1, 9))
def test_words_of_numpy_and_of_python_agree(data, bits, signs, taps):
    plan = lanes_for(*bits, taps, 3, a_signed=signs[0], w_signed=signs[1])
    rows = data.draw(st.integers(1, min(plan.most_words, 20)))
    random = np.random.default_rng(data.draw(st.integers(0, 999)))
    (a_low, a_high), (w_low, w_high) = value_range(bits[0], signs[0]), value_range(bits[1], signs[1])
    a = random.integers(a_low, a_high + 1, (rows, plan.a_lanes))
    w = random.integers(w_low, w_high + 1, (rows, plan.w_lanes))
    words = lane_words(a, plan.lane_bits) * lane_words(w, plan.lane_bits)
    assert product_lanes(words, plan).tolist() == [np.convolve(x, y).tolist() for x, y in zip(a, w, strict=True)]
    total = words.sum(keepdims=True, dtype=np.uint64)
    assert product_lanes(total, plan)[0].tolist() == multiplied(a.tolist(), w.tolist(), plan) == expected(a, w)


@given(
    data=st.data(),
    bits=st.tuples(*[st.integers(1, 16)] * 2),
    signs=st.sampled_from(SIGNS),
    sizes=st.tuples(st.integers(1, 50), st.integers(1, 20)),
)
def test_convolve(data, bits, signs, sizes):
    arrays = []
    for width, signed, size in zip(bits, signs, sizes, strict=True):
        low, high = value_range(width, signed)
        values = st.one_of(st.sampled_from([low, high]), st.integers(low, high))
        arrays.append(np.array(data.draw(st.lists(values, min_size=size, max_size=size))))
    x = np.stack([arrays[0], arrays[0][::-1]])
    result = packed.convolve(packed.pack(x, bits[0], signs[0]), packed.pack(arrays[1], bits[1], signs[1]))
    assert result.dtype == np.int64
    assert np.array_equal(result, [np.convolve(row, arrays[1]) for row in x])


def test_bipolar_operands():
    x, w = np.resize([1, -1, -1], 30), np.array([1, -1, 1])
    result = packed.convolve(packed.pack_bipolar(x), packed.pack_bipolar(w))
    assert np.array_equal(result, np.convolve(x, w))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: packed.convolve([1], packed.pack([1], 2, True)), TypeError, "a must be a PackedArray; got list"),
        (
            lambda: packed.convolve(*[packed.pack([[1]], 2, True)] * 2),
            ValueError,
            "w must have one axis; got shape (1, 1)",
        ),
        (
            lambda: packed.convolve(*[packed.pack([[1]], 2, True, axis=0)] * 2),
            ValueError,
            "a must be packed along its last axis",
        ),
        (
            lambda: packed.convolve(*[packed.pack(np.zeros(0, int), 2, True)] * 2),
            ValueError,
            "a must be packed along its last axis, which has elements",
        ),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert message in str(caught.value)
