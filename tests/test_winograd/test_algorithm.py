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
    wg.Algorithm(T2, dims=3, dtype="bfloat16"),
    wg.Algorithm((T2, T4, T25), dtype="float16", sum_dtype="float32", rounding="stochastic"),
    wg.Algorithm(T2, product_dtype="tf32", channel_sum="kahan"),
    wg.Algorithm(T2, product_dtype="binary(9, -30, 30)", rounding="toward_zero"),
    wg.Algorithm(T2, dtype="float64", input_dtype="float32", output_dtype="tf32", stored_dtype="float8_e4m3fn"),
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


@pytest.mark.parametrize(
    ("options", "end"),
    [
        ({"dtype": "float16"}, "huffman; float16; linear"),
        ({"dtype": "float16", "sum_dtype": "float32"}, "huffman; float16, sum in float32; linear"),
        ({"product_dtype": "tf32", "stored_dtype": "float16"},
         "huffman; float32, product in tf32, stored in float16; linear"),
        ({"rounding": "toward_zero", "channel_sum": "kahan"}, "huffman; float32; rounded toward zero; kahan"),
        ({"dtype": "binary(5,-6,7)", "fma": True}, "huffman; fma; binary(5, -6, 7); linear"),
        ({"channel_sum": "pairwise", "channel_block": 4}, "huffman; float32; pairwise by 4"),
    ],
)
def test_names_tell_formats_and_rounding(options: dict, end: str) -> None:
    assert str(wg.Algorithm(T2, **options)) == f"F(2, 3) points 0, 1, -1, inf; {end}"


def test_stages_have_the_working_format_unless_they_have_their_own() -> None:
    A = wg.Algorithm(T2, dtype="float16", sum_dtype="float32")
    assert A.stage_dtypes == {
        "filter_dtype": "float16", "input_dtype": "float16", "product_dtype": "float16",
        "sum_dtype": "float32", "output_dtype": "float16", "stored_dtype": "float16",
    }
    assert A.with_formats("bfloat16") == wg.Algorithm(T2, dtype="bfloat16")
    assert A.with_formats("float64", product_dtype="tf32") == wg.Algorithm(T2, dtype="float64", product_dtype="tf32")
    assert A.with_formats("float16", sum_dtype="float32") == A


def test_one_transform_serves_every_axis_and_several_have_one_each() -> None:
    assert wg.Algorithm(T2, dims=3) == wg.Algorithm((T2, T2, T2)) == wg.Algorithm((T2, T2, T2), dims=3)
    A = wg.Algorithm((T2, T4, T25))
    assert (A.dims, A.m, A.r, A.n, A.tile) == (3, (2, 4, 2), (3, 3, 5), (4, 6, 6), (4, 6, 6))


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


def additions_of(programs: list[wg.Program]) -> int:
    """Run on a tile axis by axis, one number at a time."""
    tally = Tally()
    tile = np.zeros([program.inputs for program in programs], object)
    for axis, program in enumerate(programs):
        tile = np.apply_along_axis(lambda line, program=program: wg.evaluate(program, list(line), tally), axis, tile)
    return tally.additions


@pytest.mark.parametrize("A", [ALGORITHMS[0], ALGORITHMS[2], ALGORITHMS[3], ALGORITHMS[7], ALGORITHMS[11]], ids=str)
def test_counts_of_a_tile_are_those_of_running_it(A: wg.Algorithm) -> None:
    counts = A.counts()
    assert counts.input.additions == additions_of([programs.BT for programs in A.programs])
    assert counts.filter.additions == additions_of([programs.G for programs in A.programs])
    assert counts.output.additions == additions_of([programs.AT for programs in A.programs])
    assert counts.products == np.prod(A.n)
    assert counts.transforms == counts.input + counts.filter + counts.output


def test_counts_in_one_dimension() -> None:
    A = wg.Algorithm(T4)
    assert A.counts().input == A.programs[0].BT.counts() and A.counts().products == 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dims": 4}, "dims must be 1, 2 or 3, with one transform or one for each axis; got dims = 4 and 1 transforms"),
        ({"dims": -1}, "dims must be 1, 2 or 3"),
        ({"order": "random"}, "order must be one of"),
        ({"passes": ("fuse",)}, "passes must be among share, factor"),
        ({"passes": ("transpose",)}, "passes must be among share, factor"),
        ({"passes": "shrink"}, "passes must be among share, factor"),
        ({"dtype": "float12"}, "dtype must be one of"),
        ({"dtype": "int8"}, "dtype must be one of"),
        ({"product_dtype": "int8"}, "dtype must be one of"),
        ({"sum_dtype": "binary(1, -3, 3)"}, "precision must be 2 to 53 bits; got 1"),
        ({"rounding": "up"}, "rounding must be one of nearest, toward_zero, stochastic; got 'up'"),
        ({"channel_sum": "sorted"}, "channel_sum must be one of linear, blocked, pairwise, kahan; got 'sorted'"),
        ({"channel_sum": "kahan", "channel_block": 2}, "channel_block must be 1 for the kahan channel sum"),
        ({"channel_sum": "blocked", "channel_block": True}, "channel_block must be an integer.*; got True"),
        ({"channel_sum": "blocked", "channel_block": 0}, "channel_block must be an integer"),
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
        ((T4, T4, T4, T4), "dims must be 1, 2 or 3"),
        ((), "dims must be 1, 2 or 3"),
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
    A = wg.Algorithm(T4, dtype=np.float64, sum_dtype=np.dtype(np.float16))
    assert (A.dtype, A.filter_dtype, A.sum_dtype) == ("float64", "float64", "float16")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"transforms": []}', '{"transforms": 3}'])
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        wg.Algorithm.from_json(text)


def test_a_record_is_checked_like_anything_else() -> None:
    record = json.loads(wg.Algorithm(T4).to_json())
    record["transforms"][0]["BT"][0][0] = "7"
    with pytest.raises(wg.NotAConvolution):
        wg.Algorithm.from_json(json.dumps(record))
