import numpy as np
import pytest

from convolution import comparison
from convolution.comparison import best, limit_share, ratio_spread, ratio_to
from convolution.exactness import WrongResult
from convolution.layers import Layer
from convolution.settings import Settings
from convolution.shape import Shape

TIMES = {
    "winograd NCHW": 0.004, "winograd NHWC": 0.002, "torch NCHW": 0.010, "torch NHWC": 0.006, "onnxruntime": 0.003,
}


def given(turns: dict[str, list[float]] | None = None) -> dict:
    contestants = {name: {"median_s": s, "turns_s": [s, s]} for name, s in TIMES.items()}
    for name, turns_s in (turns or {}).items():
        contestants[name]["turns_s"] = turns_s
    return {"contestants": contestants, "macs": 10**9, "limit": 4.0, "sgemm": 2e11}


def test_a_ratio_is_the_peers_faster_layout_over_our_nchw() -> None:
    assert best(given(), ["torch NCHW", "torch NHWC"]) == "torch NHWC"
    assert ratio_to(given(), "PyTorch") == pytest.approx(0.006 / 0.004)
    assert ratio_to(given(), "onnxruntime") == pytest.approx(0.75)


def test_or_over_our_better_layout() -> None:
    assert ratio_to(given(), "PyTorch", better=True) == pytest.approx(0.006 / 0.002)
    assert ratio_to(given(), "onnxruntime", better=True) == pytest.approx(1.5)


def test_a_peer_that_did_not_run_has_no_ratio() -> None:
    assert ratio_to(given(), "ncnn") is None
    assert ratio_spread(given(), "ncnn") is None


def test_the_spread_is_of_the_ratios_of_the_rounds() -> None:
    row = given({"torch NHWC": [4.0, 6.0, 8.0, 10.0, 12.0], "winograd NCHW": [2.0] * 5})
    assert ratio_spread(row, "PyTorch") == (3.0, 5.0)


def test_the_limit_is_the_sgemm_rate_times_that_of_the_algorithm() -> None:
    assert limit_share(given()) == pytest.approx(2e9 / 0.004 / (2e11 * 4))
    assert limit_share(given() | {"limit": None}) is None


def test_a_layer_is_checked_and_measured_in_all_layouts() -> None:
    shape = Shape(32, 32, (20, 20), (3, 3))
    row = comparison.row(shape, [Layer("A", "b", shape, 2)], Settings(rounds=2, threads=1, quick=True))
    assert {"winograd NCHW", "winograd NHWC", "torch NCHW", "torch NHWC"} <= set(row["contestants"])
    assert row["layers"] == [["A", "b", 2]]
    assert row["macs"] == shape.macs
    assert row["limit"] > 1  # the layer runs a fast algorithm
    for values in row["contestants"].values():
        assert len(values["turns_s"]) == 2
        assert 0 < values["error_mean"] <= values["error_max"]
    assert row["shape"] in comparison.line(row)


def test_a_wrong_result_ends_the_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    shape = Shape(4, 5, (6, 7), (3, 3))
    whole = comparison.own

    def spoiled(name: str, x: np.ndarray, w: np.ndarray, *rest: object) -> object:
        return whole(name, x, np.ascontiguousarray(w[..., ::-1]), *rest)

    monkeypatch.setattr(comparison, "own", spoiled)
    with pytest.raises(WrongResult, match=r"winograd NCHW on 4 → 5, 6 × 7, 3 × 3: output .* off by"):
        comparison.row(shape, [], Settings(rounds=1, threads=1, quick=True))
