"""All metrics of a face: equal images, worse ones, and their order."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from tests.support.portraits import aligned_portraits
from tests.support.small_training import needs_weights
from vidrestore.measure.face_metrics import FaceMeter

pytest.importorskip("dlib")
pytestmark = needs_weights


def test_each_metric_orders_images_by_their_damage() -> None:
    face = aligned_portraits()["hopper"]
    rows = [face, *(cv2.GaussianBlur(face, (0, 0), sigma) for sigma in (2, 6))]
    images = torch.from_numpy(np.stack(rows)).permute(0, 3, 1, 2).contiguous()
    meter = FaceMeter()
    found = meter.compare(images, meter.clean_face(images[0]))
    assert set(found.figures) == {"psnr", "ssim", "ms_ssim", "alex", "vgg", "identity"}
    assert found.features.shape == (3, 512)
    for name, values in found.figures.items():
        best = {"psnr": 100, "ssim": 1, "ms_ssim": 1}.get(name, 0)
        assert values[0] == pytest.approx(best, abs=1e-4), name
        assert values.tolist() == sorted(values, reverse=best > 0), name


def test_a_perceptual_distance_does_not_depend_on_which_way_up_the_face_is() -> None:
    face = aligned_portraits()["hopper"]
    rows = [face, cv2.GaussianBlur(face, (0, 0), 3)]
    images = torch.from_numpy(np.stack(rows)).permute(0, 3, 1, 2).contiguous()
    meter = FaceMeter()
    upright, mirrored = (meter.compare(x, meter.clean_face(x[0])).figures for x in (images, images.flip(-2)))
    for net in ("alex", "vgg"):
        assert upright[net][1] == pytest.approx(mirrored[net][1], rel=1e-4)
