"""Degrade whole clips as test inputs: the same degradation in every frame, with different noise."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from tqdm import tqdm

from ..media.decode.decoder import Decoder
from ..media.encode.choose import choose_encoder
from ..media.encode.settings import EncoderSettings
from ..media.frames.crop import PlanarImage
from ..media.output.destination import check_output, container_of
from ..media.output.writer import StreamWriter
from .degrade import LEVELS, Degradation

#: ``LEVELS`` are defined for an aligned face of 512 pixels. The levels of frames are scaled to have the same
#: effect on an aligned face of this size, which corresponds to 256 pixels from hairline to chin.
_ALIGNED = 384


@dataclass(frozen=True, kw_only=True)
class FrameLevel:
    """A degradation of whole frames, in their pixels: blur, downscaling and noise, then H.264."""

    blur: float  #: deviation of the Gaussian, pixels
    scale: float  #: factor by which width and height are downscaled
    noise: float  #: deviation of the noise in the downscaled frame, of 255
    crf: int  #: H.264 constant rate factor of the clip

    @classmethod
    def from_faces(cls, level: Degradation, crf: int) -> FrameLevel:
        """Scale a degradation of faces to whole frames; ``crf`` replaces JPEG."""
        ratio = _ALIGNED / 512
        return cls(blur=level.blur * ratio, scale=max(1.0, level.scale * ratio), noise=level.noise, crf=crf)


#: ``LEVELS`` for whole frames.
FRAME_LEVELS = {
    name: FrameLevel.from_faces(LEVELS[name], crf) for name, crf in zip(LEVELS, (23, 28, 32), strict=True)
}


def degrade_clip(clip: Path, out: Path, level: FrameLevel, *, seed: int, overwrite: bool = False) -> int:
    """Degrade ``clip`` and write it to ``out``; return the number of frames.

    Timestamps are kept, audio is copied, and the result depends only on the clip, the level and the seed.
    Raises VidrestoreError; ``out`` is not written then.
    """
    check_output(out, clip, overwrite=overwrite)
    settings = EncoderSettings(codec="libx264", crf=level.crf, preset="medium", reproducible=True)
    with Decoder(clip) as decoder, ExitStack() as stack:
        encoder = choose_encoder(decoder.source, container_of(out), settings)
        writer = stack.enter_context(StreamWriter(out, decoder.source, encoder))
        for frame in tqdm(decoder, total=decoder.source.frames, unit="frame", disable=None):
            degrade_frame(frame.image(editable=True), level, np.random.default_rng((seed, frame.index)))
            writer.write(frame)
    return writer.frames


def degrade_frame(image: PlanarImage, level: FrameLevel, rng: np.random.Generator) -> None:
    """Degrade the planes of a frame in place: blur, downscale, add noise, upscale.

    The planes keep their bit depth and subsampling, so that colours do not shift. Alpha is not changed, and
    neither is constant chroma, so that monochrome clips stay monochrome.
    """
    pixel_format = image.format
    height, width = (max(2, round(side / level.scale)) for side in image.planes[0].shape)
    noise = _noise(image, level.noise * rng.standard_normal((height, width, 3), dtype=np.float32))
    for number, plane in enumerate(image.planes[: pixel_format.colour_planes]):
        is_chroma = pixel_format.has_chroma and number > 0
        if is_chroma and int(plane.max()) - int(plane.min()) <= 2:
            continue
        across, down = (1 << s if is_chroma else 1 for s in pixel_format.subsampling)
        small = (max(1, round(width / across)), max(1, round(height / down)))
        x = cv2.GaussianBlur(
            plane.astype(np.float32),
            (0, 0),
            sigmaX=level.blur / across,
            sigmaY=level.blur / down,
            borderType=cv2.BORDER_REPLICATE,
        )
        x = cv2.resize(x, small, interpolation=cv2.INTER_AREA)
        x += cv2.resize(noise[number], small, interpolation=cv2.INTER_AREA)
        x = cv2.resize(x, plane.shape[::-1], interpolation=cv2.INTER_CUBIC)
        plane[...] = np.rint(x).clip(0, (1 << pixel_format.bits) - 1).astype(plane.dtype)


def _noise(image: PlanarImage, rgb: np.ndarray) -> np.ndarray:
    """Convert noise (H, W, 3) of R'G'B', scale 255, to offsets of each plane's code values, (3, H, W)."""
    pixel_format, colour = image.format, image.colour
    values = torch.from_numpy(rgb).permute(2, 0, 1) / 255
    if pixel_format.is_rgb:
        return (values[[1, 2, 0]] * ((1 << pixel_format.bits) - 1)).numpy()
    zero = colour.rgb_to_yuv(torch.zeros(3, 1, 1), pixel_format.bits)
    return (colour.rgb_to_yuv(values, pixel_format.bits) - zero).numpy()
