"""How long measuring takes: `python benchmarks/measure.py`.

5000 trials each, as `error_analysis.measure` does them: data drawn, tiles emulated operation by operation, exact
results by double-double, direct convolution beside, all statistics. The first run of each case warms up; a line is the
median of the later ones. Times are of this machine; what is asked for, on two cores, stands beside them.
"""

import time
from statistics import median

import error_analysis as ea
import winograd as wg

RUNS = 7
TRIALS = 5000
CASES = [
    ("F(4x4, 3x3), float32", 4, "float32", 0.5),
    ("F(4x4, 3x3), float16", 4, "float16", 2.0),
    ("F(8x8, 3x3), float32", 8, "float32", 2.0),
]


def seconds(A):
    """Time of one measurement."""
    start = time.perf_counter()
    ea.measure(A, trials=TRIALS)
    return time.perf_counter() - start


def main():
    """Print one line for each case."""
    print(f"{f'{TRIALS} trials':24} {'measured, s':>12} {'asked, s':>9}")
    for name, m, dtype, asked in CASES:
        A = wg.Algorithm(wg.toom_cook(m, 3, wg.published_points(m, 2)), dims=2, dtype=dtype)
        seconds(A)
        print(f"{name:24} {median(seconds(A) for _ in range(RUNS)):12.3f} {asked:9.1f}")


if __name__ == "__main__":
    main()
