"""The identity loss: that a face shows the same person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import UsageError
from ..faces.identity.embedding import CHIP, find_network
from ..faces.identity.recognition import RecognitionNetwork


class IdentityLoss:
    """The distance of the embeddings of a generated face and of the clean one by dlib's face recognition
    network (as Wang et al., "GFPGAN", CVPR 2021, section 3.4, with another network).

    Pixels and features of image networks count a wrong eye no more than a wrong curl; the embedding is about
    the face alone. Raises UsageError if the network's weights are not installed.
    """

    def __init__(self) -> None:
        try:
            self.network = RecognitionNetwork(find_network())
        except ImportError:
            raise UsageError(
                "the identity loss needs dlib's network: "
                'pip install "vidrestore[train]", or set identity to 0'
            ) from None

    def __call__(self, x: Tensor, target: Tensor) -> Tensor:
        """Return the mean distance of ``x`` from ``target``: of each (N, 3, S, S) in [-1, 1] the square that
        :func:`..faces.identity.embedding.identity_square` says."""
        self.network.to(x.device)
        with torch.no_grad():
            wanted = self._embed(target)
        # The gradient of a length is not finite at zero.
        return ((self._embed(x) - wanted).square().sum(dim=1) + 1e-6).sqrt().mean()

    def term(
        self, x: Tensor, target: Tensor, settings: Mapping[str, Any]
    ) -> tuple[Tensor, dict[str, Tensor | float]]:
        """Return what a step adds to the loss of a stage with these ``settings``, and figures for the log. It
        counts once for each step of the interval ``identity_every``."""
        distance = self(x, target)
        return settings["identity"] * settings["identity_every"] * distance, {"identity": distance.detach()}

    def _embed(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            chip = F.interpolate(x.float(), (CHIP, CHIP), mode="bilinear", antialias=True)
            return self.network(chip)

    @classmethod
    def wanted(cls, settings: Mapping[str, Any]) -> IdentityLoss | None:
        """Return the loss if the settings of a stage give it a weight."""
        return cls() if settings["identity"] else None
