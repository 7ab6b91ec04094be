"""Controllable feature transformation (Zhou et al., NeurIPS 2022, section 3.3, equation 5)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..binomial import binomial
from .blocks import PatchConv, ResidualBlock, add, double, shuffle_conv, whiten, zero_bias
from .gated import GatedBlock, LayerNorm


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


class ImageTransform(nn.Module):
    """This project's transformation at the image itself, in place of equation 5 of Zhou et al. (2022):
    ``x + correction + (1 - w) * detail``.

    A U-Net (Ronneberger et al., MICCAI 2015) over blocks of ``patch`` x ``patch`` input pixels predicts both;
    its second level also sees the generator's features, through which the codes take part. Correction and
    detail have one pixel for each block of ``patch / 2``, where the input's own pixels are added again (a
    face in a video seldom holds finer detail), and all coarser levels are upsampled bilinearly, so that
    blocks do not show as a pattern.
    """

    #: Channels of the level at which correction and detail are predicted.
    FINE = 16

    def __init__(self, widths: Sequence[int], features: int, patch: int) -> None:
        """``widths`` are the U-Net's channels, finest level first; ``features`` the channels of the generator
        at its second level."""
        super().__init__()
        self.step = patch // 2
        pairs = list(pairwise(widths))
        self.first = PatchConv(3, widths[0], patch)
        self.down_blocks = nn.ModuleList(map(GatedBlock, widths))
        self.downs = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairs)
        projection = nn.Conv2d(features, widths[1], 1)
        self.features = nn.Sequential(LayerNorm(features), projection)
        self.ups = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairs)
        self.up_blocks = nn.ModuleList(map(GatedBlock, widths[:-1]))
        self.finest = shuffle_conv(widths[0], self.FINE, 2, kernel=1)
        self.pixels = PatchConv(3, self.FINE, self.step)
        self.mix = nn.Conv2d(self.FINE, self.FINE, 3, padding=1)
        self.last = nn.Conv2d(self.FINE, 2 * 3, 3, padding=1)
        whiten(self.first, patch)
        whiten(self.pixels, self.step, gain=0.3)
        with torch.no_grad():  # the output starts close to the input
            projection.weight.mul_(0.3)
            self.last.weight.mul_(0.02)
            zero_bias(self.last)

    def forward(self, x: Tensor, decoded: Tensor, w: Tensor) -> Tensor:
        """Transform ``x`` (N, 3, S, S) RGB in [-1, 1], given the generator's features ``decoded``
        (N, C, S / 2 patch, S / 2 patch) and ``w`` (N, 1, 1, 1). ``x`` may be a part of a face, with the same
        part of the features."""
        correction, detail = self.parts(x, decoded)
        return self.change(x, correction, detail, w)

    def parts(self, x: Tensor, decoded: Tensor) -> tuple[Tensor, Tensor]:
        """Predict correction and detail, each (N, 3, 2 S / patch, 2 S / patch)."""
        x = x.to(decoded)
        h = self.first(x)
        finer = []
        for block, down in zip(self.down_blocks, self.downs, strict=False):
            finer.append(block(h))
            h = down(finer[-1])
        h = self.down_blocks[-1](h)
        for level in reversed(range(len(finer))):
            h = double(self.ups[level](h)) + finer[level]
            if level == 1:
                h = h + self.features(decoded)
            h = self.up_blocks[level](h)
        h = F.pixel_shuffle(self.finest(h), 2) + self.pixels(x)
        h = h + F.gelu(self.mix(h))
        correction, detail = self.last(h).chunk(2, dim=1)
        # Smoothed, since an adversarial loss makes a pixel shuffle draw patterns that alternate by pixel.
        return correction, binomial(detail)

    def change(self, x: Tensor, correction: Tensor, detail: Tensor, w: Tensor) -> Tensor:
        """Apply to ``x`` the correction and detail that :meth:`parts` predicted for it, at ``w``."""
        change = correction + (1 - w).to(detail) * detail
        for _ in range(self.step.bit_length() - 1):
            change = double(change)
        return add(change.to(x), x)
