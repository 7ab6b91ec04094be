"""Configurations of CodeFormer for 64-pixel faces, small enough for unit tests."""

from __future__ import annotations

from dataclasses import replace

from vidrestore.restoration.codeformer import CodeFormerConfig

#: With feature transformations at the levels, as in the published network.
SMALL = CodeFormerConfig(
    image_size=64,
    patch=2,
    channels=16,
    multipliers=(1, 2),
    residual_blocks=1,
    attention_sizes=(16,),
    norm_groups=8,
    codebook_size=32,
    code_channels=16,
    transformer_width=32,
    transformer_heads=2,
    transformer_layers=2,
    transformer_mlp=64,
    cft_sizes=(16, 32),
)
#: With the transformation at the image, as in the embedded model.
AT_IMAGE = replace(SMALL, multipliers=(1, 2, 2), cft_sizes=(), image_widths=(8, 12, 16))
#: With all that the published network does not have, except the transformation at the image.
FACE = replace(
    SMALL,
    multipliers=(1, 2, 2),
    residual_blocks=(1, 1, 2),
    cft_sizes=(8, 16),
    attention_sizes=(8,),
    cft_divisor=2,
    head_widths=(8,),
    narrow_upsampling=True,
    generator_widths=(24, 32, 32),
    generator_blocks=(2, 1, 2),
    smooth_upsampling=True,
    local_means=True,
    image_widths=(8, 12, 16),
    positions=True,
)
#: A network for faces of 128 pixels, and the one for half that size from which it can begin, whose finest
#: level is the large one's second, with upsampling by nearest neighbour.
LARGE = replace(
    FACE,
    image_size=128,
    patch=4,
    multipliers=(1, 2, 3),
    residual_blocks=(2, 1, 1),
    generator_widths=(),
    generator_blocks=(),
)
HALF = replace(
    LARGE,
    image_size=64,
    multipliers=(2, 3),
    residual_blocks=(1, 1),
    image_widths=(),
    smooth_upsampling=False,
)
