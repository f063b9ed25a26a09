import itertools
from dataclasses import replace

import pytest

import winograd as wg
from kernels.host import host
from kernels.workspace import Workspace, block_tiles_for

A = wg.Algorithm(wg.toom_cook(4, 3, [0, 1, -1, 2, -2, wg.INF]), dims=2)


@pytest.mark.parametrize("algorithm", [A, replace(A, channel_sum="pairwise"), wg.Algorithm(A.transforms[:1])], ids=str)
def test_blocks_cover_all_tiles_and_stay_near_the_cache(algorithm):
    rows = host().tile(algorithm.dtype).rows
    for channels, tiles, threads in itertools.product([1, 64, 2000], [1, 13, 15, 400, 10**5], [1, 2, 16]):
        block = block_tiles_for(algorithm, channels, 64, tiles, threads)
        assert block >= 1 and block % rows == 0
        # Whole register tiles first, then work for the threads that leaves: for half of them at least.
        assert 2 * -(-tiles // block) >= min(threads, -(-tiles // rows))
        space = Workspace.for_layer(algorithm, channels, block, min(block, 10))
        assert block == rows or sum(b.nbytes for b in space.buffers[:2]) < 1.1 * 2**20


def test_a_workspace_serves_smaller_calls_only():
    space = Workspace.for_layer(A, 16, 28, 7)
    assert space.serves(28, 7) and space.serves(14, 3)
    assert not space.serves(29, 7) and not space.serves(28, 8)
    assert space.nbytes == sum(b.nbytes for b in space.buffers)
