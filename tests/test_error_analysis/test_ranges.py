"""What is counted at each stage, beside plain counting."""

import numpy as np
import pytest

import winograd as wg
from error_analysis import emulate, measure, random_tiles
from error_analysis.emulation.emulate import STAGES as EMULATED_STAGES
from error_analysis.measurement.ranges import STAGES, RangeObserver, StageRange
from winograd.rounding import format_of

T = wg.toom_cook(4, 3, [0, 1, -1, 2, -2, wg.INF])


def test_stages_are_those_of_the_emulation():
    assert tuple(STAGES) == EMULATED_STAGES


@pytest.mark.parametrize("dtype", ["float32", "float16", "float8_e5m2", "float8_e4m3fn", "binary(4, -2, 3)"])
def test_counts_are_those_of_counting_one_by_one(dtype):
    A = wg.Algorithm(T, dtype=dtype)
    seen = {}
    observer = RangeObserver(A)

    def both(stage, values):
        observer(stage, values)
        seen[stage] = np.array(values, float)

    d, g = random_tiles("normal", np.random.default_rng(0), 200, 16, A.tile, A.r, dtype)
    # 16 times as large, e4m3 exceeds its largest number, 448, which makes NaN.
    emulate(A, 16 * d if dtype == "float8_e4m3fn" else d, g, observe=both)
    fmt = format_of(dtype)
    for stage, values in seen.items():
        counted = observer.ranges[stage]
        plain = StageRange(stage, dtype, values.size, 0.0)
        largest = overflows = nans = underflows = 0
        for value in values.flat:
            nans += value != value
            overflows += abs(value) == np.inf or (fmt.overflow == "nan" and value != value)
            underflows += 0 < abs(value) < 2.0**fmt.smallest_exponent
            largest = max(largest, abs(value)) if abs(value) < np.inf else largest
        plain = StageRange(stage, dtype, values.size, largest, overflows, nans, underflows, 0)
        assert counted == plain
    assert set(seen) == set(STAGES)
    assert (observer.ranges["M"].overflows > 0) == (dtype in ("float8_e4m3fn", "binary(4, -2, 3)"))


def test_what_is_flushed_to_zero_is_seen():
    A = wg.Algorithm(T, dtype="float32", product_dtype="binary(8, -3, 3)", stored_dtype="float32")
    inside = {}
    observer = RangeObserver(A)
    d, g = random_tiles("normal", np.random.default_rng(0), 500, 2, A.tile, A.r, "float32")
    d, g = d / 64, g / 64
    emulate(A, d, g, observe=lambda stage, values: (observer(stage, values), inside.update({stage: np.array(values)})))
    for before, after in (("filter", "U"), ("input", "V")):
        flushed = ((inside[before] != 0) & (inside[after] == 0)).sum()
        assert observer.ranges[after].flushed == flushed > 0 == observer.ranges[before].flushed
        assert f"{flushed} flushed to zero" in str(observer.ranges[after])
    assert observer.ranges["M"].flushed == observer.ranges["y"].flushed == 0


def test_ranges_add_up_over_chunks(monkeypatch):
    from error_analysis.measurement import sampling

    A = wg.Algorithm(T, dtype="float16")
    whole = measure(A, 300, data="normal").ranges
    monkeypatch.setattr(sampling, "_MOST_TRIALS", 70)
    assert measure(A, 300, data="normal").ranges == whole


def test_a_stage_that_overflows_is_named():
    A = wg.Algorithm(wg.toom_cook(8, 3, wg.published_points(8)), dims=2, dtype="float16")
    d, g = random_tiles("normal", np.random.default_rng(0), 50, 1, A.tile, A.r, "float16")
    report = measure(A, data=(d * 16, g * 16))
    overflows = {seen.stage: seen.overflows for seen in report.ranges}
    assert overflows["filter"] == overflows["input"] == 0 < overflows["M"]
    assert report.nonfinite > 0 and "range of        M up to" in str(report) and "overflows" in str(report)
