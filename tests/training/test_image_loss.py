"""The image losses that stages I and III share."""

from __future__ import annotations

import torch

from tests.support.small_training import CONFIG, needs_weights
from vidrestore.training.image_loss import ImageLoss, parts

SETTINGS = CONFIG["stage1"] | {"adversarial": 0.0}


def images(seed: int) -> torch.Tensor:
    return torch.rand((2, 3, 64, 64), generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_crops_are_of_the_same_places() -> None:
    clean = images(0)
    first, second = parts(clean, -clean, side=16, generator=torch.Generator().manual_seed(1))
    assert first.shape == (2, 3, 16, 16)
    assert torch.equal(first, -second)
    again, _ = parts(clean, clean, side=16, generator=torch.Generator().manual_seed(1))
    assert torch.equal(first, again)


def test_small_faces_are_not_cropped() -> None:
    clean = images(0)
    (same,) = parts(clean, side=64, generator=torch.Generator())
    assert same is clean


@needs_weights
def test_the_loss_of_equal_images_is_zero_and_grows() -> None:
    loss, last = ImageLoss(SETTINGS), torch.zeros(1, requires_grad=True)
    clean, noise = images(0), 0.1 * images(1)
    losses = []
    for factor in (0, 1, 3):
        generator = torch.Generator().manual_seed(2)
        total, figures = loss(clean + factor * noise, clean, step=0, generator=generator, last=last)
        losses.append(total.item())
        assert set(figures) == {"l1", "perceptual"}
    assert abs(losses[0]) < 1e-6
    assert losses[0] < losses[1] < losses[2]


@needs_weights
def test_the_perceptual_distance_counts_at_every_second_step() -> None:
    loss, last = ImageLoss(SETTINGS), torch.zeros(1, requires_grad=True)
    figures = [
        loss(images(0), images(1), step=step, generator=torch.Generator().manual_seed(2), last=last)[1]
        for step in (0, 1, 2)
    ]
    assert ["perceptual" in found for found in figures] == [True, False, True]


@needs_weights
def test_without_adversarial_loss_there_is_no_discriminator() -> None:
    assert ImageLoss(SETTINGS).optimisers() == []
    assert len(ImageLoss(CONFIG["stage1"]).optimisers()) == 1
