"""The convolutional autoencoder of stage I: an encoder to code features, and a generator of images from them.

Both are flat lists of blocks (``blocks.0``, ``blocks.1``, ...), as the published weights number them.
``taps`` maps the index of a block to the level (the side of its feature maps) whose features are read, or
transformed, after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import (
    AttentionBlock,
    Downsample,
    PatchConv,
    ResidualBlock,
    SmoothUpsample,
    Upsample,
    group_norm,
    image_head,
    local_means,
    shuffle_conv,
    whiten,
)
from .config import CodeFormerConfig


class Encoder(nn.Module):
    """Stage I's encoder (Zhou et al., 2022, section 3.1), of VQGAN's architecture (Esser et al., 2021).

    (N, 3, S, S) RGB in [-1, 1] -> code features (N, C, G, G), and the feature map of each level by its side.
    """

    def __init__(self, config: CodeFormerConfig) -> None:
        super().__init__()
        self.taps: dict[int, int] = {}
        self._cell = config.cell if config.local_means else None
        groups, width = config.norm_groups, config.channels
        first = PatchConv(3, width, config.patch)
        if config.patch > 1:
            whiten(first, config.patch)
        blocks: list[nn.Module] = [first]
        for size, out, depth in zip(config.sizes, config.widths, config.depths, strict=True):
            if size == config.code_grid:
                self._coarsest = len(blocks)
                self.positions = _position_embedding(width, config)
            for number in range(depth):
                blocks.append(ResidualBlock(width, out, groups))
                width = out
                if number == depth - 1:
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

    @property
    def outer(self) -> int:
        """The number of blocks before the second level."""
        return next(i for i, block in enumerate(self.blocks) if isinstance(block, Downsample)) + 1

    def seen(self, image: Tensor) -> Tensor:
        """What the first block sees of faces (N, 3, S, S): without their local means, if these do not pass
        through codes."""
        return image if self._cell is None else image - local_means(image, self._cell)

    def forward(self, x: Tensor, *, begin: int = 0) -> tuple[Tensor, dict[int, Tensor]]:
        """With ``begin``, ``x`` is the input of the block with that index."""
        features = {}
        x = x if begin else self.seen(x)
        for index, block in enumerate(self.blocks[begin:], begin):
            if index == self._coarsest and self.positions is not None:
                x = x + self.positions.to(x.dtype)
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
        #: Factor of the final pixel shuffle.
        self.patch = config.patch >> len(config.head_widths)
        self.taps: dict[int, int] = {}
        widths, depths = zip(*config.generator_levels, strict=True)
        groups, width = config.norm_groups, widths[-1]
        self.positions = _position_embedding(width, config)
        blocks: list[nn.Module] = [
            nn.Conv2d(config.code_channels, width, 3, padding=1),
            ResidualBlock(width, width, groups),
            AttentionBlock(width, groups),
            ResidualBlock(width, width, groups),
        ]
        finest = SmoothUpsample if config.smooth_upsampling else Upsample
        next_widths = (*widths[:1], *widths[:-1])
        levels = list(zip(config.sizes, widths, depths, next_widths, strict=True))
        for size, out, depth, next_width in reversed(levels):
            for number in range(depth):
                blocks.append(ResidualBlock(width, out, groups))
                width = out
                if number == 0:
                    self.taps[len(blocks) - 1] = size
                if size in config.attention_sizes:
                    blocks.append(AttentionBlock(width, groups))
            if size != config.sizes[0]:
                out = next_width if config.narrow_upsampling else width
                blocks.append((finest if size == config.sizes[1] else Upsample)(width, out))
                width = out
        if config.head_widths:
            head = image_head(width, config.head_widths, config.patch, finest)
        else:
            head = shuffle_conv(width, 3, config.patch)
        blocks += [group_norm(width, groups), head]
        self.blocks = nn.ModuleList(blocks)

    def forward(
        self,
        x: Tensor,
        transforms: Mapping[int, Callable[[Tensor], Tensor]],
        *,
        after: int | None = None,
        until: int | None = None,
    ) -> Tensor:
        """Return the features at the finest level, from which :meth:`image` makes an image.

        ``transforms`` maps a level's size to the function applied to its features after the level's first
        residual block. With ``until``, the size of a level, stop there and return these features; with
        ``after``, go on from there, ``x`` being the features of that level.
        """
        ends = {size: index + 1 for index, size in self.taps.items()}
        begin = 0 if after is None else ends[after]
        end = len(self.blocks) - 1 if until is None else ends[until]
        for index, block in enumerate(self.blocks[begin:end], begin):
            x = block(x)
            if index == 0 and self.positions is not None:
                x = x + self.positions.to(x.dtype)
            size = self.taps.get(index)
            if size is not None and size in transforms:
                x = transforms[size](x)
        return x

    def image(self, finest: Tensor) -> Tensor:
        """Features of the finest level -> RGB (N, 3, S, S)."""
        x = self.blocks[-1](finest)
        return F.pixel_shuffle(x, self.patch) if self.patch > 1 else x

    @property
    def last_weight(self) -> Tensor:
        """The weights of the last convolution."""
        head = self.blocks[-1]
        last = head[-1] if isinstance(head, nn.Sequential) else head
        assert isinstance(last, nn.Conv2d)
        return last.weight


def _position_embedding(channels: int, config: CodeFormerConfig) -> nn.Parameter | None:
    """A position embedding (1, C, G, G) for the code grid, initially zero; None if there is none."""
    grid = config.code_grid
    return nn.Parameter(torch.zeros(1, channels, grid, grid)) if config.positions else None
