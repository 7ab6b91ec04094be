"""The correction of the input that replaces the generator's face as ``w`` approaches 1."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import PatchConv, double, shuffle_conv, whiten, zero_bias
from .gated import GatedBlock, LayerNorm


class Correction(nn.Module):
    """This project's addition to the CFT for ``w`` near 1: the input plus a correction, predicted from the
    encoder's features at the two finest levels and the generator's at the finest.

    The result of the network is the mean, weighted by ``w``, of the generator's face and the corrected input:
    at 0 the codes alone decide, and at 1 detail of the input does not have to pass through them. As in
    :class:`ImageTransform`, the correction has one pixel for each block of ``patch / 2``, where the input's
    own pixels are added again, and is upsampled bilinearly.
    """

    #: Channels of the level at which the correction is predicted.
    FINE = 16

    def __init__(self, width: int, finest: int, second: int, patch: int) -> None:
        """``finest`` and ``second`` are the channels of the two finest levels; ``width`` are its own at the
        finest."""
        super().__init__()
        self.step = patch // 2
        self.coarse = nn.Sequential(LayerNorm(second), nn.Conv2d(second, width, 1), GatedBlock(width))
        self.encoded = nn.Sequential(LayerNorm(finest), nn.Conv2d(finest, width, 1))
        self.decoded = nn.Conv2d(finest, width, 1)  # these features come from a norm
        self.blocks = nn.Sequential(GatedBlock(width), GatedBlock(width))
        self.finest = shuffle_conv(width, self.FINE, 2, kernel=1)
        self.pixels = PatchConv(3, self.FINE, self.step)
        self.mix = nn.Conv2d(self.FINE, self.FINE, 3, padding=1)
        self.last = nn.Conv2d(self.FINE, 3, 3, padding=1)
        whiten(self.pixels, self.step, gain=0.3)
        with torch.no_grad():  # the output starts close to the input
            self.last.weight.mul_(0.02)
            zero_bias(self.last)

    def forward(self, x: Tensor, finest: Tensor, second: Tensor, decoded: Tensor) -> Tensor:
        """Correct ``x`` (N, 3, S, S) RGB in [-1, 1]; the result has the same shape.

        ``finest`` and ``second`` (N, C, s, s) are the encoder's features at its two finest levels, and
        ``decoded`` the generator's at the finest, before the image head.
        """
        finest, second = finest.to(decoded), second.to(decoded)
        h = double(self.coarse(second)) + self.encoded(finest) + self.decoded(decoded)
        h = F.pixel_shuffle(self.finest(self.blocks(h)), 2) + self.pixels(x.to(decoded))
        h = self.last(h + F.gelu(self.mix(h)))
        for _ in range(self.step.bit_length() - 1):
            h = double(h)
        return x + h.to(x)
