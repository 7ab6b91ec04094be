"""The encoder follows the input unless another is asked for, and losses are reported."""

from __future__ import annotations

import json

import pytest

from tests.support import reader
from tests.support.clips import decode
from tests.support.encoders import open_writer
from tests.support.frames import clip, pass_through, synthetic
from vidrestore.errors import OutputError, UsageError
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.encode.settings import EncoderSettings
from vidrestore.media.probe import probe


@pytest.mark.parametrize(
    ("source", "settings", "encoder", "pix_fmt"),
    [
        ({"codec": "libx264"}, EncoderSettings(), "libx264", "yuv420p"),
        ({"codec": "libx264", "pix_fmt": "yuv420p10le"}, EncoderSettings(), "libx264", "yuv420p10le"),
        ({"codec": "libx265"}, EncoderSettings(), "libx265", "yuv420p"),
        ({"codec": "mpeg4"}, EncoderSettings(), "libx264", "yuv420p"),
        ({"codec": "libx264"}, EncoderSettings(codec="libx265", crf=30), "libx265", "yuv420p"),
        ({"codec": "libx264"}, EncoderSettings(pix_fmt="yuv444p"), "libx264", "yuv444p"),
        # A size that 4:2:0 does not divide is encoded as 4:4:4, not resized.
        ({"codec": "ffv1", "size": (63, 47)}, EncoderSettings(codec="libx264"), "libx264", "yuv444p"),
    ],
)
def test_the_encoder_follows_the_input(tmp_path, source, settings, encoder, pix_fmt):
    given = clip(tmp_path / "in.mkv", count=12, **source)
    out = tmp_path / "out.mkv"
    with (
        Decoder(given) as decoder,
        open_writer(decoder, out, settings) as writer,
    ):
        assert (writer.encoder.codec, writer.encoder.pix_fmt) == (encoder, pix_fmt)
        for frame in decoder:
            writer.write(frame)
    info = probe(out)
    assert (info.width, info.height) == source.get("size", (64, 48))
    assert len(decode(out)) == 12


@pytest.mark.parametrize(
    ("settings", "ending", "words"),
    [
        (EncoderSettings(codec="nonesuch"), ".mp4", "unknown encoder 'nonesuch'"),
        (EncoderSettings(codec="aac"), ".mp4", "not video"),
        (EncoderSettings(codec="libx264"), ".webm", "cannot hold libx264"),
        (EncoderSettings(codec="ffv1", crf=20), ".mkv", "has no --crf"),
        (EncoderSettings(pix_fmt="yuv410p"), ".mp4", "cannot write pixel format"),
        (EncoderSettings(preset="warp9"), ".mp4", "has no preset"),
        (EncoderSettings(options=(("foo", "1"),)), ".mp4", "has no option .foo."),
        (EncoderSettings(options=(("bf", "2"), ("g", "x"))), ".mp4", "rejects g .x."),
    ],
)
def test_settings_that_do_not_fit_are_errors_before_any_work(tmp_path, settings, ending, words):
    source = clip(tmp_path / "in.mp4")
    with Decoder(source) as decoder, pytest.raises(UsageError, match=words):
        open_writer(decoder, tmp_path / f"out{ending}", settings)
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]


def test_ten_bits_stay_ten_bits(tmp_path):
    """If the encoder of the codec family supports only 8 bits, another one is chosen."""
    source = synthetic(
        tmp_path / "in.webm", "testsrc2=s=64x48:r=25,format=yuv420p10le", "-frames:v", 4, "-c:v", "libvpx-vp9"
    )
    for ending in ("webm", "mkv", "mp4"):
        assert reader.show(pass_through(source, tmp_path / f"out.{ending}")).pix_fmt == "yuv420p10le"


def test_the_loss_of_dynamic_metadata_is_reported(tmp_path, caplog):
    """HDR10+ of one scene, written by the libx265 of the ffmpeg binary."""
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
    info = {"JSONInfo": {"HDR10plusProfile": "B", "Version": "1.0"}, "SceneInfo": scenes}
    info |= {"SceneInfoSummary": summary, "ToolInfo": {"Tool": "test", "Version": "1"}}
    (tmp_path / "hdr10plus.json").write_text(json.dumps(info))
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
        f"hdr10=1:log-level=none:dhdr10-info={tmp_path / 'hdr10plus.json'}",
    )
    pass_through(source, tmp_path / "out.mkv", EncoderSettings(preset="ultrafast"))
    assert "loses its HDR10+ metadata" in caplog.text
    with pytest.raises(OutputError, match=r"--strict: .*HDR10\+"):
        pass_through(source, tmp_path / "strict.mkv", strict=True)


def test_the_loss_of_alpha_is_reported(tmp_path, caplog):
    source = clip(tmp_path / "in.mkv", pix_fmt="yuva420p", codec="ffv1")
    opaque = EncoderSettings("libx264", preset="ultrafast")
    pass_through(source, tmp_path / "out.mp4", opaque)
    assert "loses some of its yuva420p data: the nearest format of libx264 is yuv420p" in caplog.text
    with pytest.raises(OutputError, match=r"--strict: .* some of its yuva420p"):
        pass_through(source, tmp_path / "strict.mp4", opaque, strict=True)
    assert not (tmp_path / "strict.mp4").exists()
    pass_through(source, tmp_path / "asked.mp4", EncoderSettings("libx264", pix_fmt="yuv420p"), strict=True)
