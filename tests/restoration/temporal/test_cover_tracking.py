"""Maps of covers over the frames around each."""

from __future__ import annotations

import numpy as np
import torch

from vidrestore.restoration.fidelity.covers import SIDE, STRONG, WEAK
from vidrestore.restoration.fidelity.face_quality import FaceQuality
from vidrestore.restoration.temporal.cover_tracking import steady_cover
from vidrestore.restoration.temporal.face_crop import FaceCrop
from vidrestore.restoration.temporal.motion import View

IMAGE = torch.zeros(3, 64, 64)
QUALITY = FaceQuality(size=60, sharpness=0.3, noise=2.0, yaw=0.1)


def crop(value: int, left: int = 100, shift: float = 0.0) -> FaceCrop[None]:
    """A face with evidence of ``value`` in columns from ``left`` on, cut out ``shift`` pixels of a map to the
    right in the frame."""
    cover = np.zeros((SIDE, SIDE), np.uint8)
    cover[50:200, left : left + 8] = value
    place = np.array([[1.0, 0, -shift * 64 / SIDE], [0, 1, 0], [0, 0, 1]])
    return FaceCrop(
        track=1, source=None, image=IMAGE, view=View.from_image(IMAGE, place), quality=QUALITY, cover=cover
    )


def covered(face: FaceCrop[None], *around: FaceCrop[None]) -> np.ndarray | None:
    return steady_cover(face, [(i + 1, other) for i, other in enumerate(around)]).cover


def test_nothing_lies_over_a_face_without_strong_evidence():
    assert covered(crop(0)) is None
    assert covered(crop(WEAK), crop(WEAK), crop(0)) is None


def test_strong_evidence_counts_by_itself():
    found = covered(crop(STRONG), crop(0))
    assert found is not None
    assert found[60, 103] == 1
    assert not found[60, :90].any()


def test_what_is_barely_seen_counts_if_it_is_clear_close_by():
    found = covered(crop(WEAK), crop(STRONG))
    assert found is not None
    assert (found[55:195, 101:107] == 1).all()


def test_what_is_not_seen_does_not_count():
    assert covered(crop(0), crop(STRONG)) is None
    assert covered(crop(WEAK, left=10), crop(STRONG, left=150)) is None


def test_a_scratch_stays_in_the_frame_while_the_face_moves():
    assert covered(crop(WEAK, left=60, shift=40), crop(STRONG, left=100)) is not None
    assert covered(crop(WEAK, left=140, shift=40), crop(STRONG, left=100)) is None
