"""No kernel reads or writes beside its arrays: each of them lies next to a page that ends the process when touched."""

import multiprocessing
import traceback

import numpy as np
import pytest

import winograd as wg
from kernels import Conv1d, Conv2d, Conv3d, layer, problem

T23 = wg.toom_cook(2, 3, [0, 1, -1, wg.INF])
T43 = wg.toom_cook(4, 3, [0, 1, -1, "1/2", -2, wg.INF])
F43 = wg.Algorithm(T43, dims=2, passes=("share", "factor"), fma=True)
F23_BOX = wg.Algorithm(T23, dims=3, passes=("share", "factor"), fma=True)
F32 = wg.Algorithm(wg.toom_cook(3, 2, [0, 1, -1, wg.INF]), dims=2, passes=("share", "factor"), fma=True)

CASES = [  # layer, channels, filters, size, taps, options
    (Conv2d, 17, 33, (9, 13), (3, 3), {"algorithm": F43, "padding": 1}),
    (Conv2d, 32, 16, (8, 8), (3, 3), {"algorithm": F43}),
    (Conv2d, 3, 1, (11, 10), (3, 3), {"algorithm": F43, "dilation": 2, "padding": 2}),
    (Conv2d, 18, 35, (12, 11), (3, 3), {"algorithm": F32, "stride": 2, "padding": 1}),
    (Conv3d, 5, 19, (5, 6, 7), (3, 3, 3), {"algorithm": F23_BOX, "padding": 1}),
    (Conv2d, 17, 33, (9, 13), (3, 3), {"algorithm": "direct", "padding": 1}),
    (Conv2d, 32, 32, (9, 13), (3, 3), {"algorithm": "direct"}),
    (Conv2d, 32, 64, (7, 7), (1, 1), {"algorithm": "direct"}),
    (Conv2d, 17, 40, (15, 9), (1, 1), {"algorithm": "direct", "stride": 2}),
    (Conv2d, 8, 12, (9, 9), (2, 4), {"algorithm": "direct", "groups": 4, "stride": (1, 3), "padding": ((0, 2), (1, 0))}),
    (Conv1d, 1, 3, (40,), (3,), {"algorithm": "direct", "dilation": 4}),
    (Conv3d, 3, 5, (4, 5, 6), (2, 3, 2), {"algorithm": "direct", "padding": 1}),
    (Conv2d, 35, 35, (9, 10), (3, 3), {"algorithm": "direct", "groups": 35, "padding": 1}),
    (Conv2d, 32, 32, (7, 11), (3, 3), {"algorithm": "direct", "groups": 32, "stride": 1}),
    (Conv2d, 5, 10, (7, 11), (3, 3), {"algorithm": "direct", "groups": 5, "padding": 1}),
]


def memories(x):
    """x in planes and channels last, and as parts that end where their memory ends."""
    yield x
    yield np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)


def like(x, guarded, at_start):
    """A copy of x in guarded memory, its axes in the same order."""
    order = np.argsort([-stride for stride in x.strides], kind="stable")
    flat = guarded(x.size, x.dtype, at_start).reshape([x.shape[axis] for axis in order])
    copy = flat.transpose(np.argsort(order))
    copy[...] = x
    return copy


def run_all(pipe, guarded, at_start):
    """In a process of its own: every case, all arrays guarded; tells each case before it begins and then whether it is right."""

    class Space:
        def buffers(self, sizes, dtype, integers=0):
            given = [guarded(size, dtype, at_start) for size in sizes]
            for buffer in given:
                buffer[:] = np.nan  # what was never written must not matter
            return [*given, *([guarded(integers, np.int64, at_start)] if integers else [])]

    class Guarded(problem.Plan):
        @classmethod
        def of(cls, run, filter_, bias, *rest):
            copies = [like(a, guarded, at_start) for a in (filter_, bias)]
            return problem.Plan.of(run, *copies, *rest)

    def empty(shape, dtype):
        y = guarded(int(np.prod(shape)), dtype, at_start).reshape(shape)
        y[...] = np.nan
        return y

    try:
        rng = np.random.default_rng(0)
        for kind, channels, filters, size, taps, options in CASES:
            axes = len(size)
            x = rng.uniform(-1, 1, (2, channels, *size)).astype(np.float32)
            w = rng.uniform(-1, 1, (filters, channels // options.get("groups", 1), *taps)).astype(np.float32)
            bias = rng.uniform(-1, 1, filters).astype(np.float32)
            for last in (False, True):
                name = f"N{'DHW'[3 - axes :]}C" if last else None
                expected = kind(w, bias, layout=name, threads=1, **options)(np.moveaxis(x, 1, -1) if last else x)
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(problem, "taken", lambda nbytes: Space())
                    patch.setattr(problem, "given_back", lambda space: None)
                    patch.setattr(layer, "aligned_empty", empty)
                    for module in ("kernels.direct", "kernels.tiled"):
                        patch.setattr(f"{module}.Plan", Guarded)
                    for number, memory in enumerate(memories(x)):
                        pipe.send(f"{kind.__name__} {channels} -> {filters} {size} {taps} {options} {last} {number}")
                        given = like(memory, guarded, at_start)
                        y = kind(w, bias, layout=name, threads=1, **options)(np.moveaxis(given, 1, -1) if last else given)
                        np.testing.assert_array_equal(y, expected)
        pipe.send("all right")
    except BaseException:
        pipe.send(traceback.format_exc())


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("at_start", [False, True])
def test_no_kernel_touches_what_lies_beside_its_arrays(at_start, guarded):
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe(duplex=False)
    child = fork.Process(target=run_all, args=(there, guarded, at_start))
    child.start()
    there.close()
    told = ["nothing begun"]
    while told[-1] != "all right":
        try:
            told.append(here.recv())
        except EOFError:  # the child has ended
            break
    child.join(60)
    assert child.exitcode == 0, f"touched what is not its own: {told[-1]}"
    assert told[-1] == "all right", told[-1]
