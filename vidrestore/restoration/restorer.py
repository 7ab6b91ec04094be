"""The interface of every restorer: a network that restores batches of aligned faces."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class RestorerSpec:
    """What a restorer can do, as data."""

    name: str
    input_size: int  #: side of an aligned face in pixels, of input and output
    precisions: tuple[
        str, ...
    ]  #: those of ``fp32``, ``bf16`` and ``fp16`` in which its results can be trusted
    licence: str
    #: Sharpness (see :class:`.fidelity.face_quality.FaceQuality`) of an input up to which the eyes and the
    #: mouth that it draws are invented, and from which on they are the face's own. A face below is cleaned
    #: and gets no new edges.
    readable: tuple[float, float]
    #: Sharpness of an input up to which the codes hold what it shows, and from which on ``w`` is 1, whatever
    #: was asked for: codes would make less of the face than its input is. None: they hold every face.
    codes_hold: tuple[float, float] | None = None
    has_codes: bool = True  #: whether its observations have codes, which can be averaged over time
    #: Whether the network takes the fidelity weight. Without, ``w`` blends its results towards the input.
    has_weight: bool = True


class Observation(NamedTuple):
    """One encoded face: all that a restorer needs to restore it."""

    features: Tensor  #: (C, G, G), the encoder's features; empty without codes
    log_probs: (
        Tensor  #: (G * G, codebook size), the logarithm of each code's probability; empty without codes
    )
    rest: Any  #: whatever else the restorer needs; nobody else looks into it

    @classmethod
    def without_codes(cls, rest: Any) -> Observation:
        """The observation of a restorer that has no codes."""
        return cls(torch.empty(0), torch.empty(0), rest)

    @property
    def has_codes(self) -> bool:
        """Whether it has codes."""
        return self.log_probs.numel() > 0


class FaceRestorer(ABC):
    """A network that turns aligned faces and their fidelity weights into restored faces.

    Faces are RGB tensors (N, 3, S, S) float32 in [0, 1], aligned to the FFHQ five-point template, where S is
    ``spec.input_size`` (512 for the models that come with this package)::

        restorer = load_restorer("lite", device=torch.device("cpu"), precision="fp32")
        faces = torch.stack([first, second])  # (2, 3, 512, 512)
        restored = restorer(faces, torch.tensor([0.5, 0.8]))

    The video pipeline calls the two steps themselves, :meth:`observe` and :meth:`render`, since it averages
    codes over frames in between. A subclass sets ``spec`` and implements both. The public
    :class:`vidrestore.Restorer` is built on this interface: it takes arrays as well, and checks what it is
    given.
    """

    spec: RestorerSpec

    @abstractmethod
    def observe(self, faces: Tensor) -> list[Observation]:
        """Encode ``faces`` (N, 3, S, S) float32 RGB in [0, 1], on any device. They are not changed."""

    @abstractmethod
    def render(self, observations: Sequence[Observation], w: Tensor) -> Tensor:
        """Restore N encoded faces with fidelity weights ``w`` (N,) float32 in [0, 1], a tensor on the CPU.

        Returns (N, 3, S, S) float32 RGB in [0, 1], on the restorer's device.
        """

    def __call__(self, faces: Tensor, w: Tensor) -> Tensor:
        """``render(observe(faces), w)``: restored faces (N, 3, S, S) for fidelity weights ``w`` (N,)."""
        return self.render(self.observe(faces), w)
