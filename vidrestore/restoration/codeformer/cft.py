"""Controllable feature transformation (Zhou et al., NeurIPS 2022, section 3.3, equation 5)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import PatchConv, ResidualBlock, add, double, shuffle_conv, soften


def _affine_branch(channels: int) -> nn.Sequential:
    # The last convolution starts at zero: the transformation multiplies features, and with random weights the
    # products of two levels grow beyond what a later norm can bring back.
    last = nn.Conv2d(channels, channels, 3, padding=1)
    for parameter in last.parameters():
        nn.init.zeros_(parameter)
    return nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.LeakyReLU(0.2), last)


class FeatureTransform(nn.Module):
    """Controllable feature transformation (Zhou et al., 2022, section 3.3, equation 5).

    ``d + w * (d * scale + shift)`` for decoder features ``d``; ``scale`` and ``shift`` (alpha and beta in the
    paper) are predicted from the encoder's and the decoder's features.
    """

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
    """Layer normalisation over the channels of each pixel, as in NAFNet (Chen et al., ECCV 2022): differences
    in brightness between pixels remain. (N, C, H, W) -> (N, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.weight.to(x.dtype), self.bias.to(x.dtype)
        return F.layer_norm(x.permute(0, 2, 3, 1), (x.shape[1],), weight, bias).permute(0, 3, 1, 2)


class _GatedBlock(nn.Module):
    """A residual block with NAFNet's simple gate (Chen et al., ECCV 2022, section 3.2): the nonlinearity is
    the product of the two halves of a convolution's output. (N, C, H, W) -> (N, C, H, W).

    The correction learns only with gate and norm: with plain residual blocks and no norm, units died within
    the first hundred steps and the correction stayed at zero.
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
        # The convolution is scaled in place of its output, which is far larger than its weights.
        scale, out = self.scale.flatten(), self.conv_out
        assert out.bias is not None
        return add(F.conv2d(a * b, scale.view(-1, 1, 1, 1) * out.weight, scale * out.bias), x)


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
        self.down_blocks = nn.ModuleList(map(_GatedBlock, widths))
        self.downs = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairs)
        projection = nn.Conv2d(features, widths[1], 1)
        self.features = nn.Sequential(_LayerNorm(features), projection)
        self.ups = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairs)
        self.up_blocks = nn.ModuleList(map(_GatedBlock, widths[:-1]))
        self.finest = shuffle_conv(widths[0], self.FINE, 2, kernel=1)
        self.pixels = PatchConv(3, self.FINE, self.step)
        self.mix = nn.Conv2d(self.FINE, self.FINE, 3, padding=1)
        self.last = nn.Conv2d(self.FINE, 2 * 3, 3, padding=1)
        _whiten(self.first, patch)
        _whiten(self.pixels, self.step, gain=0.3)
        with torch.no_grad():  # the output starts close to the input
            projection.weight.mul_(0.3)
            self.last.weight.mul_(0.02)
            _zero_bias(self.last)

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
        return correction, soften(detail)

    def change(self, x: Tensor, correction: Tensor, detail: Tensor, w: Tensor) -> Tensor:
        """Apply to ``x`` the correction and detail that :meth:`parts` predicted for it, at ``w``."""
        change = correction + (1 - w).to(detail) * detail
        for _ in range(self.step.bit_length() - 1):
            change = double(change)
        return x + change.to(x)


def _whiten(conv: nn.Conv2d, side: int, gain: float = 1.0) -> None:
    """Initialise ``conv``, whose input channels are blocks of ``side`` x ``side`` RGB pixels, with the
    blocks' principal components, scaled to equal variance (PCA whitening).

    Noise and fine detail are a hundredth as large as a block's brightness, and the correction has to be found
    among them. Pixels of a block are taken to correlate by ``0.97 ** distance`` and colours by 0.9, about as
    in photographs.
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
        _zero_bias(conv)


def _zero_bias(conv: nn.Conv2d) -> None:
    assert conv.bias is not None
    conv.bias.zero_()
