"""The sizes of a CodeFormer, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, kw_only=True)
class CodeFormerConfig:
    """Every size of the network. The defaults are the published shape (94.1 M parameters).

    The encoder halves its input ``len(multipliers) - 1`` times; what is left is the code grid. With
    ``patch`` above 1 the network works on ``patch`` x ``patch`` blocks of pixels (pixel unshuffle in
    front, pixel shuffle behind), so a 512-pixel face costs what a ``512 / patch`` one does.
    """

    image_size: int = 512
    patch: int = 1
    channels: int = 64
    multipliers: tuple[int, ...] = (1, 2, 2, 4, 4, 8)
    residual_blocks: int = 2
    attention_sizes: tuple[int, ...] = (16,)
    norm_groups: int = 32
    codebook_size: int = 1024
    code_channels: int = 256
    transformer_width: int = 512
    transformer_heads: int = 8
    transformer_layers: int = 9
    transformer_mlp: int = 1024
    cft_sizes: tuple[int, ...] = (32, 64, 128, 256)
    #: In place of the feature transformations, one at the image itself, with so many channels at each level,
    #: finest first: the result is the input and a correction for this ``w``, informed by the codes. For
    #: networks whose codes alone do not make a face; empty in the published shape.
    image_widths: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in ("multipliers", "attention_sizes", "cft_sizes", "image_widths"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.image_size % (self.patch << (len(self.multipliers) - 1)):
            raise ValueError(
                f"image_size {self.image_size} is not a multiple of patch {self.patch} x "
                f"2^{len(self.multipliers) - 1}"
            )
        if self.image_widths:
            self._check_image_widths()
        if unknown := set(self.cft_sizes) - set(self.sizes):
            raise ValueError(f"cft_sizes {sorted(unknown)} are not among the levels {self.sizes}")

    def _check_image_widths(self) -> None:
        if self.cft_sizes:
            raise ValueError("a network has either cft_sizes or image_widths")
        if len(self.image_widths) != len(self.sizes) or len(self.sizes) < 3:
            raise ValueError(f"image_widths must be one for each of three or more levels, not {self.sizes}")
        if self.patch < 2 or self.patch & (self.patch - 1) or any(width % 2 for width in self.image_widths):
            raise ValueError("image_widths must be even, and the patch with them 2, 4 or another power of 2")

    @property
    def sizes(self) -> tuple[int, ...]:
        """Side of the feature maps at each level, finest first, in pixels."""
        return tuple((self.image_size // self.patch) >> i for i in range(len(self.multipliers)))

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels at each level, finest first."""
        return tuple(self.channels * m for m in self.multipliers)

    @property
    def code_grid(self) -> int:
        """Side of the grid of codes: 16 in the published shape."""
        return self.sizes[-1]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for a file's header."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CodeFormerConfig:
        """Inverse of :meth:`to_dict`. Raises ValueError for a name that is no field."""
        if unknown := set(data) - {f.name for f in fields(cls)}:
            raise ValueError(f"unknown CodeFormer settings: {', '.join(sorted(unknown))}")
        return cls(**data)
