"""Connects to a Ray cluster, or begins one on this machine."""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ..errors import DeviceError, UsageError, VidrestoreError
from ..runtime.host import usable_cores
from .placing import Machine

log = logging.getLogger(__name__)

#: Bytes of the object store of a cluster that is begun here: what waits in it is bounded.
_STORE = 256 << 20
#: Seconds that a cluster may take to answer.
_PATIENCE = 5.0
#: How a client of HTTP/2, and so of gRPC, begins: its preface and an empty SETTINGS frame (RFC 9113, 3.4).
_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
#: Where in a frame its type is, and the type of SETTINGS, with which a server begins.
_TYPE, _SETTINGS = 3, 4
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_DEDUP_LOGS": "0",
}


@contextmanager
def connected(where: str, *, cores: int | None = None) -> Iterator[Any]:
    """Yields the module ``ray``, connected to the cluster at ``where``: ``local`` begins one on this machine,
    as if it had at least so many ``cores``, which ends with the context; ``auto`` is the cluster that this
    machine is part of, else ``local``.

    Raises UsageError if Ray is not installed, DeviceError if no cluster answers.
    """
    ray = load_ray()
    if ray.is_initialized():  # by the program that uses this package
        yield ray
        return
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        _connect(ray, where, cores)
        with suppress(ValueError):  # not in the main thread
            for number, handler in handlers.items():
                signal.signal(number, handler)  # Ray replaces them
        yield ray
    finally:
        ray.shutdown()


def load_ray() -> Any:
    """The module ``ray``. Raises UsageError if it is not installed."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError:
        raise UsageError('--ray needs Ray, which is not installed: pip install "vidrestore[ray]"') from None
    return ray


def machines(ray: Any) -> list[Machine]:
    """The machines of the cluster."""
    alive = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return [Machine(int(has.get("CPU", 0)), int(has.get("GPU", 0))) for has in alive]


def _connect(ray: Any, where: str, cores: int | None) -> None:
    settings: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if where == "auto":
        where = os.environ.get("RAY_ADDRESS") or "auto"
    if where == "auto":
        where = _own_cluster()
    if "://" in where:
        raise UsageError(
            f"--ray {where} is the address of a Ray Client; run on a machine of the cluster and give auto"
        )
    if where == "local":
        ray.init(
            "local",
            num_cpus=max(cores or 1, usable_cores()),
            object_store_memory=_STORE,
            include_dashboard=False,
            **settings,
        )
        return
    _check_address(where)
    try:
        ray.init(where, **settings)
    except Exception as error:  # such as another version of Ray or Python, or another token
        raise DeviceError(
            f"cannot join the Ray cluster at {where}: {' '.join(str(error).split())}"
        ) from error


def _own_cluster() -> str:
    """The address of the cluster that this machine is part of; ``local`` if it is part of none. Ray keeps the
    address of one that was killed, and itself waits for minutes for it to answer."""
    from ray._private.services import canonicalize_bootstrap_address

    try:
        where = canonicalize_bootstrap_address("auto")
    except (ConnectionError, ValueError):
        where = None
    if where is None:
        return "local"
    try:
        _check_address(where)
    except VidrestoreError as error:
        log.warning("--ray auto is --ray local: %s", error)
        return "local"
    return where


def _check_address(where: str) -> None:
    """Raise UsageError or DeviceError unless a server of gRPC listens at ``host:port``: Ray itself waits for
    minutes."""
    host, _, port = where.rpartition(":")
    if not host or not port.isdecimal():
        raise UsageError(f"--ray {where} is no address; give auto, local or HOST:PORT, such as 10.0.0.1:6379")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE) as server:
            if os.environ.get("RAY_USE_TLS", "0") in ("0", "false"):  # else it says nothing that is plain
                _check_answer(server)
    except (OSError, OverflowError, ValueError) as error:
        raise DeviceError(
            f"there is no Ray cluster at {where} ({error}); begin one with: ray start --head"
        ) from None


def _check_answer(server: socket.socket) -> None:
    """Raise OSError or ValueError unless ``server`` answers as one of gRPC does."""
    server.sendall(_HELLO)
    answer = server.recv(_TYPE + 1, socket.MSG_WAITALL)
    if len(answer) <= _TYPE or answer[_TYPE] != _SETTINGS:
        raise ValueError("what answers there is something else")
