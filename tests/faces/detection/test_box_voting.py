"""Candidates are reduced to one box per face, and averaged over all anchors that see it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from vidrestore.faces.detection.box_voting import select_boxes, vote
from vidrestore.faces.detection.retinaface import CandidateNetwork

# Boxes of one image, their scores, and the indices that are selected, one per face.
SELECTIONS = {
    "one": ([(0, 0, 100, 120)], [0.9], [0]),
    "score too low": ([(0, 0, 100, 120)], [0.4], []),
    "best of several": ([(0, 0, 100, 120), (5, 4, 105, 124), (-6, 2, 94, 118)], [0.8, 0.9, 0.7], [1]),
    "two faces": ([(0, 0, 100, 120), (110, 0, 210, 120)], [0.8, 0.9], [1, 0]),
    "overlapping faces": ([(0, 0, 100, 120), (70, 0, 170, 120)], [0.8, 0.9], [1, 0]),
    "part of the face": ([(0, 0, 300, 360), (60, 40, 180, 200)], [0.99, 0.8], [0]),
    "around the face": ([(0, 0, 300, 360), (60, 40, 180, 200)], [0.8, 0.99], [1]),
    "large and shifted": ([(0, 0, 500, 600), (150, 80, 620, 640)], [0.99, 0.9], [0]),
    "none": ([], [], []),
}


@pytest.mark.parametrize("name", SELECTIONS)
def test_one_box_is_selected_per_face(name):
    boxes, scores, expected = SELECTIONS[name]
    image = torch.zeros(len(boxes), dtype=torch.int64)
    boxes, scores = torch.tensor(boxes, dtype=torch.float32).view(-1, 4), torch.tensor(scores)
    assert select_boxes(image, boxes, scores, 0.5).tolist() == expected


def test_images_of_a_batch_do_not_affect_each_other():
    boxes = torch.tensor([[0.0, 0, 100, 120]] * 2)
    assert sorted(select_boxes(torch.tensor([0, 1]), boxes, torch.tensor([0.9, 0.8]), 0.5).tolist()) == [0, 1]


def test_votes_are_weighted_by_score_and_limited_to_the_same_face():
    boxes = torch.tensor([[0.0, 0, 100, 100], [0, 0, 100, 90], [60, 0, 160, 100]])
    values = torch.tensor([[10.0, 1.0], [20.0, 2.0], [1000.0, 1000.0]])
    result = vote(boxes[0], boxes, torch.tensor([0.9, 0.3, 0.9]), values)
    np.testing.assert_allclose(result, [12.5, 1.25])


def test_voting_steadies_landmarks(state, detector, astronaut):
    """A still face in a large image with slight noise: the best anchor varies, the average hardly does."""
    network = CandidateNetwork("mobile0.25", state, device=torch.device("cpu"))
    rng = np.random.default_rng(0)
    still = cv2.resize(astronaut[20:220, 120:320], (400, 400), interpolation=cv2.INTER_CUBIC)
    picked, voted = [], []
    for _ in range(12):
        picture = np.clip(still + rng.normal(0, 5, still.shape), 0, 255).astype(np.uint8)[None]
        found = network(picture, 0.3)
        picked.append(found.landmarks[found.scores.argmax()].numpy())
        voted.append(detector(picture)[0][0].landmarks)
    assert np.std(voted, axis=0).mean() < 0.6 * np.std(picked, axis=0).mean()
