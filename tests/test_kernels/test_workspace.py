import itertools
from dataclasses import replace

import pytest

import winograd as wg
from kernels.host import host
from kernels.workspace import Workspace, block_tiles_for, tile_shares

A = wg.Algorithm(wg.toom_cook(4, 3, [0, 1, -1, 2, -2, wg.INF]), dims=2)


ALGORITHMS = [A, replace(A, channel_sum="pairwise"), wg.Algorithm(A.transforms[:1])]


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=str)
@pytest.mark.parametrize("threads", [1, 2, 3, 16])
def test_shares_cover_all_tiles_once_and_evenly(algorithm, threads):
    rows = host().tile(algorithm.dtype).rows
    for tiles in [*range(1, 200), 1000, 10**5]:
        shares = tile_shares(algorithm, tiles, threads)
        assert shares[0][0] == 0 and shares[-1][1] == tiles and len(shares) <= threads
        assert all(a[1] == b[0] for a, b in itertools.pairwise(shares))
        sizes = [stop - start for start, stop in shares]
        assert min(sizes) > 0 and max(sizes) - min(sizes) < 2 * rows


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=str)
def test_blocks_are_whole_register_tiles_and_stay_near_the_cache(algorithm):
    rows = host().tile(algorithm.dtype).rows
    for channels, share in itertools.product([1, 64, 2000], [1, 13, 15, 400, 10**5]):
        block = block_tiles_for(algorithm, channels, share)
        assert block >= min(rows, share) and block % rows == 0 and block < share + rows
        space = Workspace.for_layer(algorithm, channels, block, min(block, 10))
        assert block == rows or sum(b.nbytes for b in space.buffers[:2]) < 1.1 * 2**20


def test_a_workspace_serves_smaller_calls_only():
    space = Workspace.for_layer(A, 16, 28, 7)
    assert space.serves(28, 7) and space.serves(14, 3)
    assert not space.serves(29, 7) and not space.serves(28, 8)
    assert space.nbytes == sum(b.nbytes for b in space.buffers)
