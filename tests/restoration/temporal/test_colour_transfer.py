"""No colour cast, no black faces."""

from __future__ import annotations

import pytest
import torch

from tests.support.textures import texture
from vidrestore.restoration.temporal.colour_transfer import (
    match_colours,
    replace_non_finite,
)


def test_broad_colours_follow_the_input_and_detail_stays():
    image = texture(size=512)
    detail = 0.05 * torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
    cast = torch.tensor([0.08, -0.05, 0.03])[:, None, None]
    found = match_colours((image + detail + cast)[None], image[None])[0]
    assert (found - image).mean(dim=(1, 2)).abs().max() < 0.002
    inner = (slice(None), slice(64, -64), slice(64, -64))
    assert (
        torch.corrcoef(torch.stack(((found - image)[inner].flatten(), detail[inner].flatten())))[0, 1] > 0.9
    )


@pytest.mark.parametrize("weighted", [False, True])
def test_the_order_in_memory_is_kept_and_changes_nothing(weighted):
    image, restored = texture(size=512)[None], texture(1, 512)[None]
    weight = torch.linspace(0, 1, 512).expand(1, 1, 512, 512) if weighted else None
    planar = match_colours(restored, image, weight)
    found = match_colours(
        *(x.contiguous(memory_format=torch.channels_last) for x in (restored, image)), weight
    )
    assert found.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(found, planar, atol=1e-5, rtol=0)


def test_what_covers_the_face_does_not_change_the_colours_around_it():
    image, restored = texture(size=512), texture(size=512)
    image = image.clone()
    image[:, 200:260] = 1.0  # a bar over the face
    counts = torch.ones(1, 1, 512, 512)
    counts[..., 196:264, :] = 0
    found = match_colours(restored[None], image[None], counts)[0]
    assert (found - restored).abs()[:, :190].max() < 0.01
    assert (found - restored).abs()[:, 270:].max() < 0.01
    assert (match_colours(restored[None], image[None])[0] - restored).abs()[:, :190].max() > 0.1


@pytest.mark.parametrize(("step", "least"), [(0.5, 0.0), (6, 5.3), (40, 39)])
def test_small_differences_may_be_noise(step, least):
    image = texture(size=512)
    change = (match_colours(image[None], image[None] + step / 255, noise=1.5 / 255)[0] - image) * 255
    assert least <= change.mean() <= step
    assert step > 1 or change.mean() < 0.1


def test_a_face_that_is_covered_as_a_whole_stays_finite():
    image, restored = texture(size=512), texture(1, 512)
    found = match_colours(restored[None], image[None], torch.zeros(1, 1, 512, 512))
    assert found.isfinite().all()


def test_non_finite_pixels_are_replaced_by_the_input():
    image, restored = texture()[None], texture(1)[None].clone()
    restored[0, 1, :100] = float("nan")
    found = replace_non_finite(restored, image)
    assert found[..., :100, :].equal(image[..., :100, :])
    assert found[..., 100:, :].equal(restored[..., 100:, :])
