"""Controllable feature transformation (Zhou et al., NeurIPS 2022, section 3.3, equation 5)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .blocks import ResidualBlock


def _affine_branch(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, channels, 3, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(channels, channels, 3, padding=1),
    )


class FeatureTransform(nn.Module):
    """``d + w * (d * scale + shift)``, both predicted from encoder and decoder features."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.encode_enc = ResidualBlock(2 * channels, channels, groups)
        self.scale = _affine_branch(channels)
        self.shift = _affine_branch(channels)

    def forward(self, encoded: Tensor, decoded: Tensor, w: Tensor) -> Tensor:
        """``encoded``, ``decoded`` (N, C, H, W), ``w`` (N, 1, 1, 1) -> (N, C, H, W)."""
        h = self.encode_enc(torch.cat((encoded, decoded), dim=1))
        return decoded + w * (decoded * self.scale(h) + self.shift(h))


class ImageTransform(nn.Module):
    """The same idea at the image itself: at ``w = 1`` the result is the input plus a correction.

    ``d + w * (x + c - d)``, where the correction ``c`` comes from the finest features of encoder and
    generator and starts at zero.
    """

    def __init__(self, channels: int, patch: int, groups: int) -> None:
        super().__init__()
        self.features = ResidualBlock(2 * channels, channels, groups)
        self.correction = nn.Conv2d(channels, 3 * patch**2, 3, padding=1)
        nn.init.zeros_(self.correction.weight)
        nn.init.zeros_(self.correction.bias)
        self.shuffle = nn.PixelShuffle(patch)

    def forward(self, x: Tensor, image: Tensor, encoded: Tensor, decoded: Tensor, w: Tensor) -> Tensor:
        """``x`` and ``image`` (N, 3, S, S), features (N, C, S / patch, S / patch) -> (N, 3, S, S)."""
        h = self.features(torch.cat((encoded, decoded), dim=1))
        return image + w * (x + self.shuffle(self.correction(h)) - image)
