"""Controllable feature transformation (Zhou et al., NeurIPS 2022, section 3.3, equation 5)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..binomial import binomial
from .blocks import ResidualBlock, add
from .image_unet import ImageUNet


def _affine_branch(inner: int, channels: int) -> nn.Sequential:
    # The last convolution starts at zero: the transformation multiplies features, and with random weights the
    # products of two levels grow beyond what a later norm can bring back.
    last = nn.Conv2d(inner, channels, 3, padding=1)
    for parameter in last.parameters():
        nn.init.zeros_(parameter)
    return nn.Sequential(nn.Conv2d(inner, inner, 3, padding=1), nn.LeakyReLU(0.2), last)


class FeatureTransform(nn.Module):
    """Controllable feature transformation (Zhou et al., 2022, section 3.3, equation 5).

    ``d + w * (d * scale + shift)`` for decoder features ``d``; ``scale`` and ``shift`` (alpha and beta in the
    paper) are predicted from the encoder's and the decoder's features, through ``inner`` channels (the
    published network has ``inner`` equal to ``channels``).
    """

    def __init__(self, channels: int, inner: int, groups: int) -> None:
        super().__init__()
        self.encode_enc = ResidualBlock(2 * channels, inner, groups)
        self.scale = _affine_branch(inner, channels)
        self.shift = _affine_branch(inner, channels)

    def forward(self, encoded: Tensor, decoded: Tensor, w: Tensor) -> Tensor:
        """``encoded``, ``decoded`` (N, C, H, W), ``w`` (N, 1, 1, 1) -> (N, C, H, W)."""
        h = self.encode_enc(torch.cat((encoded.to(decoded), decoded), dim=1))
        change = torch.addcmul(self.shift(h), decoded, self.scale(h))
        return torch.addcmul(decoded, w.to(decoded), change)


class ImageTransform(ImageUNet):
    """This project's transformation at the image itself, in place of equation 5 of Zhou et al. (2022), for
    networks whose codes alone do not make a face: ``x + correction + (1 - w) * detail``. The U-Net predicts
    both."""

    def __init__(self, widths: Sequence[int], features: int, patch: int) -> None:
        """Sizes as those of :class:`.image_unet.ImageUNet`."""
        super().__init__(widths, features, patch, outputs=2 * 3)

    def forward(self, x: Tensor, decoded: Tensor, w: Tensor) -> Tensor:
        """Transform ``x`` (N, 3, S, S) RGB in [-1, 1], given the generator's features ``decoded``
        (N, C, S / 2 patch, S / 2 patch) and ``w`` (N, 1, 1, 1). ``x`` may be a part of a face, with the same
        part of the features."""
        correction, detail = self.parts(x, decoded)
        return self.change(x, correction, detail, w)

    def parts(self, x: Tensor, decoded: Tensor) -> tuple[Tensor, Tensor]:
        """Predict correction and detail, each (N, 3, 2 S / patch, 2 S / patch)."""
        correction, detail = self.predict(x, decoded).chunk(2, dim=1)
        # Smoothed, since an adversarial loss makes a pixel shuffle draw patterns that alternate by pixel.
        return correction, binomial(detail)

    def change(self, x: Tensor, correction: Tensor, detail: Tensor, w: Tensor) -> Tensor:
        """Apply to ``x`` the correction and detail that :meth:`parts` predicted for it, at ``w``."""
        return add(self.enlarge(correction + (1 - w).to(detail) * detail).to(x), x)
