import itertools

import pytest

from kernels.packed.numbers import Numbers, check_sum, sum_range

KINDS = [Numbers(1, True, True), *(Numbers(bits, signed) for bits in (1, 2, 8, 16) for signed in (False, True))]


@pytest.mark.parametrize("a, w", itertools.product(KINDS, repeat=2))
def test_the_most_that_is_named_is_the_most_that_fits(a, w):
    low, high = sum_range(a, w, 1)
    most = min(limit // end for limit, end in ((-(1 << 31), low), ((1 << 31) - 1, high)) if end)
    check_sum(a, w, most)
    with pytest.raises(ValueError, match=f"the most is {most}\\."):
        check_sum(a, w, most + 1)
