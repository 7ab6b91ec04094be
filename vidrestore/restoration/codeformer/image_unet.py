"""A U-Net at the image itself, for what does not pass through codes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import PatchConv, double, shuffle_conv, whiten, zero_bias
from .gated import GatedBlock, LayerNorm


class ImageUNet(nn.Module):
    """Predicts changes of an image, at half its size or less, from the image and the generator's features.

    A U-Net (Ronneberger et al., MICCAI 2015) over blocks of ``patch`` x ``patch`` input pixels, whose second
    level also sees the generator's features, through which the codes take part. Changes have one pixel for
    each block of ``patch / 2``, where the input's own pixels are added again (a face in a video seldom holds
    finer detail), and all coarser levels are upsampled bilinearly, so that blocks do not show as a pattern.
    """

    #: Channels of the level at which changes are predicted.
    FINE = 16

    def __init__(self, widths: Sequence[int], features: int, patch: int, outputs: int) -> None:
        """``widths`` are the U-Net's channels, finest level first; ``features`` the channels of the generator
        at its second level; ``outputs`` those of the changes."""
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
        self.last = nn.Conv2d(self.FINE, outputs, 3, padding=1)
        whiten(self.first, patch)
        whiten(self.pixels, self.step, gain=0.3)
        with torch.no_grad():  # the changes start small
            projection.weight.mul_(0.3)
            self.last.weight.mul_(0.02)
            zero_bias(self.last)

    def predict(self, x: Tensor, decoded: Tensor) -> Tensor:
        """Predict changes (N, outputs, 2 S / patch, 2 S / patch).

        ``x`` is (N, 3, S, S) RGB in [-1, 1], and ``decoded`` (N, C, S / 2 patch, S / 2 patch) the generator's
        features at its second finest level. ``x`` may be a part of a face, with the same part of the
        features.
        """
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
        return self.last(h + F.gelu(self.mix(h)))

    def enlarge(self, change: Tensor) -> Tensor:
        """Upsample a change (N, C, 2 S / patch, 2 S / patch) to the image's size (N, C, S, S)."""
        for _ in range(self.step.bit_length() - 1):
            change = double(change)
        return change
