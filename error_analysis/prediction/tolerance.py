"""What to write into a kernel's own test: rtol and atol, with the reasons."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from error_analysis.prediction.bounds import bound, check_arguments
from error_analysis.prediction.estimate import estimate, models_no_underflow
from winograd import Algorithm, format_of

_NORMAL_LIMIT = 8.0
"""Standard normal numbers that are larger in size do not occur: one in 10^15."""


@dataclass(frozen=True)
class Tolerance:
    """rtol and atol, in the sense of `numpy.testing.assert_allclose`: |actual - desired| <= atol + rtol * |desired|.

    Attributes
    ----------
    rtol, atol : float
    reasoning : tuple of str
        How they come about, one step a line; the repr shows it.
    """

    rtol: float
    atol: float
    reasoning: tuple[str, ...] = field(compare=False)

    def __repr__(self) -> str:
        steps = "".join(f"\n  {line}" for line in self.reasoning)
        return f"Tolerance(rtol={self.rtol:.3g}, atol={self.atol:.3g}){steps}"


def tolerance(
    A: Algorithm,
    channels: int = 1,
    data: str = "uniform",
    d_scale: float = 1.0,
    g_scale: float = 1.0,
    outputs: int = 10**6,
    false_alarm: float = 1e-6,
) -> Tolerance:
    """rtol and atol for testing a kernel that runs this algorithm, against an exact or float64 reference.

    The error of a fast convolution is absolute: intermediate values are as large as sums of |data| |filter|, whatever
    is left of the output after cancellation. So `atol` carries it, and `rtol` is the unit roundoff of the stored
    format only, for a reference that is itself rounded to it.

    `atol` is a multiple of the predicted root mean square error (`prediction.estimate`) at the worst output of the
    tile, large enough that one of `outputs` correct outputs exceeds it with a probability of at most `false_alarm`. The
    multiple is from the tail of a normal law whose variance has a gamma law with the predicted relative variance rho
    (given the data, an error is about normal), bounded by Chernoff's inequality::

        P(|e| > t rms) <= 2 exp(-theta t) (1 - rho theta^2 / 2)^(-1/rho),    theta = (sqrt(1 + 2 rho t^2) - 1) / (rho t)

    What can underflow at the given scale, and the estimate does not count, is added at its worst. Where all this
    exceeds the worst case (`bound`), the worst case is taken.

    Parameters
    ----------
    A : Algorithm
    channels : int
    data : "uniform" or "normal"
        Law of data and filter.
    d_scale, g_scale : float
        Data are uniform on [-d_scale, d_scale], or normal with this standard deviation; filters likewise.
    outputs : int
        How many outputs the test compares.
    false_alarm : float
        The probability, at most, that a correct kernel fails.

    Returns
    -------
    Tolerance

    Raises
    ------
    TypeError
        If A is no Algorithm, or channels no integer.
    ValueError
        For channels < 1, unknown data, scales not from 1e-60 to 1e60, outputs < 1, or a probability not in (0, 1).

    Rounding
    --------
    float64; atol and rtol are then rounded up to three digits, unless that would exceed the worst case.

    Source
    ------
    The question is asked of vendors: MIOpen issue 2492. The tail: Madan and Seneta, The variance gamma model for share
    market returns, Journal of Business 63(4), 1990.

    Examples
    --------
    >>> from winograd import INF, toom_cook
    >>> A = Algorithm(toom_cook(2, 3, [0, 1, -1, INF]), dims=2)
    >>> t = tolerance(A, channels=64)
    >>> t.rtol == 2.0**-24, 1e-5 < t.atol < 5e-5
    (False, True)
    """
    check_arguments(A, channels)
    if isinstance(outputs, bool) or not isinstance(outputs, (int, float, np.number)) or not 1 <= outputs < math.inf:
        raise ValueError(f"outputs must be a number of at least 1; got {outputs!r}.")
    if not (isinstance(false_alarm, float) and 0 < false_alarm < 1):
        raise ValueError(f"false_alarm must be between 0 and 1; got {false_alarm!r}.")
    expected = estimate(A, channels, data, d_scale, g_scale)
    limit = _NORMAL_LIMIT if data == "normal" else 1.0
    d_max, g_max = d_scale * limit, g_scale * limit
    worst = bound(A, channels, d_max, g_max)
    stored = format_of(A.stored_dtype)
    rtol = float(stored.u) * (1 if A.rounding == "nearest" else 2)
    largest = channels * math.prod(A.r) * d_max * g_max

    sigmas = np.array([tail_multiple(float(v), false_alarm / outputs) for v in expected.relative_variance.flat])
    multiples = sigmas.reshape(expected.rms.shape)
    at = np.unravel_index(np.argmax(multiples * expected.rms), expected.rms.shape)
    rms = float(expected.rms[at])
    underflow = _underflow(A, channels, d_max, g_max) if models_no_underflow(A) else 0.0
    likely = float(multiples[at]) * rms + underflow
    most = max(worst.max - rtol * largest, 0.0)
    atol = min(_rounded_up(likely), most)
    rtol = min(_rounded_up(rtol), rtol + max(most - atol, 0.0) / largest)

    law = f"uniform on [-{d_scale:g}, {d_scale:g}]" if data == "uniform" else f"normal, deviation {d_scale:g}"
    filters = f"[-{g_scale:g}, {g_scale:g}]" if data == "uniform" else f"deviation {g_scale:g}"
    reasons = [
        f"for {A}, {channels} channel{'s' * (channels > 1)}; data {law}, filters {filters}",
        f"predicted mean |error| {expected.mean:.3g}; root mean square {rms:.3g} at output "
        f"{tuple(int(i) for i in at)}, the worst",
        f"{float(multiples[at]):.3g} times that: one of {outputs:g} correct outputs exceeds it with probability "
        f"{false_alarm:g} at most",
    ]
    if underflow:
        reasons.append(f"plus {underflow:.3g} for what may underflow")
    if worst.overflow:
        reasons.append(f"no worst case: {worst.overflow} may overflow at |data| <= {d_max:g}, |filter| <= {g_max:g}")
    else:
        taken = "which is less, so atol is that" if likely > most else "which is more"
        reasons.append(f"worst case for |data| <= {d_max:g}, |filter| <= {g_max:g}: {worst.max:.3g}, {taken}")
    reasons.append(f"rtol is one rounding to {stored.name}, of a reference so stored; the rest does not shrink with it")
    return Tolerance(rtol, atol, tuple(reasons))


def tail_multiple(relative: float, probability: float) -> float:
    """t with P(|e| > t rms) <= probability for a normal e with a variance of gamma law and this relative variance.

    Examples
    --------
    >>> 7.4 < tail_multiple(0.0, 1e-12) < 7.6, 26 < tail_multiple(2.0, 1e-12) < 32
    (True, True)
    """

    def log_tail(t: float) -> float:
        if relative < 1e-9:
            return math.log(2) - t * t / 2
        theta = (math.sqrt(1 + 2 * relative * t * t) - 1) / (relative * t)
        return math.log(2) - theta * t - math.log1p(-relative * theta * theta / 2) / relative

    low, high = 1e-9, 1.0
    while log_tail(high) > math.log(probability):
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if log_tail(middle) > math.log(probability) else (low, middle)
    return high


def _underflow(A: Algorithm, channels: int, d_max: float, g_max: float) -> float:
    """What underflow adds to the worst case at these magnitudes, over what it adds at 1.

    All else scales with powers of two.
    """
    d, g = (math.ldexp(1.0, math.frexp(x)[1]) for x in (d_max, g_max))
    scaled, unit = bound(A, channels, d, g).max, bound(A, channels).max
    if not (math.isfinite(scaled) and math.isfinite(unit)):
        return 0.0
    extra = scaled - unit * d * g
    return extra if extra > 1e-9 * scaled else 0.0


def _rounded_up(value: float) -> float:
    """Up to three digits, as one writes it."""
    if value <= 0 or not math.isfinite(value):
        return value
    unit = 10.0 ** (math.floor(math.log10(value)) - 2)
    rounded = float(f"{math.ceil(value / unit) * unit:.3g}")
    return rounded if rounded >= value else float(f"{(math.ceil(value / unit) + 1) * unit:.3g}")
