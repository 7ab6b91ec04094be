"""Two real faces, aligned, from photographs that come with scikit-image and Matplotlib."""

from __future__ import annotations

from functools import cache

import cv2
import matplotlib.cbook
import numpy as np
import skimage.data

from vidrestore.faces.detection.load import load_detector
from vidrestore.measure.face_preparation import aligned_face, largest_face


@cache
def aligned_portraits() -> dict[str, np.ndarray]:
    """Eileen Collins and Grace Hopper (public domain), each (512, 512, 3) RGB uint8."""
    hopper = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    photographs = {
        "collins": cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR),
        "hopper": cv2.imread(str(hopper)),
    }
    detector = load_detector("retinaface_mobile0.25", "cpu")
    return {
        name: aligned_face(image, largest_face(image, detector))[0] for name, image in photographs.items()
    }
