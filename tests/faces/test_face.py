"""Detections scale with the image they are in."""

from __future__ import annotations

import numpy as np

from tests.support.moving import detection, face_points


def test_a_detection_is_scaled_per_axis():
    scaled = detection(300, 200, score=0.7).scaled(2.0, 3.0)
    points = face_points(300, 200) * (2, 3)
    np.testing.assert_allclose(scaled.box, points[:2].ravel(), rtol=1e-6)
    np.testing.assert_allclose(scaled.landmarks, points[2:], rtol=1e-6)
    assert scaled.score == 0.7
    assert scaled.box.dtype == scaled.landmarks.dtype == np.float32
