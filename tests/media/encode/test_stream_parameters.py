"""HDR10 metadata reaches the stream and the container."""

from __future__ import annotations

import pytest

from tests.support import reader
from tests.support.frames import clip, pass_through
from vidrestore.errors import OutputError
from vidrestore.media.encode.settings import EncoderSettings

X264 = {
    "x264-params": "mastering-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
    ":cll=1000,400"
}

HDR10 = {"colorspace": 9, "color_primaries": 9, "color_trc": 16, "color_range": 1}

#: Encoders and file name extensions.
HDR = [
    ("libx264", "mp4"),
    ("libx265", "mkv"),
    ("libx265", "mp4"),
    ("libsvtav1", "webm"),
    # These have it in their container only.
    ("ffv1", "mkv"),
    ("prores_ks", "mov"),
    ("libvpx-vp9", "webm"),
]


@pytest.mark.parametrize(("encoder", "ending"), HDR)
def test_hdr10_metadata_is_kept(tmp_path, caplog, encoder, ending):
    source = clip(tmp_path / "in.mkv", size=(128, 96), pix_fmt="yuv420p10le", tags=HDR10, options=X264)
    before = reader.show(source)
    assert any("MaxCLL=1000, MaxFALL=400" in text for text in before.side_data)
    presets = {"libx264": "ultrafast", "libx265": "ultrafast", "libsvtav1": "10"}
    settings = EncoderSettings(codec=encoder, preset=presets.get(encoder))
    out = pass_through(source, tmp_path / f"out.{ending}", settings)
    assert "HDR10" not in caplog.text
    after = reader.show(out)
    assert (after.matrix, after.primaries, after.transfer) == ("bt2020nc", "bt2020", "smpte2084")
    for kind in ("Mastering display metadata", "Content light level"):
        (told,), (got,) = ([t for t in s.side_data if t.startswith(kind)][:1] for s in (before, after))
        # AV1 stores luminance in binary fractions.
        assert got.replace("min_luminance=0.000122", "min_luminance=0.000100") == told
    # Players of QuickTime read it from the container.
    boxes = [name in out.read_bytes() for name in (b"mdcv", b"clli")]
    assert boxes == [ending in ("mp4", "mov")] * 2
    if (encoder, ending) == ("libx265", "mp4"):
        assert "hvc1" in reader.describe(out)


@pytest.mark.parametrize(
    ("encoder", "options"),
    [("dnxhd", (("profile", "dnxhr_hqx"),)), ("v210", ()), ("jpeg2000", ())],
    ids=["dnxhd", "v210", "jpeg2000"],
)
def test_hdr10_metadata_that_cannot_be_written_is_named(tmp_path, caplog, encoder, options):
    source = clip(tmp_path / "in.mkv", size=(256, 128), pix_fmt="yuv420p10le", tags=HDR10, options=X264)
    settings = EncoderSettings(codec=encoder, options=options)
    out = pass_through(source, tmp_path / "out.mov", settings)
    said = "the video of in.mkv loses its HDR10 metadata, which cannot be written beside " + encoder
    assert f"{said} video" in caplog.messages
    assert not any("Content light" in text for text in reader.show(out).side_data)
    with pytest.raises(OutputError, match=r"--strict: .* loses "):
        pass_through(source, tmp_path / "strict.mov", settings, strict=True)
