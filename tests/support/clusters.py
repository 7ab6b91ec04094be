"""A Ray cluster of several node processes on this machine, for tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]
#: Bytes of the object store of a node: the smallest that Ray allows is 75 MB.
_STORE = 80 << 20
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "RAY_prestart_worker_first_driver": "0",  # processes that nobody uses
    # A node that is lost is noticed in seconds.
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_failure_threshold": "8",
    "RAY_worker_niceness": "0",  # else they wait for everything else that the machine does
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "VIDRESTORE_OFFLINE": "1",
}


@contextmanager
def nodes(count: int, *, cores: int = 1) -> Iterator[Any]:
    """Start a cluster of ``count`` nodes with so many ``cores`` each, as Ray counts. Yields Ray's object,
    whose ``address`` is that for ``--ray``."""
    from ray.cluster_utils import Cluster

    before = {name: os.environ.get(name) for name in (*_ENVIRONMENT, "PYTHONPATH")}
    os.environ.update(_ENVIRONMENT, PYTHONPATH=str(_ROOT))
    cluster = Cluster()
    try:
        for _ in range(count):
            add_node(cluster, cores=cores)
        yield cluster
    finally:
        cluster.shutdown()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def add_node(cluster: Any, *, cores: int = 1) -> None:
    """Add a node with so many ``cores``, without the processes that a short run does not need."""
    cluster.add_node(num_cpus=cores, object_store_memory=_STORE, include_dashboard=False, no_monitor=True)
