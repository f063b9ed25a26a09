"""Reports as tables on a terminal."""

import pytest

import winograd as wg
from error_analysis import compare, measure
from error_analysis.presentation import print_comparison, print_report, progress_bar

A = wg.Algorithm(wg.toom_cook(2, 3, [0, 1, -1, wg.INF]), dtype="float16")


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_every_position_of_the_tile_is_shown(capsys, dims):
    report = measure(wg.Algorithm(A.transforms[0], dims=dims), 30)
    print_report(report)
    out = capsys.readouterr().out
    assert all(f"{value:.2e}" in out for value in report.by_output)
    tile = out.partition("over the output tile")[2].partition("range of")[0]
    assert tile.count("e-") == 2**dims


def test_every_stage_is_shown(capsys):
    report = measure(A, 200, data="normal")
    print_report(report)
    lines = capsys.readouterr().out.partition("range of each stage")[2].splitlines()
    for seen in report.ranges:
        (line,) = [line for line in lines if line.startswith(f"│ {seen.stage} ")]
        cells = [cell.strip() for cell in line.strip("│").split("│")]
        assert cells == [seen.stage, "float16", f"{seen.largest:.4g}", str(seen.overflows), str(seen.nans),
                         str(seen.underflows), str(seen.flushed), str(seen.values)]


def test_two_reports_stand_beside_each_other(capsys):
    comparison = compare(A, A, 30)
    print_comparison(comparison)
    out = capsys.readouterr().out
    assert out.count(f"{comparison.a.mean_abs.value:.3e}") == 2 and "first / second: 1.000" in out
    assert max(map(len, out.splitlines()[2:])) <= 120


def test_the_bar_is_silent_where_there_is_no_terminal(capsys):
    with progress_bar("trials") as progress:
        progress(1, 2)
    assert capsys.readouterr() == ("", "")
