"""The catalogue's algorithms for half formats on what a layer sees: data behind a ReLU, 64 channels."""

import pytest

import error_analysis as ea
import winograd as wg
from error_analysis.auditing.gallery import exhibits
from winograd.catalogue.models import stage_formats

TRIALS = 40


@pytest.mark.parametrize("m", [4, 6])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_no_worse_than_the_best_of_the_gallery_and_no_overflow(m: int, dtype: str) -> None:
    A = wg.recommend(m, 3, dims=2, dtype=dtype)
    assert A.origin == "catalogue"
    report = ea.measure(A, TRIALS, channels=64, data="relu")
    assert report.nonfinite == 0
    shown = [exhibit for exhibit in exhibits() if (exhibit.m, exhibit.r) == (m, 3) and exhibit.spoiled is None]
    formats = stage_formats(dtype, "kernel")
    others = [
        wg.Algorithm(wg.toom_cook(m, 3, exhibit.points), dims=2, fma=True).with_formats(**formats)
        for exhibit in shown
    ]
    # The two that are measured best on little data; on the same data all of them.
    ranked = sorted(others, key=lambda B: ea.measure(B, 200).mean_abs.value)
    for B in ranked[:2]:
        ratio = ea.compare(A, B, TRIALS, channels=64, data="relu").ratio
        assert ratio.value - 2 * ratio.half_width <= 1  # four standard deviations
