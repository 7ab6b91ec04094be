"""How much room on a disk the making of OUT takes."""

from __future__ import annotations

import av

from ..encode.settings import EncoderConfig
from ..frames.pixel_format import planar_equivalent
from ..source_video import SourceVideo

#: Share of all bits of a picture that lossless coding leaves, and of ProRes and its like.
_LOSSLESS, _EDITING = 0.4, 0.2
_SHARES = {"ffv1": _LOSSLESS, "prores_ks": _EDITING, "prores": _EDITING, "prores_aw": _EDITING}
#: Bits for a pixel that others take at a quality at which no difference is seen: little, so that nothing is
#: refused for want of room that would fit.
_USUAL_BITS = 0.1


def space_needed(source: SourceVideo, encoder: EncoderConfig) -> int:
    """Roughly the bytes that the segments and OUT, which is made of them, take together."""
    span, duration = source.timeline.span, source.duration
    if duration is None:
        return 0
    end = duration if span.end is None else min(span.end, duration)
    length = max(0, end - span.start)
    form = planar_equivalent(encoder.pix_fmt)
    across, down = form.subsampling
    samples = 1 + (form.colour_planes - 1) / (1 << across + down) + form.has_alpha
    bits = _SHARES[encoder.codec] * samples * form.bits if encoder.codec in _SHARES else _USUAL_BITS
    video = float(length * source.rate) * source.width * source.height * bits / 8
    same = av.Codec(encoder.codec, "w").canonical_name == source.codec
    if same and source.path.is_file():
        video = max(video, source.path.stat().st_size * float(length / duration))
    return round(2 * video)
