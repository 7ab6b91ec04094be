"""Which cluster a run gets, and when it is told that it needs none."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.clips import pattern, write
from vidrestore.cluster import cluster as clusters
from vidrestore.cluster.cluster import opened
from vidrestore.cluster.placing import Machine
from vidrestore.errors import DeviceError, UsageError
from vidrestore.options import Options


@pytest.fixture
def cluster_of(monkeypatch) -> Any:
    """Lets a cluster have these machines, and begins no workers."""

    def set_machines(*found: Machine) -> list[Any]:
        calls: list[Any] = []

        @contextmanager
        def connected(where: str, **given: Any) -> Any:
            calls.append((where, given))
            yield SimpleNamespace()

        monkeypatch.setattr(clusters, "connected", connected)
        monkeypatch.setattr(clusters, "machines", lambda ray: list(found))

        def crew(hire: Any, size: int, needs: str) -> Any:
            return SimpleNamespace(size=size, close=lambda: calls.append("close"))

        monkeypatch.setattr(clusters, "Crew", crew)
        monkeypatch.setattr("torch.cuda.device_count", lambda: found[0].gpus)
        return calls

    return set_machines


def options(**given: Any) -> Options:
    return Options(input=Path("in.mp4"), output=Path("out.mp4"), **given)


def test_one_machine_without_gpus_gains_nothing_and_begins_nothing(cluster_of, monkeypatch, caplog):
    calls = cluster_of(Machine(8))
    monkeypatch.setattr(clusters, "load_ray", lambda: None)
    with opened(options(ray="local")) as cluster:
        assert cluster is None
    assert calls == []
    assert "--ray gains nothing on one machine without GPUs" in caplog.text


@pytest.mark.parametrize(
    ("machine", "what"), [(Machine(8), "machine without GPUs"), (Machine(8, 1), "GPU")], ids=str
)
def test_auto_on_one_machine_says_the_same(cluster_of, caplog, machine, what):
    cluster_of(machine)
    with opened(options(ray="auto")) as cluster:
        assert cluster is None
    assert f"gains nothing on one {what}:" in caplog.text


def test_a_cluster_that_is_named_is_used_even_if_it_has_one_machine_so_far(cluster_of, caplog):
    cluster_of(Machine(8))
    with opened(options(ray="10.0.0.1:6379")) as cluster:
        assert cluster is not None
    assert "gains nothing" in caplog.text


def test_who_asks_for_workers_gets_them(cluster_of, caplog):
    calls = cluster_of(Machine(2))
    with opened(options(ray="local", workers=2)) as cluster:
        assert cluster is not None
        assert cluster.crew.size == 2
    assert calls == [("local", {"cores": 2}), "close"]
    assert "gains nothing" in caplog.text


@pytest.mark.parametrize(
    ("found", "given", "size"),
    [
        ([Machine(32, 4)], {"ray": "local"}, 4),
        ([Machine(8), Machine(8)], {"ray": "auto"}, 2),
        ([Machine(8, 2), Machine(8)], {"ray": "10.0.0.1:6379"}, 2),
        ([Machine(8, 2), Machine(8)], {"ray": "10.0.0.1:6379", "device": "cpu"}, 2),
    ],
    ids=str,
)
def test_gpus_and_machines_are_used_without_a_word_of_doubt(cluster_of, caplog, found, given, size):
    cluster_of(*found)
    with opened(options(**given)) as cluster:
        assert cluster is not None
        assert cluster.crew.size == size
    assert "gains nothing" not in caplog.text


def test_one_gpu_by_its_number_is_refused():
    with (
        pytest.raises(UsageError, match="leave --ray out to use cuda:1"),
        opened(options(ray="auto", device="cuda:1")),
    ):
        pass


def test_gpus_that_were_asked_for_are_not_replaced_by_cpus(cluster_of):
    cluster_of(Machine(8), Machine(8))
    with (
        pytest.raises(DeviceError, match="no machine of the cluster has a CUDA device"),
        opened(options(ray="auto", device="cuda")),
    ):
        pass


def test_a_device_that_no_cluster_has_is_refused():
    with (
        pytest.raises(UsageError, match="--ray is for CUDA devices and CPUs"),
        opened(options(ray="auto", device="mps")),
    ):
        pass


def test_without_ray_even_a_small_machine_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    with pytest.raises(UsageError, match="not installed"), opened(options(ray="local")):
        pass


def test_what_is_decided_is_for_the_devices_of_the_cluster(cluster_of, tmp_path):
    cluster_of(Machine(8), Machine(8))
    clip = write(tmp_path / "in.mp4", [pattern(i, 64, 48, "yuv420p") for i in range(3)])
    from vidrestore.stages.setup import read_source

    given = Options(input=clip, output=tmp_path / "out.mkv", ray="auto")
    with opened(given) as cluster:
        assert cluster is not None
        decided, setup, key = cluster.decide(given, read_source(given))
    assert decided.device == "cpu"
    assert setup.restorer.device.type == "cpu"
    assert key["the device"] == "cpu"
