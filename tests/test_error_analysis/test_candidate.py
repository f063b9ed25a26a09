import json
from fractions import Fraction as F

from error_analysis.searching.candidate import Candidate, candidate_of
from error_analysis.searching.setting import Setting
from winograd import INF, Algorithm, from_moduli, parse_points, toom_cook


def test_algorithm_is_the_one_made_by_hand() -> None:
    candidate = Candidate("0, 1, -1, inf", "1, 2, 2, 1", "1, 1/2, 1/2, 1", "sorted", ("share",), True)
    T = toom_cook(2, 3, [0, 1, -1, INF]).scaled([1, 2, 2, 1], [1, "1/2", "1/2", 1])
    by_hand = Algorithm(T, dims=2, order="sorted", passes="share", fma=True, dtype="float16", filter_dtype="float64",
                        sum_dtype="float32", output_dtype="float32")
    assert candidate.algorithm(Setting(2, 3, 2, "float16", "kernel")) == by_hand


def test_record_reads_back_equal() -> None:
    candidate = Candidate("0, 1, -1, inf", scale_b="1, 1/2, 1/2, 1", passes=("share", "factor"))
    assert Candidate.from_record(json.loads(candidate.to_json())) == candidate


def test_factors_of_one_are_left_out() -> None:
    points = parse_points("0, 1, -1, inf")
    assert candidate_of(points, [F(1)] * 4, [F(1)] * 4) == candidate_of(points)  # type: ignore[arg-type]
    assert candidate_of(points, [F(1)] * 4, [F(2)] * 4).scale_b == "2, 2, 2, 2"  # type: ignore[arg-type]


def test_moduli_are_read_as_such() -> None:
    candidate = Candidate("x^2 + 1, x, x - 1, x + 1, inf", fma=True)
    (T,) = candidate.algorithm(Setting(4, 3, 1)).transforms
    assert candidate.superlinear and not Candidate("0, 1, -1, inf").superlinear
    assert from_moduli(4, 3, ["x^2 + 1", "x", "x - 1", "x + 1", INF]) == T
    assert T.n == 7
