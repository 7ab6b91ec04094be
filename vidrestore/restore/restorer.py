"""The interface of every restorer: what it says of itself, and what it does to a batch of faces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class RestorerSpec:
    """What a restorer can do, as data."""

    name: str
    input_size: int  #: side of an aligned face in pixels, in and out
    precisions: tuple[str, ...]  #: of ``fp32``, ``bf16``, ``fp16``, in which its results can be trusted
    licence: str


class Restorer(Protocol):
    """Turns aligned faces and their ``w`` into restored faces."""

    spec: RestorerSpec

    def __call__(self, faces: Tensor, w: Tensor) -> Tensor:
        """``faces`` (N, 3, S, S) float32 RGB in [0, 1], ``w`` (N,) in [0, 1], one fidelity weight a
        face -> restored faces of the same shape, type and range. The input is not changed."""
        ...
