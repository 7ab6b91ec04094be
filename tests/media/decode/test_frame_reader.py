"""Frames are read in one planar format, with increasing timestamps, and damage is counted."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

from tests.support import reader
from tests.support.clips import pattern, tagged, write
from tests.support.frames import LOSSLESS, clip, ffmpeg, pass_through, synthetic
from tests.support.sources import make
from vidrestore.errors import InputError
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.decode.fingerprint import FrameFingerprint
from vidrestore.media.encode.settings import EncoderSettings


def test_frames_of_another_size_are_scaled_to_the_first(tmp_path, caplog):
    parts = [
        synthetic(tmp_path / f"{n}.ts", f"testsrc2=s={s}:r=25", "-frames:v", 10)
        for n, s in enumerate(("64x48", "96x80"))
    ]
    source = tmp_path / "in.ts"
    ffmpeg("-i", f"concat:{parts[0]}|{parts[1]}", "-c", "copy", source)
    out = pass_through(source, tmp_path / "out.mp4")
    frames = reader.frames(out)
    assert [f.time for f in frames] == [f.time for f in reader.frames(source)]
    assert "64x48" in reader.describe(out)
    assert "10 frames were scaled to the size of the first" in caplog.text
    assert caplog.text.count("WARNING") == 1


def test_damage_is_an_error_with_strict(tmp_path):
    source = clip(tmp_path / "in.mkv", count=50, size=(320, 240), options={"g": "5", "bf": "0"})
    data = bytearray(source.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 400] = bytes(400)
    source.write_bytes(data)
    out = tmp_path / "out.mp4"
    with pytest.raises(InputError, match="leave out --strict"):
        pass_through(source, out, strict=True)
    assert not out.exists()
    pass_through(source, out)
    assert len(reader.frames(out)) >= 35


def test_packed_formats_are_repacked_without_loss(tmp_path):
    frames = [pattern(i, 64, 48, "gbrp").reformat(format="bgr0") for i in range(5)]
    source = write(tmp_path / "in.mkv", frames, codec="ffv1")
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS)
    same = {"pix_fmt": "gbrp"}
    assert [f.digest for f in reader.frames(out, **same)] == [f.digest for f in reader.frames(source, **same)]


def test_damage_in_the_middle_costs_only_the_frames_it_hits(tmp_path, caplog):
    source = clip(tmp_path / "in.mkv", count=50, size=(320, 240), options={"g": "5", "bf": "0"})
    damaged = bytearray(source.read_bytes())
    middle = len(damaged) // 2
    damaged[middle : middle + 400] = bytes(400)
    source.write_bytes(damaged)
    with Decoder(source) as decoder:
        assert 35 <= sum(1 for _ in decoder) <= 50


def test_a_file_cut_short_is_decoded_up_to_its_end(tmp_path, caplog):
    whole = clip(tmp_path / "whole.mp4", count=50, size=(320, 240), options={"movflags": "+faststart"})
    short = tmp_path / "short.mp4"
    with av.open(str(whole)) as a, av.open(str(short), "w", options={"movflags": "+faststart"}) as b:
        stream = b.add_stream_from_template(a.streams.video[0], opaque=True)
        for packet in a.demux():
            if packet.size:
                packet.stream = stream
                b.mux(packet)
    data = short.read_bytes()
    short.write_bytes(data[: len(data) * 2 // 3])
    with Decoder(short) as decoder:
        count = sum(1 for _ in decoder)
    assert 5 < count < 50
    assert f"{count} of 50 frames could be read" in caplog.text
    for source, ends_early in ((short, True), (whole, False)):
        caplog.clear()
        with Decoder(source) as decoder:
            last = next(
                FrameFingerprint.of(frame.index, frame.video) for frame in decoder if frame.index == 3
            )
        with Decoder(source, strict=ends_early) as decoder:
            decoder.resume_after(last)
            if ends_early:
                with pytest.raises(
                    InputError, match=f"the file ends early: only {count} frames could be read"
                ):
                    list(decoder)
            else:
                assert [frame.index for frame in decoder] == list(range(4, 50))
        assert not caplog.records


def test_b_frames_in_avi_are_put_in_order(tmp_path):
    """AVI has no presentation timestamps."""
    source = synthetic(
        tmp_path / "in.avi", "testsrc2=s=64x48:r=25", "-frames:v", 30, "-c:v", "libx264", "-bf", 3
    )
    out = pass_through(source, tmp_path / "out.mov", EncoderSettings(crf=0, preset="ultrafast"))
    times = [line.time for line in reader.frames(out)]
    assert len(times) == 30
    assert times == [times[0] + Fraction(i, 25) for i in range(30)]
    assert [f.digest for f in reader.frames(out)] == [f.digest for f in reader.frames(source)]


def test_frames_with_the_same_timestamp_are_spread(tmp_path, caplog):
    source = tmp_path / "in.mkv"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.time_base = 64, 48, Fraction(1, 1000)
        stream.codec_context.time_base = Fraction(1, 1000)
        # The packets get other timestamps than their frames.
        for i, time in enumerate([0, 40, 40, 40, 160, 200]):
            frame = pattern(i, 64, 48, "yuv420p")
            frame.pts, frame.time_base = 40 * i, Fraction(1, 1000)
            for packet in stream.encode(frame):
                packet.pts = packet.dts = time
                container.mux(packet)
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS)
    times = [line.time for line in reader.frames(out)]
    assert times == [Fraction(ms, 1000) for ms in (0, 40, 80, 120, 160, 200)]
    assert "2 frames had no valid timestamp" in caplog.text


def test_alpha_in_vp9_is_read(tmp_path):
    ramp = "color=red:s=64x48:r=25,format=yuva420p,geq=lum=128:cb=99:cr=150:a='128+X'"
    source = synthetic(tmp_path / "in.webm", ramp, "-frames:v", 4, "-c:v", "libvpx-vp9", "-auto-alt-ref", 0)
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS)
    assert reader.show(out).pix_fmt == "yuva420p"
    alpha = np.frombuffer(reader.planes(out, "yuva420p", (64, 48))[0], np.uint8)[-64 * 48 :].reshape(48, 64)
    assert np.abs(alpha - (128.0 + np.arange(64))).max() <= 4


MILLISECONDS = ("-fps_mode", "vfr", "-enc_time_base", "1/1000")
HEALTHY_AVI = {
    # Frames that the capture dropped are chunks of 0 bytes.
    "dropped": (
        *("testsrc2=s=64x48:r=25:d=2", "-vf", "select='not(between(n,10,19))*not(eq(n,30))'"),
        *("-fps_mode", "vfr", "-c:v", "mpeg4"),
    ),
    "a clock of milliseconds": ("testsrc2=s=64x48:r=25:d=1,settb=1/1000", *MILLISECONDS, "-c:v", "mjpeg"),
    "B-frames": ("testsrc2=s=64x48:r=25:d=1", "-c:v", "libx264", "-bf", 3),
    "longer sound": ("testsrc2=s=64x48:r=25:d=1[out0];sine=d=2[out1]", "-c:v", "mpeg4", "-c:a", "wmav2"),
}


@pytest.mark.parametrize("arguments", HEALTHY_AVI.values(), ids=HEALTHY_AVI)
def test_a_healthy_avi_is_not_called_damaged(tmp_path, caplog, arguments):
    source = synthetic(tmp_path / "in.avi", *arguments)
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS, strict=True)
    expected = reader.frames(source)
    assert [f.time for f in reader.frames(out)] == [f.time for f in expected]
    assert [f.digest for f in reader.frames(out)] == [f.digest for f in expected]
    assert not caplog.text


def test_a_packed_bitstream_is_not_called_damaged(tmp_path, caplog):
    """DivX put a B-frame into the chunk of the P-frame that it follows, and an empty frame into its own."""
    options = ("-c:v", "mpeg4", "-bf", 1, "-b_strategy", 0)
    plain = synthetic(tmp_path / "plain.avi", "testsrc2=s=64x48:r=25:d=1", *options)
    source = tmp_path / "in.avi"
    with av.open(str(plain)) as given, av.open(str(source), "w") as made:
        stream = given.streams.video[0]
        target = made.add_stream_from_template(stream)
        target.codec_context.extradata = bytes(stream.codec_context.extradata) + b"\0\0\1\xb2DivX503b1393p"
        packets = [(bytes(p), p.is_keyframe) for p in given.demux(stream) if p.size]
        is_b = [data[data.index(b"\0\0\1\xb6") + 4] >> 6 == 2 for data, _ in packets]
        for number, (data, key) in enumerate(packets):
            if is_b[number]:
                data = b"\0\0\1\xb6\x5f"
            elif number + 1 < len(packets) and is_b[number + 1]:
                data += packets[number + 1][0]
            packet = av.Packet(data)
            packet.pts = packet.dts = number
            packet.is_keyframe, packet.time_base, packet.stream = key, stream.time_base, target
            made.mux(packet)
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS, strict=True)
    assert [f.digest for f in reader.frames(out)] == [f.digest for f in reader.frames(plain)]
    assert [f.time for f in reader.frames(out)] == [f.time for f in reader.frames(plain)]
    assert not caplog.text


def test_an_avi_cut_short_ends_early(tmp_path, caplog):
    source = synthetic(tmp_path / "in.avi", HEALTHY_AVI["dropped"][0], "-c:v", "mjpeg")
    data = source.read_bytes()
    source.write_bytes(data[: len(data) // 2])
    with Decoder(source) as decoder:
        count = sum(1 for _ in decoder)
    assert f"the file ends early: {count} of 49 frames could be read" in caplog.text


def test_a_recording_that_begins_between_two_key_frames_is_not_damaged(tmp_path, caplog):
    options = ("-c:v", "libx264", "-g", 12, "-x264opts", "open-gop=1:bframes=3")
    source = synthetic(tmp_path / "in.ts", "testsrc2=s=64x48:r=25:d=2", *options)
    data = source.read_bytes()
    source.write_bytes(data[len(data) // 5 // 188 * 188 :])
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS, strict=True)
    assert [f.digest for f in reader.frames(out)] == [f.digest for f in reader.frames(source)]
    assert not caplog.text


def test_frames_before_time_zero_are_shown(tmp_path):
    """FFmpeg gives no time to what lies before 0 in Matroska."""
    whole = clip(tmp_path / "whole.mp4", count=24, options={"bf": "0"})
    source = tmp_path / "in.mkv"
    late = ("-itsoffset", -0.4, "-i", whole, "-c", "copy", "-copyts", "-avoid_negative_ts", "disabled")
    ffmpeg(*late, source)
    out = pass_through(source, tmp_path / "out.mp4", EncoderSettings(preset="ultrafast"))
    assert [f.time for f in reader.frames(out)] == [Fraction(i, 25) for i in range(24)]


@pytest.mark.parametrize(
    ("codec", "ending"), [("libx264", "h264"), ("libx265", "hevc"), ("mpeg2video", "m2v")]
)
def test_a_raw_stream_has_no_times_and_is_not_damaged(tmp_path, caplog, codec, ending):
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    coded = clip(tmp_path / "in.mkv", 24, codec=codec, options=options)
    raw = make(tmp_path / f"in.{ending}", coded, c="copy")
    with Decoder(raw, strict=True) as decoder:
        times = [frame.time for frame in decoder]
    assert len(times) == 24
    assert {later - earlier for earlier, later in pairwise(times)} == {Fraction(1, 25)}
    assert not caplog.text


def test_alpha_is_read_whatever_the_case_of_its_tag(tmp_path):
    half = (
        "color=red:s=64x48:r=25:d=0.2,format=rgba,colorchannelmixer=aa=0.5,format=yuva420p",
        {"f": "lavfi"},
    )
    transparent = make(tmp_path / "in.webm", half, **{"c:v": "libvpx-vp9", "pix_fmt": "yuva420p"})
    capitals = tagged(transparent, tmp_path / "capitals.mkv", track_tags={"alpha_mode": "1"})
    with av.open(str(capitals)) as container:
        assert container.streams.video[0].metadata.get("ALPHA_MODE") == "1"
    with Decoder(capitals) as decoder:
        assert decoder.source.pix_fmt == "yuva420p"
