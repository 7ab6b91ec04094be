"""The losses of the face alone: when they count, and what they are together."""

from __future__ import annotations

import pytest
import torch

from tests.support.small_training import CONFIG, needs_weights
from vidrestore.faces.identity.embedding import identity_square
from vidrestore.training.face_loss import FaceLoss
from vidrestore.training.image_loss import cut_square
from vidrestore.training.settings import complete

pytest.importorskip("dlib")
pytestmark = needs_weights

SETTINGS = complete(CONFIG)["stage1"] | {"adversarial": 0.0, "identity_every": 3}


def test_without_weights_no_step_has_it() -> None:
    loss = FaceLoss(SETTINGS)
    assert [loss.square(step, 512) for step in range(4)] == [None] * 4
    assert loss.optimisers() == []


@pytest.mark.parametrize("weights", [{"identity": 0.1}, {"components": 0.1}])
def test_every_third_step_has_it(weights: dict[str, float]) -> None:
    loss, square = FaceLoss(SETTINGS | weights), identity_square(512)
    assert [loss.square(step, 512) for step in range(4)] == [square, None, None, square]


def test_it_is_the_sum_of_both() -> None:
    generator = torch.Generator().manual_seed(0)
    x, target = (
        cut_square(torch.rand((1, 3, 256, 256), generator=generator) * 2 - 1, identity_square(256))
        for _ in range(2)
    )
    found = {}
    for identity, components in ((0.1, 0.2), (0.1, 0.0), (0.0, 0.2)):
        loss = FaceLoss(SETTINGS | {"identity": identity, "components": components})
        drawn = {"step": 0, "generator": torch.Generator().manual_seed(1), "last": x}
        found[identity, components] = loss(x, target, size=256, **drawn)
    both, figures = found[0.1, 0.2]
    one, other = found[0.1, 0.0], found[0.0, 0.2]
    assert both.item() == pytest.approx((one[0] + other[0]).item(), rel=1e-5)
    assert min(one[0].item(), other[0].item()) > 0.01
    assert set(figures) == {*one[1], *other[1]} == {"identity", "perceptual_eyes", "perceptual_mouth"}
