"""Clips in changing light: flicker and flashes laid over a clean clip, and how a restoration keeps them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..faces.alignment.align import TEMPLATE, TEMPLATE_SIZE
from ..faces.alignment.mask import oval_masks
from ..faces.detection.detector import Detector
from ..media.decode.decoder import Decoder
from ..media.timeline import Span
from .clips import ClipFace, clip_faces
from .methods import INPUT
from .steadiness import SteadinessMeter
from .tables import Column

#: Gain and offset (on a scale of 0 to 255) of the light in a frame, by its number.
LightOf = Callable[[int], tuple[float, float]]

#: A photographer's flash: its gain and offset, and every how many frames it goes off.
_FLASH, _EVERY = (1.9, 20.0), 10
#: Share of clipped pixels in the face from which on its light cannot be undone.
_CLIPPED = 0.05

#: Columns of the figures of a clip in changing light.
LIGHT_COLUMNS = (
    Column("brightness", "brightness", 2),
    Column("brightness_mean", "(mean)", 2),
    Column("face_psnr", "face PSNR", 2, higher_is_better=True),
    Column("warping", "warping", 3),
)


def _flicker(share: float) -> LightOf:
    """Film flicker: a gain that swings by ``share``, about 2.6 frames to a swing."""
    return lambda number: (1 + share * float(np.sin(2.4 * number)), 0.0)


#: Changing light, by name.
LIGHTS: dict[str, LightOf] = {
    "even": lambda number: (1.0, 0.0),
    **{f"flicker-{percent}": _flicker(percent / 100) for percent in (4, 8, 16, 30)},
    "flash": lambda number: _FLASH if number % _EVERY == _EVERY // 2 - 1 else (1.0, 0.0),
}


def write_lit(source: Path, out: Path, light: LightOf, *, span: Span | None = None) -> None:
    """Write the clip ``source`` in changing light to ``out`` (.mkv), lossless (FFV1), 8-bit 4:2:0.

    Gain and offset apply to R'G'B', clipped at 0 and 255. Raises InputError.
    """
    with Decoder(source, span) as decoder, av.open(str(out), "w") as container:
        first = decoder.first.video
        width, height = (side // 2 * 2 for side in (first.width, first.height))
        stream = container.add_stream("ffv1", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 25)
        for number, frame in enumerate(decoder):
            gain, offset = light(number)
            rgb = frame.video.reformat(width, height, "rgb24").to_ndarray().astype(np.float32)
            lit = np.rint(rgb * gain + offset).clip(0, 255).astype(np.uint8)
            video = av.VideoFrame.from_ndarray(lit, format="rgb24").reformat(format="yuv420p")
            video.pts, video.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(video))
        container.mux(stream.encode(None))


class LightMeter:
    """Measures M clips of the same faces in changing light, the first of which is what was restored."""

    def __init__(self, light: LightOf) -> None:
        self._light = light
        self._mask = oval_masks(TEMPLATE[None], TEMPLATE_SIZE)[0]
        self._steadiness = SteadinessMeter()
        self._brightness: list[Tensor] = []
        self._squared: list[Tensor] = []

    def add(self, face: ClipFace) -> None:
        """Add a face, whose ``clean`` is in the same light. Those of a track come in the order of frames."""
        clean, images = face.clean.float(), face.images.float()
        luma = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
        self._brightness.append(self._mean(((images - images[:1]) * luma).sum(dim=1)).abs())
        self._squared.append(self._mean((images - clean).square().mean(dim=1)))
        clipped = self._mean((clean > 254).any(dim=0).float())
        if clipped < _CLIPPED:
            # Steadiness is measured as if the light were even: a step of it would hide all else.
            gain, offset = self._light(face.frame)
            even = [((x - offset) / gain).round().clamp(0, 255).byte() for x in (clean, images)]
            self._steadiness.add(ClipFace(face.frame, face.track, *even))

    def figures(self) -> dict[str, np.ndarray]:
        """Return each figure, (M,).

        - ``brightness``, ``brightness_mean``: the largest and the mean absolute difference of the mean luma
          of a face from that in the first clip, in levels of 255.
        - ``face_psnr``: the PSNR in dB, against the clean clip in the same light.
        - ``warping``: as :class:`.SteadinessMeter` measures it, with the light undone. Faces that a flash
          clips are left out.
        """
        brightness, squared = torch.stack(self._brightness), torch.stack(self._squared).mean(dim=0)
        psnr = 10 * torch.log10(255**2 / squared.clamp_min(1e-10 * 255**2))
        figures = {
            "brightness": brightness.amax(dim=0).numpy(),
            "brightness_mean": brightness.mean(dim=0).numpy(),
            "face_psnr": psnr.numpy(),
        }
        steadiness = self._steadiness.figures()
        return figures | {key: steadiness[key] for key in ("warping",) if key in steadiness}

    def _mean(self, x: Tensor) -> Tensor:
        """The mean of ``x`` (..., S, S) under the mask of a face."""
        return (x * self._mask).sum(dim=(-2, -1)) / self._mask.sum()


def measure_light(
    reference: Path, clips: Mapping[str, Path], light: LightOf, detector: Detector
) -> dict[str, dict[str, float]]:
    """The figures of clips, by name, against the clean clip ``reference`` in the same light.

    The clip named ``input`` must come first. Raises InputError if no face was found.
    """
    assert next(iter(clips)) == INPUT
    meter, count = LightMeter(light), 0
    for face in clip_faces(reference, list(clips.values()), detector):
        meter.add(face)
        count += 1
    if not count:
        raise InputError(f"no face was found in {reference}; give a clip that shows faces")
    figures = meter.figures()
    return {name: {key: float(x[i]) for key, x in figures.items()} for i, name in enumerate(clips)}
