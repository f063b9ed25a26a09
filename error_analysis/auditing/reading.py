"""Reading numbers that others rounded: the fraction or the surd that a float came from."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import sympy

from winograd import FORMATS, BinaryFormat
from winograd.exact import Exact, exact, magnitude, to_sympy

CLEAR = 100
"""A reading is clear if the next fraction that rounds alike has a denominator so many times larger.

Of numbers drawn at random about one in a hundred passes; a fraction that somebody typed passes by a wide margin."""

_SURD_LIMIT = 12
_RADICANDS = (2, 3, 5, 6, 7, 10, 11, 13)
# More digits than the first are what a machine printed; more than the second tell the double itself.
_MOST_TYPED_DIGITS, _MOST_DIGITS = 12, 16
_FEWEST_DIGITS = 4
# So many digits tell any two floats apart, or nearly: fewer are no print of a float.
_DIGITS_OF_FLOAT32, _DIGITS_OF_FLOAT64 = 7, 15


@dataclass(frozen=True)
class Reading:
    """What a number was read as.

    Attributes
    ----------
    given : str
        The number as it was given.
    value : Fraction or sympy.Expr
        What it was read as.
    how : str
        "exact", or the format it was rounded to: "float32", "float64", "7 digits", ...
    margin : float
        How many times larger the next denominator is that would also do; infinite where nothing was rounded.
    source : number or str
        The very thing that was given.
    """

    given: str
    value: Exact
    how: str
    margin: float
    source: Any = field(default=None, repr=False, compare=False)

    @property
    def clear(self) -> bool:
        """Whether no other simple number rounds alike."""
        return self.margin >= CLEAR

    def __str__(self) -> str:
        if self.how == "exact":
            return f"{self.given}, exactly"
        doubt = "" if self.clear else ", in doubt"
        return f"{self.given} as {self.value} ({self.how}{doubt})"


def read_number(given: Any, surds: bool = True) -> Reading:
    """The exact number that a float most likely came from.

    A float stands for every number that rounds to it. Read is the fraction of the smallest denominator among these;
    if that is no smaller than chance would make it, a square root of a fraction or a quadratic surd (a + b sqrt(d)) / e
    with small coefficients. A double may have been a float32 before, or a decimal of a few digits: the format whose
    reading stands out most is taken.

    Parameters
    ----------
    given : number or str
        Integers, fractions, SymPy numbers and text such as "2/9" or "sqrt(2)" are exact. NumPy floats of 16 and 32 bits
        were rounded to their own format, floats of 64 bits to float64, float32 or decimals. Text that is a decimal
        of 4 digits or more, as in "0.2222222", was rounded to these digits, or cut off after them.
    surds : bool
        Whether a float may be read as an irrational number.

    Returns
    -------
    Reading

    Raises
    ------
    ValueError
        If the number is not finite or the text is none.
    TypeError
        If it is no number at all.

    Rounding
    --------
    None: exact; what is read rounds to what was given.

    Examples
    --------
    >>> print(read_number(0.2222222))
    0.2222222 as 2/9 (7 digits)
    >>> print(read_number(np.float32(0.7)))
    0.7 as 7/10 (float32)
    >>> print(read_number(2**0.5 / 2))
    0.7071067811865476 as sqrt(2)/2 (float64)
    """
    rounded = _rounded(given)
    if rounded is None:
        return Reading(str(given), exact(given), "exact", math.inf)
    value, candidates = rounded
    # A whole number is itself, and so is a half or a quarter: nothing simpler can round to them. And four digits that
    # end just where a multiple of 1/16 does are no accident.
    if value.denominator <= 4 or (isinstance(given, str) and value.denominator & (value.denominator - 1) == 0):
        return Reading(str(given), value, "exact", math.inf)
    best: Reading | None = None
    if isinstance(given, float) and len(candidates) > 1 and _digits(repr(given)) <= _MOST_TYPED_DIGITS:
        # A double that prints as a decimal of few digits was typed as such: that it is near the fraction which this
        # decimal spells says nothing.
        best = _standing_out([_simplest_reading(str(given), *candidate) for candidate in candidates[1:]])
    if best is None or not best.clear:
        readings = [_simplest_reading(str(given), *candidate) for candidate in candidates]
        if not isinstance(given, str):
            # The numerator is odd, as the denominator is a power of two. Of 2^k floats one ends in k zero bits.
            spare_bits = FORMATS[candidates[0][0]].precision - abs(value.numerator).bit_length()
            whole = Reading(str(given), value, "exact", 2.0**spare_bits)
            readings += [whole] if whole.clear else []
            readings += _typed(given)
        best = _standing_out(readings)
    if surds and not best.clear:
        roots = [found for candidate in candidates if (found := _surd_reading(str(given), value, *candidate))]
        best = _standing_out([best, *roots])
    # 1/8 is what it is in every format: nothing was rounded.
    return Reading(best.given, value, "exact", math.inf) if best.clear and best.value == value else best


def rounds_to(value: Exact, given: Any) -> bool:
    """Whether a number is one that `given` may have been rounded from, in some format.

    Examples
    --------
    >>> rounds_to(Fraction(2, 9), 0.2222222), rounds_to(Fraction(2, 9), 0.2222223)
    (True, False)
    """
    rounded = _rounded(given)
    if rounded is None:
        return bool(exact(given) == value)
    number = value if isinstance(value, Fraction) else Fraction(str(sympy.N(value, 60)))
    return any(low <= number <= high for _, low, high in rounded[1])


def simplest_between(low: Fraction, high: Fraction) -> Fraction:
    """The fraction of the smallest denominator strictly between two numbers (and of these the nearest to zero).

    Source
    ------
    The Stern-Brocot tree; Graham, Knuth, Patashnik, Concrete Mathematics, section 4.5.

    Examples
    --------
    >>> simplest_between(Fraction(22, 100), Fraction(23, 100))
    Fraction(2, 9)
    """
    if not low < high:
        raise ValueError(f"low must be below high; got {low} and {high}.")
    if low < 0 < high:
        return Fraction(0)
    if high <= 0:
        return -simplest_between(-high, -low)
    # Continued fractions: the first term in which the two differ ends the fraction.
    terms = []
    while True:
        whole = math.floor(low)
        if whole + 1 < high:
            terms.append(whole + 1)
            break
        terms.append(whole)
        if low == whole:  # strictly above whole, at most whole + 1: whole + 1/k for the smallest k that will do
            terms.append(math.floor(1 / (high - whole)) + 1)
            break
        low, high = 1 / (high - whole), 1 / (low - whole)
    value = Fraction(terms.pop())
    while terms:
        value = terms.pop() + 1 / value
    return value


def _rounded(given: Any) -> tuple[Fraction, list[tuple[str, Fraction, Fraction]]] | None:
    """The value of a float or a long decimal, and (format, low, high) for each rounding it may have gone through.

    None for numbers that are exact.
    """
    if isinstance(given, str):
        decimal = _decimal(given)
        return None if decimal is None else (decimal[0], _of_decimal(given))
    if not (isinstance(given, (float, np.floating)) or type(given).__module__.startswith("ml_dtypes")):
        return None
    value = exact(given)
    assert isinstance(value, Fraction)
    name = np.asarray(given).dtype.name
    if name != "float64":
        return value, [(name, *rounding_interval(value, FORMATS[name]))]
    # A double that is a float32 was one: the zeros at its end are no sign of a short fraction.
    name = "float32" if FORMATS["float32"].nearest(value) == value else "float64"
    found = [(name, *rounding_interval(value, FORMATS[name]))]
    text = repr(float(given))
    most_digits = _MOST_DIGITS if name == "float64" else _MOST_TYPED_DIGITS
    return value, found + (_of_decimal(text) if _decimal(text) is not None and _digits(text) <= most_digits else [])


_DECIMAL = re.compile(r"\s*([+-]?)(\d*)\.(\d*)(?:[eE]([+-]?\d{1,3}))?\s*")


def _decimal(text: str) -> tuple[Fraction, Fraction] | None:
    """A decimal of several digits, and the unit of its last one; None for any other text."""
    match = _DECIMAL.fullmatch(text)
    if match is None or not match[2] + match[3]:
        return None
    digits = (match[2] + match[3]).lstrip("0")
    if len(digits) < _FEWEST_DIGITS or int(match[3] or 0) == 0:
        return None
    unit = Fraction(10) ** (int(match[4] or 0) - len(match[3]))
    return int(match[1] + match[2] + match[3]) * unit, unit


def _digits(text: str) -> int:
    match = _DECIMAL.fullmatch(text)
    return len((match[2] + match[3]).lstrip("0")) if match else 0


def _of_decimal(text: str) -> list[tuple[str, Fraction, Fraction]]:
    """A decimal may have been rounded to its digits, or be the print of a float that was rounded before."""
    decimal = _decimal(text)
    assert decimal is not None
    value, unit = decimal
    digits = _digits(text)
    # Rounded or cut off; 16 digits of a double were rounded once before they were printed.
    toward_zero = unit / 2 if digits < _MOST_DIGITS else unit
    below, above = (toward_zero, unit) if value > 0 else (unit, toward_zero)
    found = [(f"{digits} digits", value - below, value + above)]
    for name, fewest in (("float32", _DIGITS_OF_FLOAT32), ("float64", _DIGITS_OF_FLOAT64)):
        nearest = FORMATS[name].nearest(value)
        if digits >= fewest and nearest is not None and abs(nearest - value) <= unit / 2:
            found.append((name, *rounding_interval(nearest, FORMATS[name])))
    return found


def rounding_interval(value: Fraction, fmt: BinaryFormat) -> tuple[Fraction, Fraction]:
    """The open interval of the numbers that round to nearest to a number of this format.

    Examples
    --------
    >>> low, high = rounding_interval(Fraction(1), FORMATS["float16"])
    >>> (1 - low) * 2**12, (high - 1) * 2**11
    (Fraction(1, 1), Fraction(1, 1))
    """
    if value < 0:
        low, high = rounding_interval(-value, fmt)
        return -high, -low
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    if value < Fraction(2) ** exponent:
        exponent -= 1
    half = Fraction(2) ** (max(exponent, fmt.smallest_exponent) - fmt.precision)
    below = half / 2 if value == Fraction(2) ** exponent and exponent > fmt.smallest_exponent else half
    return value - below, value + half


def _typed(given: Any) -> list[Reading]:
    """A float32 that prints as a decimal of a few digits, of the seven it has, was typed as such."""
    text = str(given)
    spare_digits = 7 - _digits(text)
    if not (isinstance(given, np.float32) and _digits(text) > 0 and 10.0**spare_digits >= CLEAR):
        return []
    return [Reading(text, Fraction(text), "float32", 10.0**spare_digits)]


def _standing_out(readings: list[Reading]) -> Reading:
    return max(readings, key=lambda reading: reading.margin)


def _simplest_reading(given: str, how: str, low: Fraction, high: Fraction) -> Reading:
    first = simplest_between(low, high)
    others = (simplest_between(low, first), simplest_between(first, high))
    margin = min(other.denominator for other in others) / first.denominator
    return Reading(given, first, how, float(margin))


def _surd_reading(given: str, value: Fraction, how: str, low: Fraction, high: Fraction) -> Reading | None:
    """A square root of a simple fraction, else a quadratic surd with small coefficients; None where there is none."""
    low, high = (low, high) if value > 0 else (-high, -low)
    if low > 0:
        square = _simplest_reading(given, how, low * low, high * high)
        root = sympy.sqrt(to_sympy(square.value))
        if square.clear and not root.is_Rational:
            return Reading(given, exact(root if value > 0 else -root), how, square.margin)
    # x e = a + b sqrt(d): for every a, d and e at most one b comes near.
    number, width = float(abs(value)), float(high - low)
    found = []
    for a, d, e in product(range(-_SURD_LIMIT, _SURD_LIMIT + 1), _RADICANDS, range(1, _SURD_LIMIT + 1)):
        b = round((number * e - a) / math.sqrt(d))
        near = abs(number * e - a - b * math.sqrt(d)) <= max(width, 1e-15) * e
        if not (0 < abs(b) <= _SURD_LIMIT and near):
            continue
        surd = (a + b * sympy.sqrt(d)) / sympy.Integer(e)
        if low < magnitude(exact(surd)) < high:
            found.append(((abs(a) + abs(b) + e, d), surd))
    if not found:
        return None
    surd = min(found)[1]
    # So many surds were tried; each meets an interval of this width by chance with a probability of about its width.
    tried = (2 * _SURD_LIMIT + 1) * len(_RADICANDS) * _SURD_LIMIT
    return Reading(given, exact(surd if value > 0 else -surd), how, 1 / (tried * width))


def read_matrix(entries: Any, name: str) -> list[list[Reading]]:
    """Every entry of a matrix read by `read_number`.

    Parameters
    ----------
    entries : nested sequence, NumPy array or SymPy matrix
    name : str
        For messages.

    Raises
    ------
    ValueError
        If it is no matrix, or an entry is no finite number; the entry is named.
    """
    if isinstance(entries, sympy.MatrixBase):
        entries = entries.tolist()
    if isinstance(entries, np.ndarray) and entries.ndim == 2:
        rows: list[list[Any]] = [[entries[i, j] for j in range(entries.shape[1])] for i in range(entries.shape[0])]
    else:
        try:
            rows = [list(row) for row in _sequence(entries)]
        except TypeError:
            raise ValueError(f"{name} must be a matrix: rows of numbers; got {type(entries).__name__}.") from None
    if not rows or not rows[0] or any(len(row) != len(rows[0]) for row in rows):
        raise ValueError(f"{name} must be a matrix with at least one entry and rows of one length.")
    readings: list[list[Reading]] = []
    for i, row in enumerate(rows):
        readings.append([])
        for j, entry in enumerate(row):
            try:
                readings[-1].append(replace(read_number(entry), source=entry))
            except (ValueError, TypeError) as error:
                raise ValueError(f"{name}[{i}, {j}]: {error}") from None
    return readings


def _sequence(entries: Any) -> Iterable[Any]:
    if isinstance(entries, (str, bytes)) or any(isinstance(row, (str, bytes)) for row in entries):
        raise TypeError
    return entries


def radicand(value: Exact) -> sympy.Integer | None:
    """The number under the root of a quadratic surd; None for a fraction.

    Examples
    --------
    >>> radicand(exact("sqrt(8)/3")), radicand(exact("1/3"))
    (2, None)
    """
    roots = set() if isinstance(value, Fraction) else value.atoms(sympy.Pow)
    return min((root.base for root in roots), default=None)
