"""Weights: which there are, where they come from, and reading them."""

from .registry import REGISTRY, Weights
from .store import cache_dir, fetch, fingerprint, load_state, locate

__all__ = ["REGISTRY", "Weights", "cache_dir", "fetch", "fingerprint", "load_state", "locate"]
