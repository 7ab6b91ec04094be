"""Small undamaged files of many kinds, for :mod:`fuzz` to damage."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import numpy as np

from tests.support import boxes, sei

FRAMES, WIDTH, HEIGHT = 25, 96, 64
#: Kind of file, by what it holds: video encoder, its pixel format, and the audio encoder.
_PLAIN = {
    "h264.mp4": ("libx264", "yuv420p", "aac"),
    "hevc.mkv": ("libx265", "yuv420p10le", "flac"),
    "vp9.webm": ("libvpx-vp9", "yuv420p", "libopus"),
    "mpeg4.avi": ("mpeg4", "yuv420p", "mp2"),
    "h264.ts": ("libx264", "yuv420p", "aac"),
    "prores.mov": ("prores_ks", "yuv422p10le", "pcm_s16le"),
    "mpeg2.mpg": ("mpeg2video", "yuv420p", "mp2"),
    "h264.flv": ("libx264", "yuv420p", "aac"),
    "ffv1.mkv": ("ffv1", "yuv420p", "flac"),
    "mjpeg.avi": ("mjpeg", "yuvj420p", "pcm_s16le"),
    "av1.mp4": ("libsvtav1", "yuv420p", "aac"),
    "raw.y4m": ("wrapped_avframe", "yuv420p", None),
    "image.gif": ("gif", "rgb8", None),
    "wmv2.wmv": ("wmv2", "yuv420p", None),
}
_QUIET = {"libx265": {"x265-params": "log-level=none"}, "libsvtav1": {"preset": "12"}}
#: Seconds after which the 33-bit clock of a transport stream wraps.
_WRAP = 2**33 / 90000
#: FFmpeg's numbers of BT.2020 and PQ.
_HDR10 = {"color_primaries": 9, "color_trc": 16, "colorspace": 9}


def _encode(
    codec: str,
    pix_fmt: str,
    sound: str | None,
    ending: str,
    *,
    begin: float = 0,
    tags: dict[str, int] | None = None,
    options: dict[str, str] | None = None,
) -> bytes:
    """A file of 25 frames; ``begin`` is the time at which it begins, ``tags`` are those of its colours."""
    memory = io.BytesIO()
    muxer = {"mkv": "matroska", "ts": "mpegts", "mpg": "mpeg", "y4m": "yuv4mpegpipe", "wmv": "asf"}
    more = {"output_ts_offset": str(begin)} if begin else {}
    with av.open(memory, "w", format=muxer.get(ending, ending), options=more) as container:
        video = container.add_stream(codec, rate=25, options=_QUIET.get(codec, {}) | (options or {}))
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, pix_fmt
        for name, value in (tags or {}).items():
            setattr(video.codec_context, name, value)
        audio = container.add_stream(sound, rate=48000) if sound else None
        for index in range(FRAMES):
            frame = _picture(index, WIDTH, HEIGHT).reformat(format=pix_fmt)
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio:
            _tone(container, audio)
    return memory.getvalue()


def _picture(index: int, width: int, height: int) -> av.VideoFrame:
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin((x + 4 * index) / 9 + c) * np.cos(y / 7 - c) for c in range(3)]
    return av.VideoFrame.from_ndarray((127 + 100 * np.stack(waves, -1)).astype(np.uint8), format="rgb24")


def _tone(container: av.container.OutputContainer, stream: av.AudioStream) -> None:
    context = stream.codec_context
    context.open(strict=False)
    size = context.frame_size or 1024
    form = context.format.name
    for start in range(0, 48000 * FRAMES // 25, size):
        wave = 0.2 * np.sin(np.arange(start, start + size) / 20)
        planes = 2 if context.format.is_planar else 1
        samples = np.tile(wave, (planes, 1)) if planes == 2 else np.repeat(wave, 2)[None]
        if form.startswith("s16"):
            samples = (samples * 32767).astype(np.int16)
        elif form.startswith("s32"):
            samples = (samples * 2**31).astype(np.int32)
        else:
            samples = samples.astype(np.float32)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format=form, layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _set_back() -> bytes:
    """Two recordings joined, the second of which has the lower times."""
    return b"".join(_encode("libx264", "yuv420p", "aac", "ts", begin=begin) for begin in (1000, 20))


def _raw_dv() -> bytes:
    """Raw DV: nothing but the frames of its encoder, of the one size that it has."""
    encoder = av.CodecContext.create("dvvideo", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = 720, 576, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
    frames = [_picture(index, 720, 576).reformat(format="yuv420p") for index in range(4)]
    return b"".join(bytes(packet) for frame in (*frames, None) for packet in encoder.encode(frame))


def _spherical(ending: str) -> bytes:
    """Spherical video, side by side for two eyes, with a cropped picture."""
    plain = _encode("libx264", "yuv420p", None, "mp4")
    marks = (boxes.spherical(), boxes.stereo(2), boxes.cropping(WIDTH - 16, HEIGHT - 16))
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / "plain.mp4", Path(folder) / f"out.{ending}"
        path.write_bytes(plain)
        marked = boxes.add_boxes(path, Path(folder) / "marked.mp4", *marks)
        if ending == "mp4":
            return marked.read_bytes()
        with av.open(str(marked)) as source, av.open(str(out), "w") as copy:
            stream = copy.add_stream_from_template(source.streams.video[0])
            for packet in source.demux(video=0):
                if packet.size:
                    packet.stream = stream
                    copy.mux(packet)
        return out.read_bytes()


def _with_sei(codec: str, message: Callable[[int], tuple[int, bytes]]) -> bytes:
    """Video with an SEI message in each frame."""
    plain = _encode(codec, "yuv420p", None, "mp4", options={"bf": "0"})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plain.mp4"
        path.write_bytes(plain)
        return sei.add_sei(path, Path(folder) / "out.ts", message).read_bytes()


def _timecode(index: int) -> tuple[int, bytes]:
    return sei.hevc_timecode(f"01:02:03:{index % 25:02}")


def _mesh() -> bytes:
    """A mesh projection, which only this package reads."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plain.mp4"
        path.write_bytes(_encode("libx264", "yuv420p", "aac", "mp4"))
        marks = (boxes.spherical(b"mshp"), boxes.stereo(2))
        return boxes.add_boxes(path, Path(folder) / "marked.mp4", *marks).read_bytes()


#: What makes an undamaged file of each kind.
KINDS: dict[str, Callable[[], bytes]] = {
    **{kind: partial(_encode, *what, kind.rpartition(".")[2]) for kind, what in _PLAIN.items()},
    "wrapped.ts": partial(_encode, "libx264", "yuv420p", "aac", "ts", begin=_WRAP - 0.4),
    "set_back.ts": _set_back,
    "raw.dv": _raw_dv,
    # MPEG-4 has no colour tags of its own: only the container says them.
    "colour.mkv": partial(_encode, "mpeg4", "yuv420p", None, "mkv", tags=_HDR10),
    "spherical.mp4": partial(_spherical, "mp4"),
    "spherical.mkv": partial(_spherical, "mkv"),
    "captions.ts": partial(_with_sei, "libx264", sei.captions),
    "timecode.ts": partial(_with_sei, "libx265", _timecode),
    "mesh.mp4": _mesh,
}
