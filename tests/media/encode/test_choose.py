"""The encoder follows the input unless another is asked for, and losses are reported."""

from __future__ import annotations

import json
from fractions import Fraction

import av
import numpy as np
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
    half = "color=red:s=64x48:r=25,format=rgba,colorchannelmixer=aa=0.5,format=yuva420p"
    source = synthetic(tmp_path / "in.mkv", half, "-frames:v", 4, "-c:v", "ffv1")
    opaque = EncoderSettings("libx264", preset="ultrafast")
    pass_through(source, tmp_path / "out.mp4", opaque)
    assert "the video of in.mkv loses its transparency, which libx264 does not write" in caplog.text
    with pytest.raises(OutputError, match=r"--strict: .* its transparency.*; ffv1 does, in .mkv"):
        pass_through(source, tmp_path / "strict.mp4", opaque, strict=True)
    assert not (tmp_path / "strict.mp4").exists()
    pass_through(source, tmp_path / "asked.mp4", EncoderSettings("libx264", pix_fmt="yuv420p"), strict=True)


HALF = "color=red:s=64x48:r=25,format=rgba,colorchannelmixer=aa=0.5,format=yuva420p"


@pytest.mark.parametrize(
    ("codec", "settings"),
    [
        (("-c:v", "ffv1"), EncoderSettings("libvpx-vp9")),
        (("-c:v", "ffv1"), EncoderSettings("libvpx-vp9", pix_fmt="yuva420p")),
        (("-c:v", "libvpx-vp9"), EncoderSettings()),
    ],
    ids=["vp9", "vp9 with alpha", "vp9 of vp9"],
)
def test_alpha_beside_the_packets_is_lost_in_an_mp4(tmp_path, caplog, codec, settings):
    source = synthetic(tmp_path / "in.mkv", HALF, "-frames:v", 4, *codec)
    pass_through(source, tmp_path / "out.mp4", settings)
    assert caplog.messages == [
        "the video of in.mkv loses its transparency, which libvpx-vp9 does not write in .mp4"
    ]
    with pytest.raises(OutputError, match=r"--strict: .* its transparency.*; ffv1 does, in .mkv"):
        pass_through(source, tmp_path / "strict.mp4", settings, strict=True)
    caplog.clear()
    for ending in (".mkv", ".webm"):
        out = pass_through(source, tmp_path / f"out{ending}", settings, strict=True)
        with Decoder(out) as decoder:
            assert "transparency" in decoder.source.side_data
    assert caplog.messages == []


@pytest.mark.parametrize("pix_fmt", ["yuva420p", "yuva444p10le"])
def test_alpha_that_no_frame_uses_is_no_loss(tmp_path, caplog, pix_fmt):
    opaque = ("testsrc2=s=64x48:r=25", "-frames:v", 6, "-c:v", "ffv1", "-pix_fmt", pix_fmt)
    settings = EncoderSettings("libx264", preset="ultrafast")
    source = synthetic(tmp_path / "in.mkv", *opaque)
    out = pass_through(source, tmp_path / "out.mp4", settings, strict=True)
    assert len(reader.frames(out)) == 6
    assert caplog.messages == []


def test_a_gif_whose_frames_are_opaque_passes_strict(tmp_path, caplog):
    source = synthetic(tmp_path / "in.gif", "testsrc2=s=64x48:r=10", "-frames:v", 6)
    out = pass_through(source, tmp_path / "out.mp4", strict=True)
    assert len(reader.frames(out)) == 6
    assert caplog.messages == ["the video of in.gif is rounded: libx264 writes its gbrap data as yuv444p"]


@pytest.mark.parametrize(
    ("name", "first", "end"),
    [
        ("in.gif", 0, ",split[a][b];[a]palettegen[c];[b][c]paletteuse"),
        ("in.mkv", 0, ",format=yuva444p10le"),
        ("in.mkv", 3, ",format=yuva420p"),
        ("in.mkv", 3, ",format=bgra"),
    ],
)
def test_transparency_is_named_when_a_frame_has_some(tmp_path, caplog, name, first, end):
    """The left half of the frames from ``first`` on is transparent."""
    colours = "testsrc2=s=64x48:r=10:d=0.6,format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)'"
    alpha = f"a='if(gte(N,{first})*lt(X,32),0,255)'"
    codec = () if name == "in.gif" else ("-c:v", "ffv1")
    source = synthetic(tmp_path / name, f"{colours}:{alpha}{end}", *codec)
    opaque = EncoderSettings("libx264", preset="ultrafast")
    pass_through(source, tmp_path / "out.mp4", opaque)
    said = f"the video of {name} loses its transparency, which libx264 does not write"
    assert caplog.messages.count(said) == 1
    with pytest.raises(OutputError, match=r"--strict: .* its transparency"):
        pass_through(source, tmp_path / "strict.mp4", opaque, strict=True)
    assert not (tmp_path / "strict.mp4").exists()


@pytest.mark.parametrize(("out", "hint"), [("out.mkv", "another -c:v"), ("out.webm", "or .mkv for OUT")])
def test_a_codec_that_the_container_cannot_hold(tmp_path, out, hint):
    with pytest.raises(UsageError, match=rf"cannot hold huffyuv video; choose .*{hint}$"):
        pass_through(clip(tmp_path / "in.mp4"), tmp_path / out, EncoderSettings("huffyuv"))


@pytest.mark.parametrize("pix_fmt", ["gbrpf32le", "gbrapf32le"])
def test_the_loss_of_floating_point_samples_is_reported(tmp_path, caplog, pix_fmt):
    """OpenEXR, a ramp from 0 to 4: what is above 1 becomes white."""
    context = av.CodecContext.create("exr", "w")
    context.width, context.height, context.pix_fmt, context.time_base = 64, 48, pix_fmt, Fraction(1, 25)
    frame = av.VideoFrame(64, 48, pix_fmt)
    for number, plane in enumerate(frame.planes):
        rows = np.frombuffer(plane, np.float32).reshape(48, -1)
        rows[:, :64] = 1 if number == 3 else np.linspace(0, 4, 64)
    frame.pts = 0
    packets = [*context.encode(frame), *context.encode(None)]
    (tmp_path / "in_000001.exr").write_bytes(b"".join(map(bytes, packets)))
    source = tmp_path / "in_%06d.exr"
    pass_through(source, tmp_path / "out.mkv", EncoderSettings("ffv1"))
    said = (
        "loses what its floating-point samples hold below 0 and above 1, which is clipped; the rest is read"
    )
    assert said in caplog.text
    with pytest.raises(OutputError, match=r"--strict: .*floating-point"):
        pass_through(source, tmp_path / "strict.mkv", EncoderSettings("ffv1"), strict=True)
    assert not (tmp_path / "strict.mkv").exists()
