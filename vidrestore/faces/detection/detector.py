"""Finding the faces of single pictures."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch

from ..face import Detection
from .box_voting import vote, winners
from .retinaface import Backbone, CandidateNetwork, Candidates

SCORE_THRESHOLD = 0.5  #: enough to follow a face; to be taken for one it must be seen more clearly
VOTE_THRESHOLD = 0.3


class Detector(Protocol):
    """Finds the faces in pictures (N, H, W, 3) uint8 BGR: a list of detections for each of them, in its
    pixels, best first."""

    def __call__(self, images: np.ndarray) -> list[list[Detection]]: ...


class RetinaFaceDetector:
    """facexlib's RetinaFace, with the votes of all anchors that see a face.

    ``network`` is the backbone and ``state`` its weights, with the keys of facexlib's ``RetinaFace``;
    weights of another network raise RuntimeError.
    """

    def __init__(
        self, network: Backbone, state: dict[str, torch.Tensor], *, device: torch.device | str = "cpu"
    ) -> None:
        self._candidates = CandidateNetwork(network, state, device=torch.device(device))

    def __call__(self, images: np.ndarray) -> list[list[Detection]]:
        """See ``Detector``. The pictures go through the network in one pass."""
        found = self._candidates(images, VOTE_THRESHOLD)
        detections: list[list[Detection]] = [[] for _ in images]
        for winner in winners(found.image, found.boxes, found.scores, SCORE_THRESHOLD).tolist():
            detections[int(found.image[winner])].append(_elected(found, winner))
        return detections


def _elected(found: Candidates, winner: int) -> Detection:
    same = found.image == found.image[winner]
    points = torch.cat([found.boxes.view(-1, 2, 2), found.landmarks], dim=1)
    voted = vote(found.boxes[winner], found.boxes[same], found.scores[same], points[same]).numpy()
    return Detection(voted[:2].ravel(), float(found.scores[winner]), voted[2:])
