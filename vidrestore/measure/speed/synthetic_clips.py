"""Test clips of any size, length and number of faces per frame, made from a real clip."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import cycle, islice
from pathlib import Path

import av
import cv2
import numpy as np

from ...errors import InputError, UsageError

#: The part of ``samples/portrait.mp4`` that always shows its one face: frames, and rows and columns.
_FRAMES = slice(0, 32)
_FACE = (slice(0, 320), slice(160, 480))


def face_images(clip: Path) -> list[np.ndarray]:
    """Read images (S, S, 3) RGB uint8 of the face in ``samples/portrait.mp4``, forward then backward."""
    with av.open(str(clip)) as source:
        frames = islice(source.decode(video=0), _FRAMES.start, _FRAMES.stop)
        images = [np.ascontiguousarray(frame.to_ndarray(format="rgb24")[_FACE]) for frame in frames]
    return images + images[-2:0:-1]


def tiled(images: list[np.ndarray], width: int, height: int, faces: int) -> Iterator[np.ndarray]:
    """Yield endless frames (height, width, 3): a drifting background with ``faces`` tiles.

    Each tile shows the face at a different time.
    """
    columns = math.ceil(math.sqrt(max(1, faces)))
    side = min(width, height) // columns
    starts = [
        (number // columns * side, round((number % columns + 0.5) * width / columns - side / 2))
        for number in range(faces)
    ]
    background = _background(width, height)
    scaled = [cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA) for image in images]
    for index in cycle(range(len(images))):
        frame = np.roll(background, 2 * index, axis=1)
        for number, (y, x) in enumerate(starts):
            frame[y : y + side, x : x + side] = scaled[(index + 3 * number) % len(scaled)]
        yield frame


def _background(width: int, height: int) -> np.ndarray:
    """Return smooth waves with some grain: content for the encoder, without a face."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / min(width, height)
    waves = [np.sin(2 * np.pi * (k * x + y)) * np.cos(2 * np.pi * (x - k * y)) for k in (1, 2, 3)]
    grain = np.random.default_rng(0).normal(0, 4, (height, width, 1))
    return np.clip(120 + 40 * np.stack(waves, -1) + grain, 0, 255).astype(np.uint8)


def intermittent(
    with_face: Iterable[np.ndarray], without: Iterable[np.ndarray], period: int, shown: int
) -> Iterator[np.ndarray]:
    """Yield frames: of every ``period`` the first ``shown`` of ``with_face``, the others of ``without``."""
    for index, pair in enumerate(zip(with_face, without, strict=False)):
        yield pair[0 if index % period < shown else 1]


def write_clip(path: Path, frames: Iterable[np.ndarray], count: int, rate: int = 25) -> Path:
    """Encode the first ``count`` of ``frames`` (H, W, 3) RGB uint8 with H.264 at CRF 16; return ``path``."""
    with av.open(str(path), "w") as container:
        video = None
        for frame in islice(frames, count):
            if video is None:
                options = {"preset": "veryfast", "crf": "16"}
                video = container.add_stream("libx264", rate=Fraction(rate), options=options)
                video.height, video.width, video.pix_fmt = *frame.shape[:2], "yuv420p"
            container.mux(video.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        if video is not None:
            container.mux(video.encode(None))
    return path


def repeat_clip(clip: Path, path: Path, times: int) -> Path:
    """Write the video stream of ``clip`` ``times`` times in a row by stream copy; return ``path``.

    Raises UsageError if the packages of the extra ``tools`` are missing, and InputError if ffmpeg fails.
    """
    try:
        import ffmpeg
        import imageio_ffmpeg
    except ImportError as error:
        raise UsageError(f'{error.name} is not installed; run: pip install "vidrestore[tools]"') from None
    stream = ffmpeg.input(str(clip), stream_loop=times - 1).output(str(path), c="copy", map="0:v")
    try:
        stream.run(cmd=imageio_ffmpeg.get_ffmpeg_exe(), quiet=True, overwrite_output=True)
    except ffmpeg.Error as error:
        reason = error.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise InputError(f"ffmpeg cannot repeat {clip}: {' '.join(reason)}; give another clip") from None
    return path
