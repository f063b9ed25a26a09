"""Every lane function: every pair of values, every lane position, neighbours at their extremes, for 1 to 6 bits.

Words are tried as NumPy arrays and as compiled vectors, all of them, and as Python integers, a part of them. The
expected lanes come from NumPy's int64, wrapped or clipped.
"""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.packed import lanes
from kernels.packed.arguments import value_range
from kernels.packed.elementwise import lane_kernels, run_lanes
from kernels.packed.layout import lane_layout

LAYOUTS = [
    pytest.param(lane_layout(bits, signed, spacer), id=f"{'int' if signed else 'uint'}{bits}{'s' * spacer}")
    for bits in range(1, 7)
    for signed in (False, True)
    for spacer in (False, True)
]


def wrapped(x, lane):
    low, _ = value_range(lane.bits, bool(lane.signs))
    return (x - low) % (1 << lane.bits) + low


def clipped(x, lane):
    return np.clip(x, *value_range(lane.bits, bool(lane.signs)))


def truth(x, lane):
    """All bits set where it holds."""
    return np.where(x, -1 if lane.signs else (1 << lane.bits) - 1, 0)


BINARY = {
    "add": lambda a, b, lane: wrapped(a + b, lane),
    "subtract": lambda a, b, lane: wrapped(a - b, lane),
    "multiply": lambda a, b, lane: wrapped(a * b, lane),
    "add_saturating": lambda a, b, lane: clipped(a + b, lane),
    "subtract_saturating": lambda a, b, lane: clipped(a - b, lane),
    "equal": lambda a, b, lane: truth(a == b, lane),
    "not_equal": lambda a, b, lane: truth(a != b, lane),
    "less": lambda a, b, lane: truth(a < b, lane),
    "less_equal": lambda a, b, lane: truth(a <= b, lane),
    "greater": lambda a, b, lane: truth(a > b, lane),
    "greater_equal": lambda a, b, lane: truth(a >= b, lane),
    "minimum": lambda a, b, lane: np.minimum(a, b),
    "maximum": lambda a, b, lane: np.maximum(a, b),
}
SPACED = {name: BINARY[name.removesuffix("_spaced")] for name in ("add_spaced", "subtract_spaced", "less_spaced")}
UNARY = {
    "negate": lambda a, lane: wrapped(-a, lane),
    "absolute": lambda a, lane: wrapped(abs(a), lane),
    "negate_saturating": lambda a, lane: clipped(-a, lane),
    "absolute_saturating": lambda a, lane: clipped(abs(a), lane),
    "relu": lambda a, lane: np.maximum(a, 0),
}
COUNTED = {
    "shift_left": (lambda lane: range(lane.bits + 1), lambda a, k, lane: wrapped(a << k, lane)),
    "shift_right": (lambda lane: range(lane.bits + 1), lambda a, k, lane: a >> k),
    "multiply_scalar": (lambda lane: range(1 << lane.bits), lambda a, k, lane: wrapped(a * k, lane)),
}


def elements(words, lane):
    """The lanes of words, one row for each lane, as int64; and that nothing is set outside of the lanes."""
    assert not (words & ~np.uint64(lane.values)).any()
    rows = [(words >> np.uint64(k * lane.pitch)) & np.uint64((1 << lane.bits) - 1) for k in range(lane.lanes)]
    return wrapped(np.array(rows).astype(np.int64), lane)


def cases(lane):
    """Words a and b: each pair of values in each lane, among neighbours that are all one of several extreme pairs."""
    field = (1 << lane.bits) - 1
    extremes = sorted({0, field, 1 << lane.top, (1 << lane.top) - 1})  # unsigned and signed ones
    values = np.arange(field + 1, dtype=np.uint64)
    pairs = np.array(list(itertools.product(values, values)), np.uint64)
    a, b = [], []
    for position, first, second in itertools.product(range(lane.lanes), extremes, extremes):
        place = np.uint64(position * lane.pitch)
        others = lane.ones ^ (1 << int(place))
        a.append((pairs[:, 0] << place) | np.uint64(others * first))
        b.append((pairs[:, 1] << place) | np.uint64(others * second))
    return np.concatenate(a), np.concatenate(b)


def compiled(name, lane, *operands):
    out = np.empty_like(operands[0])
    if len(operands) == 2 and name not in COUNTED:
        run_lanes(name, lane, operands, out.shape, out)
    else:
        count = [np.uint64(k) for k in operands[1:]]
        getattr(lane_kernels(), f"run_{name}")(operands[0], *count, out, lane.as_words())
    return out


def agree(name, lane, expected, *operands):
    """The function gives the expected lanes in every form."""
    function = getattr(lanes, name)
    words = function(*operands, lane)
    assert np.array_equal(elements(words, lane), expected)
    assert np.array_equal(compiled(name, lane, *operands), words)
    some = slice(None, None, 97 if words.size > 5000 else 1)
    plain = [x[some].tolist() if isinstance(x, np.ndarray) else itertools.repeat(x) for x in operands]
    assert [function(*row, lane) for row in zip(*plain)] == words[some].tolist()  # noqa: B905 (one may be endless)


@pytest.mark.parametrize("lane", LAYOUTS)
def test_every_pair_in_every_lane(lane):
    a, b = cases(lane)
    x, y = elements(a, lane), elements(b, lane)
    for name, expected in (BINARY | SPACED if lane.spacers else BINARY).items():
        agree(name, lane, expected(x, y, lane), a, b)


@pytest.mark.parametrize("lane", LAYOUTS)
def test_every_value_in_every_lane(lane):
    a = np.unique(cases(lane)[0])
    x = elements(a, lane)
    for name, expected in UNARY.items():
        agree(name, lane, expected(x, lane), a)
    for name, (counts, expected) in COUNTED.items():
        for k in counts(lane):
            agree(name, lane, expected(x, k, lane), a, k)


@pytest.mark.parametrize("lane", LAYOUTS)
def test_every_sum_and_choice(lane):
    a, b = cases(lane)
    x, y = elements(a, lane), elements(b, lane)
    raised = x + ((1 << lane.top) if lane.signs else 0)
    sums = lanes.lane_sum(a, lane)
    assert np.array_equal(sums.astype(np.int64), raised.sum(0))
    assert np.array_equal(compiled("lane_sum", lane, a), sums)
    assert [lanes.lane_sum(word, lane) for word in a[::97].tolist()] == sums[::97].tolist()
    mask = b & np.uint64(lane.ones)
    chosen = lanes.select(lanes.filled(mask, lane), a, b, lane)
    assert np.array_equal(elements(chosen, lane), np.where(y & 1, x, y))
    out = np.empty_like(a)
    lane_kernels().run_select(mask, a, b, out, lane.as_words())
    assert np.array_equal(out, chosen)


@pytest.mark.parametrize("lane", LAYOUTS)
def test_widened_lanes_hold_the_same_values_and_narrow_to_the_same_word(lane):
    a = np.unique(cases(lane)[0])
    wide = lane_layout(2 * lane.pitch, bool(lane.signs))
    even, odd = lanes.widened_even(a, lane, wide), lanes.widened_odd(a, lane, wide)
    x = elements(a, lane)
    assert np.array_equal(elements(even, wide), x[0::2][: wide.lanes])
    assert np.array_equal(elements(odd, wide)[: lane.lanes // 2], x[1::2])
    inside = np.uint64((1 << wide.lanes * wide.pitch) - 1)
    assert np.array_equal(lanes.narrowed(even, odd, lane) & inside, a & inside)
    assert [lanes.widened_even(word, lane, wide) for word in a[::97].tolist()] == even[::97].tolist()


@given(data=st.data(), bits=st.integers(1, 16), signed=st.booleans(), spacer=st.booleans())
def test_any_width(data, bits, signed, spacer):
    lane = lane_layout(bits, signed, spacer)
    words = st.lists(st.integers(0, (1 << 64) - 1), min_size=1, max_size=20)
    a = np.array(data.draw(words), np.uint64) & np.uint64(lane.values)
    b = np.resize(np.array(data.draw(words), np.uint64) & np.uint64(lane.values), a.shape)
    x, y = elements(a, lane), elements(b, lane)
    for name, expected in (BINARY | SPACED if spacer else BINARY).items():
        agree(name, lane, expected(x, y, lane), a, b)
    for name, expected in UNARY.items():
        agree(name, lane, expected(x, lane), a)
    for name, (counts, expected) in COUNTED.items():
        k = data.draw(st.sampled_from(counts(lane)))
        agree(name, lane, expected(x, k, lane), a, k)


def test_every_function_is_tried():
    tried = {*BINARY, *SPACED, *UNARY, *COUNTED, "lane_sum", "select", "filled", "spread", "bounded"}
    tried |= {"widened_even", "widened_odd", "narrowed"}
    there = {name for name, f in vars(lanes).items() if getattr(f, "__module__", "") == lanes.__name__}
    assert there == tried
