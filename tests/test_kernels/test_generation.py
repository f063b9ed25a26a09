"""The generated module: what it is made of, and that its name follows all of it."""

from dataclasses import replace

import numpy as np
import pytest

import winograd as wg
from kernels.compilation import module_name
from kernels.generation import algorithm_module, algorithm_text, panels_module
from kernels.host import Tile, host

A = wg.Algorithm(wg.toom_cook(2, 3, [0, 1, -1, wg.INF]), dims=2)
TILE = Tile(6, 2, 8)


def test_the_text_is_plain_python_that_holds_the_programs_own_text():
    text = algorithm_text(A, TILE, "winograd_kernels_panels")
    compile(text, "generated", "exec")
    assert text.startswith(f"# {A}")
    body = A.programs[0].BT.to_python("float32", "apply_bt0").split("def ", 1)[1]
    assert body in text


@pytest.mark.parametrize(
    "other",
    [
        wg.Algorithm(wg.toom_cook(2, 3, [0, 1, -2, wg.INF]), dims=2),
        replace(A, order="left", passes=("share",)),
        A.with_formats("float64"),
        replace(A, filter_dtype="float64"),
        replace(A, fma=True),
        replace(A, channel_sum="blocked", channel_block=2),
        replace(A, channel_sum="pairwise", channel_block=2),
    ],
    ids=str,
)
def test_another_algorithm_is_another_module(other):
    tile = host().tile(A.dtype)
    panels = [panels_module(a.dtype, a.fma, host().tile(a.dtype)).__name__ for a in (A, other)]
    texts = [algorithm_text(a, tile, p) for a, p in zip((A, other), panels, strict=True)]
    assert len({module_name(text, "same stem") for text in texts}) == 2


def test_equal_algorithms_share_one_module():
    again = wg.Algorithm.from_json(A.to_json())
    assert algorithm_module(A) is algorithm_module(again)


def test_the_filter_transform_is_the_programs_result_in_panels():
    module = algorithm_module(A)
    rng = np.random.default_rng(0)
    w = rng.uniform(-1, 1, (3, 2, 3, 3)).astype(np.float32)
    columns = host().tile(np.float32).columns
    U = np.full(16 * 2 * columns, np.nan, np.float32)
    module.transform_filter(w.reshape(-1), 3, 2, *(np.empty(size, np.float32) for size in (9, 12, 16)), U)
    G = A.transforms[0].matrices(np.float64)[1]
    exact = np.einsum("ia,kcab,jb->ijck", G, w.astype(float), G).reshape(16, 2, 3)
    packed = U.reshape(16, 2, columns)
    # Each entry is a sum of at most 9 products of size at most 1, added in two stages: 12 roundings at the most.
    np.testing.assert_allclose(packed[..., :3], exact, rtol=0, atol=12 * 2.0**-24 * 9)
    assert not packed[..., 3:].any()
