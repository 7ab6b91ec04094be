"""Faces are seen and measured without what lies over them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.support.degraded_faces import real_faces
from tests.support.overlays import overlaid
from vidrestore.faces.alignment.align import TEMPLATE
from vidrestore.restoration.fidelity.covers import STRONG, covered_share, find_covers
from vidrestore.restoration.fidelity.face_quality import measure_quality
from vidrestore.restoration.fidelity.fill import fill_covered
from vidrestore.restoration.fidelity.uncover import uncover


def test_a_face_alone_stays_as_it_is():
    face = real_faces()[2]
    [found] = uncover(face[None], [1.5], [TEMPLATE])
    assert torch.equal(found.image, face)
    assert covered_share(found.cover >= STRONG) == 0
    assert [found.quality] == measure_quality(face[None], [1.5], [TEMPLATE])


def test_what_lies_over_a_face_is_filled_before_it_is_measured():
    faces = torch.stack([overlaid(real_faces()[i], "white text")[0] for i in (2, 3)])
    for face, found in zip(faces, uncover(faces, [1.0, 1.0], [TEMPLATE] * 2), strict=True):
        [cover] = find_covers(face[None], [1.0], [TEMPLATE])
        assert np.array_equal(found.cover, cover)
        assert torch.equal(found.image, fill_covered(face, cover))
        assert [found.quality] == measure_quality(found.image[None], [1.0], [TEMPLATE])
        assert covered_share(found.cover >= STRONG) == pytest.approx(0.1, abs=0.08)


def test_no_faces():
    assert uncover(torch.zeros(0, 3, 512, 512), [], []) == []
