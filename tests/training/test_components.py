"""The loss of eyes and mouth: where it looks, and what it asks for."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.support.small_training import CONFIG, needs_weights
from vidrestore.faces.alignment.align import TEMPLATE
from vidrestore.faces.identity.embedding import identity_square
from vidrestore.training.components import ComponentLoss, components
from vidrestore.training.image_loss import cut_square
from vidrestore.training.settings import complete

SETTINGS = complete(CONFIG)["stage1"] | {"components": 0.5, "perceptual_every": 2}


def faces(seed: int, size: int = 256) -> torch.Tensor:
    return torch.rand((2, 3, size, size), generator=torch.Generator().manual_seed(seed)) * 2 - 1


def loss_of(
    loss: ComponentLoss, x: torch.Tensor, target: torch.Tensor, step: int, weight: torch.Tensor | float = 1.0
) -> Any:
    size = x.shape[-1]
    square = identity_square(size)
    x, target = cut_square(x, square), cut_square(target, square)
    last = x  # the gradients at any tensor that the images come from will do
    drawn = {"generator": torch.Generator().manual_seed(1), "last": last, "weight": weight}
    return loss(x, target, square=square, size=size, step=step, **drawn)


@pytest.mark.parametrize("size", [256, 512])
def test_squares_are_around_the_eyes_and_the_mouth(size: int) -> None:
    face = torch.zeros(1, 3, size, size)
    places = [TEMPLATE[0], TEMPLATE[1], TEMPLATE[3:].mean(axis=0)]
    for channel, place in enumerate(places):
        across, down = (round(float(v) * size / 512) for v in place)
        face[0, channel, down, across] = 1
    square = identity_square(size)
    found = components(cut_square(face, square), square=square, size=size)
    assert {name: tuple(x.shape) for name, x in found.items()} == {
        "eyes": (2, 3, size * 96 // 512, size * 96 // 512),
        "mouth": (1, 3, size // 4, size // 4),
    }
    for channel, shown in enumerate([*found["eyes"], *found["mouth"]]):
        side = shown.shape[-1]
        down, across = shown[channel].nonzero()[0].tolist()
        assert abs(down - side / 2) <= 1
        assert abs(across - side / 2) <= 1.5


def test_the_right_eye_is_mirrored() -> None:
    ramp = torch.arange(512.0).expand(1, 3, 512, 512)
    square = identity_square(512)
    left, right = components(cut_square(ramp, square), square=square, size=512)["eyes"]
    assert (left.diff(dim=-1) == 1).all()
    assert (right.diff(dim=-1) == -1).all()


@needs_weights
def test_equal_faces_have_no_loss_and_only_eyes_and_mouth_count() -> None:
    loss = ComponentLoss(SETTINGS | {"adversarial": 0.0})
    clean = faces(0)
    elsewhere = clean.clone()
    elsewhere[..., :90, :] = 0  # forehead
    for other in (clean, elsewhere):
        total, figures = loss_of(loss, other, clean, 0)
        assert abs(total.item()) < 1e-6
        assert set(figures) == {"perceptual_eyes", "perceptual_mouth"}
    mouth = clean.clone()
    mouth[..., 170:200, 110:140] = 0
    assert loss_of(loss, mouth, clean, 0)[0].item() > 0.01


@needs_weights
def test_the_perceptual_distance_is_of_some_steps_and_counts_for_the_others() -> None:
    loss = ComponentLoss(SETTINGS | {"adversarial": 0.0})
    pixels = ComponentLoss(SETTINGS | {"adversarial": 0.0, "perceptual": 0.0})
    for step in range(4):
        total, figures = loss_of(loss, faces(0), faces(1), step)
        found = sum(float(v) for v in figures.values())
        expected = 0.5 * SETTINGS["perceptual"] * 2 * found
        assert (total - loss_of(pixels, faces(0), faces(1), step)[0]).item() == pytest.approx(
            expected, abs=1e-5
        )
        assert (found > 0) == (step % 2 == 0)


@needs_weights
def test_discriminators_learn_alone_and_are_then_learned_from() -> None:
    settings = {"adversarial_start": 1, "adversarial_alone": 1, "perceptual": 0.0}
    loss, without = (ComponentLoss(SETTINGS | settings | more) for more in ({}, {"adversarial": 0.0}))
    adds, figures = [], []
    for step in range(3):
        x = faces(0).requires_grad_()
        total, found = loss_of(loss, x, faces(1), step)
        adds.append(abs((total - loss_of(without, x, faces(1), step)[0]).item()))
        figures.append(set(found))
    assert figures == [set(), *[{"discriminator_eyes", "discriminator_mouth"}] * 2]
    assert adds[0] < 1e-6
    assert adds[1] < 1e-6
    assert adds[2] > 1e-4


@needs_weights
def test_the_perceptual_distance_of_a_face_counts_by_its_weight() -> None:
    loss = ComponentLoss(SETTINGS | {"adversarial": 0.0})
    none, one, other, both = (
        loss_of(loss, faces(0), faces(1), 0, torch.tensor(weight))[0].item()
        for weight in ([0.0, 0.0], [1.2, 0.0], [0.0, 0.2], [1.2, 0.2])
    )
    assert both - none == pytest.approx(one + other - 2 * none, rel=1e-4)
    assert one - none > 3 * (other - none) > 0


def test_it_is_there_if_it_has_a_weight() -> None:
    assert ComponentLoss.wanted(SETTINGS | {"components": 0.0}) is None
    assert ComponentLoss.wanted(SETTINGS) is not None
