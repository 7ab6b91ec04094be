"""Weights by name or by file: where they are, getting them, and reading them without running anything."""

from __future__ import annotations

import hashlib
import os
import zipfile
from importlib import resources
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ..errors import WeightsError
from .download import download, is_whole
from .registry import REGISTRY, lookup

#: Where training programs put the state dict inside a checkpoint, the averaged weights first.
_STATE_KEYS = ("params_ema", "params", "state_dict")


def cache_dir() -> Path:
    """Where downloads are kept: ``$VIDRESTORE_CACHE``, else ``$XDG_CACHE_HOME/vidrestore``, else
    ``~/.cache/vidrestore``."""
    if own := os.environ.get("VIDRESTORE_CACHE"):
        return Path(own).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "vidrestore"


def is_offline() -> bool:
    """Whether ``$VIDRESTORE_OFFLINE`` forbids the network."""
    return os.environ.get("VIDRESTORE_OFFLINE", "").lower() not in ("", "0", "false", "no")


def locate(name: str) -> Path | None:
    """The file of the weights called ``name``, if it is here. ``UsageError`` for a name not known."""
    weights = lookup(name)
    if weights.embedded:
        path = Path(str(resources.files(__package__) / weights.filename))
        return path if path.is_file() else None
    path = cache_dir() / weights.filename
    return path if is_whole(path, weights) else None


def fetch(name: str, *, offline: bool = False, timeout: float = 10.0, progress: bool = True) -> Path:
    """The file of the weights called ``name``, downloaded into the cache if it is not here.

    ``offline``, or ``$VIDRESTORE_OFFLINE``: never use the network. ``timeout``: seconds until the server
    must answer. Raises ``WeightsError`` when it is not here and cannot be had, ``UsageError`` when there
    are no weights so called.
    """
    if path := locate(name):
        return path
    weights = lookup(name)
    if weights.embedded:
        raise WeightsError(f"the embedded weights {weights.filename} are missing; reinstall vidrestore")
    path = cache_dir() / weights.filename
    if offline or is_offline():
        raise WeightsError(
            f"the weights {name} are not in {path.parent} and downloads are switched off (offline); "
            f"run `vidrestore weights get {name}` with a connection, or put {weights.filename} there by hand"
        )
    download(weights, path, timeout=timeout, progress=progress)
    return path


def load_state(source: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """A state dict on the CPU and its file's metadata (safetensors only, else empty).

    ``source``: a name of the registry whose file is here, or a file: ``.safetensors``, or anything that
    ``torch.load`` reads without running code (bare state dict, or one under ``params_ema``, ``params`` or
    ``state_dict``; the prefix ``module.`` of data-parallel training is taken off). A ``Path`` is always a
    file. Raises ``WeightsError`` when it is not here, or not weights.
    """
    if isinstance(source, str) and source in REGISTRY:
        path = locate(source)
        if path is None:
            raise WeightsError(f"the weights {source} are not here; run `vidrestore weights get {source}`")
    else:
        path = Path(source)
        if not path.is_file():
            problem = "is not a file" if path.exists() else "does not exist"
            raise WeightsError(
                f"the weights file {path} {problem}; give the path of a .pth or .safetensors file"
            )
    state, metadata = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    if not state:
        raise WeightsError(f"{path} holds no weights; give a file whose content is a state dict")
    return state, metadata


def fingerprint(path: str | Path) -> str:
    """The sha256 of the file ``path``, as hex digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, "it is damaged or not a safetensors file") from error


def _read_torch(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        # Only the zip format (PyTorch 1.6 on) can be mapped instead of read.
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except Exception as error:  # what a damaged pickle raises is anything
        if "weights_only" in str(error) or "Weights only" in str(error):
            raise _unreadable(
                path, "it is no PyTorch file, or one that holds code, of which none was run"
            ) from error
        raise _unreadable(path, "it is damaged or no PyTorch file") from error
    if isinstance(content, dict):
        content = next((content[key] for key in _STATE_KEYS if isinstance(content.get(key), dict)), content)
    if not isinstance(content, dict) or not all(isinstance(v, Tensor) for v in content.values()):
        raise _unreadable(path, "it holds no state dict")
    if all(key.startswith("module.") for key in content):
        content = {key.removeprefix("module."): value for key, value in content.items()}
    return dict(content), {}


def _unreadable(path: Path, why: str) -> WeightsError:
    return WeightsError(
        f"cannot read weights from {path}: {why}; give a .pth or .safetensors file of weights"
    )
