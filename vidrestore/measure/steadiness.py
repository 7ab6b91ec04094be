"""How steady a restored face is, frame after frame, beside how the clean one moves.

All values are differences of 8-bit values, of 255, under the oval mask of the aligned face.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import cv2
import numpy as np
from torch import Tensor

from ..faces.alignment.align import TEMPLATE, TEMPLATE_SIZE
from ..faces.alignment.mask import oval_masks
from .clips import ClipFace

#: Boxes (left, top, right, bottom) about the template's landmarks, in pixels of a 512-pixel face: what
#: moves in a face that is held still, and where a blend over time would leave ghosts.
PARTS = {
    "mouth": ((176, 336, 338, 424),),
    "eyes": ((146, 210, 240, 270), (272, 210, 366, 270)),
}
#: A pixel's way there and back may end this far from its start, squared, in pixels, and this share of the
#: squared lengths of both ways more, before it counts as occluded: Ruder et al., 2016, equation 5.
_SLACK, _SHARE = 0.5, 0.01


@dataclass(frozen=True)
class _Moment:
    """What is kept of a face until its next frame comes."""

    frame: int
    grey: np.ndarray  #: (S, S) uint8, of the clean face
    pictures: np.ndarray  #: (1 + M, S, S, 3) float32: the clean face first
    offsets: np.ndarray  #: (M,): mean luma above the clean face's


class SteadinessMeter:
    """Measures M pictures of the same faces, given frame by frame; the faces of several tracks may be
    mixed. Two frames of it are kept for each track, and a few numbers of every frame.

    A track that comes new, or comes back after a frame without it, starts anew.
    """

    def __init__(self, size: int = TEMPLATE_SIZE) -> None:
        """``size``: side of the faces in pixels."""
        self._mask = oval_masks(TEMPLATE[None] * (size / TEMPLATE_SIZE), size)[0].numpy()
        self._flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._last: dict[int, _Moment] = {}
        self._series: dict[str, list[np.ndarray]] = defaultdict(list)
        self._parts: dict[tuple[str, int], list[tuple[float, np.ndarray]]] = defaultdict(list)

    def add(self, face: ClipFace) -> None:
        """The next face. Those of one track come in the order of their frames."""
        pictures = np.stack([_rows(picture) for picture in (face.clean, *face.pictures)])
        grey = cv2.cvtColor(pictures[0].astype(np.uint8), cv2.COLOR_RGB2GRAY)
        lumas = np.array([np.average(_luma(picture), weights=self._mask) for picture in pictures])
        now = _Moment(face.frame, grey, pictures, lumas[1:] - lumas[0])
        error = ((pictures[1:] - pictures[0]) ** 2).mean(axis=-1)
        self._series["squared_error"].append(np.array([self._mean(e) for e in error]))
        before = self._last.get(face.track)
        if before is not None and before.frame == face.frame - 1:
            self._series["flicker"].append(np.abs(now.offsets - before.offsets))
            self._series["warping"].append(self._warping(before, now))
            self._add_parts(face.track, before, now)
        self._last[face.track] = now
        self._last = {track: m for track, m in self._last.items() if m.frame >= face.frame - 1}

    def series(self) -> dict[str, np.ndarray]:
        """``warping`` and ``flicker``, (P, M) each: of all P pairs of consecutive frames, in the order in
        which they came."""
        return {key: np.stack(self._series[key]) for key in ("warping", "flicker") if self._series[key]}

    def figures(self) -> dict[str, np.ndarray]:
        """(M,) of each figure; those that take two frames are there only if a face had two.

        - ``face_psnr``: the PSNR in dB of the mean squared error of all frames.
        - ``warping``: the mean absolute difference between a frame and its next one, warped back by the
          optical flow of the clean face where nothing is occluded, above that of the clean face itself
          (Lai et al., ECCV 2018, equation 11, with the absolute difference for the squared one). It is
          below 0 for what is blurred, and so holds least still.
        - ``flicker``: the mean change from frame to frame of the mean luma above the clean face's.
        - ``mouth``, ``eyes``: the mean absolute difference from the clean face there, in frames where the
          clean face itself moves there: it changes more than in half of its track's frames.
        """
        if not self._series:
            return {}
        squared = np.maximum(np.mean(self._series["squared_error"], axis=0), 1e-10 * 255**2)
        found = {"face_psnr": 10 * np.log10(255**2 / squared)}
        found |= {key: values.mean(axis=0) for key, values in self.series().items()}
        for part in PARTS:
            moving = [
                error
                for (name, _), seen in self._parts.items()
                if name == part
                for moved, error in seen
                if moved > np.median([m for m, _ in seen])
            ]
            if moving:
                found[part] = np.mean(moving, axis=0)
        return found

    def _warping(self, before: _Moment, now: _Moment) -> np.ndarray:
        there = self._flow.calc(before.grey, now.grey, None)
        back = self._flow.calc(now.grey, before.grey, None)
        weights = self._mask * visible(there, back)
        if not weights.any():
            return np.zeros(len(now.pictures) - 1)
        errors = np.array(
            [
                np.average(np.abs(warp_back(after, there) - first).mean(axis=-1), weights=weights)
                for first, after in zip(before.pictures, now.pictures, strict=True)
            ]
        )
        return errors[1:] - errors[0]

    def _add_parts(self, track: int, before: _Moment, now: _Moment) -> None:
        error = np.abs(now.pictures[1:] - now.pictures[0])
        moved = np.abs(now.pictures[0] - before.pictures[0])
        for part, boxes in PARTS.items():
            places = [_slices(box, moved.shape[0]) for box in boxes]
            change = float(np.mean([moved[place].mean() for place in places]))
            errors = np.mean([error[:, *place].mean(axis=(1, 2, 3)) for place in places], axis=0)
            self._parts[part, track].append((change, errors))

    def _mean(self, values: np.ndarray) -> float:
        return float(np.average(values, weights=self._mask))


class StaticFlicker:
    """The deviation over time of every pixel of a face in a still scene, of M pictures of it at a time."""

    def __init__(self, size: int = TEMPLATE_SIZE) -> None:
        """``size``: side of the faces in pixels."""
        self._mask = oval_masks(TEMPLATE[None] * (size / TEMPLATE_SIZE), size)[0].numpy()
        self._count = 0
        self._mean = self._squares = np.zeros(())

    def add(self, pictures: Tensor) -> None:
        """The next frame's pictures, (M, 3, S, S) uint8."""
        # Welford, 1962: without the cancellation of a sum of squares less the square of a sum.
        values = pictures.numpy().astype(np.float64)
        self._count += 1
        off = values - self._mean
        self._mean = self._mean + off / self._count
        self._squares = self._squares + off * (values - self._mean)

    def result(self) -> np.ndarray:
        """(M,): the standard deviation over the frames, of at least two, averaged over the channels and,
        under the mask, over the pixels."""
        if self._count < 2:
            raise ValueError(f"a deviation over time takes at least 2 frames, not {self._count}")
        deviation = np.sqrt(self._squares / (self._count - 1)).mean(axis=1)
        return np.average(deviation, axis=(1, 2), weights=np.broadcast_to(self._mask, deviation.shape))


def warp_back(after: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """The next frame (S, S, 3) float32 as it would look if nothing had moved, by ``flow`` (S, S, 2), the
    way in pixels (x, y) of each pixel to its place in the next frame."""
    rows, columns = np.indices(flow.shape[:2], dtype=np.float32)
    return cv2.remap(
        after,
        columns + flow[..., 0],
        rows + flow[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def visible(there: np.ndarray, back: np.ndarray) -> np.ndarray:
    """Which pixels the next frame shows too, (S, S) bool: those that its flow ``back`` (S, S, 2) leads
    from where the flow ``there`` led them to about where they were (Sundaram et al., ECCV 2010)."""
    returned = warp_back(back, there)
    off = ((there + returned) ** 2).sum(axis=-1)
    return off < _SHARE * ((there**2).sum(axis=-1) + (returned**2).sum(axis=-1)) + _SLACK


def _slices(box: tuple[int, int, int, int], size: int) -> tuple[slice, slice]:
    left, top, right, bottom = (round(edge * size / TEMPLATE_SIZE) for edge in box)
    return slice(top, bottom), slice(left, right)


def _rows(picture: Tensor) -> np.ndarray:
    return np.ascontiguousarray(picture.permute(1, 2, 0).cpu().numpy()).astype(np.float32)


def _luma(picture: np.ndarray) -> np.ndarray:
    """BT.601."""
    return picture @ np.array([0.299, 0.587, 0.114], np.float32)
