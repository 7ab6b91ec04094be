"""Estimates the disk space that a run needs."""

from __future__ import annotations

import av

from ..encode.settings import EncoderConfig
from ..frames.pixel_format import planar_equivalent
from ..source_video import SourceVideo

#: Compressed size divided by raw size: of lossless coding, and of ProRes.
_LOSSLESS, _PRORES = 0.4, 0.2
_COMPRESSION = {"ffv1": _LOSSLESS, "prores_ks": _PRORES, "prores": _PRORES, "prores_aw": _PRORES}
#: Bits per pixel of other encoders at visually lossless quality: a low estimate, so that no run that would
#: fit is refused.
_BITS_PER_PIXEL = 0.1


def space_needed(source: SourceVideo, encoder: EncoderConfig) -> int:
    """Roughly the bytes that the segments and OUT, which is joined from them, take together; 0 if the input's
    duration is unknown."""
    span, duration = source.timeline.span, source.duration
    if duration is None:
        return 0
    end = duration if span.end is None else min(span.end, duration)
    length = max(0, end - span.start)
    form = planar_equivalent(encoder.pix_fmt)
    across, down = form.subsampling
    samples = 1 + (form.colour_planes - 1) / (1 << across + down) + form.has_alpha
    ratio = _COMPRESSION.get(encoder.codec)
    bits = _BITS_PER_PIXEL if ratio is None else ratio * samples * form.bits
    # A last frame may last for hours.
    frames = source.frames * length / duration if source.frames else length * source.rate
    video = float(frames) * source.width * source.height * bits / 8
    same_codec = av.Codec(encoder.codec, "w").canonical_name == source.codec
    if same_codec and source.path.is_file():
        video = max(video, source.path.stat().st_size * float(length / duration))
    return round(2 * video)
