"""Covered pixels are filled with what is around them."""

from __future__ import annotations

import numpy as np
import torch

from tests.support.degraded_faces import real_faces
from tests.support.overlays import overlaid
from vidrestore.faces.alignment.align import TEMPLATE
from vidrestore.restoration.fidelity.covers import SIDE, STRONG, WEAK, find_covers
from vidrestore.restoration.fidelity.fill import fill_covered


def test_an_overlay_goes_and_all_else_stays():
    face = real_faces()[2]
    image, area = overlaid(face, "white scratch")
    [cover] = find_covers(image[None], [1.0], [TEMPLATE])
    filled = fill_covered(image, cover)
    on = torch.from_numpy(area > 0.5)
    before, after = ((x - face).abs()[:, on].mean() for x in (image, filled))
    assert after < 0.25 * before
    changed = (filled != image).any(dim=0)
    strong = torch.from_numpy(np.kron(cover == STRONG, np.ones((2, 2), bool)))
    assert not (changed & ~strong).any()


def test_weak_evidence_is_not_filled():
    image = torch.rand(3, 512, 512)
    assert torch.equal(fill_covered(image, np.full((SIDE, SIDE), WEAK, np.uint8)), image)


def test_a_wide_cover_is_filled_smoothly():
    image = torch.full((3, 512, 512), 0.4)
    cover = np.zeros((SIDE, SIDE), np.uint8)
    cover[60:200, 40:220] = STRONG
    image[:, 120:400, 80:440] = 1.0
    assert torch.allclose(fill_covered(image, cover), torch.full_like(image, 0.4), atol=1e-3)


def test_a_face_that_is_covered_all_over_stays_finite():
    half = torch.rand(3, 64, 64).half()
    filled = fill_covered(half, np.full((SIDE, SIDE), STRONG, np.uint8))
    assert filled.dtype == torch.float16
    assert torch.isfinite(filled).all()
