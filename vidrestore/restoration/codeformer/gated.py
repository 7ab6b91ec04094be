"""Blocks with NAFNet's norm and gate (Chen et al., ECCV 2022), for what works at the image itself."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import add


class LayerNorm(nn.Module):
    """Layer normalisation over the channels of each pixel, as in NAFNet (Chen et al., ECCV 2022): differences
    in brightness between pixels remain. (N, C, H, W) -> (N, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.weight.to(x.dtype), self.bias.to(x.dtype)
        return F.layer_norm(x.permute(0, 2, 3, 1), self.weight.shape, weight, bias).permute(0, 3, 1, 2)


class GatedBlock(nn.Module):
    """A residual block with NAFNet's simple gate (Chen et al., ECCV 2022, section 3.2): the nonlinearity is
    the product of the two halves of a convolution's output. (N, C, H, W) -> (N, C, H, W).

    The correction learns only with gate and norm: with plain residual blocks and no norm, units died within
    the first hundred steps and the correction stayed at zero.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.norm = LayerNorm(channels)
        self.conv = nn.Conv2d(channels, 2 * half, 3, padding=1)
        self.conv_out = nn.Conv2d(half, channels, 1)
        self.scale = nn.Parameter(torch.full((1, channels, 1, 1), 0.1))

    def forward(self, x: Tensor) -> Tensor:
        a, b = self.conv(self.norm(x)).chunk(2, dim=1)
        # The convolution is scaled in place of its output, which is far larger than its weights.
        scale, out = self.scale.flatten(), self.conv_out
        assert out.bias is not None
        return add(F.conv2d(a * b, scale.view(-1, 1, 1, 1) * out.weight, scale * out.bias), x)
