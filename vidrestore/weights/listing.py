"""What the command line says and does about weights."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

from .registry import REGISTRY, Weights, lookup
from .store import cache_dir, fetch, locate


def list_weights() -> str:
    """All weights there are: what each is for, its size, its licence, and where it is or how to get it."""
    lines = []
    for weights in REGISTRY.values():
        lines += [
            f"{weights.name}  ({_size(weights)}, {_state(weights)})",
            *textwrap.wrap(weights.about, 100, initial_indent="    ", subsequent_indent="    "),
            f"    Licence: {weights.licence}, {weights.licence_url}",
            "",
        ]
    return "\n".join([*lines, f"Downloads are kept in {cache_dir()} (set VIDRESTORE_CACHE to change it)."])


def announcement(weights: Weights) -> str:
    """One line to show before a download begins: what, how much, on what terms."""
    return (
        f"Downloading {weights.name} ({_size(weights)}) from {weights.url}; "
        f"licence: {weights.licence}, {weights.licence_url}"
    )


def get(name: str, *, offline: bool = False, progress: bool = True) -> Path:
    """Get the weights called ``name``, telling on standard error what is done; where they are.

    Raises ``UsageError`` for a name that is not known and ``WeightsError`` when they cannot be had.
    """
    weights = lookup(name)
    path = locate(name)
    if path is None:
        if not weights.embedded:
            print(announcement(weights), file=sys.stderr)
        path = fetch(name, offline=offline, progress=progress)
    print(f"{name} is {'embedded' if weights.embedded else 'here'}: {path}", file=sys.stderr)
    return path


def _size(weights: Weights) -> str:
    size = weights.size
    if size is None:
        path = locate(weights.name)
        size = path.stat().st_size if path else 0
    return f"{size / 1e6:.1f} MB"


def _state(weights: Weights) -> str:
    path = locate(weights.name)
    if weights.embedded:
        return "embedded" if path else "missing: reinstall vidrestore"
    return f"here: {path}" if path else f"not here: vidrestore weights get {weights.name}"
