"""Samples, range, matrix, light and alpha come out as they came in, as ffmpeg reads them."""

from __future__ import annotations

import json
import subprocess

import av
import numpy as np
import pytest

from tests.support import reader
from tests.support.frames import LOSSLESS, clip, ffmpeg, pass_through, synthetic
from vidrestore.errors import OutputError
from vidrestore.media.encode.settings import EncoderSettings

X264 = {
    "x264-params": "mastering-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
    ":cll=1000,400"
}
HDR10 = {"colorspace": 9, "color_primaries": 9, "color_trc": 16, "color_range": 1}


FORMATS = [
    *("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le", "yuv444p12le"),
    *("gray", "gray10le", "gbrp10le", "yuva420p", "yuva444p10le", "gbrap10le", "yuv411p"),
]


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("pix_fmt", FORMATS)
def test_samples_range_and_matrix_stay(tmp_path, pix_fmt, full):
    tags = {"colorspace": 0 if pix_fmt.startswith("gb") else 6, "color_primaries": 6, "color_trc": 6}
    source = clip(
        tmp_path / "in.mkv", pix_fmt=pix_fmt, codec="ffv1", tags=tags | {"color_range": 2 if full else 1}
    )
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS)
    given, got = reader.show(source), reader.show(out)
    assert (got.pix_fmt, got.range, got.matrix) == (given.pix_fmt, given.range, given.matrix)
    assert (got.primaries, got.transfer) == ("smpte170m", "smpte170m")
    size = (64, 48)
    assert reader.planes(out, pix_fmt, size) == reader.planes(source, pix_fmt, size)


@pytest.mark.parametrize(
    ("size", "matrix"), [((64, 48), "smpte170m"), ((1280, 720), "bt709"), ((720, 576), "smpte170m")]
)
def test_an_untagged_matrix_is_written_as_it_was_taken(tmp_path, size, matrix):
    source = clip(tmp_path / "in.mkv", count=1, size=size)
    assert reader.show(source).matrix == "unknown"
    assert reader.show(pass_through(source, tmp_path / "out.mp4")).matrix == matrix


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
    ("given", "target"),
    [
        ("gbrp", "yuv444p"),
        ("yuv444p", "gbrp"),
        ("gray", "yuv420p"),
        ("yuv420p10le", "yuv444p"),
    ],
)
def test_another_pixel_format_shows_the_same_picture(tmp_path, given, target, full):
    """Compared as RGB by ffmpeg's zscale or swscale, from the tags alone."""
    rgb = given == "gbrp"
    tags = {"colorspace": 0 if rgb else 1, "color_range": 2 if full or rgb else 1}
    source = clip(
        tmp_path / "in.mkv",
        pix_fmt=given,
        codec="libx265" if rgb else "ffv1",
        tags=tags,
        size=(320, 180),
        count=1,
        options={"x265-params": "lossless=1:log-level=none"} if rgb else {},
    )
    codec = "libx264rgb" if target == "gbrp" else "libx264"
    settings = EncoderSettings(codec=codec, pix_fmt="rgb24" if target == "gbrp" else target, crf=1)
    out = pass_through(source, tmp_path / "out.mkv", settings)
    assert reader.show(out).pix_fmt in (target, target.replace("yuv", "yuvj"))
    a, b = (
        np.frombuffer(reader.planes(path, "gbrp", (320, 180))[0], np.uint8).astype(int)
        for path in (source, out)
    )
    assert np.abs(a - b).mean() < 2.5


#: Encoder and ending.
HDR = [
    ("libx264", "mp4"),
    ("libx265", "mkv"),
    ("libx265", "mp4"),
    ("libsvtav1", "webm"),
    # These say it in their container alone.
    ("ffv1", "mkv"),
    ("prores_ks", "mov"),
    ("libvpx-vp9", "webm"),
]


@pytest.mark.parametrize(("encoder", "ending"), HDR)
def test_hdr10_comes_out_as_hdr10(tmp_path, encoder, ending):
    source = clip(tmp_path / "in.mkv", size=(128, 96), pix_fmt="yuv420p10le", tags=HDR10, options=X264)
    before = reader.show(source)
    assert any("MaxCLL=1000, MaxFALL=400" in text for text in before.side_data)
    presets = {"libx264": "ultrafast", "libx265": "ultrafast", "libsvtav1": "10"}
    settings = EncoderSettings(codec=encoder, preset=presets.get(encoder))
    out = pass_through(source, tmp_path / f"out.{ending}", settings)
    after = reader.show(out)
    assert (after.matrix, after.primaries, after.transfer) == ("bt2020nc", "bt2020", "smpte2084")
    for kind in ("Mastering display metadata", "Content light level"):
        (told,), (got,) = ([t for t in s.side_data if t.startswith(kind)][:1] for s in (before, after))
        # AV1 has luminance in binary fractions.
        assert got.replace("min_luminance=0.000122", "min_luminance=0.000100") == told
    # QuickTime's players look for it in the container.
    boxes = [name in out.read_bytes() for name in (b"mdcv", b"clli")]
    assert boxes == [ending in ("mp4", "mov")] * 2
    if (encoder, ending) == ("libx265", "mp4"):
        assert "hvc1" in reader.describe(out)


def test_dynamic_metadata_is_named_as_lost(tmp_path, caplog):
    """HDR10+ of one scene, which libx265 writes in the binary's ffmpeg."""
    curve = {"Anchors": [102, 205, 307, 410, 512, 614, 717, 819, 922], "KneePointX": 0, "KneePointY": 0}
    spread = {"DistributionIndex": [1, 5, 10, 25, 50, 75, 90, 95, 99], "DistributionValues": [*range(9)]}
    scenes = [
        {
            "BezierCurveData": curve,
            "LuminanceParameters": {
                "AverageRGB": 10,
                "LuminanceDistributions": spread,
                "MaxScl": [100, 100, 100],
            },
            "NumberOfWindows": 1,
            "TargetedSystemDisplayMaximumLuminance": 400,
            "SceneFrameIndex": i,
            "SceneId": 0,
            "SequenceFrameIndex": i,
        }
        for i in range(4)
    ]
    summary = {"SceneFirstFrameIndex": [0], "SceneFrameNumbers": [4]}
    told = {"JSONInfo": {"HDR10plusProfile": "B", "Version": "1.0"}, "SceneInfo": scenes}
    told |= {"SceneInfoSummary": summary, "ToolInfo": {"Tool": "test", "Version": "1"}}
    (tmp_path / "light.json").write_text(json.dumps(told))
    source = synthetic(
        tmp_path / "in.mkv",
        "testsrc2=s=128x96:r=25:d=0.16",
        *(
            "-pix_fmt",
            "yuv420p10le",
            "-c:v",
            "libx265",
            "-color_trc",
            "smpte2084",
            "-color_primaries",
            "bt2020",
        ),
        *("-colorspace", "bt2020nc", "-x265-params"),
        f"hdr10=1:log-level=none:dhdr10-info={tmp_path / 'light.json'}",
    )
    pass_through(source, tmp_path / "out.mkv", EncoderSettings(preset="ultrafast"))
    assert "loses its HDR10+ metadata" in caplog.text
    with pytest.raises(OutputError, match=r"--strict: .*HDR10\+"):
        pass_through(source, tmp_path / "strict.mkv", strict=True)


def test_a_format_that_no_encoder_has_is_told_of(tmp_path, caplog):
    source = clip(tmp_path / "in.mkv", pix_fmt="yuva420p", codec="ffv1")
    opaque = EncoderSettings("libx264", preset="ultrafast")
    pass_through(source, tmp_path / "out.mp4", opaque)
    assert "loses some of its yuva420p data: the nearest format of libx264 is yuv420p" in caplog.text
    with pytest.raises(OutputError, match=r"--strict: .* some of its yuva420p"):
        pass_through(source, tmp_path / "strict.mp4", opaque, strict=True)
    assert not (tmp_path / "strict.mp4").exists()
    pass_through(source, tmp_path / "asked.mp4", EncoderSettings("libx264", pix_fmt="yuv420p"), strict=True)


def test_hlg_and_its_tags_stay(tmp_path):
    tags = HDR10 | {"color_trc": 18}
    source = clip(tmp_path / "in.mkv", pix_fmt="yuv420p10le", codec="ffv1", tags=tags)
    for settings in (LOSSLESS, EncoderSettings(codec="libx265", preset="ultrafast")):
        shown = reader.show(pass_through(source, tmp_path / "out.mkv", settings))
        assert (shown.pix_fmt, shown.transfer, shown.primaries) == ("yuv420p10le", "arib-std-b67", "bt2020")


@pytest.mark.skipif(not hasattr(av.VideoFrame, "chroma_location"), reason="PyAV does not tell")
@pytest.mark.parametrize("place", ["left", "center", "topleft"])
def test_chroma_lies_where_it_lay(tmp_path, place):
    number = {"left": 0, "center": 1, "topleft": 2}[place]
    source = clip(tmp_path / "in.mp4", options={"x264-params": f"chromaloc={number}"})
    assert reader.show(source).chroma == place
    assert reader.show(pass_through(source, tmp_path / "out.mp4")).chroma == place


def test_ten_bits_stay_ten_bits(tmp_path):
    """Where the family's encoder has only 8, another's takes its place."""
    source = synthetic(
        tmp_path / "in.webm", "testsrc2=s=64x48:r=25,format=yuv420p10le", "-frames:v", 4, "-c:v", "libvpx-vp9"
    )
    for ending in ("webm", "mkv", "mp4"):
        assert reader.show(pass_through(source, tmp_path / f"out.{ending}")).pix_fmt == "yuv420p10le"


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "ending", "settings", "expected"),
    [
        ("ffv1", "yuva420p", "webm", None, "yuva420p"),
        ("ffv1", "gbrap", "mkv", LOSSLESS, "bgra"),
        ("ffv1", "yuva420p", "mov", EncoderSettings(codec="prores_ks"), "yuva444p"),
        ("png", "rgba", "mov", EncoderSettings(codec="prores_ks"), "yuva444p"),
    ],
)
def test_alpha_stays_where_the_codec_can(tmp_path, codec, pix_fmt, ending, settings, expected):
    source = tmp_path / "in.mkv"
    ramp = "color=red:s=64x48:r=25,format=rgba,geq=r='4*X':g='5*Y':b=99:a='128+X'"
    ffmpeg(
        "-f",
        "lavfi",
        "-i",
        f"{ramp},format={'bgra' if pix_fmt == 'gbrap' else pix_fmt}",
        "-frames:v",
        4,
        "-c:v",
        codec,
        source,
    )
    out = pass_through(source, tmp_path / f"out.{ending}", settings)
    # Read by libvpx, since FFmpeg's own VP9 decoder does not see alpha.
    words = ("-c:v", "libvpx-vp9") if ending == "webm" else ()
    alpha = subprocess.run(
        [
            reader.binary(),
            "-v",
            "error",
            *words,
            "-i",
            out,
            "-vf",
            "alphaextract",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "gray",
            "-",
        ],
        capture_output=True,
        check=True,
    ).stdout
    rows = np.frombuffer(alpha, np.uint8).reshape(4, 48, 64)
    assert np.abs(rows - (128.0 + np.arange(64))).max() <= 6


def test_alpha_of_vp9_is_read(tmp_path):
    ramp = "color=red:s=64x48:r=25,format=yuva420p,geq=lum=128:cb=99:cr=150:a='128+X'"
    source = synthetic(tmp_path / "in.webm", ramp, "-frames:v", 4, "-c:v", "libvpx-vp9", "-auto-alt-ref", 0)
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS)
    assert reader.show(out).pix_fmt == "yuva420p"
    alpha = np.frombuffer(reader.planes(out, "yuva420p", (64, 48))[0], np.uint8)[-64 * 48 :].reshape(48, 64)
    assert np.abs(alpha - (128.0 + np.arange(64))).max() <= 4
