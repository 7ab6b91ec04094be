"""Whole frames degraded, for test clips: the same degradation in each frame, noise of its own."""

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

#: The levels are those of an aligned face of 512 pixels. A frame gets what an aligned face of this size
#: needs in order to lose as much: one of 256 pixels from hairline to chin is about as large when aligned.
_ALIGNED = 384


@dataclass(frozen=True, kw_only=True)
class FrameLevel:
    """What a level is for a frame, in its own pixels: blur, scaling and noise, then an H.264 encode."""

    blur: float  #: deviation of the Gaussian, pixels
    scale: float  #: factor that width and height are divided by
    noise: float  #: deviation of the noise in the small frame, of 255
    crf: int  #: H.264 constant rate factor of the clip

    @classmethod
    def of(cls, level: Degradation, crf: int) -> FrameLevel:
        """A face's level for whole frames; ``crf`` takes the place of JPEG."""
        share = _ALIGNED / 512
        return cls(blur=level.blur * share, scale=max(1.0, level.scale * share), noise=level.noise, crf=crf)


#: ``LEVELS`` for whole frames.
FRAME_LEVELS = {
    name: FrameLevel.of(LEVELS[name], crf) for name, crf in zip(LEVELS, (23, 28, 32), strict=True)
}


def degrade_clip(clip: Path, out: Path, level: FrameLevel, *, seed: int, overwrite: bool = False) -> int:
    """Write ``clip`` degraded to ``out``; return the number of frames. Raises VidrestoreError, and leaves
    no ``out`` behind then."""
    check_output(out, clip, overwrite=overwrite)
    settings = EncoderSettings(codec="libx264", crf=level.crf, preset="medium", reproducible=True)
    with Decoder(clip) as decoder, ExitStack() as stack:
        encoder = choose_encoder(decoder.source, container_of(out), settings)
        writer = stack.enter_context(StreamWriter(out, decoder.source, encoder))
        for frame in tqdm(decoder, total=decoder.source.frames, unit="frame", disable=None):
            degrade_frame(frame.image(editable=True), level, np.random.default_rng((seed, frame.index)))
            writer.write(frame)
    return writer.frames


def degrade_frame(picture: PlanarImage, level: FrameLevel, rng: np.random.Generator) -> None:
    """Degrade a frame's planes in place: blurred, scaled down, noise added, scaled back up.

    Works on the planes as they are, in their bit depth and subsampling, so that no colour shifts; alpha
    is left alone, and so is chroma that is the same everywhere: grey footage stays grey.
    """
    form = picture.form
    height, width = (max(2, round(side / level.scale)) for side in picture.planes[0].shape)
    noise = _noise(picture, level.noise * rng.standard_normal((height, width, 3), dtype=np.float32))
    for number, plane in enumerate(picture.planes[: form.colour_planes]):
        is_chroma = form.has_chroma and number > 0
        if is_chroma and int(plane.max()) - int(plane.min()) <= 2:
            continue
        across, down = (1 << s if is_chroma else 1 for s in form.subsampling)
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
        plane[...] = np.rint(x).clip(0, (1 << form.bits) - 1).astype(plane.dtype)


def _noise(picture: PlanarImage, rgb: np.ndarray) -> np.ndarray:
    """Noise (H, W, 3) of R'G'B' of 255 as what it adds to the code values of each plane, (3, H, W)."""
    form, colour = picture.form, picture.colour
    values = torch.from_numpy(rgb).permute(2, 0, 1) / 255
    if form.is_rgb:
        return (values[[1, 2, 0]] * ((1 << form.bits) - 1)).numpy()
    zero = colour.rgb_to_yuv(torch.zeros(3, 1, 1), form.bits)
    return (colour.rgb_to_yuv(values, form.bits) - zero).numpy()
