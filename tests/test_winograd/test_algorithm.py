"""The Algorithm: frozen, named, hashable, read back equal, and picky."""

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

import winograd as wg

T4 = wg.toom_cook(4, 3, wg.parse_points("0, 1, -1, 1/2, -2, inf"))
T2 = wg.toom_cook(2, 3, wg.parse_points("0, 1, -1, inf"))
T25 = wg.toom_cook(2, 5, wg.parse_points("0, 1, -1, 2, -2, inf"))

ALGORITHMS = [
    wg.Algorithm(T4),
    wg.Algorithm((T4,), dims=1),
    wg.Algorithm(T4, dims=2),
    wg.Algorithm((T4, T25), passes=("share", "factor"), order="pairwise"),
    wg.Algorithm(T2, dims=2, fma=True, dtype="float64"),
    wg.Algorithm(T2, filter_dtype="float64", channel_sum="blocked", channel_block=16),
    wg.Algorithm(T2, channel_sum="pairwise", channel_block=1),
    wg.Algorithm(wg.from_moduli(4, 3, ["x", "x-1", "x+1", "x^2+1", "inf"]), dims=2),
    wg.Algorithm(wg.toom_cook(4, 3, wg.parse_points("0, sqrt(2), -sqrt(2), 1/sqrt(2), -1/sqrt(2), inf"))),
    wg.Algorithm(wg.Transform([[1]], [[1]], [[1]])),
]


@pytest.mark.parametrize("A", ALGORITHMS, ids=str)
def test_json_round_trip(A: wg.Algorithm) -> None:
    read = wg.Algorithm.from_json(A.to_json())
    assert read == A and hash(read) == hash(A) and str(read) == str(A)
    assert read.programs == A.programs


def test_names_tell_algorithms_apart() -> None:
    assert len({str(A) for A in ALGORITHMS}) == len(set(ALGORITHMS)) == len(ALGORITHMS) - 1  # the first two are one
    assert str(ALGORITHMS[3]) == (
        "F(4x2, 3x5) points 0, 1, -1, 1/2, -2, inf and points 0, 1, -1, 2, -2, inf; "
        "pairwise+share+factor; float32; linear"
    )


def test_frozen_and_hashable() -> None:
    A = wg.Algorithm(T4)
    with pytest.raises(dataclasses.FrozenInstanceError):
        A.order = "left"  # type: ignore[misc]
    assert {A: 1}[wg.Algorithm((T4,))] == 1


def test_sizes_by_axis() -> None:
    A = ALGORITHMS[3]
    assert (A.m, A.r, A.n, A.tile, A.dims) == ((4, 2), (3, 5), (6, 6), (6, 6), 2)


def test_programs_are_those_of_the_transforms() -> None:
    A = wg.Algorithm((T4, T25), passes=("share",), fma=True)
    for transform, programs in zip(A.transforms, A.programs, strict=True):
        for name in ("AT", "G", "BT"):
            assert getattr(programs, name) == transform.program(name, "huffman", ("share", "fuse"))


@pytest.mark.parametrize("fma", [False, True])
def test_only_fma_fuses(fma: bool) -> None:
    A = wg.Algorithm(T4, fma=fma)
    assert any(op.kind == "fma" for p in A.programs[0] for op in p.ops) is fma


class Tally(wg.ExactArithmetic):
    """Exact arithmetic that counts additions."""

    additions = 0

    def add(self, a: Any, b: Any) -> Any:
        self.additions += 1
        return a + b

    def sub(self, a: Any, b: Any) -> Any:
        self.additions += 1
        return a - b


def additions_of(first: wg.Program, last: wg.Program) -> int:
    """Run on a tile: by columns, then by rows, one number at a time."""
    tally = Tally()
    tile = np.zeros((first.inputs, last.inputs), object)
    columns = np.array([wg.evaluate(first, list(c), tally) for c in tile.T]).T
    for row in columns:
        wg.evaluate(last, list(row), tally)
    return tally.additions


@pytest.mark.parametrize("A", [ALGORITHMS[2], ALGORITHMS[3], ALGORITHMS[7]], ids=str)
def test_counts_of_a_tile_are_those_of_running_it(A: wg.Algorithm) -> None:
    first, last = A.programs
    counts = A.counts()
    assert counts.input.additions == additions_of(first.BT, last.BT)
    assert counts.filter.additions == additions_of(first.G, last.G)
    assert counts.output.additions == additions_of(first.AT, last.AT)
    assert counts.products == A.n[0] * A.n[1]
    assert counts.transforms == counts.input + counts.filter + counts.output


def test_counts_in_one_dimension() -> None:
    A = wg.Algorithm(T4)
    assert A.counts().input == A.programs[0].BT.counts() and A.counts().products == 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dims": 3}, "dims must be 1 or 2"),
        ({"dims": -1}, "dims must be 1 or 2"),
        ({"order": "random"}, "order must be one of"),
        ({"passes": ("fuse",)}, "passes must be among share, factor"),
        ({"passes": ("transpose",)}, "passes must be among share, factor"),
        ({"passes": "shrink"}, "passes must be among share, factor"),
        ({"dtype": "float16"}, "dtype must be float32 or float64; got float16"),
        ({"dtype": "int8"}, "dtype must be one of"),
        ({"filter_dtype": "float16"}, "filter_dtype must be float32 or float64"),
        ({"channel_sum": "kahan"}, "channel_sum must be one of linear, blocked, pairwise"),
        ({"channel_sum": "blocked", "channel_block": 0}, "channel_block must be an integer of at least 1"),
        ({"channel_sum": "blocked", "channel_block": 1.5}, "channel_block must be an integer"),
        ({"channel_block": 4}, "channel_block must be 1 for the linear channel sum"),
    ],
)
def test_bad_options_are_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wg.Algorithm(T4, **options)


@pytest.mark.parametrize(
    ("transforms", "message"),
    [
        (T4.transpose(), "must be correlations"),
        (wg.toom_cook(2, 3, [0, "c", "-c", "inf"]), "give the symbol c a value"),
        ((T4, T4, T4), "dims must be 1 or 2"),
        ((), "dims must be 1 or 2"),
        (wg.Transform(T4.AT, 2 * T4.G, T4.BT), "must compute"),
    ],
)
def test_bad_transforms_are_refused(transforms: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wg.Algorithm(transforms)


@pytest.mark.parametrize("transforms", ["F(4, 3)", (T4, None), [[1]]])
def test_what_is_no_transform_is_a_type_error(transforms: Any) -> None:
    with pytest.raises(TypeError, match="transforms must be Transform objects"):
        wg.Algorithm(transforms)


def test_dtypes_may_be_given_as_numpy_has_them() -> None:
    A = wg.Algorithm(T4, dtype=np.float64)  # type: ignore[arg-type]
    assert (A.dtype, A.filter_dtype) == ("float64", "float64")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"transforms": []}', '{"transforms": 3}'])
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        wg.Algorithm.from_json(text)


def test_a_record_is_checked_like_anything_else() -> None:
    record = json.loads(wg.Algorithm(T4).to_json())
    record["transforms"][0]["BT"][0][0] = "7"
    with pytest.raises(wg.NotAConvolution):
        wg.Algorithm.from_json(json.dumps(record))
