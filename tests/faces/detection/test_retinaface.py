"""The network's candidates are those of facexlib's own detection."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from vidrestore.faces.detection.retinaface import CandidateNetwork


def resized(image: np.ndarray, width: int, height: int) -> np.ndarray:
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def test_facexlib_s_detection_is_among_the_candidates(state, astronaut):
    """Folded batch norms, memory layout and cached anchors do not change the result."""
    from facexlib.detection.retinaface import RetinaFace

    theirs = RetinaFace("mobile0.25", device=torch.device("cpu"))
    theirs.load_state_dict(state)
    picture = resized(astronaut, 401, 299)
    with torch.no_grad():
        (box,) = theirs.detect_faces(picture)
    found = CandidateNetwork("mobile0.25", state, device=torch.device("cpu"))(picture[None], 0.3)
    best = int(found.scores.argmax())
    ours = np.concatenate([found.boxes[best], found.scores[best : best + 1], found.landmarks[best].ravel()])
    np.testing.assert_allclose(ours, box, atol=1e-2)
