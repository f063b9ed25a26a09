"""Sweeps: the numbers of `measure`, whoever computes them; gaps, minima, interruptions and what is refused."""

import math
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pytest

import error_analysis as ea
import winograd as wg
from error_analysis.sweeping import sweep as sweeping
from winograd import family

GRID = ["5/4", "3/2", 1.75, "sqrt(3)", 2, "9/4", "5/2"]


def swept(c=GRID, trials=60, **options):
    return ea.sweep("reciprocal", 4, 3, c, trials=trials, **options)


def test_every_point_is_measured_like_its_member():
    found = swept(seed=3, fma=True, data="normal", channels=2)
    assert [p.c for p in found.points] == [(str(wg.as_point(c)),) for c in GRID]
    for p in found.points:
        A = wg.Algorithm(family("reciprocal").transform(4, 3, *p.c), dims=2, fma=True)
        report = ea.measure(A, 60, 3, 2, data="normal")
        assert p.error == report.mean_abs and found.references["direct"] == report.direct
        published = wg.Algorithm(wg.toom_cook(4, 3, wg.published_points(4, 2)), dims=2, fma=True)
        assert p.ratio == ea.compare(A, published, 60, 3, 2, data="normal").ratio
    assert found.references["published"] == ea.measure(published, 60, 3, 2, data="normal").mean_abs


def test_references_by_dims_and_taps():
    one = swept(["3/2"], dims=1)
    points = wg.Algorithm(wg.toom_cook(4, 3, wg.published_points(4, 1)))
    assert one.references["published"] == ea.measure(points, 60).mean_abs
    five = ea.sweep("reciprocal", 2, 5, ["3/2"], trials=60)
    fractions = wg.Algorithm(family("fractions").transform(2, 5), dims=2)
    assert five.against == "fractions" and five.references["fractions"] == ea.measure(fractions, 60).mean_abs


def test_equal_points_are_gaps_and_the_sweep_goes_on():
    found = ea.sweep("pairs", 4, 3, [0, "1/2", 1, 2, -1], trials=50)
    assert [p.c for p in found.points] == [("1/2",), ("2",)]
    assert [(gap.c, gap.reason) for gap in found.gaps] == [
        (("0",), "c must not be 0, where c and -c coincide; got c = 0."),
        (("1",), "points must be distinct; -1 appears at positions 3 and 4."),
        (("-1",), "points must be distinct; 1 appears at positions 2 and 4."),
    ]


def test_an_entry_beyond_its_format_is_a_gap():
    found = ea.sweep("pairs", 4, 3, [2, 10**4], trials=50, dtype="float16")
    (gap,) = found.gaps
    assert gap.c == ("10000",) and "exceeds the largest float16" in gap.reason


def test_points_that_overflow_have_no_part_in_minima():
    # Entries up to c^3, and a format that ends below 32.
    found = ea.sweep("pairs", 4, 3, ["3/2", "29/10", 3], trials=50, dtype="binary(8, -14, 4)")
    assert [p.c[0] for p in found.points if p.nonfinite] == ["29/10", "3"]
    assert not found.minima and found.best.c == ("3/2",)


def test_moduli_and_several_parameters():
    found = ea.sweep("quadratic", 4, 3, [1, "1/2", -1, "sqrt(2)"], trials=50)
    assert [p.c for p in found.points] == [("1",), ("1/2",)] and len(found.gaps) == 2
    assert found.points[0].error == ea.measure(wg.Algorithm(family("superlinear").transform(4, 3), dims=2), 50).mean_abs
    two = ea.sweep("reciprocal-2", 6, 3, [("3/2", c) for c in (2, "5/2", 3)], trials=50, minima=0)
    assert [c for c, _ in two.curve] == [2, Fraction(5, 2), 3]
    assert two.algorithm(("3/2", 2)).transforms[0].points == family("reciprocal-2").points(6, 3, "3/2", 2)


def test_a_family_of_ones_own():
    own = wg.Family("own", 1, "0, -c, c, inf", lambda n, c: (0, -c, c, wg.INF), frozenset({4}))
    found = ea.sweep(own, 2, 3, [1, 2], trials=50)
    assert [p.error for p in found.points] == [p.error for p in ea.sweep("pairs", 2, 3, [1, 2], trials=50).points]
    with pytest.raises(ValueError, match="family must be one of"):
        found.algorithm(1)
    with pytest.raises(ValueError, match="family must be picklable for more than one worker; own is not"):
        ea.sweep(own, 2, 3, [1, 2], workers=2)


class BrokenAfter(Executor):
    """Runs so many tasks, then is broken as a pool is whose worker died."""

    def __init__(self, tasks):
        self.left = tasks

    def submit(self, function, /, *arguments, **options):
        future = Future()
        if self.left == 0:
            raise BrokenExecutor("a worker died")
        self.left -= 1
        if self.left == 0:
            future.set_exception(BrokenExecutor("a worker died"))
        else:
            future.set_result(function(*arguments, **options))
        return future


def test_the_numbers_are_the_same_whoever_computes_them():
    grid = ea.spaced("1.3", "2.2", 13)
    alone = swept(grid, minima=1)
    assert alone.minima
    with ThreadPoolExecutor(3) as pool:
        assert swept(grid, minima=1, executor=pool) == alone
    assert swept(grid, minima=1, workers=2) == alone
    # A dead worker's tasks are done here, and so are those that can be given to no one.
    for tasks in (1, 3):
        assert swept(grid, minima=1, executor=BrokenAfter(tasks)) == alone


def test_minima_are_refined_and_measured_on_fresh_data():
    found = swept(ea.spaced("1.1", 4, 30), trials=300)
    lowest = min(found.points, key=lambda p: p.error.value)
    assert found.minima and found.complete
    for low in found.minima:
        (on_grid,) = (p for p in found.points if p.c == low.grid)
        assert low.error.value <= on_grid.error.value
        A = found.algorithm(low.c[0])
        assert low.error == ea.measure(A, 300, 0).mean_abs != low.fresh
        assert low.fresh == ea.measure(A, 300, sweeping._fresh_seed(0)).mean_abs
    errors = [low.error.value for low in found.minima]
    assert errors == sorted(errors) and any(low.grid == lowest.c for low in found.minima)
    assert found.best.error.value <= lowest.error.value
    assert swept(ea.spaced("1.1", 4, 30), trials=300, minima=0).minima == ()


def test_progress_counts_the_values_of_the_curve_and_then_of_the_refinement():
    seen = []
    swept(["5/4", "3/2", 3], minima=0, progress=lambda *done: seen.append(done))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def interrupting(after):
    """A progress callback in which Ctrl-C is pressed after so many values."""
    def progress(done, total):
        if done == after:
            raise KeyboardInterrupt

    return progress


def test_an_interruption_leaves_what_was_measured():
    whole = swept()
    with pytest.raises(ea.Interrupted) as caught:
        swept(progress=interrupting(3))
    part = caught.value.result
    assert not part.complete and part.points == whole.points[:3] and part.minima == ()
    assert part.references == whole.references and "interrupted" in str(part)


def test_an_interruption_on_an_executor_leaves_what_was_complete():
    grid = ea.spaced("1.3", "2.2", 30)
    with ThreadPoolExecutor(1) as pool, pytest.raises(ea.Interrupted) as caught:
        swept(grid, executor=pool, progress=interrupting(12))
    assert len(caught.value.result.points) == 12


def test_an_interruption_before_the_first_value_has_nothing_to_keep(monkeypatch):
    def pressed(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(sweeping, "measured", pressed)
    with pytest.raises(KeyboardInterrupt) as caught:
        swept()
    assert not isinstance(caught.value, ea.Interrupted)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"c": []}, "c must hold at least one value; got none"),
        ({"c": [2, "4/2"]}, "c must hold distinct values; 2 appears at positions 1 and 2"),
        ({"c": [2, math.inf]}, "c must hold finite numbers; .* at position 2"),
        ({"c": [math.nan]}, "c must hold finite numbers; .* at position 1"),
        ({"c": ["c"]}, "c must hold finite numbers; got c at position 1"),
        ({"c": ["1/"]}, "c must hold finite numbers; number must be an integer"),
        ({"c": [(1, 2)]}, "family reciprocal takes one parameter; got 2"),
        ({"trials": 1}, "trials must be at least 2; got 1"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"channels": 0}, "channels must be at least 1"),
        ({"minima": -1}, "minima must be at least 0"),
        ({"workers": 0}, "workers must be at least 1"),
        ({"data": "adversarial"}, "data must be one of uniform, normal, relu, constant, which are the same for all c"),
        ({"data": "gaussian"}, "data must be one of"),
        ({"dims": 4}, "dims must be 1, 2 or 3"),
        ({"dtype": "float33"}, "float33"),
        ({"order": "random"}, "order must be one of"),
        ({"transforms": ()}, "transforms must not be given"),
    ],
)
def test_bad_input_is_refused_before_anything_is_measured(options, message):
    seen = []
    with pytest.raises(ValueError, match=message):
        ea.sweep("reciprocal", 4, 3, **{"c": [2, 3], "progress": lambda *done: seen.append(done), **options})
    assert seen == []


def test_sizes_and_families_that_do_not_fit():
    for arguments, message in (
        (("reciprocal", 8, 3), r"family reciprocal has sets of 4 to 8 points; F\(8, 3\) needs 10"),
        (("reciprocal", 0, 3), "m must be at least 1"),
        (("circle", 4, 3), "family must be one of reciprocal"),
        (("integers", 4, 3), "family must have a parameter to sweep; integers has none"),
    ):
        with pytest.raises(ValueError, match=message):
            ea.sweep(*arguments, [2])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"c": "2"}, "c must be a list of numbers; got str '2'"),
        ({"c": 2}, "c must be a list of numbers; got int 2"),
        ({"c": [None]}, "c must hold finite numbers; number must be an int, .* at position 1"),
        ({"trials": "auto"}, "trials must be an integer; got str 'auto'"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_wrong_types(options, message):
    with pytest.raises(TypeError, match=message):
        ea.sweep("reciprocal", 4, 3, **{"c": [2], **options})


def test_the_data_of_fresh_seeds_is_other_data():
    seeds = {sweeping._fresh_seed(seed) for seed in range(100)}
    assert len(seeds) == 100 and min(seeds) > 10**6
    assert np.iinfo(np.uint64).max >= max(seeds)
