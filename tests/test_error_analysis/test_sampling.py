"""What is kept of trials, chunk by chunk."""

from itertools import pairwise

import numpy as np
import pytest

import winograd as wg
from error_analysis import measure, random_tiles
from error_analysis.measurement import sampling
from error_analysis.measurement.sampling import Samples, chunks, emulated, sampled

A = wg.Algorithm(wg.toom_cook(4, 3, [0, 1, -1, 2, -2, wg.INF]), dims=2)


@pytest.mark.parametrize(("trials", "channels"), [(2, 1), (5000, 1), (5000, 64), (100, 100_000)])
def test_chunks_follow_one_another(trials, channels):
    parts = list(chunks(trials, channels, A.tile))
    assert parts[0][0] == 0 and parts[-1][1] == trials
    assert all(stop == start for (_, stop), (start, _) in pairwise(parts))
    assert len({stop - start for start, stop in parts[:-1]}) <= 1


def test_where_chunks_begin_does_not_depend_on_the_number_of_trials():
    few, many = (list(chunks(trials, 3, A.tile)) for trials in (3000, 9000))
    assert few[:-1] == many[: len(few) - 1]


def test_samples_that_grow_are_new_ones():
    d, g = random_tiles("uniform", np.random.default_rng(0), 10, 1, A.tile, A.r, "float32")
    empty = Samples()
    (ten,) = sampled([A], [empty], d, g, 0, emulated, "auto")
    (twenty,) = sampled([A], [ten], d, g, 0, emulated, "auto")
    assert (empty.trials, ten.trials, twenty.trials) == (0, 10, 20)
    assert len(ten.over_trials("error")) == 10 and not empty.by_trial
    np.testing.assert_array_equal(twenty.over_trials("error"), np.tile(ten.over_trials("error"), 2))


def test_only_so_many_errors_are_kept_for_the_quantiles(monkeypatch):
    whole = measure(A, 4000)
    monkeypatch.setattr(sampling, "_KEPT", 16 * 1024)
    cut = measure(A, 4000)
    assert cut.quantiles == measure(A, 1024).quantiles != whole.quantiles
    assert cut.mean_abs == whole.mean_abs and cut.per_output.tolist() == whole.per_output.tolist()
