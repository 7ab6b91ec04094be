"""How far a restored face drifts away from its input."""

from __future__ import annotations

import torch

from tests.support.textures import noisy, texture
from vidrestore.restoration.fidelity.identity_guard import drift_share, identity_drift


def test_the_same_face_does_not_drift():
    image = texture(size=512)
    sharper = image + 0.5 * (image - torch.nn.functional.avg_pool2d(image[None], 9, 1, 4)[0])
    for restored in (image, noisy([image], 8)[0], (0.8 * image + 0.1), sharper.clamp(0, 1)):
        assert identity_drift(restored[None], image[None]).item() < 0.05


def test_another_face_drifts():
    assert identity_drift(texture(1, 512)[None], texture(2, 512)[None]).item() > 0.5


def test_the_share_rises_smoothly_with_drift():
    found = drift_share(torch.linspace(0, 1, 50))
    assert found[0] == 0
    assert found[-1] == 1
    assert (found.diff() >= 0).all()
    assert found.diff().max() < 0.15
