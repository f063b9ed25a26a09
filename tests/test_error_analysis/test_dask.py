"""A search on a Dask cluster one of whose workers is killed under it: the executor is not ours, nor are its deaths."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from error_analysis.searching.search import search
from error_analysis.searching.store import Store
from error_analysis.searching.workers import Here

distributed = pytest.importorskip("distributed", reason="the dev extra brings Dask")
# Dask's own threads and sockets are closed while its processes go down, in an order that it does not keep.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Any]:
    settings = {"distributed.comm.timeouts.connect": "10s", "distributed.scheduler.worker-ttl": None}
    import dask

    with (
        dask.config.set(settings),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=str(tmp_path),
            silence_logs=60,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def test_search_survives_the_death_of_a_worker(client: Any, tmp_path: Path) -> None:
    asked: dict[str, Any] = {"m": 3, "r": 3, "dims": 1, "budget": 8, "seed": 5, "continuous": False}
    alone = search(**asked, executor=Here())
    killed: list[int] = []

    def kill_one(done: int, expected: int, lowest: float) -> None:
        if not killed:
            killed.append(next(iter(client.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)

    with Store(tmp_path / "store.sqlite") as store:
        result = search(**asked, executor=client.get_executor(), store=store, progress=kill_one)
        written = len(store)
        assert killed
        assert killed[0] not in client.run(os.getpid).values()
        assert result == alone
        # Run again, nothing is measured: there is nothing to give to an executor.
        assert search(**asked, executor=client.get_executor(), store=store) == alone
        assert len(store) == written
