"""Restored eyes and mouths whose shape is not that of their input."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.support.textures import noisy, texture
from vidrestore.faces.alignment.align import TEMPLATE
from vidrestore.restoration.fidelity.face_quality import FaceQuality
from vidrestore.restoration.fidelity.part_drift import SIDE, part_drift
from vidrestore.restoration.fidelity.parts import find_parts
from vidrestore.restoration.luma import luma

MAPS = find_parts(TEMPLATE[None], 512, SIDE).features
SHARP, BLURRED = (FaceQuality(size=200, sharpness=s, noise=1, yaw=0) for s in (0.6, 0.2))


def small(image: torch.Tensor) -> torch.Tensor:
    return luma(F.interpolate(image[None], (SIDE, SIDE), mode="area"), 1)


def blurred(image: torch.Tensor, side: int) -> torch.Tensor:
    low = F.interpolate(image[None], (side, side), mode="area")
    return F.interpolate(low, image.shape[-2:], mode="bilinear")[0]


def drift(restored: torch.Tensor, image: torch.Tensor, quality: FaceQuality) -> torch.Tensor:
    return part_drift(small(restored), small(image), MAPS, [quality])[0]


def test_what_restoration_explains_is_no_drift():
    image = texture(size=512)
    assert drift(image, image, SHARP).max() == 0
    assert drift(noisy([image], 8)[0], image, SHARP).max() < 0.05
    assert drift(image, blurred(image, 48), BLURRED).max() < 0.05


def test_the_same_detail_is_too_much_for_a_sharp_input():
    grain = torch.rand(1, 3, 80, 80, generator=torch.Generator().manual_seed(0)) - 0.5
    image = texture(size=512) + 0.5 * F.interpolate(grain, (512, 512), mode="bicubic")[0]
    assert drift(image, blurred(image, 48), SHARP).max() > drift(image, blurred(image, 48), BLURRED).max()


@pytest.mark.parametrize("quality", [SHARP, BLURRED])
def test_another_part_drifts(quality):
    assert drift(texture(1, 512), texture(2, 512), quality).min() > 0.9


@pytest.mark.parametrize("part", range(3))
def test_only_the_part_that_departs_drifts(part):
    image, other = texture(1, 512), texture(2, 512)
    share = F.interpolate(MAPS[:, part : part + 1], (512, 512), mode="bilinear")[0]
    found = drift(image.lerp(other, share), image, SHARP)
    assert found[part] > 0.8
    assert sum(found) - found[part] < 0.1


def test_a_part_without_contrast_does_not_drift():
    """Rounding would decide about its correlation."""
    flat = torch.full((3, 512, 512), 0.3)
    noise = 0.5 / 255 * torch.randn(3, 512, 512, generator=torch.Generator().manual_seed(0))
    assert drift(flat + noise, flat, SHARP).max() == 0
