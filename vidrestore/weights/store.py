"""Weights by name or by path: locate, fetch, and read them without executing code from the file."""

from __future__ import annotations

import hashlib
import logging
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import platformdirs
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ..errors import WeightsError
from .download import download, is_complete
from .entry import RemoteWeights
from .registry import REGISTRY, announcement, lookup

log = logging.getLogger(__name__)

#: Keys of the state dict inside a training checkpoint, in order of preference: averaged weights first.
_STATE_KEYS = ("params_ema", "params", "state_dict")


def cache_dir() -> Path:
    """Return the folder of downloads: ``$VIDRESTORE_CACHE``, else the user's cache folder on this system:
    ``$XDG_CACHE_HOME/vidrestore`` or ``~/.cache/vidrestore`` on Linux, ``~/Library/Caches/vidrestore`` on
    macOS, ``%LOCALAPPDATA%\\vidrestore\\Cache`` on Windows."""
    if override := os.environ.get("VIDRESTORE_CACHE"):
        return Path(override).expanduser()
    return platformdirs.user_cache_path("vidrestore", appauthor=False)


def is_offline() -> bool:
    """Return whether ``$VIDRESTORE_OFFLINE`` forbids network access."""
    return os.environ.get("VIDRESTORE_OFFLINE", "").lower() not in ("", "0", "false", "no")


def locate(name: str) -> Path | None:
    """Return the path of the weights ``name``, or None if they are not on this machine.

    Raises UsageError for an unknown name.
    """
    weights = lookup(name)
    if isinstance(weights, RemoteWeights):
        path = cache_dir() / weights.filename
        return path if is_complete(path, weights) else None
    path = Path(str(resources.files("vidrestore.weights") / weights.filename))
    return path if path.is_file() else None


def fetch(name: str, *, offline: bool = False, timeout: float = 10.0, progress: bool = True) -> Path:
    """Return the path of the weights ``name``, after downloading them into the cache if necessary.

    Args:
        name: A name of the registry.
        offline: Never use the network; ``$VIDRESTORE_OFFLINE`` does the same.
        timeout: Seconds within which the server must begin to answer.
        progress: Show a progress bar on stderr, if that is a terminal.

    Raises:
        UsageError: The name is unknown.
        WeightsError: The file is not on this machine and cannot be downloaded.
    """
    if path := locate(name):
        return path
    weights = lookup(name)
    if not isinstance(weights, RemoteWeights):
        raise WeightsError(f"the embedded weights {weights.filename} are missing; reinstall vidrestore")
    path = cache_dir() / weights.filename
    if offline or is_offline():
        raise WeightsError(
            f"the weights {name} are not in {path.parent} and downloads are disabled (offline); "
            f"run `vidrestore weights get {name}` while online, or copy {weights.filename} to that folder"
        )
    download(weights, path, timeout=timeout, progress=progress)
    if weights.sha256 is None:
        _check_unverified(path, weights)
    return path


def obtain(name: str, *, offline: bool = False, download: bool = True) -> bool:
    """See to it that the weights ``name``, which were asked for, are on this machine, and return whether they
    are.

    They are not without ``download``: a dry run uses no network, and fails only if ``offline`` forbids that a
    run does. Raises as :func:`fetch`.
    """
    offline = offline or is_offline()
    if download and not offline and locate(name) is None:
        log.info("%s", announcement(name))
    if download or offline:
        fetch(name, offline=offline)
    return locate(name) is not None


def load_state(source: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read weights. Return the state dict, on the CPU, and the metadata of a safetensors file (else empty).

    Args:
        source: A name of the registry whose file is on this machine, or the path of a file (a ``Path`` is
            always a file): safetensors, or anything that ``torch.load(weights_only=True)`` accepts. That
            is a bare state dict, or one under the key ``params_ema``, ``params`` or ``state_dict``. The
            prefix ``module.`` of data-parallel training is removed.

    Raises:
        WeightsError: The file is missing or does not contain weights.
    """
    path = file_of(source)
    state, metadata = _read_safetensors(path) if check_file(path) == "safetensors" else _read_torch(path)
    if not state:
        raise WeightsError(f"{path} contains no weights; give a file that contains a state dict")
    return state, metadata


def file_of(source: str | Path) -> Path:
    """The path of weights by the name of weights on this machine or by path.

    Raises WeightsError if weights of the registry are not on this machine.
    """
    if not (isinstance(source, str) and source in REGISTRY):
        return Path(source)
    path = locate(source)
    if path is None:
        raise WeightsError(f"the weights {source} are not downloaded; run `vidrestore weights get {source}`")
    return path


def check_file(path: Path) -> Literal["safetensors", "torch", "onnx"]:
    """Check a file of weights by its first and last bytes, without reading them all, and return its format.

    Raises WeightsError if it is missing or of another type; what reads it may still refuse its content.
    """
    if not os.path.isfile(path):
        problem = "is not a file" if os.path.exists(path) else "does not exist"
        raise WeightsError(
            f"the weights file {path} {problem}; give the path of a .pth, .safetensors or .onnx file"
        )
    try:
        with path.open("rb") as file:
            start = file.read(9)
            # PyTorch before 1.6 wrote a bare pickle.
            is_torch = start[:1] == b"\x80" or zipfile.is_zipfile(file)
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    if path.suffix == ".safetensors" or start[8:] == b"{":
        with _opened_safetensors(path):
            return "safetensors"
    if is_torch:
        return "torch"
    # The first field of an ONNX model, in the format of Protocol Buffers, is the version of its format.
    if start[:1] == b"\x08":
        return "onnx"
    raise _unreadable(path, "it is damaged or not a file of weights")


def fingerprint(source: str | Path) -> str:
    """Return the SHA-256 of weights as hex digits, by the name of weights on this machine or by path. That of
    a downloaded file was verified, so it is taken from the registry."""
    if isinstance(source, str) and source in REGISTRY:
        weights = REGISTRY[source]
        if isinstance(weights, RemoteWeights) and weights.sha256 is not None:
            return weights.sha256
        source = fetch(source)
    with open(source, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_unverified(path: Path, weights: RemoteWeights) -> None:
    """Delete a download whose hash is not known, and raise WeightsError, if it holds no weights: what a
    server sends in their place would stay in the cache."""
    try:
        check_file(path)
    except WeightsError as error:
        path.unlink()
        raise WeightsError(
            f"what came from {weights.url} is not a file of weights, and was deleted; try again, or download "
            f"{weights.filename} manually and save it in {path.parent}"
        ) from error


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    with _opened_safetensors(path) as file:
        return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118


@contextmanager
def _opened_safetensors(path: Path) -> Iterator[Any]:
    """A safetensors file whose header has been read. Errors within the context are WeightsError."""
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            yield file
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, "it is damaged or not a safetensors file") from error


def _read_torch(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        # Only the zip format (PyTorch 1.6 and later) can be memory-mapped.
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except Exception as error:  # a damaged pickle may raise anything
        if "weights_only" in str(error) or "Weights only" in str(error):
            reason = "it is not a PyTorch file, or it contains code, which was not executed"
            raise _unreadable(path, reason) from error
        raise _unreadable(path, "it is damaged or not a PyTorch file") from error
    if isinstance(content, dict):
        content = next((content[key] for key in _STATE_KEYS if isinstance(content.get(key), dict)), content)
    if not isinstance(content, dict) or not all(isinstance(v, Tensor) for v in content.values()):
        raise _unreadable(path, "it contains no state dict")
    if all(key.startswith("module.") for key in content):
        content = {key.removeprefix("module."): value for key, value in content.items()}
    return dict(content), {}


def _unreadable(path: Path, reason: str) -> WeightsError:
    return WeightsError(
        f"cannot read weights from {path}: {reason}; give a .pth, .safetensors or .onnx file of weights"
    )
