"""The embedded RetinaFace, and a real photograph to find a face in."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vidrestore.faces.detection.detector import RetinaFaceDetector
from vidrestore.weights.store import load_state


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    return load_state("retinaface_mobile0.25")[0]


@pytest.fixture(scope="module")
def detector(state) -> RetinaFaceDetector:
    return RetinaFaceDetector("mobile0.25", state)


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    """scikit-image's portrait of Eileen Collins, (512, 512, 3) uint8 BGR."""
    data = pytest.importorskip("skimage.data")
    return np.ascontiguousarray(data.astronaut()[..., ::-1])
