"""Filling holes in faces: what the network sees, and what of its result is used, which is the hole alone.

A hole is given as a map like those of :mod:`.fidelity.covers`: what lies over a face, or is missing of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..runtime.cuda_streams import upload
from ..runtime.ramps import smoothstep
from .fidelity.covers import SIDE, STRONG, covered_share, find_covers, widened
from .fidelity.fill import fill_covered
from .planes import enlarge, shrink
from .temporal.colour_transfer import LIGHT_NOISE, broad_change, match_colours, spread
from .temporal.face_crop import RestoredFace, Source
from .temporal.tint import keep_hue

#: Pixels of a map, from the edge of a hole inwards, over which the result is fitted to what is around it.
_FITTED = 8
#: Pixels of a map by which a hole is wider where its surroundings are looked at, and where it is filled: a
#: map is coarser than the pixels of a large face.
_MIXED, _MARGIN = 2, 1
#: Pixels of a map from which on what is found is long, and by which compression blurs it beyond its edges.
_LONG, _AROUND = 48, 1


def find_holes(
    images: Tensor, scales: Sequence[float], landmarks: Sequence[np.ndarray] | np.ndarray
) -> list[np.ndarray]:
    """What :func:`.fidelity.covers.find_covers` finds over N faces, if it may be filled: long things that
    come over the middle of the face, such as scratches and letters in a row. That a nostril or the outline of
    hair is taken for a cover does no harm where covers are kept, and would where they are filled."""
    return [_fit_to_fill(cover) for cover in find_covers(images, scales, landmarks)]


def whitened(images: Tensor, holes: Sequence[np.ndarray | None]) -> Tensor:
    """``images`` (N, 3, S, S), RGB in [0, 1], with each hole white, as networks are trained to see it."""
    return images + (1 - images) * _inside(holes, images)


def seam_matched(images: Tensor, restored: Tensor, holes: Sequence[np.ndarray | None]) -> Tensor:
    """``restored`` (N, 3, S, S) with the broad colours that ``images`` have beside the holes."""
    return match_colours(restored, images, 1 - _inside(holes, images))


def finish_holes(face: RestoredFace[Source], own: Tensor) -> RestoredFace[Source]:
    """``face`` as its holes are filled, with ``layers`` in float32, in the light and the hue of its own
    frame. ``own`` (3, s, s), RGB in [0, 1], is the crop of that as it was read.

    At the edge of a hole the result is changed by as much as it differs from the frame beside it, and less
    and less inwards. So no edge shows, and what the network continues into the hole joins what is outside.
    """
    layers = face.layers.to(torch.float32, copy=True)
    if face.cover is None:
        layers[3] = 0
        return replace(face, layers=layers)
    hole, side, size = (face.cover > 0).astype(np.uint8), own.shape[-1], layers.shape[-1]
    # Reading has mixed the pixels at the edge of the hole with those in it.
    beside = STRONG * widened(hole, _MIXED)
    own = fill_covered(own, beside)
    seen = 1 - shrink(_inside([hole], layers[None]), side)
    change = broad_change(shrink(layers[None, :3], side), own[None], seen, noise=LIGHT_NOISE)
    restored = (layers[:3] + spread(change, size)[0]).clamp_(0, 1)
    if face.hue is not None:
        restored = keep_hue(restored, own, face.hue)
    missing = own - fill_covered(shrink(restored[None], side)[0], beside)
    share = upload(edge_share(hole, size), layers.device)
    layers[:3] = restored.add_(enlarge(missing[None], (size, size))[0] * share).clamp_(0, 1)
    layers[3] *= _inside([widened(hole, _MARGIN)], layers[None])[0, 0]
    return replace(face, layers=layers)


def edge_share(hole: np.ndarray, size: int) -> np.ndarray:
    """(size, size) float32: how far the result is fitted to what is around it, falling from 1 at the edge of
    the ``hole`` (M, M) uint8 to 0 inside."""
    depth = cv2.distanceTransform(np.pad(hole, 1), cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1]
    share = smoothstep(1 - depth / _FITTED).astype(np.float32)
    return cv2.resize(share, (size, size), interpolation=cv2.INTER_LINEAR)


def _fit_to_fill(cover: np.ndarray) -> np.ndarray:
    """``cover`` (SIDE, SIDE) without what is not to be filled, and without weak evidence."""
    count, labels, boxes, _ = cv2.connectedComponentsWithStats((cover == STRONG).astype(np.uint8))
    long = boxes[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1) >= _LONG
    kept = [each for each in range(1, count) if long[each] and covered_share(labels == each) > 0]
    return widened(np.isin(labels, kept).astype(np.uint8), _AROUND) * np.uint8(STRONG)


def _inside(holes: Sequence[np.ndarray | None], images: Tensor) -> Tensor:
    """(N, 1, S, S) float32: 1 in each hole of ``images`` (N, 3, S, S)."""
    none = np.zeros((SIDE, SIDE), np.float32)
    maps = np.stack([none if hole is None else (hole > 0).astype(np.float32) for hole in holes])
    return F.interpolate(upload(maps, images.device)[:, None], images.shape[-2:], mode="nearest")
