"""The convolutional autoencoder of stage I: an encoder to code features, and a generator of images from them.

Both are flat lists of blocks (``blocks.0``, ``blocks.1``, ...), as the published weights number them.
``taps`` maps the index of a block to the level (the side of its feature maps) whose features are read, or
transformed, after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import AttentionBlock, Downsample, PatchConv, ResidualBlock, Upsample, group_norm, shuffle_conv
from .config import CodeFormerConfig


class Encoder(nn.Module):
    """Stage I's encoder (Zhou et al., 2022, section 3.1), of VQGAN's architecture (Esser et al., 2021).

    (N, 3, S, S) RGB in [-1, 1] -> code features (N, C, G, G), and the feature map of each level by its side.
    """

    def __init__(self, config: CodeFormerConfig) -> None:
        super().__init__()
        self.taps: dict[int, int] = {}
        groups, width = config.norm_groups, config.channels
        blocks: list[nn.Module] = [PatchConv(3, width, config.patch)]
        for size, out in zip(config.sizes, config.widths, strict=True):
            for number in range(config.residual_blocks):
                blocks.append(ResidualBlock(width, out, groups))
                width = out
                if number == config.residual_blocks - 1:
                    self.taps[len(blocks) - 1] = size
                if size in config.attention_sizes:
                    blocks.append(AttentionBlock(width, groups))
            if size != config.sizes[-1]:
                blocks.append(Downsample(width))
        blocks += [
            ResidualBlock(width, width, groups),
            AttentionBlock(width, groups),
            ResidualBlock(width, width, groups),
            group_norm(width, groups),
            nn.Conv2d(width, config.code_channels, 3, padding=1),
        ]
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor) -> tuple[Tensor, dict[int, Tensor]]:
        features = {}
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self.taps:
                features[self.taps[index]] = x
        return x, features


class Generator(nn.Module):
    """Stage I's decoder (Zhou et al., 2022, section 3.1), of VQGAN's architecture (Esser et al., 2021).

    Code features (N, C, G, G) -> RGB (N, 3, S, S) in about [-1, 1]: ``image(generator(features, {}))``.
    """

    def __init__(self, config: CodeFormerConfig) -> None:
        super().__init__()
        self.patch = config.patch
        self.taps: dict[int, int] = {}
        groups, width = config.norm_groups, config.widths[-1]
        blocks: list[nn.Module] = [
            nn.Conv2d(config.code_channels, width, 3, padding=1),
            ResidualBlock(width, width, groups),
            AttentionBlock(width, groups),
            ResidualBlock(width, width, groups),
        ]
        for size, out in zip(reversed(config.sizes), reversed(config.widths), strict=True):
            for number in range(config.residual_blocks):
                blocks.append(ResidualBlock(width, out, groups))
                width = out
                if number == 0:
                    self.taps[len(blocks) - 1] = size
                if size in config.attention_sizes:
                    blocks.append(AttentionBlock(width, groups))
            if size != config.sizes[0]:
                blocks.append(Upsample(width))
        blocks += [group_norm(width, groups), shuffle_conv(width, 3, config.patch)]
        self.blocks = nn.ModuleList(blocks)

    def forward(
        self, x: Tensor, transforms: Mapping[int, Callable[[Tensor], Tensor]], until: int | None = None
    ) -> Tensor:
        """Return the features at the finest level, from which :meth:`image` makes an image.

        ``transforms`` maps a level's size to the function applied to its features after the level's first
        residual block. With ``until``, the size of a level, stop there and return that level's features.
        """
        for index, block in enumerate(self.blocks[:-1]):
            x = block(x)
            size = self.taps.get(index)
            if size is not None and size in transforms:
                x = transforms[size](x)
            if until is not None and size == until:
                break
        return x

    def image(self, finest: Tensor) -> Tensor:
        """Features of the finest level -> RGB (N, 3, S, S)."""
        x = self.blocks[-1](finest)
        return F.pixel_shuffle(x, self.patch) if self.patch > 1 else x
