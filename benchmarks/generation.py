"""How long exact generation takes: `python benchmarks/generation.py`.

Each line is the median of several runs, and the time of the proof apart. Times are of this machine; what is asked for
stands beside them.
"""

import time
from statistics import median

import sympy

import winograd as wg

RUNS = 9
INTEGERS = [0, *(s * k for k in range(1, 9) for s in (1, -1)), wg.INF]
ROOT = sympy.sqrt(2)
CASES = [
    ("rational F(16, 3)", 16, wg.published_points(16), 0.05),
    ("integer points, F(16, 3)", 16, INTEGERS, 0.05),
    ("symbolic c, F(8, 3)", 8, [0, 1, -1, 2, -2, *wg.reciprocal_group("c"), wg.INF], 0.5),
    ("sqrt(2), F(6, 3)", 6, [0, 1, -1, ROOT, -ROOT, 1 / ROOT, -1 / ROOT, wg.INF], 0.5),
]


def seconds(function):
    """Time of one call, and its result."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def main():
    """Print one line for each case."""
    print(f"{'':26} {'generated, s':>14} {'asked, s':>9} {'proved, s':>10}")
    for name, m, points, asked in CASES:
        generated, proved = [], []
        for _ in range(RUNS):
            taken, transform = seconds(lambda: wg.toom_cook(m, 3, points))  # noqa: B023
            generated.append(taken)
            proved.append(seconds(transform.verify)[0])
        print(f"{name:26} {median(generated):14.4f} {asked:9.2f} {median(proved):10.4f}")


if __name__ == "__main__":
    main()
