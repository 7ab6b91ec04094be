"""The sizes of a CodeFormer as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

#: Settings that are tuples, which JSON and YAML represent as lists.
_TUPLES = (
    "multipliers",
    "attention_sizes",
    "cft_sizes",
    "image_widths",
    "head_widths",
    "generator_widths",
    "generator_blocks",
)


@dataclass(frozen=True, kw_only=True)
class CodeFormerConfig:
    """All sizes of the network. The defaults are those of the published network (94.1 M parameters).

    The encoder halves its input ``len(multipliers) - 1`` times, down to the code grid. With ``patch`` above 1
    the network works on blocks of ``patch`` x ``patch`` pixels (pixel unshuffle at its input, pixel shuffle
    at its output), so that a 512-pixel face costs as much as a ``512 / patch`` one.
    """

    image_size: int = 512
    patch: int = 1
    channels: int = 64
    multipliers: tuple[int, ...] = (1, 2, 2, 4, 4, 8)
    #: Residual blocks per level of the encoder and of the generator: one number for all levels, or one for
    #: each, finest first.
    residual_blocks: int | tuple[int, ...] = 2
    attention_sizes: tuple[int, ...] = (16,)
    norm_groups: int = 32
    codebook_size: int = 1024
    code_channels: int = 256
    transformer_width: int = 512
    transformer_heads: int = 8
    transformer_layers: int = 9
    transformer_mlp: int = 1024
    cft_sizes: tuple[int, ...] = (32, 64, 128, 256)
    #: Channels at each level, finest first, of a U-Net at the image itself. Without ``cft_sizes`` it replaces
    #: the feature transformations: the result is the input plus a correction that depends on ``w`` and on the
    #: codes, for networks whose codes alone do not make a face. With them it corrects the input, which
    #: replaces the generator's face as ``w`` approaches 1. Empty in the published network.
    image_widths: tuple[int, ...] = ()
    #: Channels of convolutions at 2, 4, ... times the side of the generator's finest level, on the way to the
    #: image; the final pixel shuffle is then by the rest of ``patch``. Empty in the published network.
    head_widths: tuple[int, ...] = ()
    #: Whether the generator's upsampling outputs the channels of the next level, which saves a third of that
    #: level's work. False in the published network.
    narrow_upsampling: bool = False
    #: Channels of the generator's levels, and their numbers of residual blocks, finest first; empty if they
    #: are those of the encoder, as in the published network.
    generator_widths: tuple[int, ...] = ()
    generator_blocks: tuple[int, ...] = ()
    #: Whether the generator's upsampling to its finest level, and that of its head, is bilinear instead of
    #: nearest neighbour. False in the published network.
    smooth_upsampling: bool = False
    #: The CFT of a level works on the level's channels divided by this; 1 in the published network.
    cft_divisor: int = 1
    #: Whether codes' features may get the statistics of the input's (AdaIN). True in the published network. A
    #: small network draws sharper faces without: its features of a degraded face vary less than of a clean
    #: one.
    adain: bool = True
    #: Whether the mean colour of each cell of the code grid passes from the input to the result beside the
    #: codes, which then stand for what differs from it. False in the published network. In a small network's
    #: features mean colours are three quarters of the variance, and leave little of a code for an eye.
    local_means: bool = False
    #: Whether the encoder and the generator have learned position embeddings, added to their features on the
    #: code grid. False in the published network.
    positions: bool = False

    def __post_init__(self) -> None:
        for name in _TUPLES:
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.image_size % (self.patch << (len(self.multipliers) - 1)):
            raise ValueError(
                f"image_size {self.image_size} is not a multiple of patch {self.patch} x "
                f"2^{len(self.multipliers) - 1}"
            )
        if not isinstance(self.residual_blocks, int):
            object.__setattr__(self, "residual_blocks", tuple(self.residual_blocks))
        if len(self.depths) != len(self.sizes) or min(self.depths) < 1:
            raise ValueError(
                f"residual_blocks {self.residual_blocks} must be at least 1 for each of the levels "
                f"{self.sizes}"
            )
        if self.patch % (1 << len(self.head_widths)):
            raise ValueError(
                f"head_widths {self.head_widths} has {len(self.head_widths)} entries, but patch {self.patch} "
                f"is not a multiple of 2^{len(self.head_widths)}"
            )
        if self.image_widths:
            self._check_image_widths()
        if unknown := set(self.cft_sizes) - set(self.sizes):
            raise ValueError(f"cft_sizes {sorted(unknown)} are not among the levels {self.sizes}")
        self._check_generator()

    def _check_generator(self) -> None:
        for name in ("generator_widths", "generator_blocks"):
            values = getattr(self, name)
            if values and (len(values) != len(self.sizes) or min(values) < 1):
                raise ValueError(
                    f"{name} {values} must be at least 1 for each of the levels {self.sizes}, or empty"
                )
        for size, width, (generated, _) in zip(self.sizes, self.widths, self.generator_levels, strict=True):
            if size in self.cft_sizes and width != generated:
                raise ValueError(
                    f"generator_widths {self.generator_widths}: the level {size} has a feature "
                    f"transformation and must have {width} channels, as in the encoder"
                )

    def _check_image_widths(self) -> None:
        if len(self.image_widths) != len(self.sizes) or len(self.sizes) < 3:
            raise ValueError(
                f"image_widths {self.image_widths} must have one entry for each of three or more levels, "
                f"not for the levels {self.sizes}"
            )
        if self.patch < 2 or self.patch & (self.patch - 1) or any(width % 2 for width in self.image_widths):
            raise ValueError(
                f"image_widths {self.image_widths} must be even, and patch {self.patch} with them a power of "
                "2 above 1"
            )

    @property
    def sizes(self) -> tuple[int, ...]:
        """Side of the feature maps at each level, finest first, in pixels."""
        return tuple((self.image_size // self.patch) >> i for i in range(len(self.multipliers)))

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels at each level, finest first."""
        return tuple(self.channels * m for m in self.multipliers)

    @property
    def depths(self) -> tuple[int, ...]:
        """Number of residual blocks at each level, finest first."""
        blocks = self.residual_blocks
        return (blocks,) * len(self.multipliers) if isinstance(blocks, int) else blocks

    @property
    def generator_levels(self) -> tuple[tuple[int, int], ...]:
        """Channels and number of residual blocks at each level of the generator, finest first."""
        widths, blocks = self.generator_widths or self.widths, self.generator_blocks or self.depths
        return tuple(zip(widths, blocks, strict=True))

    @property
    def at_image(self) -> bool:
        """Whether the U-Net at the image replaces the feature transformations."""
        return bool(self.image_widths) and not self.cft_sizes

    @property
    def kept_sizes(self) -> tuple[int, ...]:
        """Sizes of the levels whose encoder features decoding needs, finest first."""
        return tuple(size for size in self.sizes if size in self.cft_sizes)

    @property
    def code_grid(self) -> int:
        """Side of the code grid: 16 in the published network."""
        return self.sizes[-1]

    @property
    def cell(self) -> int:
        """Side in pixels of the part of the face that a code stands for: 32 in the published network."""
        return self.image_size // self.code_grid

    def to_dict(self) -> dict[str, Any]:
        """The configuration as plain data, as a weights file keeps it in its header."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CodeFormerConfig:
        """The inverse of :meth:`to_dict`. Raises ValueError for an unknown name."""
        if unknown := set(data) - {f.name for f in fields(cls)}:
            raise ValueError(
                f"unknown CodeFormer settings {sorted(unknown)}; known are {[f.name for f in fields(cls)]}"
            )
        return cls(**data)
