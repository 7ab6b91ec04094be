"""Controllable feature transformation (Zhou et al., NeurIPS 2022, section 3.3, equation 5)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import ResidualBlock


def _affine_branch(channels: int) -> nn.Sequential:
    # Zero at first, as in the correction below: the transformation is a product of features, and from
    # random weights the products of two levels grow beyond what a later norm can bring back.
    last = nn.Conv2d(channels, channels, 3, padding=1)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.LeakyReLU(0.2), last)


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
    """The same idea at the image itself: the input plus a correction.

    The correction comes from the finest features of encoder and generator, looked at again beside the
    input's own pixels in blocks of ``FINE``, and starts at zero. It knows ``w``. It has half the input's
    size (a face in a video seldom holds more), is smoothed and enlarged smoothly, so that it cannot have
    the blocks' pattern in it.
    """

    #: Pixels are seen in blocks of at most this side: a compromise between detail and cost.
    FINE = 4
    #: Channels of the layers at that size.
    WIDTH = 48
    #: Channels that features keep there beside the pixels.
    FEATURES = 15

    def __init__(self, channels: int, patch: int, groups: int) -> None:
        super().__init__()
        self.fine = min(patch, self.FINE)
        self.coarse = patch // self.fine
        self.shuffle = max(1, self.fine // 2)
        pixels = 3 * self.fine**2
        self.features = ResidualBlock(2 * channels, channels, groups)
        self.squeeze = nn.Conv2d(channels, self.FEATURES, 1)
        self.detail = nn.Sequential(
            nn.Conv2d(self.FEATURES + pixels + 1, self.WIDTH, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(self.WIDTH, self.WIDTH, 3, padding=1),
            nn.SiLU(),
        )
        self.correction = nn.Conv2d(self.WIDTH, 3 * self.shuffle**2, 3, padding=1)
        nn.init.zeros_(self.correction.weight)
        nn.init.zeros_(self.correction.bias)

    def forward(self, x: Tensor, encoded: Tensor, decoded: Tensor, w: Tensor) -> Tensor:
        """``x`` (N, 3, S, S), features (N, C, S / patch, S / patch), ``w`` (N, 1, 1, 1) -> like ``x``."""
        h = self.squeeze(self.features(torch.cat((encoded, decoded), dim=1)))
        h = _enlarge(h, self.coarse)
        pixels = F.pixel_unshuffle(x, self.fine).to(h)
        h = torch.cat((h, pixels, w.to(h).expand(-1, 1, *h.shape[2:])), dim=1)
        correction = F.pixel_shuffle(self.correction(self.detail(h)), self.shuffle)
        if self.shuffle > 1:
            # (1, 2, 1) in both directions: what the shuffle's blocks could show as a pattern is zero.
            correction = F.pad(correction, (1, 1, 1, 1), mode="replicate")
            correction = F.avg_pool2d(F.avg_pool2d(correction, 2, stride=1), 2, stride=1)
        return x + _enlarge(correction, self.fine // self.shuffle).to(x)


def _enlarge(x: Tensor, factor: int) -> Tensor:
    if factor == 1:
        return x
    return F.interpolate(x, scale_factor=float(factor), mode="bilinear", align_corners=False)


def image_blend(image: Tensor, corrected: Tensor, w: Tensor, floor: float) -> Tensor:
    """From the generator's image at ``w = 0`` (but for ``floor`` of the corrected input) to the
    corrected input at ``w >= 0.5``: two renderings of one face, blended, are a double image, so the
    range where both show is kept short."""
    share = (2 * w).clamp(max=1.0).to(corrected)
    return torch.lerp(image.to(corrected), corrected, floor + (1 - floor) * share)
