from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from vidrestore.restoration import binomial as filters
from vidrestore.restoration.planes import binomial, enlarge, local_maximum, local_mean, shrink

by_dtype = pytest.mark.parametrize("dtype", [torch.float32, torch.float16], ids=str)


@by_dtype
@pytest.mark.parametrize("size", [64, 512, 100, (256, 128)], ids=str)
def test_shrinking_averages(size: int | tuple[int, int], dtype: torch.dtype) -> None:
    images = torch.rand(2, 3, 512, 512, generator=torch.Generator().manual_seed(0)).to(dtype)
    found = shrink(images, size)
    assert found.dtype == torch.float32
    expected = F.interpolate(images.float(), size, mode="area")
    assert torch.allclose(found, expected, atol=1e-5)


@by_dtype
def test_a_view_of_a_part_is_averaged(dtype: torch.dtype) -> None:
    images = torch.rand(1, 3, 512, 512, generator=torch.Generator().manual_seed(0)).to(dtype)
    part = images[..., 8:136, 4:68]
    assert torch.allclose(shrink(part, (64, 32)), shrink(part.clone(), (64, 32)))
    by_channels = images.contiguous(memory_format=torch.channels_last)
    assert torch.allclose(shrink(by_channels, 32), shrink(images, 32))


@pytest.mark.parametrize("size", [(512, 512), (61, 90), (16, 16)], ids=str)
def test_enlarging_interpolates(size: tuple[int, int]) -> None:
    images = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    expected = F.interpolate(images, size, mode="bilinear", align_corners=False)
    assert torch.allclose(enlarge(images, size), expected, atol=1e-5)


def test_local_filters_replicate_the_border() -> None:
    images = torch.rand(2, 3, 24, 40, generator=torch.Generator().manual_seed(0))
    padded = F.pad(images, (1, 1, 1, 1), mode="replicate")
    assert torch.allclose(local_mean(images, 3), F.avg_pool2d(padded, 3, 1), atol=1e-6)
    assert local_maximum(images, 5).equal(F.max_pool2d(images, 5, 1, 2))
    assert torch.allclose(binomial(images), filters.binomial(images), atol=1e-6)
