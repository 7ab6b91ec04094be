"""Without Ray, or without a cluster: one sentence."""

from __future__ import annotations

import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from vidrestore.cluster.connect import connected, load_ray, machines
from vidrestore.cluster.placing import Machine
from vidrestore.errors import DeviceError, UsageError

_ELSE = "no Ray cluster at .*what answers there is something else"


def test_without_ray_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r'pip install "vidrestore\[ray\]"'):
        load_ray()


@pytest.fixture
def fake_ray(monkeypatch) -> Any:
    """A module whose ``init`` notes how it is called; only a local cluster can be begun."""
    calls: list[tuple[str, dict[str, Any]]] = []

    def init(address: str, **settings: Any) -> None:
        calls.append((address, settings))
        if address != "local":
            raise ConnectionError("no running Ray instance")

    fake = SimpleNamespace(init=init, calls=calls, shut=0, is_initialized=lambda: False, own=None)

    def shutdown() -> None:
        fake.shut += 1

    fake.shutdown = shutdown
    monkeypatch.setitem(sys.modules, "ray", fake)
    services = SimpleNamespace(canonicalize_bootstrap_address=lambda address: fake.own)
    monkeypatch.setitem(sys.modules, "ray._private.services", services)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    return fake


@pytest.mark.parametrize(("cores", "expected"), [(None, 4), (2, 4), (6, 6)], ids=str)
def test_auto_is_local_where_there_is_no_cluster(fake_ray, monkeypatch, cores, expected):
    monkeypatch.setattr("vidrestore.cluster.connect.usable_cores", lambda: 4)
    with connected("auto", cores=cores) as ray:
        assert ray is fake_ray
    assert [address for address, _ in fake_ray.calls] == ["local"]
    assert fake_ray.calls[0][1]["num_cpus"] == expected
    assert fake_ray.shut == 1


def test_a_program_that_is_connected_stays_so(fake_ray):
    fake_ray.is_initialized = lambda: True
    with connected("auto") as ray:
        assert ray is fake_ray
    assert (fake_ray.calls, fake_ray.shut) == ([], 0)


def nobody() -> str:
    """An address at which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def test_auto_is_local_if_the_cluster_of_this_machine_was_killed(fake_ray, caplog):
    """Ray keeps its address, and would wait for it for minutes."""
    fake_ray.own = nobody()
    with connected("auto"):
        pass
    assert [address for address, _ in fake_ray.calls] == ["local"]
    assert f"--ray auto is --ray local: there is no Ray cluster at {fake_ray.own}" in caplog.text


def test_auto_is_the_cluster_that_the_environment_names(fake_ray, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", address := nobody())
    with pytest.raises(DeviceError, match=f"no Ray cluster at {address}"), connected("auto"):
        pass
    assert fake_ray.calls == []


def test_a_cluster_that_refuses_this_process_says_why_in_one_line(fake_ray, monkeypatch):
    def init(address: str, **settings: Any) -> None:
        raise RuntimeError("Version mismatch:\n  the cluster: 2.50\n  this process: 2.60\n")

    fake_ray.init, fake_ray.own = init, "10.0.0.1:6379"
    monkeypatch.setattr("vidrestore.cluster.connect._check_address", lambda where: None)
    with pytest.raises(DeviceError) as caught, connected("auto"):
        pass
    assert str(caught.value) == (
        "cannot join the Ray cluster at 10.0.0.1:6379: Version mismatch: the cluster: 2.50 this process: 2.60"
    )


@pytest.mark.parametrize(
    ("where", "kind", "said"),
    [
        ("somewhere", UsageError, "--ray somewhere is no address; give auto, local or HOST:PORT"),
        ("host:port", UsageError, "no address"),
        ("ray://head:10001", UsageError, "the address of a Ray Client"),
        ("127.0.0.1:{port}", DeviceError, r"no Ray cluster at 127\.0\.0\.1:\d+ .*ray start --head"),
    ],
    ids=str,
)
def test_an_address_without_a_cluster_is_one_sentence(fake_ray, where, kind, said):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # and does not listen
        with (
            pytest.raises(kind, match=said) as caught,
            connected(where.format(port=free.getsockname()[1])),
        ):
            pass
    assert "\n" not in str(caught.value)
    assert fake_ray.calls == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"\0\0\x06\4\0\0\0\0\0", "cannot join .*: no running Ray instance"),  # speaks gRPC
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            "no Ray cluster at .*what answers there is something else",
        ),  # Ray's dashboard
        (b"", _ELSE),
        (None, "no Ray cluster at .*timed out"),
    ],
    ids=["gRPC", "a page", "nothing", "silence"],
)
def test_what_listens_but_is_no_cluster_is_one_sentence(fake_ray, monkeypatch, answer, said):
    monkeypatch.setattr("vidrestore.cluster.connect._PATIENCE", 5.0 if answer is not None else 0.05)
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as thread:
        where = f"127.0.0.1:{server.getsockname()[1]}"

        def serve() -> socket.socket:
            client, _ = server.accept()
            client.recv(100)
            if answer is not None:
                client.sendall(answer)
                client.close()
            return client

        serving = thread.submit(serve)
        with pytest.raises(DeviceError, match=said) as caught, connected(where):
            pass
        serving.result().close()
    assert "\n" not in str(caught.value)


def test_machines_are_those_that_are_alive():
    nodes = [
        {"Alive": True, "Resources": {"CPU": 8.0, "GPU": 2.0, "memory": 1.0}},
        {"Alive": True, "Resources": {"CPU": 4.0}},
        {"Alive": False, "Resources": {"CPU": 64.0}},
    ]
    assert machines(SimpleNamespace(nodes=lambda: nodes)) == [Machine(8, 2), Machine(4)]
