"""From overlapping candidates to one detection a face: suppression, voting, and doubled boxes."""

from __future__ import annotations

import torch
from torchvision.ops import batched_nms, box_iou

NMS_OVERLAP = 0.4  #: of RetinaFace's own evaluation
VOTE_OVERLAP = 0.6  #: candidates that overlap the winner by this much see the same face
CONTAINED = 0.5  #: a box with this share of its area inside a better one sees a part of the same face


def winners(image: torch.Tensor, boxes: torch.Tensor, scores: torch.Tensor, threshold: float) -> torch.Tensor:
    """Indices (K,) int64 of the candidates that stand for a face each, best first.

    ``image`` (M,) says which picture each of the ``boxes`` (M, 4) and ``scores`` (M,) is of. The winners
    score above ``threshold``, overlap no better one, and lie in no better one: the network doubles the
    boxes of faces larger than it was trained for, the second around a part of the first.
    """
    strong = torch.nonzero(scores > threshold).squeeze(1)
    kept = strong[batched_nms(boxes[strong], scores[strong], image[strong], NMS_OVERLAP)]
    inside = _shared_area(boxes[kept]) / _areas(boxes[kept]).clamp_min(1e-6)[:, None]
    # Either box of a pair may be the larger one: the worse one goes.
    doubled = (torch.maximum(inside, inside.T) > CONTAINED) & (image[kept][:, None] == image[kept])
    return kept[~doubled.tril(-1).any(1)]


def vote(
    winner: torch.Tensor, boxes: torch.Tensor, scores: torch.Tensor, values: torch.Tensor
) -> torch.Tensor:
    """The mean of ``values`` (M, ...) over the candidates of one picture that see the face in the box
    ``winner`` (4,), weighted by score: stiller from frame to frame than the winner's own, at no cost."""
    voters = box_iou(winner[None], boxes)[0] > VOTE_OVERLAP
    weights = scores[voters] / scores[voters].sum()
    return torch.tensordot(weights, values[voters], dims=1)


def _areas(boxes: torch.Tensor) -> torch.Tensor:
    return (boxes[:, 2:] - boxes[:, :2]).prod(1)


def _shared_area(boxes: torch.Tensor) -> torch.Tensor:
    top_left = torch.maximum(boxes[:, None, :2], boxes[:, :2])
    bottom_right = torch.minimum(boxes[:, None, 2:], boxes[:, 2:])
    return (bottom_right - top_left).clamp_min(0).prod(2)
