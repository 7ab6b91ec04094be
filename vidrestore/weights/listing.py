"""The ``weights`` command: list the registry, and fetch a file by name."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

from .entry import RemoteWeights, Weights
from .registry import REGISTRY, announcement, lookup, megabytes
from .store import cache_dir, fetch, locate


def list_weights() -> str:
    """Return a table of all weights as text: purpose, size, licence, and path or download command."""
    lines = []
    for weights in REGISTRY.values():
        lines += [
            f"{weights.name}  ({_size(weights)}, {_state(weights)})",
            *textwrap.wrap(weights.about, 100, initial_indent="    ", subsequent_indent="    "),
            f"    Licence: {weights.licence}, {weights.licence_url}; commercial use "
            f"{'allowed' if weights.commercial else 'not allowed'}",
            "",
        ]
    return "\n".join([*lines, f"Cache folder: {cache_dir()} (set VIDRESTORE_CACHE to change it)."])


def get(name: str, *, offline: bool = False) -> Path:
    """Fetch the weights ``name``, report progress on stderr, and return the path of the file.

    Raises UsageError for an unknown name and WeightsError if the file cannot be obtained.
    """
    weights = lookup(name)
    path = locate(name)
    if path is None:
        if not weights.embedded:
            print(announcement(name), file=sys.stderr)
        path = fetch(name, offline=offline)
    print(f"{name} is {'embedded' if weights.embedded else 'downloaded'}: {path}", file=sys.stderr)
    return path


def _size(weights: Weights) -> str:
    path = locate(weights.name)
    if isinstance(weights, RemoteWeights) and (path is None or weights.size is not None):
        return megabytes(weights.size)
    return megabytes(path.stat().st_size if path else 0)


def _state(weights: Weights) -> str:
    path = locate(weights.name)
    if weights.embedded:
        return "embedded" if path else "missing: reinstall vidrestore"
    return f"downloaded: {path}" if path else f"not downloaded: vidrestore weights get {weights.name}"
