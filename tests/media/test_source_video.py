"""Facts about a video, as its decoder finds them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.support.frames import clip, synthetic
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.presentation import Presentation
from vidrestore.media.timeline import Span


def test_facts_of_a_clip(tmp_path):
    tags = {"colorspace": 9, "color_primaries": 9, "color_trc": 16, "color_range": 1}
    path = clip(
        tmp_path / "in.mp4", count=12, pix_fmt="yuv420p10le", tags=tags, rotation=90, aspect=Fraction(4, 3)
    )
    with Decoder(path, Span(Fraction(1, 5))) as decoder:
        source = decoder.source
    assert (source.path, source.stream_index, source.codec, source.frames) == (path, 0, "h264", 12)
    assert (source.width, source.height, source.pix_fmt) == (64, 48, "yuv420p10le")
    assert (source.rate, source.sample_aspect_ratio) == (25, Fraction(4, 3))
    assert (source.timeline.span.start, source.duration) == (Fraction(1, 5), Fraction(12, 25))
    assert (source.tags.matrix, source.tags.transfer, source.colour.transfer.name) == (9, 16, "PQ")
    assert source.display_matrix[:2] == (0, -65536)  # 16.16 fixed point
    assert not source.interlaced
    assert source.hdr is None
    assert source.side_data == set()
    assert source.presentation == Presentation()


@pytest.mark.parametrize("deinterlace", ["off", "auto"])
def test_frames_that_were_deinterlaced_are_progressive(tmp_path, deinterlace):
    path = synthetic(
        tmp_path / "in.mpg",
        "testsrc2=s=720x576:r=25,interlace",
        *("-frames:v", 5, "-flags", "+ilme+ildct", "-c:v", "mpeg2video"),
    )
    with Decoder(path, deinterlace=deinterlace) as decoder:
        assert decoder.source.interlaced == (deinterlace == "off")
        assert (decoder.source.field_order == 1) == (deinterlace == "auto")
