"""A clip of a scene in which nothing moves."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av

from ..media.decode.decoder import Decoder

_RATE = Fraction(25)


def write_still(source: Path, out: Path, *, frames: int) -> None:
    """Write a clip that repeats the image ``source``, or the first frame of the clip ``source``.

    ``out`` (.mkv) has ``frames`` frames at 25 fps, lossless (FFV1), 8-bit 4:2:0. Raises InputError.
    """
    with Decoder(source) as decoder:
        first = decoder.first.video
    # H.264 in 4:2:0 needs even sides.
    width, height = (side // 2 * 2 for side in (first.width, first.height))
    image = first.reformat(width, height, "yuv420p")
    with av.open(str(out), "w") as container:
        stream = container.add_stream("ffv1", rate=_RATE)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = stream.codec_context.time_base = 1 / _RATE
        for tag in ("color_range", "colorspace"):
            setattr(stream.codec_context, tag, getattr(image, tag))
        for pts in range(frames):
            image.pts, image.time_base = pts, 1 / _RATE
            container.mux(stream.encode(image))
        container.mux(stream.encode(None))
