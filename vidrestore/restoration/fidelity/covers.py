"""Find what lies over a face: letters, logos, scratches, dust, the edges of posts, hands and masks.

A face that needs restoration is soft or noisy. What was laid over it later, or stands in front of it in
focus, has edges much sharper than any of the face's own. How strong those are is measured where a face has
them, at the eyes, the nose and the mouth: a quantile of each region counts, and of the regions a low one, so
that what covers some of them does not decide.

A line one pixel wide is hardly stronger than strong grain. So a second look averages along lines in eight
directions, which weakens grain and keeps the line; the face's own edges are measured in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from ...runtime.cuda_streams import upload
from ..planes import enlarge, shrink

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
#: Side of the square around a cover's pixel that is left out with it where the face's own edges are measured.
_AROUND = 5


class _Look(NamedTuple):
    """How a response is compared with the face's own edges and noise in it."""

    #: From which on a pixel is weak, strong and striking evidence: multiples of the face's own edges and of
    #: the quantile ``_EDGES`` of its noise, and the least response in levels of 255, since compression leaves
    #: edges in the softest face.
    weak: tuple[float, float, float]
    strong: tuple[float, float, float]
    striking: tuple[float, float, float]
    spread: float  #: ratio of the quantile ``_EDGES`` of grain to its median
    #: Multiple of the median response above which a pixel is a cover's when the own edges are measured.
    trim: float
    least: int  #: strong pixels that a cover has at least; a catchlight has fewer


#: Pixels by themselves, and lines. The quantile tells little of how strong the few strongest edges of a face
#: are, but much of its strongest grain, so less beyond that is evidence. Of 37 faces at each
#: level of degradation 4 at mild have a cover by these, and none at medium, heavy, or under strong grain.
_PIXELS = _Look((2.0, 1.5, 5.0), (4.0, 2.3, 10.0), (8.0, 2.5, 20.0), 3.4, 10.0, 8)
_LINES = _Look((2.0, 1.2, 6.0), (3.0, 1.7, 14.0), (6.0, 2.0, 28.0), 1.75, 6.0, 20)
#: A line is the mean of 9 pixels, each this far in x and y from the one before it.
_STEPS = ((2, 0), (2, 1), (2, 2), (1, 2), (0, 2), (-1, 2), (-2, 2), (-2, 1))
#: Centre and half width and half height of the oval of the face. What lies outside it alone (hair, a collar)
#: does not matter: there the restored face is hardly seen.
_OVAL = (128, 141), (77, 97)
#: The same of the middle of the face, with eyes, nose and mouth.
_MIDDLE = (128, 150), (45, 62)
#: Half width and half height of the eyes and, between its corners, of the mouth: what lies within them by
#: more than this share is a face's own lashes and teeth, unless it is striking.
_EYE, _MOUTH, _WITHIN = (22, 14), (12, 14), 0.7
#: Sides of squares in pixels: within which strong pixels belong together, within which all pixels of a line
#: do, within which weak ones belong to them, and that which closes the inside of a stroke, whose edges alone
#: are sharp.
_GAP, _ALONG, _BESIDE, _STROKE = 5, 3, 7, 9
#: Side of the square in which colours of covers and of the face beside them are averaged.
_NEAR = 31
#: Side of the square over which the restored face rises beside a cover.
_SOFT = 3
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
    small = shrink(images, SIDE).permute(0, 2, 3, 1).mul(255)
    ratio = SIDE / images.shape[-1]
    return [
        _find(face, ratio * points, margin=1 + math.ceil(ratio * scale))
        for face, scale, points in zip(small.contiguous().cpu().numpy(), scales, landmarks, strict=True)
    ]


def any_strong(cover: np.ndarray) -> bool:
    """Whether a map of covers shows anything."""
    return bool(cover.max() >= STRONG)


def covered_share(covered: np.ndarray) -> float:
    """The share of the middle of the face, in [0, 1], that the map ``covered`` (SIDE, SIDE) bool shows. The
    outline of a turned face and the hair beside it, which may be taken for covers, do not count."""
    return float(covered[_ellipse(*_MIDDLE) > 0].mean())


def widened(area: np.ndarray, margin: int) -> np.ndarray:
    """A binary ``area`` (H, W) uint8, wider by ``margin`` pixels."""
    return cv2.dilate(area, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * margin + 1,) * 2))


def shown_share(covered: np.ndarray, size: int, device: torch.device | str = "cpu") -> Tensor:
    """(size, size) float32: 0 where the binary map ``covered`` (M, M) is not 0, rising to 1 around it."""
    # Wider by a pixel more than the average, for interpolation: so it stays 1 where it was, despite rounding.
    covered = cv2.dilate((covered > 0).astype(np.float32), _square(_SOFT + 2))
    shown = 1 - upload(np.minimum(1.001 * cv2.blur(covered, (_SOFT, _SOFT)), 1), device)
    return enlarge(shown[None, None], (size, size))[0, 0].clamp_(0, 1)


def _find(face: np.ndarray, landmarks: np.ndarray, margin: int) -> np.ndarray:
    """The covers of one face (SIDE, SIDE, 3) float32 of 0 to 255: (SIDE, SIDE) uint8."""
    soft = cv2.GaussianBlur(face, (0, 0), _BLUR)
    red, green, blue = cv2.split(cv2.absdiff(face, soft))
    found = _evidence(cv2.max(cv2.max(red, green), blue), landmarks, _PIXELS)
    detail = cv2.transform(face - soft, np.full((1, 3), 1 / 3))
    # Averaged along lines, what is already found would reach into the face beside it.
    detail[cv2.dilate((found == STRONG).astype(np.uint8), _square(_GAP)) > 0] = 0
    found = np.maximum(found, _evidence(_line_response(detail), landmarks, _LINES))
    if not any_strong(found):
        return found
    covered = _closed(face, (found == STRONG).astype(np.uint8))
    return np.where(widened(covered, margin) > 0, np.uint8(STRONG), np.minimum(found, np.uint8(WEAK)))


def _closed(face: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """``edges`` (SIDE, SIDE) uint8 of covers, with the inside of narrow strokes: what lies between edges and
    has their colours more than those of the face around. The gaps between letters do not."""
    closed = cv2.morphologyEx(edges, cv2.MORPH_CLOSE, _square(_STROKE))
    # What is far from all edges has no part in the means.
    left, top, width, height = cv2.boundingRect(closed)
    rows, columns = (
        slice(max(at - _NEAR, 0), at + size + _NEAR) for at, size in ((top, height), (left, width))
    )
    result = edges.copy()
    face, edges, closed = (each[rows, columns] for each in (face, edges, closed))
    outside = (closed == 0).astype(np.float32)
    cover, around = (_local_mean(face, weight, _NEAR) for weight in (edges.astype(np.float32), outside))
    nearer = ((face - cover) ** 2).sum(axis=2) < ((face - around) ** 2).sum(axis=2)
    unknown = cv2.blur(outside, (_NEAR, _NEAR)) < 1e-3
    result[rows, columns] |= closed & (nearer | unknown)
    return result


def _local_mean(face: np.ndarray, weight: np.ndarray, side: int) -> np.ndarray:
    """The weighted mean of ``face`` in the square of ``side`` around each pixel."""
    total = cv2.blur(face * weight[..., None], (side, side))
    return total / np.maximum(cv2.blur(weight, (side, side)), 1e-6)[..., None]


def _line_response(detail: np.ndarray) -> np.ndarray:
    """The largest magnitude of the means of ``detail`` (SIDE, SIDE) along the lines through each pixel."""
    response = np.zeros_like(detail)
    padded = np.pad(detail, 4 * max(map(max, _STEPS)))
    for x, y in _STEPS:
        total = padded
        for step in (1, 3):  # three times three pixels
            total = _sum_along(total, step * x, step * y)
        surplus = [(size - whole) // 2 for size, whole in zip(total.shape, detail.shape, strict=True)]
        total = total[surplus[0] :, surplus[1] :][: len(detail), : detail.shape[1]]
        response = cv2.max(response, np.abs(total))
    return response / 9


def _sum_along(x: np.ndarray, right: int, down: int) -> np.ndarray:
    """The sum of each pixel of ``x`` (H, W) and the two that lie (``right``, ``down``) before and after it,
    where all three are."""
    height, width = x.shape[0] - 2 * abs(down), x.shape[1] - 2 * abs(right)
    starts = [(abs(down) + way * down, abs(right) + way * right) for way in (-1, 0, 1)]
    before, here, after = (x[top : top + height, left : left + width] for top, left in starts)
    return cv2.add(cv2.add(before, here), after)


def _evidence(response: np.ndarray, landmarks: np.ndarray, look: _Look) -> np.ndarray:
    """(SIDE, SIDE) uint8: WEAK where ``response`` exceeds the face's own edges, STRONG on covers."""
    edges, noise = _own_response(response, landmarks, look)
    bound, least_strong, least_striking = (
        max(math.hypot(of_edges * edges, of_noise * noise), least)
        for of_edges, of_noise, least in (look.weak, look.strong, look.striking)
    )
    found, strong = ((response >= level).astype(np.uint8) for level in (bound, least_strong))
    if np.count_nonzero(strong) < look.least:
        return found * np.uint8(WEAK)
    labels = _components(strong, _GAP)
    count = int(labels.max()) + 1
    seen = cv2.bitwise_and(strong, _oval())
    sizes = np.bincount(labels[seen > 0], minlength=count)
    features = cv2.bitwise_and(strong, _feature_map(landmarks))
    own = np.bincount(labels[features > 0], minlength=count)
    own = own > _WITHIN * np.bincount(labels[strong > 0], minlength=count)
    striking = (response >= least_striking) & (seen > 0)
    sure = np.where(own, np.bincount(labels[striking], minlength=count), sizes) >= look.least
    sure[0] = False
    if not sure.any():
        return found * np.uint8(WEAK)
    # Weak pixels that continue strong ones over the face, or lie beside them, are of the same thing.
    labels, covered = _components(found, _ALONG), sure[labels] & (strong > 0)
    same = np.bincount(labels[covered], minlength=int(labels.max()) + 1) > 0
    covered |= same[labels] & (cv2.bitwise_and(found, _oval()) > 0)
    covered = cv2.bitwise_and(cv2.dilate(covered.astype(np.uint8), _square(_BESIDE)), found)
    return np.where(covered > 0, np.uint8(STRONG), found * np.uint8(WEAK))


def _components(pixels: np.ndarray, side: int) -> np.ndarray:
    """(SIDE, SIDE) int32: the components of ``pixels``, joined by squares of ``side``; 0 beside them."""
    return np.asarray(cv2.connectedComponents(cv2.dilate(pixels, _square(side)))[1], np.int32)


def _own_response(response: np.ndarray, landmarks: np.ndarray, look: _Look) -> tuple[float, float]:
    """The response of the face's own edges and of its noise; infinite where too little of it is seen."""
    kept = np.ones(response.shape, bool)
    for _ in range(2):  # without the pixels of covers the median is lower, and shows more of them
        medians = [_quantile(pixels, 0.5) for pixels in _regions(response, kept, landmarks)]
        if len(medians) <= _RANK:
            return math.inf, 0.0
        covers = (response > look.trim * np.median(medians)).astype(np.uint8)
        kept = cv2.dilate(covers, _square(_AROUND)) == 0
    regions = _regions(response, kept, landmarks)
    if len(regions) <= _RANK:
        return math.inf, 0.0
    both = sorted(_quantile(pixels, _EDGES) for pixels in regions)[_RANK]
    # As much as noise explains that is all over the face, and not only where its edges are.
    everywhere = [*(_quantile(pixels, 0.5) for pixels in regions), _quantile(response[_oval() > 0], 0.5)]
    noise = min(look.spread * min(everywhere), both)
    return math.sqrt(both**2 - noise**2), noise


@cache
def _ellipse(centre: tuple[int, int], half: tuple[int, int]) -> np.ndarray:
    """(SIDE, SIDE) uint8: 1 in an ellipse of this half width and half height."""
    return cv2.ellipse(np.zeros((SIDE, SIDE), np.uint8), centre, half, 0, 0, 360, 1, -1)


def _oval() -> np.ndarray:
    """(SIDE, SIDE) uint8: 1 where the restored face is seen."""
    return _ellipse(*_OVAL)


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
