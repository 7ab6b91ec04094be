"""The image losses that stages I and III share."""

from __future__ import annotations

import pytest
import torch

from tests.support.small_training import CONFIG, needs_weights
from vidrestore.training.image_loss import ImageLoss, parts
from vidrestore.training.settings import complete

SETTINGS = complete(CONFIG)["stage1"] | {"adversarial": 0.0}


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
@pytest.mark.parametrize(("every", "start", "steps"), [(2, 0, {0, 2, 4, 6}), (3, 2, {3, 6})])
def test_the_perceptual_distance_counts_for_the_steps_without_it(
    every: int, start: int, steps: set[int]
) -> None:
    changes = {"gradient": 0.0, "perceptual": 0.4, "perceptual_every": every, "perceptual_start": start}
    loss, last = ImageLoss(SETTINGS | changes), torch.zeros(1, requires_grad=True)
    for step in range(7):
        generator = torch.Generator().manual_seed(2)
        total, figures = loss(images(0), images(1), step=step, generator=generator, last=last)
        assert ("perceptual" in figures) == (step in steps)
        expected = 0.4 * every * float(figures.get("perceptual", 0.0))
        assert (total - figures["l1"]).item() == pytest.approx(expected, abs=1e-5)


@needs_weights
def test_the_coarse_loss_sees_colour_and_no_detail() -> None:
    loss = ImageLoss(SETTINGS | {"gradient": 0.0, "coarse": 1.0, "perceptual": 0.0})
    clean, last = images(0), torch.zeros(1, requires_grad=True)
    checkerboard = 0.2 * ((torch.arange(64)[:, None] + torch.arange(64)) % 2 - 0.5)
    for change, seen in ((0.1, 0.1), (checkerboard, 0.0)):
        total, figures = loss(clean + change, clean, step=0, generator=torch.Generator(), last=last)
        assert figures["l1"].item() == pytest.approx(0.1)
        assert (total - figures["l1"]).item() == pytest.approx(seen, abs=1e-6)
        assert "perceptual" not in figures


@needs_weights
def test_without_adversarial_loss_there_is_no_discriminator() -> None:
    assert ImageLoss(SETTINGS).optimisers() == []
    assert len(ImageLoss(SETTINGS | {"adversarial": 0.8}).optimisers()) == 1


@needs_weights
def test_errors_between_eyes_and_mouth_count_more_with_a_focus() -> None:
    loss = ImageLoss(SETTINGS | {"focus": 4.0, "coarse": 1.0, "perceptual": 0.0})
    clean, last = images(0), torch.zeros(1, requires_grad=True)
    middle, corner = torch.zeros(1, 3, 64, 64), torch.zeros(1, 3, 64, 64)
    middle[..., 32:42, 28:36] = corner[..., :10, :8] = 0.3
    found = []
    for change in (middle, corner):
        for whole in (True, False):
            total, figures = loss(
                clean + change, clean, step=0, generator=torch.Generator(), last=last, whole=whole
            )
            found.append(total.item())
            assert figures["l1"].item() == pytest.approx(change.mean().item(), rel=1e-4)
    assert found[0] > 2 * found[2]
    assert found[0] > found[1]  # a part of a face has none


@needs_weights
def test_the_discriminator_may_learn_alone_at_first() -> None:
    settings = {"adversarial": 0.8, "adversarial_start": 1, "adversarial_alone": 2, "perceptual": 0.0}
    loss = ImageLoss(SETTINGS | settings)
    last = torch.full((3, 3, 1, 1), 0.1, requires_grad=True)
    seen, before = [], [p.detach().clone() for p in loss.parameters()]
    for step in range(4):
        fake = torch.nn.functional.conv2d(images(0), last)
        total, figures = loss(fake, images(1), step=step, generator=torch.Generator(), last=last)
        seen.append(("discriminator" in figures, "adversarial" in figures))
        if step == 2:
            without = ImageLoss(SETTINGS | settings | {"adversarial": 0.0})
            plain, _ = without(fake, images(1), step=step, generator=torch.Generator(), last=last)
            assert total.item() == plain.item()
    assert seen == [(False, False), (True, False), (True, False), (True, True)]
    assert any(not torch.equal(a, b) for a, b in zip(before, loss.parameters(), strict=True))
