"""Find what lies over a face: letters, logos, scratches, dust, the edges of posts, hands and masks.

A face that needs restoration is soft or noisy. What was laid over it later, or stands in front of it in
focus, has edges much sharper than any of the face's own. How strong those are is measured where a face has
them, at the eyes, the nose and the mouth: a quantile of each region counts, and of the regions a low one, so
that what covers some of them does not decide.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...runtime.cuda_streams import upload

#: Side in pixels of the maps of covers.
SIDE = 256
#: Values of a map: something seems to lie there; something does.
WEAK, STRONG = 1, 2
#: Half width and half height, in pixels of SIDE, of the regions around the landmarks.
_REGIONS = ((30, 22), (30, 22), (22, 16), (22, 16), (22, 16))
#: Pixels that a region within the crop has at least.
_MIN_REGION = 60
#: Which of the regions counts, from the one with the weakest edges on; and the quantile that is its edges.
_RANK, _EDGES = 1, 0.98
#: Multiple of the median response above which a pixel is a cover's when the face's own edges are measured,
#: and the side of the square around it that is left out with it.
_TRIM, _AROUND = 10.0, 5
#: Multiples of the face's own edges from which on a pixel is weak and strong evidence, and the least
#: responses in levels of 255: compression leaves edges in the softest face. Of 65 portraits at each level of
#: degradation none has a cover by these.
_WEAK, _STRONG = (2.0, 5.0), (4.0, 10.0)
#: Strong pixels that a cover has at least. A catchlight has fewer.
_LEAST = 8
#: Half width and half height of the eyes and, between its corners, of the mouth: what lies within them by
#: more than this share is a face's own lashes and teeth, unless it is stronger by this factor.
_EYE, _MOUTH, _WITHIN, _STRIKING = (22, 14), (12, 14), 0.7, 2.0
#: Sides of squares in pixels: within which strong pixels belong together, within which weak ones belong to
#: them, and that which closes the inside of a stroke, whose edges alone are sharp.
_GAP, _BESIDE, _STROKE = 5, 7, 9
#: Side of the square over which the restored face rises beside a cover.
_SOFT = 5
#: Deviation in pixels of the blur that takes from a picture what is sharp.
_BLUR = 1.0


@torch.inference_mode()
def find_covers(
    images: Tensor, scales: Sequence[float], landmarks: Sequence[np.ndarray] | np.ndarray
) -> list[np.ndarray]:
    """Find the covers of N aligned faces.

    Args:
        images: (N, 3, S, S) RGB in [0, 1].
        scales: N scale factors: crop pixels per frame pixel.
        landmarks: (N, 5, 2) in crop pixels: left eye, right eye, nose, left and right mouth corner.

    Returns:
        For each face a map (SIDE, SIDE) uint8 of 0, WEAK and STRONG. Strong areas are wider than the cover by
        what interpolation and compression blur.
    """
    if not len(images):
        return []
    small = at_map_size(images.float()).permute(0, 2, 3, 1).mul(255)
    ratio = SIDE / images.shape[-1]
    return [
        _find(face, ratio * points, margin=1 + math.ceil(ratio * scale))
        for face, scale, points in zip(small.contiguous().cpu().numpy(), scales, landmarks, strict=True)
    ]


def at_map_size(images: Tensor) -> Tensor:
    """``images`` (N, C, S, S) averaged to the size of a map."""
    factor, rest = divmod(images.shape[-1], SIDE)
    if factor and not rest:  # several times as fast
        return F.avg_pool2d(images, factor)
    return F.interpolate(images, (SIDE, SIDE), mode="area")


def any_strong(cover: np.ndarray) -> bool:
    """Whether a map of covers shows anything."""
    return bool(cover.max() >= STRONG)


def widened(area: np.ndarray, margin: int) -> np.ndarray:
    """A binary ``area`` (H, W) uint8, wider by ``margin`` pixels."""
    return cv2.dilate(area, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * margin + 1,) * 2))


def shown_share(covered: np.ndarray, size: int, device: torch.device | str = "cpu") -> Tensor:
    """(size, size) float32: 0 where the binary map ``covered`` (M, M) is not 0, rising to 1 around it."""
    # Wider by a pixel more than the average, for interpolation: so it stays 1 where it was, despite rounding.
    covered = cv2.dilate((covered > 0).astype(np.float32), _square(_SOFT + 2))
    shown = 1 - upload(np.minimum(1.001 * cv2.blur(covered, (_SOFT, _SOFT)), 1), device)
    return F.interpolate(shown[None, None], (size, size), mode="bilinear", align_corners=False)[0, 0].clamp(
        0, 1
    )


def _find(face: np.ndarray, landmarks: np.ndarray, margin: int) -> np.ndarray:
    """The covers of one face (SIDE, SIDE, 3) float32 of 0 to 255: (SIDE, SIDE) uint8."""
    detail = cv2.absdiff(face, cv2.GaussianBlur(face, (0, 0), _BLUR))
    red, green, blue = cv2.split(detail)
    response = cv2.max(cv2.max(red, green), blue)
    edges = _own_edges(response, landmarks)
    (weak_by, weak_least), (strong_by, strong_least) = _WEAK, _STRONG
    found = (response >= max(weak_by * edges, weak_least)).astype(np.uint8) * np.uint8(WEAK)
    strong = (response >= max(strong_by * edges, strong_least)).astype(np.uint8)
    if np.count_nonzero(strong) < _LEAST:
        return found
    count, components = cv2.connectedComponents(cv2.dilate(strong, _square(_GAP)))
    labels = np.asarray(components, np.int32)
    sizes = np.bincount(labels[strong > 0], minlength=count)
    features = _feature_map(landmarks) & strong
    own = np.bincount(labels[features > 0], minlength=count) > _WITHIN * sizes
    striking = (response >= _STRIKING * max(strong_by * edges, strong_least)) & (strong > 0)
    sizes = np.where(own, np.bincount(labels[striking], minlength=count), sizes)
    sure = sizes >= _LEAST
    sure[0] = False
    # Weak pixels beside strong ones are of the same thing.
    covered = np.where(sure[labels], strong, np.uint8(0))
    covered = cv2.bitwise_and(cv2.dilate(covered, _square(_BESIDE)), found)
    covered = cv2.morphologyEx(covered, cv2.MORPH_CLOSE, _square(_STROKE))
    return np.where(widened(covered, margin) > 0, np.uint8(STRONG), found)


def _own_edges(response: np.ndarray, landmarks: np.ndarray) -> float:
    """The response of the face's own edges; infinite where too little of the face is seen to tell."""
    kept = np.ones(response.shape, bool)
    for _ in range(2):  # without the pixels of covers the median is lower, and shows more of them
        medians = [_quantile(pixels, 0.5) for pixels in _regions(response, kept, landmarks)]
        if len(medians) <= _RANK:
            return math.inf
        covers = (response > _TRIM * np.median(medians)).astype(np.uint8)
        kept = cv2.dilate(covers, _square(_AROUND)) == 0
    edges = sorted(_quantile(pixels, _EDGES) for pixels in _regions(response, kept, landmarks))
    return edges[_RANK] if len(edges) > _RANK else math.inf


def _feature_map(landmarks: np.ndarray) -> np.ndarray:
    """(SIDE, SIDE) uint8: 1 in the eyes and the mouth."""
    inside = np.zeros((SIDE, SIDE), np.uint8)
    for corners, half in ((landmarks[:1], _EYE), (landmarks[1:2], _EYE), (landmarks[3:], _MOUTH)):
        (x0, y0), (x1, y1) = corners.min(axis=0) - half, corners.max(axis=0) + half
        inside[max(round(y0), 0) : max(round(y1), 0), max(round(x0), 0) : max(round(x1), 0)] = 1
    return inside


def _regions(response: np.ndarray, kept: np.ndarray, landmarks: np.ndarray) -> list[np.ndarray]:
    """The kept pixels of ``response`` around each landmark, in pixels of SIDE, where there are enough."""
    regions = []
    for (x, y), (wide, high) in zip(np.rint(landmarks).astype(int).tolist(), _REGIONS, strict=True):
        place = (slice(max(y - high, 0), max(y + high, 0)), slice(max(x - wide, 0), max(x + wide, 0)))
        regions.append(response[place][kept[place]])
    return [pixels for pixels in regions if len(pixels) >= _MIN_REGION]


def _quantile(pixels: np.ndarray, share: float) -> float:
    place = int(share * (len(pixels) - 1))
    return float(np.partition(pixels, place)[place])


def _square(side: int) -> np.ndarray:
    return np.ones((side, side), np.uint8)
