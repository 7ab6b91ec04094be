"""The correction of the input that replaces the generator's face as ``w`` approaches 1."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from .blocks import add
from .image_unet import ImageUNet


class Correction(ImageUNet):
    """This project's addition to the CFT for ``w`` near 1: the input plus a correction, predicted by a U-Net.

    The result of the network is the mean, weighted by ``w``, of the generator's face and the corrected input:
    at 0 the codes alone decide, and at 1 detail of the input does not have to pass through them.
    """

    def __init__(self, widths: Sequence[int], features: int, patch: int) -> None:
        """Sizes as those of :class:`.image_unet.ImageUNet`."""
        super().__init__(widths, features, patch, outputs=3)

    def forward(self, x: Tensor, decoded: Tensor) -> Tensor:
        """Correct ``x`` (N, 3, S, S) RGB in [-1, 1], given the generator's features ``decoded``
        (N, C, S / 2 patch, S / 2 patch); the result has the shape of ``x``."""
        return add(self.enlarge(self.predict(x, decoded)).to(x), x)
