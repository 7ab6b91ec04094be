"""Every frame comes out at the time it came in, and parts are those asked for, as ffmpeg reads them."""

from __future__ import annotations

from fractions import Fraction

import av
import pytest

from tests.support import reader
from tests.support.clips import pattern
from tests.support.frames import LOSSLESS, ffmpeg, pass_through, synthetic
from vidrestore.media.encode.settings import EncoderSettings
from vidrestore.media.timeline import Span


@pytest.mark.parametrize("ending", ["mp4", "mov"])
@pytest.mark.parametrize("rate", ["24000/1001", "25", "30000/1001", "50", "60", "60000/1001"])
def test_times_of_usual_rates_are_exact(tmp_path, rate, ending):
    source = synthetic(tmp_path / "in.mp4", f"testsrc2=s=64x48:r={rate}", "-frames:v", 40)
    out = pass_through(source, tmp_path / f"out.{ending}", EncoderSettings(preset="ultrafast"))
    times = [line.time for line in reader.frames(out)]
    assert times == [line.time for line in reader.frames(source)]
    assert times[-1] == 39 / Fraction(rate)


@pytest.mark.parametrize(
    "container", ["avi", "ts", "mpg", "flv", "wmv", "mkv", "webm", "y4m", "gif", "nut", "h264"]
)
def test_every_container_gives_all_its_frames_at_their_times(tmp_path, container):
    codecs = {"wmv": ("-c:v", "wmv2"), "webm": ("-c:v", "libvpx-vp9", "-deadline", "realtime"), "mpg": ()}
    words = codecs.get(container, ())
    source = synthetic(tmp_path / f"in.{container}", "testsrc2=s=64x48:r=25", "-frames:v", 30, *words)
    out = pass_through(source, tmp_path / "out.mov", EncoderSettings(codec="libx264", preset="ultrafast"))
    given, got = reader.frames(source), reader.frames(out)
    assert len(got) == len(given) == 30
    if container not in ("h264",):  # whose frames have no times
        assert [line.time for line in got] == [line.time for line in given]
    else:
        assert [line.time for line in got] == [got[0].time + Fraction(i, 25) for i in range(30)]


def test_b_frames_in_avi_come_out_in_order(tmp_path):
    """AVI has no times of presentation."""
    source = synthetic(
        tmp_path / "in.avi", "testsrc2=s=64x48:r=25", "-frames:v", 30, "-c:v", "libx264", "-bf", 3
    )
    out = pass_through(source, tmp_path / "out.mov", EncoderSettings(crf=0, preset="ultrafast"))
    times = [line.time for line in reader.frames(out)]
    assert len(times) == 30
    assert times == [times[0] + Fraction(i, 25) for i in range(30)]
    assert [f.digest for f in reader.frames(out)] == [f.digest for f in reader.frames(source)]


def test_audio_that_begins_before_the_video_does_so_still(tmp_path):
    source = tmp_path / "in.mkv"
    ffmpeg(
        *("-f", "lavfi", "-itsoffset", "0.5", "-i", "testsrc2=s=64x48:r=25:d=1"),
        *("-f", "lavfi", "-i", "sine=d=1.5", "-c:a", "aac", "-c:v", "libx264", source),
    )
    for ending in ("mp4", "mkv"):
        out = pass_through(source, tmp_path / f"out.{ending}")
        given, got = ([f.time for f in reader.frames(path)] for path in (source, out))
        assert got == given
        assert got[0] >= Fraction(1, 2)
        assert abs(reader.packets(out, "0:a")[0].time - reader.packets(source, "0:a")[0].time) < Fraction(
            1, 1000
        )


def test_frames_of_one_time_are_spread(tmp_path, caplog):
    source = tmp_path / "in.mkv"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.time_base = 64, 48, Fraction(1, 1000)
        stream.codec_context.time_base = Fraction(1, 1000)
        # Packets that are told other times than their frames'.
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


@pytest.mark.parametrize(
    ("container", "codec"),
    [("mp4", "libx264"), ("mkv", "libx265"), ("ts", "libx264"), ("avi", "mpeg4"), ("y4m", None)],
)
def test_a_part_has_the_frames_of_its_time(tmp_path, container, codec):
    words = ("-c:v", codec, "-bf", "0") if codec else ()
    source = synthetic(tmp_path / f"in.{container}", "testsrc2=s=64x48:r=25", "-frames:v", 60, *words)
    span = Span(Fraction(1), Fraction(2))
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS, span)
    whole = reader.frames(source)
    wanted = [f for f in whole if whole[0].time + 1 <= f.time < whole[0].time + 2]
    assert [f.digest for f in reader.frames(out)] == [f.digest for f in wanted]
    assert reader.frames(out)[0].time == 0
