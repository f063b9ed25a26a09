"""What becomes of the int32 sums of a product while they are near: the output stage.

    float32     y = float32(sum factor[k] + addition[k])
    integers    q = clip(round(sum factor[k] + addition[k]) + zero_point)       round: to the nearest, ties to even
    bipolar     q = +1 where sum factor[k] + addition[k] >= 0, else -1

Product and sum are of float64, each rounded once, and so is the result, to float32 or to an integer. The sums are
integers of at most 31 bits: with no addition and a factor of at most 22 significant bits, such as a power of two, the
rounding of the result is the only one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kernels.packed.affine import Affine
from kernels.packed.weights import in_panels

__all__ = ["SUMS", "Output", "Stage"]


@dataclass(frozen=True)
class Output:
    """An output stage, as the product takes it.

    Attributes
    ----------
    number : int
        0: the sums; 1: float32; 2: integers; 3: float32 after ReLU; 4: 1 for what is not negative, else 0.
    factors, additions : ndarray of float64
        For each filter, in panels.
    low, high : int
        Where integers are clipped, before the zero point is added.
    zero : int
        The zero point.
    bits : int
        Of integers that are to be packed, else 0.
    """

    number: int
    factors: np.ndarray
    additions: np.ndarray
    low: int = 0
    high: int = 0
    zero: int = 0
    bits: int = 0

    def applied(self, sums: np.ndarray, axis: int) -> np.ndarray:
        """The stage on sums of a product that does not do it by itself: the same operations in the same formats.

        Parameters
        ----------
        sums : ndarray of int32
        axis : int
            Where the filters are; factors and additions are in their order.
        """
        if self.number == 0:
            return sums
        row = [1] * sums.ndim
        row[axis] = -1
        real = sums * self.factors.reshape(row) + self.additions.reshape(row)
        if self.number == 4:
            return (real >= 0).astype(np.int32)
        if self.number == 2:
            return np.rint(np.clip(real, self.low, self.high)).astype(np.int32) + np.int32(self.zero)
        return (np.maximum(real, 0) if self.number == 3 else real).astype(np.float32)

    @property
    def dtype(self) -> np.dtype:
        """Of the results."""
        return np.dtype(np.float32 if self.number in (1, 3) else np.int32)


SUMS = Output(0, np.zeros(1), np.zeros(1))


class Stage:
    """What a layer makes of its sums, whatever the scale of its input.

    Parameters
    ----------
    w_scales, additions : ndarray of float64, shape (K,)
    relu : bool
    target : Affine, optional
        Which has one scale; None: float32.

    Examples
    --------
    >>> stage = Stage(np.array([0.5, 2.0]), np.zeros(2), False, None)
    >>> stage.output(1, 2, 0.25).factors
    array([0.125, 0.5  ])
    """

    def __init__(self, w_scales: np.ndarray, additions: np.ndarray, relu: bool, target: Affine | None) -> None:
        self._w_scales, self._additions, self._relu, self._target = w_scales, additions, relu, target
        self._panelled: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}

    def output(self, groups: int, numbers: int, scale: float) -> Output:
        """The stage for filters in groups and in panels of so many, and an input of this scale."""
        layout = groups, numbers
        if layout not in self._panelled:
            self._panelled[layout] = self._in_panels(self._w_scales, *layout), self._in_panels(self._additions, *layout)
        w_scales, additions = self._panelled[layout]
        factors, target = scale * w_scales, self._target
        if target is None:
            return Output(3 if self._relu else 1, factors, additions)
        zero, (low, high) = int(target.zero_points), target.range
        first = max(low, zero) if self._relu else low
        return Output(
            4 if target.bipolar else 2, factors / target.scales, additions / target.scales, first - zero, high - zero,
            zero, target.bits,
        )

    @staticmethod
    def _in_panels(values: np.ndarray, groups: int, numbers: int) -> np.ndarray:
        return in_panels(values.reshape(groups, -1), numbers, np.float64).reshape(-1)
