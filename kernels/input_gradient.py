"""The gradient with respect to the input, as forward convolutions with stride 1.

A convolution with stride s and dilation d has y[i] = sum over a of x[s i + d a - p] w[a]. So dx[t] collects dy[i] w[a]
from all i, a with s i + d a = t + p. With t + p = s q + phase, for each of the s phases::

    d a = phase (mod s)                 the taps of this phase: a = a_0, a_0 + s/g, a_0 + 2 s/g, ...; g = gcd(s, d)
    i = q - (d a - phase) / s           taps follow each other d/g apart in dy, backwards

so that every phase of dx is a convolution of dy with the phase's taps, reversed, stride 1 and dilation d/g. A phase
without taps (where g does not divide it) is zero. Several axes have the product of their phases.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kernels.arguments import Sides, Sizes

Forward = Callable[[np.ndarray, np.ndarray, Sides, Sizes], np.ndarray]
"""A convolution with stride 1: (x, w, padding, dilation) -> y, with the layout and the groups already bound."""


@dataclass(frozen=True)
class Phase:
    """One phase of dx along one axis: dx[written] is the convolution of dy[read] with w[taps].

    Attributes
    ----------
    written, read, taps : slice
        The taps run backwards.
    padding : (before, after)
    dilation : int
    """

    written: slice
    read: slice
    taps: slice
    padding: tuple[int, int]
    dilation: int


def phases(length: int, outputs: int, taps: int, stride: int, before: int, dilation: int) -> list[Phase]:
    """The phases along an axis that are not all zeros.

    Parameters
    ----------
    length, outputs, taps : int
        Of the forward convolution's input, output and filter.
    stride, before, dilation : int
        Of the forward convolution; `before` is its padding on the first side.

    Examples
    --------
    >>> for phase in phases(length=6, outputs=3, taps=3, stride=2, before=1, dilation=1):
    ...     print(phase.written, phase.read, phase.taps, phase.padding)
    slice(1, 6, 2) slice(0, 3, None) slice(2, None, -2) (0, 1)
    slice(0, 6, 2) slice(0, 3, None) slice(1, 0, -2) (0, 0)
    """
    shared = math.gcd(stride, dilation)
    step, spacing = stride // shared, dilation // shared
    found = []
    for phase in range(0, stride, shared):
        first_tap = next(a for a in range(step) if (a * dilation - phase) % stride == 0)
        count = len(range(first_tap, taps, step))
        first_q = -(-(before - phase) // stride)
        first_t = first_q * stride + phase - before
        results = len(range(first_t, length, stride))
        if not count or not results:
            continue
        last_tap = first_tap + (count - 1) * step
        # What the first result reads with the last tap, and what the last one reads with the first, in dy or beside it.
        low = first_q - (last_tap * dilation - phase) // stride
        high = low + results - 1 + (count - 1) * spacing
        read = slice(max(low, 0), min(high + 1, outputs))
        if read.start >= read.stop:
            continue
        found.append(
            Phase(
                slice(first_t, length, stride),
                read,
                slice(last_tap, first_tap - 1 if first_tap else None, -step),
                (read.start - low, high + 1 - read.stop),
                spacing,
            )
        )
    return found


def input_gradient(
    dy: np.ndarray,
    w: np.ndarray,
    lengths: Sizes,
    stride: Sizes,
    padding: Sides,
    dilation: Sizes,
    groups: int,
    channels_last: bool,
    forward: Forward,
) -> np.ndarray:
    """dx, through `forward`; the arguments are checked already.

    Parameters
    ----------
    dy : ndarray, shape (N, K, *outputs), or (N, *outputs, K) with channels_last
    w : ndarray, shape (K, C / groups, *taps)
    lengths : tuple of int
        The spatial size of x.
    stride, dilation : tuple of int, one for each axis
    padding : tuple of (before, after), one for each axis
    groups : int
    channels_last : bool
    forward : Forward

    Returns
    -------
    ndarray, shape (N, C, *lengths), or (N, *lengths, C)
    """
    axes, (filters, per_group), taps = len(lengths), w.shape[:2], w.shape[2:]
    # Each group's filters with input and output channels swapped: (C, K / groups, *taps).
    swapped = w.reshape(groups, filters // groups, per_group, *taps).swapaxes(1, 2)
    swapped = swapped.reshape(groups * per_group, filters // groups, *taps)
    start = 1 if channels_last else 2
    outputs = dy.shape[start : start + axes]
    by_axis = [
        phases(*option)
        for option in zip(lengths, outputs, taps, stride, (p for p, _ in padding), dilation, strict=True)
    ]
    plain = all(s == 1 for s in stride) and all(by_axis)
    shape = [dy.shape[0], *lengths]
    shape.insert(1 + axes if channels_last else 1, swapped.shape[0])
    before = (slice(None),) * start
    dx = None if plain else np.zeros(shape, dy.dtype)
    for combination in itertools.product(*by_axis):
        part = forward(
            dy[*before, *(phase.read for phase in combination)],
            np.ascontiguousarray(swapped[:, :, *(phase.taps for phase in combination)]),
            tuple(phase.padding for phase in combination),
            tuple(phase.dilation for phase in combination),
        )
        if dx is None:
            return part
        dx[*before, *(phase.written for phase in combination)] = part
    assert dx is not None  # stride 1 has one phase along each axis, and where it is zero, dx was made
    return dx
