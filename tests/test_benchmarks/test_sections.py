"""Each section on one small layer, in one quick round."""

from pathlib import Path

import numpy as np
import pytest

import winograd as wg
from convolution import batches, scaling, stages, startup, workspace
from convolution.contestants import OURS
from convolution.layers import Layer
from convolution.sections import NAMES, SECTIONS
from convolution.settings import Settings
from convolution.shape import Shape

SHAPE = Shape(20, 33, (9, 10), (3, 3))
PLACES = [Layer("Network", "layer", SHAPE, 1)]
QUICK = Settings(rounds=1, quick=True)


def test_sections_of_layers_measure_each_shape_once() -> None:
    for name in NAMES:
        keys = [key for key, _ in SECTIONS[name].work(Settings())]
        assert keys and len(keys) == len(set(keys)), name
    assert [key for key, _ in SECTIONS["layers"].work(Settings(layer=("conv1_1",)))] == ["3 → 64, 224 × 224, 3 × 3"]


def test_scaling_takes_large_layers_only() -> None:
    large = {key for key, _ in SECTIONS["scaling"].work(Settings())}
    assert "64 → 64, 224 × 224, 3 × 3" in large
    assert 10 < len(large) < len(SECTIONS["layers"].work(Settings()))
    assert not any("depthwise" in key for key in large)


def test_scaling_compares_one_thread_with_all() -> None:
    row = scaling.row(SHAPE, PLACES, QUICK)
    assert set(row["times"]) == {"winograd 1", "winograd 2", "torch 1", "torch 2"}
    given = row | {"times": {
        name: {"median_s": s, "turns_s": [s]}
        for name, s in {"winograd 1": 3.0, "winograd 2": 2.0, "torch 1": 1.0, "torch 2": 2.0}.items()
    }}
    assert scaling.speedup(given, "winograd") == 1.5
    text = scaling.text([given], "`command`")
    assert "| Network layer | 20 → 33, 9 × 10, 3 × 3 | 3000 | 2000 | 1.50 (1.50–1.50) | **0.50** |" in text
    assert "| geometric mean |  |  |  | 1.50 | **0.50** |" in text
    assert "1.50 times" in scaling.line(given)


def test_batches_compare_images() -> None:
    row = batches.row(SHAPE, PLACES, QUICK)
    assert row["image_median_s"] > 0
    given = row | {"one_s": [1.0], "image_s": [2.0], "one_median_s": 1.0, "image_median_s": 2.0}
    assert "| 1000 | 2000 | **0.50** (0.50–0.50) |" in batches.text([given], "`command`")
    assert "0.50 times" in batches.line(given)


def test_workspace_is_seen_without_the_result() -> None:
    said, seen = workspace.seen("winograd NCHW", SHAPE, 1, 1, "auto")
    assert seen > 0
    assert said is None or said > 0


def test_workspace_above_its_limit_is_bold() -> None:
    sizes = {name: 2 * mib << 20 for name, mib in zip(OURS, (3, 5), strict=True)}
    row = {"shape": "s", "layers": [["N", "l", 1]], "threads": 2, "said": dict.fromkeys(OURS), "seen": sizes}
    text = workspace.text([row], "`command`")
    assert "| N l | s | – | 6.00 | 3.00 | – | 10.0 | **5.00** |" in text
    assert "6.00 MiB seen, – said" in workspace.line(row)


def test_the_product_stage_is_measured_where_products_are_dense() -> None:
    row = stages.row(SHAPE, PLACES, QUICK)
    assert row is not None
    assert row["rate"] > 0 and row["sgemm"] > 0
    given = row | {"rate": 8.4e10, "sgemm": 1e11, "product_s": 0.001}
    assert "| 1.00 | 84.0 | 100 | **84 %** |" in stages.text([given], "`command`")
    assert "| 90.0 | 100 | 90 % |" in stages.text([given | {"rate": 9e10}], "`command`")
    assert "84 % of sgemm" in stages.line(given)
    assert stages.row(Shape(8, 8, (6, 6), (3, 3), groups=8), PLACES, QUICK) is None


def test_operations_of_the_product_stage() -> None:
    A = wg.Algorithm(wg.toom_cook(4, 3, [0, 1, -1, 2, -2, wg.INF]), dims=2, dtype="float32", fma=True)
    operations, call = stages.product_stage(A, SHAPE, Settings(threads=2))
    assert operations == 2 * (3 * 3) * 36 * 20 * 33  # tiles, products, channels, filters
    call()


@pytest.mark.parametrize("taken", [0.5, 2.0])
def test_starting_is_bold_above_its_aim(taken: float) -> None:
    row = {"shape": "first", "taken_s": taken, "most_s": 3.0, "aim_s": 1.0, "numba_s": 0.4, "library_s": 0.1}
    text = startup.text([row], "`command`")
    assert ("**2.00**" in text) == (taken > 1)
    assert "(aim 1 s" in startup.line(row)


def test_a_fresh_process_starts_with_the_cache_it_is_given(tmp_path: Path) -> None:
    times = startup.process(str(tmp_path), 0)
    assert set(times) == {"numba_s", "library_s", "call_s"} and min(times.values()) > 0
    assert list(tmp_path.glob("winograd_kernels_*"))
    assert np.isfinite(times["call_s"])
