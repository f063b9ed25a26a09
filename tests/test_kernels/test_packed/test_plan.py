"""The counts of HiKonv, what a plan says of itself, and what is refused. That plans are exact: test_products.py."""

import pytest

from kernels.packed.plan import LanePlan, dot_lanes_for, lanes_for

MULTIPLIERS = {
    "32-bit": {"a_word_bits": 32, "w_word_bits": 32},
    "27 x 18": {"a_word_bits": 27, "w_word_bits": 18, "product_bits": 45},
}


@pytest.mark.parametrize(
    ("bits", "taps", "multiplier", "operations"),
    [(4, 3, "32-bit", 13), (1, 4, "27 x 18", 60), (4, 2, "27 x 18", 8), (8, 1, "27 x 18", 2), (8, 2, "27 x 18", 2)],
)
def test_published_counts_of_one_multiplication(bits, taps, multiplier, operations):
    # HiKonv, abstracts of arXiv:2112.13972 and 2208.00763: N K products and (N - 1)(K - 1) additions.
    assert lanes_for(bits, bits, taps, **MULTIPLIERS[multiplier]).operations == operations


def test_published_count_of_binary_operations():
    # 128 in one 32-bit multiplication: N = K = 8, with the N + K - 1 additions to a running sum. Without them 113.
    plan = lanes_for(1, 1, taps=8, **MULTIPLIERS["32-bit"])
    assert (plan.a_lanes, plan.w_lanes, plan.lane_bits) == (8, 8, 4)
    assert (plan.accumulated_operations, plan.operations) == (128, 113)


def test_the_exact_bound_finds_room_that_a_sum_of_widths_does_not():
    plan = lanes_for(1, 1, taps=7, **MULTIPLIERS["32-bit"])
    assert (plan.a_lanes, plan.w_lanes, plan.lane_bits, plan.operations) == (11, 7, 3, 137)


def test_a_plan_made_by_hand_tells_its_limits():
    plan = LanePlan(2, 2, False, False, 8, 2, 2, 64)
    assert (plan.outputs, plan.products, plan.additions, plan.product_range) == (3, 4, 1, (0, 9))
    assert (plan.most_products, plan.most_words) == (28, 14)


@pytest.mark.parametrize("taps", range(1, 30))
def test_more_taps_never_pass_more_activations(taps):
    here, there = lanes_for(2, 2, taps), lanes_for(2, 2, taps + 1)
    rates = [plan.a_lanes / -(-n // plan.w_lanes) for plan, n in ((here, taps), (there, taps + 1))]
    assert rates[0] >= rates[1]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: lanes_for(0, 1, 3), ValueError, "a_bits must be 1 to 16; got 0"),
        (lambda: lanes_for(1, 17, 3), ValueError, "w_bits must be 1 to 16; got 17"),
        (lambda: lanes_for(1, 1, 0), ValueError, "taps must be at least 1; got 0"),
        (lambda: lanes_for(1, 1, 1, 0), ValueError, "accumulate must be at least 1; got 0"),
        (lambda: lanes_for(1, 1, 1.5), TypeError, "taps must be an integer; got 1.5"),
        (lambda: lanes_for(1, 1, 1, product_bits=0), ValueError, "product_bits must be at least 1; got 0"),
        (
            lambda: lanes_for(8, 8, 3, 10, w_signed=True, product_bits=16),
            ValueError,
            "a lane must hold 10 products from -32640 to 32385 in 16 bits, of operands of 64 and 64; none does",
        ),
        (lambda: lanes_for(8, 8, 3, a_word_bits=4), ValueError, "of operands of 4 and 64; none does"),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert message in str(caught.value)


@pytest.mark.parametrize("signs", [(False, False), (False, True), (True, False), (True, True)])
@pytest.mark.parametrize("bits", range(1, 17))
def test_lanes_of_inner_products_hold_their_sums_and_not_one_word_more(bits, signs):
    for w_bits, length in ((1, 1), (3, 64), (16, 1000), (bits, 10**6)):
        plan = dot_lanes_for(bits, w_bits, length, a_signed=signs[0], w_signed=signs[1])
        low, high = plan.product_range
        least, most = (-(1 << plan.lane_bits - 1), (1 << plan.lane_bits - 1) - 1) if low else (0, 2**plan.lane_bits - 1)
        count = plan.most_words * plan.lanes
        assert plan.lanes * plan.lane_bits <= 64 and plan.most_words >= 1
        assert least <= count * low and count * high <= most
        count += plan.lanes
        assert count * low < least or count * high > most


def test_what_inner_products_refuse():
    with pytest.raises(ValueError, match="length must be at least 1"):
        dot_lanes_for(2, 2, 0)
    with pytest.raises(ValueError, match="w_bits must be 1 to 16"):
        dot_lanes_for(2, 17, 3)
