"""Whether a result is right: float64 beside it, and how far it may be off."""

from __future__ import annotations

import importlib.util
import math
from typing import Any

import numpy as np

import error_analysis as ea
import kernels
import winograd as wg
from convolution.shape import Shape

UNIT_ROUNDOFF = 2.0**-24


class WrongResult(Exception):
    """A contestant computed something else than the convolution."""


def drawn(shape: Shape, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """Data (N, C, *size) and filters (K, C / groups, *taps), uniform on [-1, 1], the same in every run."""
    generator = np.random.default_rng([batch, shape.channels, shape.filters, *shape.size, *shape.taps])
    sizes = (batch, shape.channels, *shape.size), (shape.filters, shape.channels // shape.groups, *shape.taps)
    x, w = (generator.uniform(-1, 1, size).astype(np.float32) for size in sizes)
    return x, w


def in_float64(x: np.ndarray, w: np.ndarray, shape: Shape) -> np.ndarray:
    """The convolution in float64, by PyTorch where it is installed, else by this library's reference."""
    x, w = x.astype(np.float64), w.astype(np.float64)
    options: dict[str, Any] = {"stride": shape.stride, "padding": shape.padding, "groups": shape.groups}
    if importlib.util.find_spec("torch"):
        import torch

        convolve = torch.nn.functional.conv2d if shape.dims == 2 else torch.nn.functional.conv1d
        with torch.no_grad():
            return convolve(torch.from_numpy(x), torch.from_numpy(w), **options).numpy()
    own = kernels.conv2d if shape.dims == 2 else kernels.conv1d
    return own(x, w, algorithm="direct", **options)


class Judge:
    """The exact result for one input, and what each kind of algorithm may err.

    Parameters
    ----------
    x, w : ndarray
        As `drawn` gives them.
    shape : Shape
    """

    def __init__(self, x: np.ndarray, w: np.ndarray, shape: Shape) -> None:
        self.shape = shape
        self.exact = in_float64(x, w, shape)
        # |sum of x w, in any order, with or without fma - exact| <= n u / (1 - n u) times the sum of |x w|.
        # One unit more: the exact result is itself rounded, in float64.
        growth = (shape.terms + 1) * UNIT_ROUNDOFF
        self._direct = growth / (1 - growth) * in_float64(np.abs(x), np.abs(w), shape)

    def allowed(self, algorithm: object) -> np.ndarray:
        """How far each output may be off.

        - An Algorithm: its tolerance (`error_analysis.tolerance`, never above its worst case), for these uniform data;
          one correct result in a million exceeds it.
        - "direct" and "im2col": n u / (1 - n u) times the sum of |x w|, n products in any order.
        - "spread": the same with the largest of these sums, for algorithms whose errors spread over an image (FFT).
        """
        if isinstance(algorithm, wg.Algorithm):
            channels = self.shape.channels // self.shape.groups * filter_parts(algorithm, self.shape)
            tolerance = ea.tolerance(algorithm, channels, outputs=self.exact.size)
            return tolerance.atol + tolerance.rtol * np.abs(self.exact)
        if algorithm in ("direct", "im2col"):
            return self._direct
        return np.full_like(self._direct, self._direct.max())

    def error(self, who: str, result: np.ndarray, algorithm: object) -> tuple[float, float]:
        """Largest and mean |result - exact|.

        Raises
        ------
        WrongResult
            If the result has another shape, holds a NaN, or is off by more than its algorithm may be.
        """
        if result.shape != self.exact.shape:
            raise WrongResult(f"{who} on {self.shape}: shape {result.shape} in place of {self.exact.shape}.")
        errors = np.abs(result - self.exact)
        excess = errors / self.allowed(algorithm)
        if not np.all(excess <= 1):  # a NaN is no smaller
            at = np.unravel_index(np.argmax(np.where(np.isnan(excess), np.inf, excess)), excess.shape)
            raise WrongResult(
                f"{who} on {self.shape}: output {tuple(int(i) for i in at)} is {result[at]:.9g} in place of "
                f"{self.exact[at]:.9g}, off by {errors[at]:.3g}; {self.allowed(algorithm)[at]:.3g} is allowed "
                f"for {algorithm}."
            )
        return float(errors.max()), float(errors.mean())


def filter_parts(algorithm: wg.Algorithm, shape: Shape) -> int:
    """How many filters of the Algorithm one filter of the layer is made of: 1, or more where a stride splits it."""
    fitted = sorted((*algorithm.r, *[1] * (shape.dims - algorithm.dims)))
    return math.prod(-(-taps // r) for taps, r in zip(sorted(shape.taps), fitted, strict=True))


def speed_limit(algorithm: object, shape: Shape) -> float | None:
    """How many times as fast as direct convolution at the sgemm rate the algorithm can be: m^2 r^2 / n^2, or 1.

    Its products alone count, at the speed of a matrix product. None where products are no matrix product (groups), or
    where the algorithm has no such limit (FFT).
    """
    if not shape.is_dense:
        return None
    if isinstance(algorithm, wg.Algorithm):
        products = math.prod(algorithm.n) * filter_parts(algorithm, shape)
        return math.prod(algorithm.m) * math.prod(shape.taps) / products
    return None if algorithm == "fft" else 1.0
