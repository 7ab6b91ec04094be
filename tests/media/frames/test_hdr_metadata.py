"""HDR10 metadata as encoders take it, and as text."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.support.clips import pattern
from tests.support.frames import clip
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.frames.hdr_metadata import HdrMetadata

#: A display with DCI-P3 primaries.
CHROMATICITIES = tuple(Fraction(n, 50000) for n in (34000, 16000, 13250, 34500, 7500, 3000, 15635, 16450))
METADATA = HdrMetadata(CHROMATICITIES, (Fraction(1, 10000), Fraction(1000)), (1000, 400))
STEPS = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"


@pytest.mark.parametrize(
    ("encoder", "options"),
    [
        ("libx264", {"x264-params": {"mastering-display": STEPS, "cll": "1000,400"}}),
        ("libx265", {"x265-params": {"master-display": STEPS, "max-cll": "1000,400", "hdr10": "1"}}),
        (
            "libsvtav1",
            {
                "svtav1-params": {
                    "mastering-display": "G(0.26500,0.69000)B(0.15000,0.06000)R(0.68000,0.32000)"
                    "WP(0.31270,0.32900)L(1000.0000,0.0001)",
                    "content-light": "1000,400",
                }
            },
        ),
        ("ffv1", {}),
    ],
)
def test_options_of_encoders(encoder, options):
    assert METADATA.encoder_options(encoder) == options


def test_a_display_that_is_known_in_part_is_left_out():
    options = HdrMetadata(luminance=METADATA.luminance, content=(1000, 400)).encoder_options("libx264")
    assert options == {"x264-params": {"cll": "1000,400"}}


def test_as_text():
    assert str(METADATA) == "mastered at 0.0001 to 1000 cd/m2, MaxCLL 1000, MaxFALL 400"
    assert str(HdrMetadata(CHROMATICITIES)) == "a mastering display"


def test_read_from_a_frame(tmp_path):
    params = f"mastering-display={STEPS}:cll=1000,400"
    with Decoder(clip(tmp_path / "in.mp4", options={"x264-params": params})) as decoder:
        assert HdrMetadata.of(decoder.first.video) == METADATA
    assert HdrMetadata.of(pattern(0, 64, 48, "yuv420p")) is None
