"""The interface of every restorer: what it says of itself, and what it does to a batch of faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class RestorerSpec:
    """What a restorer can do, as data."""

    name: str
    input_size: int  #: side of an aligned face in pixels, in and out
    precisions: tuple[str, ...]  #: of ``fp32``, ``bf16``, ``fp16``, in which its results can be trusted
    licence: str


class Observation(NamedTuple):
    """What a restorer saw in one face: all that it needs to restore it, given time to reconsider."""

    features: Tensor  #: (C, G, G), what it saw
    log_probs: Tensor  #: (G * G, codebook size), how probable each code is, as logarithms
    rest: Any  #: its own


class Restorer(Protocol):
    """Turns aligned faces and their ``w`` into restored faces: in one go, or in two steps that temporal work
    can stand between."""

    spec: RestorerSpec

    def observe(self, faces: Tensor) -> list[Observation]:
        """``faces`` (N, 3, S, S) float32 RGB in [0, 1]."""
        ...

    def render(self, observations: Sequence[Observation], w: Tensor) -> Tensor:
        """The restored faces (N, 3, S, S) float32 in [0, 1] of what was observed; ``w`` (N,) in [0, 1]."""
        ...

    def __call__(self, faces: Tensor, w: Tensor) -> Tensor:
        """``faces`` (N, 3, S, S) float32 RGB in [0, 1], ``w`` (N,) in [0, 1], one fidelity weight a
        face -> restored faces of the same shape, type and range. The input is not changed."""
        ...
