"""How much room on a disk the making of OUT takes."""

from __future__ import annotations

from fractions import Fraction

import av

from ..decode.decoder import Decoder
from ..encode.choose import Encoder
from ..frames.pixel_format import planar_format, planar_twin
from ..probe import USUAL_RATE, frame_rate

#: Share of all bits of a picture that lossless coding leaves, and of ProRes and its like.
_LOSSLESS, _EDITING = 0.4, 0.2
_SHARES = {"ffv1": _LOSSLESS, "prores_ks": _EDITING, "prores": _EDITING, "prores_aw": _EDITING}
#: Bits for a pixel that others take at a quality at which no difference is seen: little, so that nothing is
#: refused for want of room that would fit.
_USUAL_BITS = 0.1


def space_needed(decoder: Decoder, encoder: Encoder) -> int:
    """Bytes, roughly: those of the pieces, and of OUT, which is made of them."""
    source, span = decoder.stream, decoder.timeline.span
    if not source.container.duration:
        return 0
    duration = Fraction(source.container.duration, av.time_base)
    end = duration if span.end is None else min(span.end, duration)
    length = max(0, end - span.start)
    pixels = decoder.first.video.width * decoder.first.video.height
    form = planar_format(planar_twin(encoder.pix_fmt))
    across, down = form.subsampling
    samples = 1 + (form.colour_planes - 1) / (1 << across + down) + form.has_alpha
    bits = _SHARES[encoder.codec] * samples * form.bits if encoder.codec in _SHARES else _USUAL_BITS
    video = float(length * (frame_rate(source) or USUAL_RATE)) * pixels * bits / 8
    same = av.Codec(encoder.codec, "w").canonical_name == source.codec_context.codec.canonical_name
    if same and decoder.path.is_file():
        video = max(video, decoder.path.stat().st_size * float(length / duration))
    return round(2 * video)
