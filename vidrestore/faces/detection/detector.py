"""The interface of face detectors, and RetinaFace as one."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch

from ..face import Detection
from .box_voting import select_boxes, vote
from .retinaface import Backbone, CandidateNetwork, Candidates

SCORE_THRESHOLD = 0.5  #: enough to continue a track; a new face must be seen more clearly (see ``Tracker``)
HINT_THRESHOLD = 0.1  #: of a face that is not certain until other looks at its place confirm it
VOTE_THRESHOLD = 0.3  #: lowest score of a candidate that votes


class Detector(Protocol):
    """Finds the faces in a batch of images.

    Takes (N, H, W, 3) uint8 BGR and returns, for each image, its detections in pixels of that image, highest
    score first.
    """

    def __call__(self, images: np.ndarray, /) -> list[list[Detection]]: ...


class RetinaFaceDetector:
    """facexlib's RetinaFace, whose boxes and landmarks are averaged over all anchors that see a face.

    ``network`` names the backbone and ``state`` holds its weights under the keys of facexlib's
    ``RetinaFace``. With ``hints`` the detections include uncertain ones, down to a score of
    ``HINT_THRESHOLD``. Raises RuntimeError for weights of another network.
    """

    def __init__(
        self,
        network: Backbone,
        state: dict[str, torch.Tensor],
        *,
        device: torch.device | str = "cpu",
        hints: bool = False,
    ) -> None:
        self._threshold = HINT_THRESHOLD if hints else SCORE_THRESHOLD
        self._network = CandidateNetwork(network, state, device=torch.device(device))

    def __call__(self, images: np.ndarray, /) -> list[list[Detection]]:
        """See ``Detector``. All images go through the network as one batch."""
        candidates = self._network(images, min(self._threshold, VOTE_THRESHOLD))
        selected = select_boxes(candidates.image, candidates.boxes, candidates.scores, self._threshold)
        detections: list[list[Detection]] = [[] for _ in images]
        for index in selected.tolist():
            detections[int(candidates.image[index])].append(_voted_detection(candidates, index))
        return detections


def _voted_detection(candidates: Candidates, index: int) -> Detection:
    """The detection for a selected candidate, averaged over those that vote with it."""
    voters = candidates.image == candidates.image[index]
    # The candidate itself votes, and others that are not as uncertain.
    voters &= candidates.scores > min(VOTE_THRESHOLD, float(candidates.scores[index]) - 1e-6)
    points = torch.cat([candidates.boxes.view(-1, 2, 2), candidates.landmarks], dim=1)
    voted = vote(
        candidates.boxes[index],
        candidates.boxes[voters],
        candidates.scores[voters],
        points[voters],
    ).numpy()
    return Detection(voted[:2].ravel(), float(candidates.scores[index]), voted[2:])
