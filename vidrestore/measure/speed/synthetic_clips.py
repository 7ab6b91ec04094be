"""Clips to measure with: any size, any number of faces in a frame, any length, made of a real clip's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import cycle, islice
from pathlib import Path

import av
import cv2
import numpy as np

#: Where ``samples/portrait.mp4`` shows its one face throughout: frames, and rows and columns of the picture.
_FRAMES = slice(0, 32)
_FACE = (slice(0, 320), slice(160, 480))


def face_pictures(clip: Path) -> list[np.ndarray]:
    """Square pictures (S, S, 3) uint8 RGB of the face in ``samples/portrait.mp4``, forth and back."""
    with av.open(str(clip)) as source:
        frames = islice(source.decode(video=0), _FRAMES.start, _FRAMES.stop)
        pictures = [np.ascontiguousarray(frame.to_ndarray(format="rgb24")[_FACE]) for frame in frames]
    return pictures + pictures[-2:0:-1]


def tiled(pictures: list[np.ndarray], width: int, height: int, faces: int) -> Iterator[np.ndarray]:
    """Frames (height, width, 3) without end: a background that drifts, and ``faces`` tiles on it, each with
    the face at another moment."""
    columns = math.ceil(math.sqrt(max(1, faces)))
    side = min(width, height) // columns
    starts = [
        (number // columns * side, round((number % columns + 0.5) * width / columns - side / 2))
        for number in range(faces)
    ]
    background = _background(width, height)
    scaled = [cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA) for picture in pictures]
    for index in cycle(range(len(pictures))):
        frame = np.roll(background, 2 * index, axis=1)
        for number, (y, x) in enumerate(starts):
            frame[y : y + side, x : x + side] = scaled[(index + 3 * number) % len(scaled)]
        yield frame


def _background(width: int, height: int) -> np.ndarray:
    """Soft waves with some grain: something to encode, and no face."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / min(width, height)
    waves = [np.sin(2 * np.pi * (k * x + y)) * np.cos(2 * np.pi * (x - k * y)) for k in (1, 2, 3)]
    grain = np.random.default_rng(0).normal(0, 4, (height, width, 1))
    return np.clip(120 + 40 * np.stack(waves, -1) + grain, 0, 255).astype(np.uint8)


def now_and_then(with_face: Iterable[np.ndarray], without: Iterable[np.ndarray], every: int, shown: int):
    """Of each ``every`` frames the first ``shown`` with a face, the others without."""
    for index, pair in enumerate(zip(with_face, without, strict=False)):
        yield pair[0 if index % every < shown else 1]


def write_clip(path: Path, frames: Iterable[np.ndarray], count: int, rate: int = 25) -> Path:
    """Encode the first ``count`` of ``frames`` (H, W, 3) RGB in H.264, quickly and well."""
    with av.open(str(path), "w") as container:
        video = None
        for frame in islice(frames, count):
            if video is None:
                video = container.add_stream(
                    "libx264", rate=Fraction(rate), options={"preset": "veryfast", "crf": "16"}
                )
                video.height, video.width, video.pix_fmt = *frame.shape[:2], "yuv420p"
            container.mux(video.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        if video is not None:
            container.mux(video.encode(None))
    return path
