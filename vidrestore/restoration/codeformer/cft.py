"""Controllable feature transformation (Zhou et al., NeurIPS 2022, section 3.3, equation 5)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import PatchConv, ResidualBlock, double, plus, shuffle_conv, soften


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
        h = self.encode_enc(torch.cat((encoded.to(decoded), decoded), dim=1))
        change = torch.addcmul(self.shift(h), decoded, self.scale(h))
        return torch.addcmul(decoded, w.to(decoded), change)


class _LayerNorm(nn.Module):
    """Layer normalisation over the channels of each pixel; brightness between pixels stays."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.weight.to(x.dtype), self.bias.to(x.dtype)
        return F.layer_norm(x.permute(0, 2, 3, 1), (x.shape[1],), weight, bias).permute(0, 3, 1, 2)


class _GatedBlock(nn.Module):
    """A residual block whose nonlinearity is the product of two halves of a convolution's output, the
    simple gate of NAFNet (Chen et al., ECCV 2022, section 3.2).

    Gate and norm are what makes a correction of the input learn at all: with plain residual blocks and no
    norm, units died within the first hundred steps and the correction stayed at zero.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.norm = _LayerNorm(channels)
        self.conv = nn.Conv2d(channels, 2 * half, 3, padding=1)
        self.conv_out = nn.Conv2d(half, channels, 1)
        self.scale = nn.Parameter(torch.full((1, channels, 1, 1), 0.1))

    def forward(self, x: Tensor) -> Tensor:
        a, b = self.conv(self.norm(x)).chunk(2, dim=1)
        # The scale goes into the convolution, whose weights are far fewer than its results.
        scale, out = self.scale.flatten(), self.conv_out
        return plus(F.conv2d(a * b, scale.view(-1, 1, 1, 1) * out.weight, scale * out.bias), x)


class ImageTransform(nn.Module):
    """The same idea at the image itself: ``x + correction + (1 - w) * detail``.

    Both come from a U-Net over the input's pixels, in blocks of ``patch``, that sees at its second level what
    the generator makes of the codes. They are made at blocks of ``patch / 2``, beside the input's own pixels
    (a face in a video seldom holds more), and all but the finest level is enlarged smoothly, so that blocks
    do not show as patterns.
    ``widths`` are the U-Net's channels, finest level first; ``features`` the generator's at its second.
    """

    #: Channels where correction and detail are made.
    FINE = 16

    def __init__(self, widths: Sequence[int], features: int, patch: int) -> None:
        super().__init__()
        self.step = patch // 2
        pairs = list(pairwise(widths))
        self.first = PatchConv(3, widths[0], patch)
        self.down_blocks = nn.ModuleList(map(_GatedBlock, widths))
        self.downs = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairs)
        self.features = nn.Sequential(_LayerNorm(features), nn.Conv2d(features, widths[1], 1))
        self.ups = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairs)
        self.up_blocks = nn.ModuleList(map(_GatedBlock, widths[:-1]))
        self.finest = shuffle_conv(widths[0], self.FINE, 2, kernel=1)
        self.pixels = PatchConv(3, self.FINE, self.step)
        self.mix = nn.Conv2d(self.FINE, self.FINE, 3, padding=1)
        self.last = nn.Conv2d(self.FINE, 2 * 3, 3, padding=1)
        _whiten(self.first, patch)
        _whiten(self.pixels, self.step, gain=0.3)
        with torch.no_grad():  # close to the input at first
            self.features[1].weight.mul_(0.3)
            self.last.weight.mul_(0.02)
            self.last.bias.zero_()

    def forward(self, x: Tensor, decoded: Tensor, w: Tensor) -> Tensor:
        """``x`` (N, 3, S, S), the generator's features (N, C, S / 2 patch, S / 2 patch), ``w`` (N, 1, 1, 1)
        -> like ``x``. ``S`` may be smaller than a face: a part of it, with the part of the features."""
        correction, detail = self.parts(x, decoded)
        return self.change(x, correction, detail, w)

    def parts(self, x: Tensor, decoded: Tensor) -> tuple[Tensor, Tensor]:
        """Correction and detail, each (N, 3, 2 S / patch, 2 S / patch)."""
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
        # Softened, so that nothing alternates from pixel to pixel, as what an adversarial loss draws from a
        # pixel shuffle would.
        return correction, soften(detail)

    def change(self, x: Tensor, correction: Tensor, detail: Tensor, w: Tensor) -> Tensor:
        """``x`` with what :meth:`parts` gave for it, at ``w``."""
        change = correction + (1 - w).to(detail) * detail
        for _ in range(self.step.bit_length() - 1):
            change = double(change)
        return x + change.to(x)


def _whiten(conv: nn.Conv2d, side: int, gain: float = 1.0) -> None:
    """Start ``conv``, which sees blocks of ``side`` x ``side`` RGB pixels as channels, from their principal
    components, each at the same size: noise and fine detail are a hundredth of a block's brightness, and what
    is to be taken from the picture or put into it has to be found among them.

    Pixels of a block correlate as ``0.97 ** distance``, colours by 0.9, which photographs about do.
    """
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    places = torch.stack((y, x), dim=-1).reshape(-1, 2).double()
    colours = 0.9 * torch.ones(3, 3).double() + 0.1 * torch.eye(3).double()
    covariance = 0.2 * torch.kron(colours, 0.97 ** torch.cdist(places, places))
    values, vectors = torch.linalg.eigh(covariance + 0.03**2 * torch.eye(len(covariance)).double())
    components = (vectors / values.sqrt()).T.flip(0)[: conv.weight.shape[0]]
    with torch.no_grad():
        conv.weight.mul_(0.3)
        conv.weight[: len(components), :, 1, 1] = gain * components.float()
        conv.bias.zero_()
