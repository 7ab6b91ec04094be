"""The convolutional blocks of which the encoder, the generator and the CFT are built."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..binomial import neighbours

Conv = TypeVar("Conv", nn.Conv2d, nn.ConvTranspose2d)

#: GroupNorm epsilon of VQGAN, and of the published weights.
NORM_EPS = 1e-6
#: Number of channels from which on ``F.interpolate`` is faster than :func:`double`'s own arithmetic.
_MANY_CHANNELS = 16


def group_norm(channels: int, groups: int) -> nn.GroupNorm:
    """The GroupNorm of every block."""
    return nn.GroupNorm(groups, channels, eps=NORM_EPS)


def swish(x: Tensor) -> Tensor:
    """``x * sigmoid(x)``; in place if gradients are disabled."""
    return F.silu(x, inplace=not torch.is_grad_enabled())


def add(x: Tensor, y: Tensor) -> Tensor:
    """``x + y``; in place if gradients are disabled, so the caller must not use ``x`` again."""
    return x + y if torch.is_grad_enabled() else x.add_(y)


class ResidualBlock(nn.Module):
    """VQGAN's residual block (Esser et al., 2021): norm, swish, 3 x 3 convolution, twice, added to the input.

    (N, in, H, W) -> (N, out, H, W).
    """

    def __init__(self, in_channels: int, out_channels: int, groups: int) -> None:
        super().__init__()
        self.norm1 = group_norm(in_channels, groups)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.norm2 = group_norm(out_channels, groups)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        if in_channels != out_channels:
            self.conv_out = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(swish(self.norm1(x)))
        h = self.conv2(swish(self.norm2(h)))
        return add(h, self.conv_out(x) if hasattr(self, "conv_out") else x)


class AttentionBlock(nn.Module):
    """VQGAN's attention block (Esser et al., 2021): single-head self-attention over the H x W positions,
    added to the input. (N, C, H, W) -> (N, C, H, W)."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.norm = group_norm(channels, groups)
        self.q = nn.Conv2d(channels, channels, 1)
        self.k = nn.Conv2d(channels, channels, 1)
        self.v = nn.Conv2d(channels, channels, 1)
        self.proj_out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(x)
        # (N, C, H, W) -> (N, 1 head, H * W, C)
        q, k, v = (conv(h).flatten(2).transpose(1, 2).unsqueeze(1) for conv in (self.q, self.k, self.v))
        h = _attention(q, k, v) if torch.is_grad_enabled() else F.scaled_dot_product_attention(q, k, v)
        return x + self.proj_out(h.squeeze(1).transpose(1, 2).reshape(x.shape))


def _attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Scaled dot-product attention, for training: on a CPU, the gradient of the built-in function takes more
    than twice as long for a head of 256 channels."""
    scores = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
    return scores.softmax(dim=-1) @ v


class Downsample(nn.Module):
    """VQGAN's downsampling (Esser et al., 2021): a 3 x 3 convolution with stride 2, zero-padded by one row
    and column at the bottom and right only. (N, C, H, W) -> (N, C, H / 2, W / 2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class Upsample(nn.Module):
    """VQGAN's upsampling (Esser et al., 2021): nearest neighbour by 2, then a 3 x 3 convolution.

    (N, in, H, W) -> (N, out, 2 H, 2 W). Each output pixel depends on only 2 x 2 input pixels, so both steps
    are computed as one transposed 4 x 4 convolution with stride 2, at 4/9 of the multiplications. Its kernel
    is the sum of the 3 x 3 kernel at the four offsets that meet the same input pixel.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv_transpose2d(x, self._kernel(), self.conv.bias, stride=2, padding=1)

    def _kernel(self) -> Tensor:
        kernel = F.pad(self.conv.weight, (1, 1, 1, 1))
        kernel = kernel[..., 1:] + kernel[..., :-1]
        kernel = kernel[..., 1:, :] + kernel[..., :-1, :]
        return kernel.flip(2, 3).transpose(0, 1)

    def frozen(self) -> nn.ConvTranspose2d:
        """The same operation with its kernel computed once."""
        channels = self.conv.in_channels, self.conv.out_channels
        conv = nn.ConvTranspose2d(*channels, 4, stride=2, padding=1, device="meta")
        return _with_weights(conv, self._kernel(), self.conv.bias)


class SmoothUpsample(nn.Module):
    """A 3 x 3 convolution, then bilinear upsampling by 2: (N, in, H, W) -> (N, out, 2 H, 2 W).

    The image cannot jump at the borders of the pixels before it. With :class:`Upsample` a small network draws
    its edges there, where they cost it nothing, and they show as a lattice of blocks.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return double(self.conv(x))


class PatchConv(nn.Conv2d):
    """A 3 x 3 convolution over ``pixel_unshuffle(x, patch)`` (Shi et al., CVPR 2016, inverted).

    (N, C, H, W) -> (N, out, H / patch, W / patch). Computed as one convolution of the input with stride
    ``patch``: writing out the unshuffled tensor would take a CPU about as long as the convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, patch: int) -> None:
        super().__init__(in_channels * patch**2, out_channels, 3, padding=1)
        self.patch = patch

    def forward(self, input: Tensor) -> Tensor:
        return F.conv2d(input, self._kernel(), self.bias, stride=self.patch, padding=self.patch)

    def _kernel(self) -> Tensor:
        kernel = self.weight.unflatten(1, (-1, self.patch, self.patch)).permute(0, 1, 4, 2, 5, 3)
        return kernel.reshape(len(kernel), -1, 3 * self.patch, 3 * self.patch)

    def frozen(self) -> nn.Conv2d:
        """The same operation with its kernel computed once."""
        kernel = self._kernel()
        conv = nn.Conv2d(
            in_channels=kernel.shape[1],
            out_channels=len(kernel),
            kernel_size=3 * self.patch,
            stride=self.patch,
            padding=self.patch,
            device="meta",
        )
        return _with_weights(conv, kernel, self.bias)


def _with_weights(conv: Conv, kernel: Tensor, bias: Tensor | None) -> Conv:
    """``conv`` with this kernel and bias, without gradients."""
    assert bias is not None  # every convolution here has one
    conv.weight = nn.Parameter(kernel.detach(), requires_grad=False)
    conv.bias = nn.Parameter(bias.detach(), requires_grad=False)
    return conv


def double(x: Tensor) -> Tensor:
    """Bilinear upsampling by 2: (N, C, H, W) -> (N, C, 2 H, 2 W), at inference channels last in memory.

    For few channels it is computed here: ``F.interpolate``, which is vectorised over channels, takes twice as
    long for them on a CPU, and half as long for many.
    """
    if x.shape[1] >= _MANY_CHANNELS:
        if not torch.is_grad_enabled():
            x = x.contiguous(memory_format=torch.channels_last)
        return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    x = x.permute(0, 2, 3, 1)
    for dim in (1, 2):
        before, after = neighbours(x, dim)
        x = torch.stack((x.lerp(before, 0.25), x.lerp(after, 0.25)), dim + 1).flatten(dim, dim + 1)
    return x.permute(0, 3, 1, 2)


def local_means(image: Tensor, cell: int) -> Tensor:
    """The mean colours of cells of ``cell`` x ``cell`` pixels of faces (N, 3, S, S), or of parts of faces,
    enlarged to their size again."""
    means = F.avg_pool2d(image, cell)
    return F.interpolate(means, size=image.shape[-2:], mode="bilinear", align_corners=False)


def image_head(
    in_channels: int,
    widths: Sequence[int],
    patch: int,
    upsample: Callable[[int, int], nn.Module] = Upsample,
) -> nn.Sequential:
    """Layers from the generator's finest features (N, C, H, W) to an image of ``patch`` times the side.

    Each of ``widths`` stands for ``upsample``, by 2, and a convolution, with that many channels; a pixel
    shuffle by the remaining ``patch >> len(widths)``, which the caller applies, follows. A plain pixel
    shuffle by ``patch`` predicts the pixels of a patch independently, and patches show as a lattice. There
    are no norms: with few channels and many pixels they are slow.
    """
    layers: list[nn.Module] = []
    for width in widths:
        layers += [upsample(in_channels, width), nn.SiLU(), nn.Conv2d(width, width, 3, padding=1), nn.SiLU()]
        in_channels = width
    return nn.Sequential(*layers, shuffle_conv(in_channels, 3, patch >> len(widths)))


def shuffle_conv(in_channels: int, out_channels: int, patch: int, kernel: int = 3) -> nn.Conv2d:
    """A convolution for a pixel shuffle by ``patch`` to ``out_channels`` (Shi et al., CVPR 2016).

    All pixels of a patch start with the same filter (ICNR, Aitken et al., 2017), so that training does not
    begin with a pattern of the patch's period. With ``patch`` 1 it is a plain convolution.
    """
    conv = nn.Conv2d(in_channels, out_channels * patch**2, kernel, padding=kernel // 2)
    if patch > 1:
        with torch.no_grad():
            for parameter in conv.parameters():
                parameter.copy_(parameter[:: patch**2].repeat_interleave(patch**2, dim=0))
    return conv


def whiten(conv: nn.Conv2d, side: int, gain: float = 1.0) -> None:
    """Initialise ``conv``, whose input channels are blocks of ``side`` x ``side`` RGB pixels, with the
    blocks' principal components, scaled to equal variance (PCA whitening).

    Noise and fine detail are a hundredth as large as a block's brightness, and the network has to find them.
    Pixels of a block are taken to correlate by ``0.97 ** distance`` and colours by 0.9, about as in
    photographs. Weights on the meta device, which others will replace, are left alone: to compute there,
    torch imports its compiler, which takes seconds.
    """
    if conv.weight.is_meta:
        return
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    places = torch.stack((y, x), dim=-1).reshape(-1, 2).double()
    colours = 0.9 * torch.ones(3, 3).double() + 0.1 * torch.eye(3).double()
    covariance = 0.2 * torch.kron(colours, 0.97 ** torch.cdist(places, places))
    values, vectors = torch.linalg.eigh(covariance + 0.03**2 * torch.eye(len(covariance)).double())
    components = (vectors / values.sqrt()).T.flip(0)[: conv.weight.shape[0]]
    with torch.no_grad():
        conv.weight.mul_(0.3)
        conv.weight[: len(components), :, 1, 1] = gain * components.float()
        zero_bias(conv)


def zero_bias(conv: nn.Conv2d) -> None:
    """Set the bias of ``conv`` to zero."""
    assert conv.bias is not None  # every convolution here has one
    conv.bias.zero_()
