"""Convolution layers: the transformed filter and the geometry, held for many calls."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from kernels.arguments import Pair, as_padding, as_pair, check_array, output_size
from kernels.choice import chosen_algorithm
from kernels.generation import algorithm_module, direct_module
from kernels.host import host
from kernels.threads import run_interleaved, thread_count
from kernels.workspace import Workspace, block_tiles_for, tile_shares
from winograd import Algorithm


class Conv2d:
    """A two-dimensional convolution layer with fixed filters (a correlation, as in DNN layers).

    ::

        y[n, k, i, j] = bias[k] + sum over c, a, b of x[n, c, i + a, j + b] w[k, c, a, b]

    The filters are transformed once, here. A layer may be called from several threads at a time. The result does not
    depend on the number of threads, nor on how tiles fall into blocks.

    Parameters
    ----------
    w : ndarray, shape (K, C / groups, R, S), float32 or float64
        Filters.
    bias : ndarray, shape (K,), same dtype, optional
    stride, dilation : int or (int, int)
        Other than 1 with algorithm "direct" (or "auto", which then takes it).
    padding : int, (int, int), ((top, bottom), (left, right)), "same" or "valid"
        Zeros around the input.
    groups : int
        Groups of channels that are convolved apart; other than 1 as for stride.
    layout : "NCHW" or "NHWC", optional
        Where the channels of data and results are; filters keep their layout. Channels last are copied to planes.
    algorithm : Algorithm, "direct" or "auto"
        "direct" is the plain reference: channel, filter row, filter column, one after the other. "auto" takes a fast
        algorithm F(m, r) where there is one for the shape.
    threads : int, optional
        By default what Numba is set to.

    Raises
    ------
    ValueError, TypeError
        If shapes, dtypes or options do not fit together; see the message.

    Rounding
    --------
    As the Algorithm says, in its order, then one rounding for the bias.

    Examples
    --------
    >>> x = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
    >>> layer = Conv2d(np.ones((1, 1, 3, 3), np.float32))
    >>> layer(x).round(3)
    array([[[[45., 54.],
             [81., 90.]]]], dtype=float32)
    """

    _axes = 2
    _layouts = ("NCHW", "NHWC")

    def __init__(
        self,
        w: np.ndarray,
        bias: np.ndarray | None = None,
        stride: int | tuple[int, ...] = 1,
        padding: Any = 0,
        dilation: int | tuple[int, ...] = 1,
        groups: int = 1,
        layout: str | None = None,
        algorithm: Algorithm | str = "auto",
        threads: int | None = None,
    ) -> None:
        axes = self._axes
        if layout is not None and layout not in self._layouts:
            raise ValueError(f"layout must be one of {', '.join(self._layouts)}; got {layout!r}.")
        self.layout = layout or self._layouts[0]
        check_array(w, "w", axes + 2, "(K, C / groups, R, S)" if axes == 2 else "(K, C / groups, S)")
        if 0 in w.shape:
            raise ValueError(f"w must not be empty; got shape {w.shape}.")
        self.dtype = np.dtype(w.dtype.newbyteorder("="))
        self.filters, per_group = w.shape[:2]
        self.taps: Pair = (1, w.shape[2]) if axes == 1 else (w.shape[2], w.shape[3])
        self.stride = as_pair(stride, "stride", axes, 1)
        self.dilation = as_pair(dilation, "dilation", axes, 1)
        self.padding = as_padding(padding, axes, self.taps, self.stride, self.dilation)
        if isinstance(groups, bool) or not isinstance(groups, (int, np.integer)) or groups < 1 or self.filters % groups:
            raise ValueError(f"groups must be a positive divisor of the {self.filters} filters; got {groups!r}.")
        self.groups = int(groups)
        self.channels = per_group * self.groups
        self.bias = self._checked_bias(bias)
        self.threads = None if threads is None else thread_count(threads)
        plain = self.stride == self.dilation == (1, 1) and self.groups == 1
        self.algorithm = chosen_algorithm(algorithm, axes, self.taps, self.dtype.name, plain)
        filters = np.array(w, self.dtype, order="C").reshape(self.filters, per_group, *self.taps)  # a copy of its own
        self._spare: list[Workspace] = []
        self._lock = threading.Lock()
        if self.algorithm == "direct":
            self._filter = filters
        else:
            self._filter = self._transformed(filters)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The layer applied to a batch.

        Parameters
        ----------
        x : ndarray, shape (N, C, H, W) or as the layout says, the dtype of the filters
            N may be 0. An array that is not C-contiguous is copied first.

        Returns
        -------
        ndarray, shape (N, K, H', W') or as the layout says, same dtype
        """
        check_array(x, "x", self._axes + 2, f"({', '.join(self.layout)})")
        if self.layout == self._layouts[1]:
            return np.ascontiguousarray(np.moveaxis(self._applied(np.moveaxis(x, -1, 1)), 1, -1))
        return self._applied(x)

    def _applied(self, x: np.ndarray) -> np.ndarray:
        if x.dtype.newbyteorder("=") != self.dtype:
            raise TypeError(f"x and w must have one dtype; got {x.dtype} and {self.dtype}: convert one with astype.")
        if x.shape[1] != self.channels:
            raise ValueError(f"x must have {self.channels} channels (w's channels times groups); got {x.shape[1]}.")
        height = x.shape[2] if self._axes == 2 else 1
        size = tuple(
            output_size(length, *options)
            for length, *options in zip(
                (height, x.shape[-1]), self.taps, self.padding, self.stride, self.dilation, ("height", "width"),
                strict=True,
            )
        )
        y = np.empty((x.shape[0], self.filters, *size), self.dtype)
        if y.size:
            source = np.ascontiguousarray(x, self.dtype).reshape(x.shape[0], self.channels, height, x.shape[-1])
            if self.algorithm == "direct":
                self._run_direct(source, y)
            else:
                self._run_fast(source, y)
        return y if self._axes == 2 else y.reshape(y.shape[0], self.filters, size[1])

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.channels} -> {self.filters}, taps {self.taps[-self._axes:]}, "
            f"{self.dtype}, {self.algorithm})"
        )

    def _checked_bias(self, bias: np.ndarray | None) -> np.ndarray:
        # Padded with zeros to whole panels, so that kernels may load whole vectors of it; empty means none.
        if bias is None:
            return np.empty(0, self.dtype)
        check_array(bias, "bias", 1, "(K,)")
        if bias.dtype.newbyteorder("=") != self.dtype or bias.shape != (self.filters,):
            raise ValueError(
                f"bias must be {self.dtype} of shape ({self.filters},), one number for each filter; "
                f"got {bias.dtype} of shape {bias.shape}."
            )
        columns = host().tile(self.dtype).columns
        padded = np.zeros(-(-self.filters // columns) * columns, self.dtype)
        padded[: self.filters] = bias
        return padded

    def _transformed(self, filters: np.ndarray) -> np.ndarray:
        assert isinstance(self.algorithm, Algorithm)
        tile = host().tile(self.dtype)
        panels = -(-self.filters // tile.columns)
        products = int(np.prod(self.algorithm.n))
        U = np.empty(products * panels * self.channels * tile.columns, self.dtype)
        algorithm_module(self.algorithm).transform_filter(filters.reshape(-1), self.filters, self.channels, U)
        return U

    def _run_direct(self, x: np.ndarray, y: np.ndarray) -> None:
        run = direct_module().run_direct
        (top, _), (left, _) = self.padding

        def work(first: int, step: int) -> None:
            run(x, self._filter, self.bias, y, *self.stride, top, left, *self.dilation, self.groups, first, step)

        run_interleaved(work, min(thread_count(self.threads), y.shape[0] * y.shape[1]))

    def _run_fast(self, x: np.ndarray, y: np.ndarray) -> None:
        assert isinstance(self.algorithm, Algorithm)
        run = algorithm_module(self.algorithm).run_blocks
        images, channels, height, width = x.shape
        (top, _), (left, _) = self.padding
        threads = thread_count(self.threads)
        m0, m1 = (1, *self.algorithm.m)[-2:]
        across = -(-y.shape[3] // m1)
        tiles = images * -(-y.shape[2] // m0) * across
        shares = tile_shares(self.algorithm, tiles, threads)
        block = block_tiles_for(self.algorithm, channels, max(stop - start for start, stop in shares))
        flat_x, flat_y = x.reshape(-1), y.reshape(-1)

        def work(first: int, step: int) -> None:
            space = self._workspace(block, min(block, across))
            run(flat_x, channels, height, width, self._filter, self.filters, self.bias, flat_y, y.shape[2], y.shape[3],
                top, left, *shares[first], block, space.v_stride, *space.buffers)
            with self._lock:
                self._spare.append(space)

        run_interleaved(work, len(shares))

    def _workspace(self, block: int, run: int) -> Workspace:
        """A spare workspace that is large enough, or a new one: two threads never share one."""
        assert isinstance(self.algorithm, Algorithm)
        with self._lock:
            for position, space in enumerate(self._spare):
                if space.serves(block, run):
                    return self._spare.pop(position)
            self._spare.clear()
        return Workspace.for_layer(self.algorithm, self.channels, block, run)


class Conv1d(Conv2d):
    """A one-dimensional convolution layer with fixed filters; as `Conv2d`, without the height.

    ::

        y[n, k, j] = bias[k] + sum over c, b of x[n, c, j + b] w[k, c, b]

    Parameters
    ----------
    w : ndarray, shape (K, C / groups, S), float32 or float64
    bias, stride, padding, dilation, groups, layout, algorithm, threads
        As in `Conv2d`, for one axis: layout is "NCW" or "NWC", padding of two sides ((left, right),).

    Examples
    --------
    >>> Conv1d(np.ones((1, 1, 3)))(np.arange(6.0).reshape(1, 1, 6))
    array([[[ 3.,  6.,  9., 12.]]])
    """

    _axes = 1
    _layouts = ("NCW", "NWC")
