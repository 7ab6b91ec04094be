"""Steadiness over time: how a restored face changes from frame to frame, compared with the clean one.

All values are differences of 8-bit values (0 to 255) under the oval mask of the aligned face.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from torch import Tensor

from ..faces.alignment.align import TEMPLATE, TEMPLATE_SIZE
from ..faces.alignment.mask import oval_masks
from .clips import ClipFace
from .images import to_rows

#: Boxes (left, top, right, bottom) around the template's landmarks, in pixels of a 512-pixel face: the parts
#: that move in a face that is held still, where temporal blending would leave ghosts.
PARTS = {
    "mouth": ((176, 336, 338, 424),),
    "eyes": ((146, 210, 240, 270), (272, 210, 366, 270)),
}
#: A pixel counts as occluded if the flow forward and back ends further from its start than this, in squared
#: pixels, plus this share of the squared lengths of both flows (Ruder et al., 2016, equation 5).
_TOLERANCE, _RELATIVE_TOLERANCE = 0.5, 0.01


@dataclass(frozen=True)
class _FaceState:
    """The state of a track that its next frame is compared with."""

    frame: int
    grey: np.ndarray  #: (S, S) uint8, of the clean face
    images: np.ndarray  #: (1 + M, S, S, 3) float32: the clean face first
    offsets: np.ndarray  #: (M,): mean luma minus that of the clean face


class SteadinessMeter:
    """Measures M images of the same faces, frame by frame. The faces of several tracks may be interleaved.

    Keeps two frames of each track, and a few numbers of every frame. A track that reappears after a frame
    without it starts again.
    """

    def __init__(self, size: int = TEMPLATE_SIZE) -> None:
        """``size``: side of the faces in pixels."""
        self._mask = oval_masks(TEMPLATE[None] * (size / TEMPLATE_SIZE), size)[0].numpy()
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._last: dict[int, _FaceState] = {}
        self._series: dict[str, list[np.ndarray]] = defaultdict(list)
        self._parts: dict[tuple[str, int], list[tuple[float, np.ndarray]]] = defaultdict(list)

    def add(self, face: ClipFace) -> None:
        """Add a face. The faces of one track must come in the order of their frames."""
        images = np.stack([to_rows(image).astype(np.float32) for image in (face.clean, *face.images)])
        grey = cv2.cvtColor(images[0].astype(np.uint8), cv2.COLOR_RGB2GRAY)
        lumas = np.array([np.average(_luma(image), weights=self._mask) for image in images])
        now = _FaceState(face.frame, grey, images, lumas[1:] - lumas[0])
        error = ((images[1:] - images[0]) ** 2).mean(axis=-1)
        self._series["squared_error"].append(np.array([self._mean(e) for e in error]))
        before = self._last.get(face.track)
        if before is not None and before.frame == face.frame - 1:
            self._series["flicker"].append(np.abs(now.offsets - before.offsets))
            self._series["warping"].append(self._warping(before, now))
            self._add_parts(face.track, before, now)
        self._last[face.track] = now
        self._last = {track: state for track, state in self._last.items() if state.frame >= face.frame - 1}

    def series(self) -> dict[str, np.ndarray]:
        """Return ``warping`` and ``flicker`` of all P pairs of consecutive frames, in order: (P, M) each."""
        return {key: np.stack(self._series[key]) for key in ("warping", "flicker") if self._series[key]}

    def figures(self) -> dict[str, np.ndarray]:
        """Return each figure, (M,). Figures that need two frames are omitted if no face has two.

        - ``face_psnr``: the PSNR in dB of the mean squared error of all frames.
        - ``warping``: the mean absolute difference between a frame and the next one, warped back by the
          optical flow of the clean face where nothing is occluded, minus that of the clean face itself
          (Lai et al., ECCV 2018, equation 11, with the absolute instead of the squared difference). It is
          negative for a blurred face, so a low value alone does not mean steadiness.
        - ``flicker``: the mean absolute change, from frame to frame, of the mean luma minus the clean face's.
        - ``mouth``, ``eyes``: the mean absolute difference from the clean face in that part, in frames in
          which the clean face moves there: it changes more than in half of its track's frames.
        """
        if not self._series:
            return {}
        squared = np.maximum(np.mean(self._series["squared_error"], axis=0), 1e-10 * 255**2)
        figures = {"face_psnr": 10 * np.log10(255**2 / squared)}
        figures |= {key: values.mean(axis=0) for key, values in self.series().items()}
        for part in PARTS:
            errors = [
                error
                for (name, _), pairs in self._parts.items()
                if name == part
                for motion, error in pairs
                if motion > np.median([motion for motion, _ in pairs])
            ]
            if errors:
                figures[part] = np.mean(errors, axis=0)
        return figures

    def _warping(self, before: _FaceState, now: _FaceState) -> np.ndarray:
        forward, backward = self._flow_of(before.grey, now.grey), self._flow_of(now.grey, before.grey)
        weights = self._mask * visible(forward, backward)
        if not weights.any():
            return np.zeros(len(now.images) - 1)
        errors = np.array(
            [
                np.average(np.abs(warp_back(after, forward) - first).mean(axis=-1), weights=weights)
                for first, after in zip(before.images, now.images, strict=True)
            ]
        )
        return errors[1:] - errors[0]

    def _flow_of(self, image: np.ndarray, after: np.ndarray) -> np.ndarray:
        initial: Any = None  # OpenCV's stubs do not know that it is optional
        return self._flow.calc(image, after, initial)

    def _add_parts(self, track: int, before: _FaceState, now: _FaceState) -> None:
        error = np.abs(now.images[1:] - now.images[0])
        motion = np.abs(now.images[0] - before.images[0])
        for part, boxes in PARTS.items():
            regions = [_slices(box, motion.shape[0]) for box in boxes]
            change = float(np.mean([motion[region].mean() for region in regions]))
            errors = np.mean([error[:, *region].mean(axis=(1, 2, 3)) for region in regions], axis=0)
            self._parts[part, track].append((change, errors))

    def _mean(self, values: np.ndarray) -> float:
        return float(np.average(values, weights=self._mask))


class StaticFlicker:
    """Measures the standard deviation over time of the pixels of a face in a still scene, for M clips."""

    def __init__(self, size: int = TEMPLATE_SIZE) -> None:
        """``size``: side of the faces in pixels."""
        self._mask = oval_masks(TEMPLATE[None] * (size / TEMPLATE_SIZE), size)[0].numpy()
        self._count = 0
        self._mean = self._squares = np.zeros(())

    def add(self, images: Tensor) -> None:
        """Add the images of the next frame, (M, 3, S, S) uint8."""
        # Welford, 1962: no cancellation, unlike the sum of squares minus the square of the sum.
        values = images.numpy().astype(np.float64)
        self._count += 1
        delta = values - self._mean
        self._mean = self._mean + delta / self._count
        self._squares = self._squares + delta * (values - self._mean)

    def result(self) -> np.ndarray:
        """Return the deviation, averaged over the channels and the pixels under the mask: (M,).

        Raises ValueError for fewer than two frames.
        """
        if self._count < 2:
            raise ValueError(f"a deviation over time needs at least 2 frames, not {self._count}")
        deviation = np.sqrt(self._squares / (self._count - 1)).mean(axis=1)
        return np.average(deviation, axis=(1, 2), weights=np.broadcast_to(self._mask, deviation.shape))


def warp_back(after: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Undo the motion in the next frame ``after`` (S, S, C) float32.

    ``flow`` (S, S, 2) is the displacement (x, y) in pixels of each pixel to its place in the next frame.
    """
    rows, columns = np.indices(flow.shape[:2], dtype=np.float32)
    return cv2.remap(
        after,
        columns + flow[..., 0],
        rows + flow[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def visible(forward: np.ndarray, backward: np.ndarray) -> np.ndarray:
    """Return a mask (S, S) bool of the pixels that are not occluded in the next frame.

    The flow ``backward`` (S, S, 2) of the next frame must return them to about where the flow ``forward``
    (S, S, 2) took them from (Sundaram et al., ECCV 2010).
    """
    returned = warp_back(backward, forward)
    distance = ((forward + returned) ** 2).sum(axis=-1)
    lengths = (forward**2).sum(axis=-1) + (returned**2).sum(axis=-1)
    return distance < _RELATIVE_TOLERANCE * lengths + _TOLERANCE


def _slices(box: tuple[int, int, int, int], size: int) -> tuple[slice, slice]:
    left, top, right, bottom = (round(edge * size / TEMPLATE_SIZE) for edge in box)
    return slice(top, bottom), slice(left, right)


def _luma(image: np.ndarray) -> np.ndarray:
    """Return the luma (BT.601) of an RGB image (S, S, 3)."""
    return image @ np.array([0.299, 0.587, 0.114], np.float32)
