"""Choose the embedding by which people are recognised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from .embedding import IdentityEmbedding
from .looks import LooksEmbedding


class Embedding(Protocol):
    """Maps aligned faces to vectors whose Euclidean distance tells people apart."""

    @property
    def name(self) -> str:
        """What it goes by, in messages: ``faces`` or ``looks``."""
        ...

    @property
    def threshold(self) -> float:
        """Distance from which on the means of two tracks show different people."""
        ...

    def __call__(self, faces: Sequence[np.ndarray]) -> np.ndarray:
        """Map N aligned faces, each (S, S, 3) RGB uint8, to embeddings (N, D)."""
        ...


def load_embedding() -> Embedding:
    """The face embedding if its packages are installed, else the appearance."""
    try:
        return IdentityEmbedding()
    except ImportError:
        return LooksEmbedding()
