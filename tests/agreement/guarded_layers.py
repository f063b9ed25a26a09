"""Runs layers with every buffer against an inaccessible page; `test_guard_pages.py` starts it.

    python guarded_layers.py after | before SEED LAYERS
    python guarded_layers.py after | before overrun

A guarded buffer lies in pages of its own, with one that faults when touched on either side; "after": its last byte is
the last before the one, "before": its first is the first after the other. Fresh memory holds NaN, and so would a result
that depends on it. Every other layer runs with a schedule of its own, for small layers have few. Each layer is said
before it runs, so that the last line names the one that faulted.
"""

import ctypes
import math
import mmap
import sys
from dataclasses import replace

import numpy as np

import kernels.depthwise
import kernels.direct
import kernels.layer
import kernels.tiled
import kernels.workspace
import winograd as wg
from kernels import Conv1d, Conv2d, Conv3d
from kernels.calling import told
from kernels.choice import candidates

LAYERS = {1: Conv1d, 2: Conv2d, 3: Conv3d}
LAYOUTS = {1: ("NCW", "NWC"), 2: ("NCHW", "NHWC"), 3: ("NCDHW", "NDHWC")}
PAGE = mmap.PAGESIZE
NO_ACCESS = 0
PIXELS, PLANES = kernels.direct.pixels_schedule, kernels.direct.planes_schedule
DEPTHWISE = kernels.depthwise.depthwise_pixels_schedule
DEPTHWISE_PLANES = kernels.depthwise.depthwise_planes_schedule
TILED = kernels.tiled.tiled_schedule

# Taps, stride and dilation of depthwise layers, rows and columns: each is compiled, for either layout, and along a line
# once more. They are those of other tests too.
DEPTHWISE_KINDS = (((3, 3), (1, 1), (1, 1)), ((3, 3), (2, 2), (1, 1)), ((2, 2), (1, 1), (3, 3)),
                   ((2, 2), (1, 3), (1, 1)), ((5, 6), (2, 1), (3, 1)))
LINE_KINDS = (((3,), (1,), (1,)), ((2,), (2,), (3,)))

libc = ctypes.CDLL(None, use_errno=True)
libc.mprotect.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int


class Guard:
    """Makes guarded buffers."""

    def __init__(self, side):
        self.side = side
        self.made = 0

    def memory(self, nbytes):
        """A guarded buffer of so many bytes, as uint8; the mapping lives as long as arrays that look at it."""
        pages = max(1, -(-nbytes // PAGE))
        mapping = mmap.mmap(-1, (pages + 2) * PAGE)
        whole = np.frombuffer(mapping, np.uint8)
        for page in (0, pages + 1):
            if libc.mprotect(whole.ctypes.data + page * PAGE, PAGE, NO_ACCESS):
                raise OSError(ctypes.get_errno(), "mprotect failed")
        self.made += 1
        start = (pages + 1) * PAGE - nbytes if self.side == "after" else PAGE
        return whole[start : start + nbytes]

    def empty(self, shape, dtype=np.float64):
        """A guarded array whose numbers are NaN, or far too large."""
        dtype = np.dtype(dtype)
        shape = shape if isinstance(shape, tuple) else (shape,)
        array = self.memory(math.prod(shape) * dtype.itemsize).view(dtype)
        array[...] = np.nan if dtype.kind == "f" else 2**60
        return array.reshape(shape)

    def copy(self, array):
        """A guarded copy with the same strides: its memory ends with its last element."""
        steps = [step // array.itemsize for step in array.strides]
        span = 1 + sum((n - 1) * step for n, step in zip(array.shape, steps, strict=True))
        strided = np.lib.stride_tricks.as_strided(self.empty(span, array.dtype), array.shape, array.strides)
        strided[...] = array
        return strided


class GuardedNumpy:
    """What a module sees as np: the arrays that it makes are guarded."""

    def __init__(self, guard):
        self.guard = guard
        self.empty = guard.empty

    def __getattr__(self, name):
        return getattr(np, name)

    def zeros(self, shape, dtype=float):
        array = self.guard.empty(shape, dtype)
        array[...] = 0
        return array

    def array(self, values, dtype, order):
        return self.guard.copy(np.array(values, dtype, order=order))

    def ascontiguousarray(self, values, dtype=None):
        return self.guard.copy(np.ascontiguousarray(values, dtype))


def guarded_workspace(guard):
    class GuardedWorkspace:
        def __init__(self, nbytes):
            self.nbytes = nbytes

        def buffers(self, sizes, dtype, integers=0):
            kinds = [(size, dtype) for size in sizes] + ([(integers, "int64")] if integers else [])
            return tuple(guard.empty(size, kind) for size, kind in kinds)

        def told(self, *kinds):
            self.kept = self.buffers(*kinds)
            return told(self.kept)

    return GuardedWorkspace


def algorithms():
    """One for each number of axes and dtype, and one for phases of a stride; all of them taken by other tests too."""
    f43 = wg.toom_cook(4, 3, [0, -1, 1, "1/2", -2, wg.INF])
    plane = wg.Algorithm(f43, dims=2, passes=("share", "factor"), fma=True, filter_dtype="float64")
    yield plane
    yield wg.Algorithm(f43, passes=("share", "factor"), fma=True, filter_dtype="float64")
    yield next(candidates(2, (3, 3), (2, 2), (1, 1), "float32"))
    f23 = wg.toom_cook(2, 3, [0, 1, -1, wg.INF])
    yield wg.Algorithm((wg.toom_cook(2, 2, [0, 1, wg.INF]), f23, f43), fma=True)
    yield wg.Algorithm(f23, dims=2, channel_sum="pairwise", channel_block=4, dtype="float64")


def drawn(rng, fast):
    """A random layer: x in the layout, w and the options."""
    A = fast[rng.integers(len(fast))] if rng.random() < 0.5 else "direct"
    axes = int(rng.choice([1, 2, 2, 2, 3])) if A == "direct" else A.dims
    dtype = rng.choice(["float32", "float64"]) if A == "direct" else A.dtype
    depthwise = A == "direct" and rng.random() < 0.4
    options = {"bias": None, "relu": bool(rng.integers(2)), "threads": int(rng.integers(1, 3))}
    if depthwise:
        kinds, dtype = DEPTHWISE_KINDS if axes > 1 else LINE_KINDS, "float32"
        taps, stride, dilation = ((*rng.integers(1, 4, 1), *each)[-axes:] for each in kinds[rng.integers(len(kinds))])
        groups, channels, filters = int(rng.choice([2, 5, 16, 17, 32, 37, 64])), 1, int(rng.integers(1, 3))
    else:
        groups, channels = int(rng.choice([1, 1, 1, 2, 3])), int(rng.choice([1, 3, 4, 8, 15, 16, 17, 32, 33, 65]))
        groups = groups if channels > 1 else 1
        filters = int(rng.choice([1, 3, 8, 15, 16, 17, 31, 32, 33, 48, 49, 70]))
        stride = dilation = (1,) * axes
        if A == "direct":
            taps = tuple(rng.integers(1, 5, axes))
            stride, dilation = (tuple(rng.choice([1, 1, 1, 2, 3], axes)) for _ in range(2))
            if rng.random() < 0.25:
                taps = (1,) * axes
        else:
            taps = A.r
            if rng.random() < 0.3:
                dilation = tuple(rng.integers(1, 4, axes))
            elif rng.random() < 0.5:
                stride = tuple(rng.integers(1, 3, axes))
                taps = tuple(r * s - rng.integers(0, s) for r, s in zip(A.r, stride, strict=True))
    taps, stride, dilation = ([int(v) for v in values] for values in (taps, stride, dilation))
    most = {1: 60, 2: 17, 3: 7}[axes]
    padding = tuple((int(a), int(b)) for a, b in rng.integers(0, 4, (axes, 2)))
    if rng.random() < 0.4:
        padding = ((0, 0),) * axes
    reach = [(r - 1) * d + 1 - sum(p) for r, d, p in zip(taps, dilation, padding, strict=True)]
    size = [int(rng.integers(max(1, n), max(1, n) + rng.integers(1, most))) for n in reach]
    shape = (int(rng.integers(1, 3)), groups * channels, *size)
    w = rng.uniform(-1, 1, (groups * filters, channels, *taps)).astype(dtype)
    if rng.random() < 0.5:
        options["bias"] = rng.uniform(-1, 1, len(w)).astype(dtype)
    options |= {"stride": tuple(stride), "dilation": tuple(dilation), "padding": padding, "groups": groups,
                "algorithm": A, "layout": LAYOUTS[axes][rng.integers(2)]}
    return placed(rng, shape, dtype, options["layout"]), w, options


def placed(rng, shape, dtype, layout):
    """x in its layout, with the memory of either layout, or a part of a larger array, as it may come from elsewhere."""
    kind = rng.integers(4)
    if kind == 0:  # more columns or channels in memory than are read
        larger = [n + int(rng.integers(0, 4)) for n in shape]
        x = rng.uniform(-1, 1, larger).astype(dtype)[tuple(map(slice, shape))]
    else:
        x = rng.uniform(-1, 1, shape).astype(dtype)
    last = kind == 1 or (kind == 2 and layout[1] != "C")
    if last:
        x = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
    return x if layout[1] == "C" else np.moveaxis(x, 1, -1)


def reschedule(rng):
    """The schedules become any that there could be, or stay as they are."""
    rows, columns, parts, block = (int(n) for n in (*rng.integers(1, 9, 2), rng.integers(1, 4), rng.integers(1, 40)))

    def direct(actual):
        def schedule(problem, *arguments):
            return replace(actual(problem, *arguments), rows=min(rows, problem.out[1]),
                           columns=min(columns, problem.out[2]), parts=parts)

        return schedule

    def planes(problem):  # for any problem that it can take, or for none
        return replace(direct(PLANES)(problem), parts=min(parts, problem.filters), cost=0 if rows % 2 else math.inf)

    def tiled(problem, algorithm):
        counts = kernels.tiled.tile_counts(problem, kernels.tiled.triple(algorithm.m))
        tiles = problem.images * math.prod(problem.dilation) * math.prod(counts)
        return replace(TILED(problem, algorithm), block=min(block, tiles), parts=parts)

    own = rng.integers(2)
    kernels.direct.pixels_schedule = direct(PIXELS) if own else PIXELS
    kernels.direct.planes_schedule = planes if own else PLANES
    kernels.depthwise.depthwise_pixels_schedule = direct(DEPTHWISE) if own else DEPTHWISE
    kernels.depthwise.depthwise_planes_schedule = direct(DEPTHWISE_PLANES) if own else DEPTHWISE_PLANES
    kernels.tiled.tiled_schedule = tiled if own else TILED
    return f"own schedule {rows} {columns} {parts} {block}" if own else "usual schedule"


def run(side, seed, count):
    rng = np.random.default_rng(seed)
    cases = [drawn(rng, list(algorithms())) for _ in range(count)]
    plain = [LAYERS[x.ndim - 2](w, **options)(x) for x, w, options in cases]
    guard = Guard(side)
    kernels.workspace._spare.clear()
    kernels.workspace.Workspace = guarded_workspace(guard)
    kernels.layer.aligned_empty = guard.empty
    kernels.layer.np = kernels.direct.np = kernels.depthwise.np = kernels.tiled.np = GuardedNumpy(guard)
    for (x, w, options), want in zip(cases, plain, strict=True):
        kernels.workspace._spare.clear()
        told = {name: str(value) for name, value in options.items() if name != "bias"}
        print(f"x {x.shape} steps {[s // x.itemsize for s in x.strides]}, w {w.shape} {w.dtype}, "
              f"bias {options['bias'] is not None}, {told}, {reschedule(rng)}", flush=True)
        y = LAYERS[x.ndim - 2](w, **options)(guard.copy(x))
        np.testing.assert_array_equal(y, want)
    print(f"all {count} layers in {guard.made} buffers", flush=True)


def overrun(side):
    """One byte too far, to see that a guard does its work."""
    buffer = Guard(side).memory(100)
    print(buffer[0] + buffer[-1], flush=True)
    beyond = ctypes.c_uint8.from_address(buffer.ctypes.data + (100 if side == "after" else -1))
    print(beyond.value, flush=True)


if __name__ == "__main__":
    if sys.argv[2] == "overrun":
        overrun(sys.argv[1])
    else:
        run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
