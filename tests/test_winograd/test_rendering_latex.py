"""LaTeX: complete, balanced, and headed by comments."""

import pytest

import winograd as wg
from winograd.rendering.latex import matrices_latex


def balanced(text: str) -> bool:
    pairs = [("{", "}"), (r"\left[", r"\right]"), (r"\left(", r"\right)"), (r"\begin{", r"\end{")]
    return all(text.count(a) == text.count(b) for a, b in pairs)


@pytest.mark.parametrize(
    "points", ["0, 1, -1, 1/2, -2, inf", "0, sqrt(2), -sqrt(2), 1/sqrt(2), -1/sqrt(2), inf", "0, c, -c, 1/c, -1/c, inf"]
)
def test_matrices(points: str) -> None:
    T = wg.toom_cook(4, 3, wg.parse_points(points))
    text = matrices_latex(T)
    assert balanced(text)
    assert text.splitlines()[0] == f"% F(4, 3), points {wg.format_points(T.points or ())}"
    assert text.splitlines()[1].startswith('% made by: python -m winograd 4 3 --points "')
    # 4 + 6 + 6 rows of 6, 3 and 6 entries: separators within rows, and one & an equation to align.
    assert text.count(" & ") == 4 * 5 + 6 * 2 + 6 * 5
    assert [line[: line.index("&=")] for line in text.splitlines() if "&=" in line] == ["A^T ", "G ", "B^T "]


def test_wide_matrices_are_arrays() -> None:
    """amsmath's bmatrix refuses more than ten columns."""
    T = wg.from_moduli(10, 3, ["x", "x-1", "x+1", "x^2+1", "x^4+1", "x^2 + 4", "inf"])
    assert T.BT.cols == 12
    assert r"\begin{array}{rrrrrrrrrrrr}" in matrices_latex(T)


def test_by_hand() -> None:
    assert "% made from matrices given by hand" in matrices_latex(wg.Transform([[1]], [[1]], [[1]]))


def test_programs() -> None:
    P = wg.foreign_program(
        3, [("mul", 0, "1 + sqrt(2)"), ("fma", 1, "-1/3", 3), ("neg", 4), ("sub", 5, 2), ("add", 6, 0)], [7]
    )
    text = P.to_latex()
    assert balanced(text)
    body = text[text.index(r"\begin{aligned}") :].splitlines()
    assert body == [
        r"\begin{aligned}",
        r"t_{0} &= \left(1 + \sqrt{2}\right) \cdot x_{0} \\",
        r"t_{1} &= \operatorname{fma}(x_{1}, - \frac{1}{3}, t_{0}) \\",
        r"t_{2} &= -t_{1} \\",
        r"t_{3} &= t_{2} - x_{2} \\",
        r"t_{4} &= t_{3} + x_{0} \\",
        r"y_{0} &= t_{4}",
        r"\end{aligned}",
    ]
