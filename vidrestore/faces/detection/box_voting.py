"""From overlapping candidates to one detection per face: non-maximum suppression and box voting."""

from __future__ import annotations

import torch

NMS_IOU = 0.4  #: as in RetinaFace's own evaluation
VOTE_IOU = 0.6  #: candidates with this IoU with a selected box see the same face
CONTAINED = 0.5  #: a box with this share of its area inside a better one shows a part of the same face


def select_boxes(
    image: torch.Tensor, boxes: torch.Tensor, scores: torch.Tensor, threshold: float
) -> torch.Tensor:
    """Select one candidate per face; return their indices (K,) int64, highest score first.

    ``image`` (M,) is the image that each of the ``boxes`` (M, 4) with ``scores`` (M,) belongs to. Selected
    candidates score above ``threshold``, pass non-maximum suppression, and neither lie inside a better one
    nor around it. The last condition is needed because the network finds faces larger than those it was
    trained on twice, the second time in a box around a part of the first.
    """
    # torchvision takes seconds to import, and processes that find no faces do without it.
    from torchvision.ops import batched_nms, box_area

    strong = torch.nonzero(scores > threshold).squeeze(1)
    kept = strong[batched_nms(boxes[strong], scores[strong], image[strong], NMS_IOU)]
    inside = _intersection(boxes[kept]) / box_area(boxes[kept]).clamp_min(1e-6)[:, None]
    # Either box of a pair may be the larger one; the one with the lower score is dropped.
    duplicate = (torch.maximum(inside, inside.T) > CONTAINED) & (image[kept][:, None] == image[kept])
    return kept[~duplicate.tril(-1).any(1)]


def vote(
    selected: torch.Tensor, boxes: torch.Tensor, scores: torch.Tensor, values: torch.Tensor
) -> torch.Tensor:
    """Average ``values`` (M, ...), weighted by score, over the candidates of the face in a selected box.

    ``selected`` (4,) is that box; ``boxes`` (M, 4) and ``scores`` (M,) are all candidates of its image. Box
    voting (Gidaris and Komodakis, 2015) makes boxes and landmarks steadier from frame to frame than those of
    the best candidate alone, at no cost.
    """
    from torchvision.ops import box_iou

    voters = box_iou(selected[None], boxes)[0] > VOTE_IOU
    weights = scores[voters] / scores[voters].sum()
    return torch.tensordot(weights, values[voters], dims=1)


def _intersection(boxes: torch.Tensor) -> torch.Tensor:
    """(K, K): the area that each pair of boxes (K, 4) shares."""
    top_left = torch.maximum(boxes[:, None, :2], boxes[:, :2])
    bottom_right = torch.minimum(boxes[:, None, 2:], boxes[:, 2:])
    return (bottom_right - top_left).clamp_min(0).prod(2)
